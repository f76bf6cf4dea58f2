package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// Trace files: quorumwatch-20260301T120000Z-a1.trace.
const (
	tracePrefix  = "quorumwatch-"
	traceSuffix  = ".trace"
	defaultFiles = 100
	defaultSize  = 200 << 20
	traceJobs    = 4 // that may wait for a slow disk
)

// keepTraces writes what the judge hands over, until the judge has ended.
func (a *Agent) keepTraces(_ context.Context, ready func()) error {
	ready()
	for job := range a.traceJobs {
		name, err := writeTrace(a.config.Trace, job)
		if err != nil {
			a.log.Error().Err(err).Str("incident", job.why).Msg("the trace of an incident is not kept")
			continue
		}
		a.log.Info().Str("file", name).Str("incident", job.why).Msg("trace written; 'quorumwatch replay' reads it")
	}
	return nil
}

// handTrace hands a file to the writer. It never waits.
func (a *Agent) handTrace(job traceJob) {
	select {
	case a.traceJobs <- job:
	default:
		a.log.Error().Str("incident", job.why).Msg("the trace of an incident is not kept: the disk does not keep up")
	}
}

// writeTrace writes a file, first under another name so that it is never there in part, and makes room for it.
func writeTrace(c Trace, job traceJob) (name string, err error) {
	t := job.record.Cut(job.from, job.to)
	if err := os.MkdirAll(c.Dir, 0o750); err != nil {
		return "", err
	}
	if err := pruneTraces(c); err != nil {
		return "", err
	}
	f, err := os.CreateTemp(c.Dir, ".new-*"+traceSuffix)
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if err := errors.Join(trace.Encode(f, t), f.Sync(), f.Close()); err != nil {
		return "", err
	}
	name = filepath.Join(c.Dir, traceName(t))
	return name, os.Rename(f.Name(), name)
}

// traceName is the file's name: when the trace begins and whose it is. Names may come from a foreign corosync.conf.
func traceName(t *trace.Trace) string {
	node := fmt.Sprint(t.Author)
	for _, n := range t.Nodes {
		if n.ID == t.Author && n.Name != "" {
			node = n.Name
		}
	}
	node = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '_'
	}, node)
	return tracePrefix + t.Start.UTC().Format("20060102T150405Z") + "-" + node + traceSuffix
}

// pruneTraces removes the oldest files until there is room for one more, and what an earlier run left half written.
func pruneTraces(c Trace) error {
	entries, err := os.ReadDir(c.Dir)
	if err != nil {
		return err
	}
	var names []string
	var total int64
	sizes := map[string]int64{}
	for _, e := range entries {
		name := e.Name()
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || !strings.HasSuffix(name, traceSuffix) {
			continue
		}
		if strings.HasPrefix(name, ".new-") && time.Since(info.ModTime()) > time.Hour {
			err = os.Remove(filepath.Join(c.Dir, name))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if strings.HasPrefix(name, tracePrefix) {
			names = append(names, name)
			sizes[name] = info.Size()
			total += info.Size()
		}
	}
	slices.Sort(names) // by time
	for len(names) > 0 && (len(names) >= c.files() || total >= c.size()) {
		if err := os.Remove(filepath.Join(c.Dir, names[0])); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		total -= sizes[names[0]]
		names = names[1:]
	}
	return nil
}

func (c Trace) files() int {
	if c.Files <= 0 {
		return defaultFiles
	}
	return c.Files
}

func (c Trace) size() int64 {
	if c.Size <= 0 {
		return defaultSize
	}
	return c.Size
}
