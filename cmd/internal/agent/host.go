package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/fsnotify/fsnotify"

	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/corosync/ctl"
	"github.com/quorumwatch/quorumwatch/probe/stamp"
)

// maxFile bounds what is read of corosync.conf or a key: more than either ever holds, and little enough to read at once.
const maxFile = 10 << 20

// HostAddrs returns the addresses of this host's interfaces, without zones.
func HostAddrs() ([]netip.Addr, error) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	var out []netip.Addr
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			out = append(out, p.Addr().Unmap())
		}
	}
	return out, nil
}

// ReadFile reads a whole file of at most 10 MiB.
func ReadFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s: larger than %d MiB", name, maxFile>>20)
	}
	return data, nil
}

// ConfFile returns a reader of the corosync.conf with that name, for Config.ReadConf.
func ConfFile(name string) func() (string, []byte, error) {
	return func() (string, []byte, error) {
		text, err := ReadFile(name)
		if errors.Is(err, os.ErrNotExist) {
			err = corosync.Problem{File: name, Reason: "no such file", Hint: "this host has no Corosync cluster yet, or its file is elsewhere: set corosync.config"}
		}
		return name, text, err
	}
}

// WatchFile tells when the file or one beside it, such as the key, may have changed, for Config.ConfEvents. It watches the
// folder: pmxcfs and editors replace files by renaming.
func WatchFile(name string) func(ctx context.Context) (<-chan struct{}, error) {
	return func(ctx context.Context) (<-chan struct{}, error) {
		watcher, err := fsnotify.NewWatcher()
		if err != nil {
			return nil, fmt.Errorf("watching %s: %w", name, err)
		}
		if err := watcher.Add(filepath.Dir(name)); err != nil {
			_ = watcher.Close()
			return nil, fmt.Errorf("watching %s: %w", filepath.Dir(name), err)
		}
		changed := make(chan struct{}, 1)
		go forwardEvents(ctx, watcher, changed)
		return changed, nil
	}
}

// forwardEvents ends, and closes the watcher, with ctx.
func forwardEvents(ctx context.Context, watcher *fsnotify.Watcher, changed chan<- struct{}) {
	defer watcher.Close()
	for {
		select {
		case <-ctx.Done():
			return
		case <-watcher.Events:
			select {
			case changed <- struct{}{}:
			default:
			}
		case <-watcher.Errors: // an overflow: the next look finds what it hid
		}
	}
}

// CorosyncKey derives the key for probes from the key that all nodes of the cluster share: the given file, or with "" the one
// that corosync.conf names.
func CorosyncKey(file string) func(c *corosync.Config) (stamp.Master, error) {
	return func(c *corosync.Config) (stamp.Master, error) {
		name := file
		if name == "" {
			name = c.KeyFile
		}
		secret, err := ReadFile(name)
		if err != nil {
			return stamp.Master{}, err
		}
		return stamp.DeriveKey(secret)
	}
}

// LogOf says where the Corosync of that corosync.conf logs: the file that the operator names, else the one that corosync.conf
// names and uses, else the journal. The error is that of a corosync.conf that cannot be read.
func LogOf(conf, file string) (ctl.LogSource, error) {
	if file != "" {
		return ctl.LogSource{File: file}, nil
	}
	text, err := ReadFile(conf)
	if err != nil {
		return ctl.LogSource{}, err
	}
	c, err := corosync.Parse(conf, bytes.NewReader(text))
	if err != nil {
		return ctl.LogSource{}, err
	}
	switch c.Values["logging.to_logfile"].Text {
	case "yes", "on": // exec/mainconfig.c, corosync_main_config_log_destination_set
		return ctl.LogSource{File: c.Values["logging.logfile"].Text}, nil
	}
	return ctl.LogSource{}, nil
}
