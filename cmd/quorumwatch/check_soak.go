package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/quorumwatch/quorumwatch/checker/verdict"
	"github.com/quorumwatch/quorumwatch/cmd/internal/check"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// mostSoak is the longest soak.
const mostSoak = 31 * 24 * time.Hour

// checkSoak refuses a soak that makes no sense.
func (f *checkFlags) checkSoak(cmd *cobra.Command) error {
	switch {
	case !cmd.Flags().Changed("soak"):
		if f.state != "" || f.fresh {
			return usage("--soak 24h keeps one", "--state and --fresh are of a soak")
		}
		return nil
	case f.soak < leastRun || f.soak > mostSoak:
		return usage("two seconds at least, 31 days (744h) at most", "--soak %v", f.soak)
	}
	return nil
}

// openSoak takes up the soak of these targets, or begins one.
func (f *checkFlags) openSoak(p *process, h *checkHost, c *check.Config, about verdict.Input) (*check.Soak, error) {
	file, err := f.stateFile(p, h)
	if err != nil {
		return nil, err
	}
	s, err := check.OpenSoak(file, check.NewFingerprint(c, about.Conf, about.Planned, about.Sites), f.fresh)
	switch {
	case errors.Is(err, check.ErrBusy):
		return nil, &hinted{err, "wait for it, or give this one another --state FILE"}
	case errors.Is(err, check.ErrForeign):
		return nil, &hinted{err, "--fresh throws it away and begins anew; --state FILE keeps both"}
	case errors.Is(err, check.ErrNewer):
		return nil, &hinted{err, "finish it with that version, or begin anew with --fresh"}
	case errors.Is(err, check.ErrDamaged):
		return nil, &hinted{err, "--fresh begins anew in its place"}
	case errors.Is(err, fs.ErrPermission):
		return nil, &hinted{err, "run as root, or name a file of yours with --state FILE"}
	case err != nil:
		return nil, err
	}
	s.Model = func(t *trace.Trace, fresh time.Duration, paths []verdict.Path) (verdict.Stretch, error) {
		in := about
		in.Paths, in.Libknet = paths, h.libknet()
		return verdict.Run(in, t, fresh)
	}
	if n := s.Measured(); n >= f.soak {
		fmt.Fprintf(p.err, "this soak is complete, and its verdict follows; --fresh begins another one, a longer --soak goes on with it\n")
	} else if n > 0 {
		fmt.Fprintf(p.err, "going on after %s of %s (%s)\n", roughly(n), roughly(f.soak), file)
	}
	return s, nil
}

// stateFile is where the soak is kept: one of the cluster, and one for each site that is to join.
func (f *checkFlags) stateFile(p *process, h *checkHost) (string, error) {
	if f.state != "" {
		return f.state, nil
	}
	name := "soak.json.gz"
	if len(f.peers) > 0 {
		var peers []string
		for _, text := range f.peers {
			peer, _, _ := strings.Cut(text, "=")
			peers = append(peers, strings.ReplaceAll(peer, "/", "."))
		}
		name = "soak-" + strings.Join(peers, "+") + ".json.gz"
	}
	if os.Geteuid() == 0 {
		return filepath.Join(h.config.StateDir, name), nil
	}
	dir := cmp.Or(environ(p, "XDG_STATE_HOME"), filepath.Join(environ(p, "HOME"), ".local", "state"))
	if !filepath.IsAbs(dir) {
		return "", usage("name a file with --state FILE", "no place to keep the soak: neither XDG_STATE_HOME nor HOME is set")
	}
	return filepath.Join(dir, "quorumwatch", name), nil
}

// environ is a variable of the process.
func environ(p *process, name string) string {
	for _, v := range p.environ {
		if text, ok := strings.CutPrefix(v, name+"="); ok {
			return text
		}
	}
	return ""
}

// interim judges what a soak has measured so far, beside it, and lets the progress tell.
func (f *checkFlags) interim(h *checkHost, about verdict.Input, told *progress) func(check.Measurement) {
	busy := make(chan struct{}, 1)
	return func(m check.Measurement) {
		select {
		case busy <- struct{}{}:
		default:
			return // the one before is still thought about
		}
		go func() {
			defer func() { <-busy }()
			in := f.measured(h, m)
			in.Conf, in.Planned, in.Sites, in.Local, in.HA, in.Proxmox = about.Conf, about.Planned, about.Sites, about.Local, about.HA, about.Proxmox
			in.Libknet = h.libknet()
			v, err := verdict.Judge(in)
			if err != nil {
				return
			}
			text := string(v.Answer)
			if v.First != "" {
				text += " (" + v.First + ")"
			}
			if v.Headroom.Known {
				text += fmt.Sprintf(", worst gap %.0f %% of the token", 100*v.Headroom.Share)
			}
			told.interim.Store(&text)
		}()
	}
}
