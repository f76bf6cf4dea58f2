package pmxcfs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/quorumwatch/quorumwatch/proxmox"
)

// deadline is how long /etc/pve may take. From memory all of it is read in milliseconds.
const deadline = 1500 * time.Millisecond

// listsEvery is how often guests and tasks are read; pvestatd renews what it says of guests every 10 s.
const listsEvery = 10 * time.Second

// maxFile bounds a file. pmxcfs allows 1 MiB a file; .rrd of a large cluster has a few.
const maxFile = 16 << 20

// Reader reads a node's files. It keeps what it need not read again; one Read at a time.
type Reader struct {
	host fs.FS
	pve  one[proxmox.Snapshot]
	own  one[proxmox.Snapshot]

	// These belong to the goroutine that reads /etc/pve.
	names   map[int]guestName
	lists   reading // guests and tasks, as they were last read
	manager managerFile
}

// New returns a Reader. host is the machine's root directory: os.DirFS("/") but in tests.
func New(host fs.FS) *Reader { return &Reader{host: host, names: map[int]guestName{}} }

// Source is FromFiles.
func (r *Reader) Source() proxmox.Source { return proxmox.FromFiles }

// String is "/etc/pve".
func (r *Reader) String() string { return "/etc/pve" }

// Read reads all files. It returns when ctx ends or /etc/pve has had 1.5 s, whatever the file system does.
func (r *Reader) Read(ctx context.Context) proxmox.Snapshot {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	now := time.Now()
	r.own.start(func() proxmox.Snapshot { return readOwn(r.host, now) })
	r.pve.start(func() proxmox.Snapshot { return r.readPVE(now) })
	s, ok := r.pve.wait(ctx)
	if !ok {
		s = proxmox.Snapshot{At: now, Faults: []proxmox.Fault{{
			Source: proxmox.FromFiles, Part: proxmox.PartMembers, Kind: proxmox.Hanging, Where: "/etc/pve",
			Reason: "a read does not return", Hint: "pmxcfs hangs; look at journalctl -u pve-cluster -u corosync",
		}}}
	}
	own, ok := r.own.wait(ctx)
	if !ok {
		return s
	}
	return withOwn(s, own)
}

// one runs a function in a goroutine, never twice at a time. It belongs to one caller.
type one[T any] struct {
	running chan T
	old     bool // it runs since an earlier start
}

// start runs f, unless an earlier one still runs.
func (o *one[T]) start(f func() T) {
	select {
	case <-o.running: // it hung, and has ended
		o.running = nil
	default:
	}
	if o.old = o.running != nil; o.old {
		return
	}
	running := make(chan T, 1)
	o.running = running
	go func() { running <- f() }()
}

// wait returns what f returned, or false if it still runs when ctx ends, or hung before: what it read then is old.
func (o *one[T]) wait(ctx context.Context) (T, bool) {
	select {
	case v := <-o.running:
		o.running = nil
		return v, !o.old
	case <-ctx.Done():
	}
	select { // both may have happened
	case v := <-o.running:
		o.running = nil
		return v, !o.old
	default:
		var none T
		return none, false
	}
}

// readFile reads a whole file of bounded size.
func readFile(dir fs.FS, name string) ([]byte, error) {
	f, err := dir.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, errTooLarge
	}
	return data, nil
}

var errTooLarge = fmt.Errorf("larger than %d MiB", maxFile>>20)

// faultOf says why a file could not be read.
func faultOf(part proxmox.Part, name string, err error) proxmox.Fault {
	f := proxmox.Fault{Source: proxmox.FromFiles, Part: part, Kind: proxmox.Malformed, Where: "/" + name, Reason: err.Error()}
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		f.Reason = pe.Err.Error()
	}
	switch {
	case errors.Is(err, fs.ErrPermission):
		f.Kind, f.Hint = proxmox.Denied, "run as root, or with the group www-data"
	case errors.Is(err, errTooLarge):
		f.Kind = proxmox.TooLarge
	case f.Reason != err.Error():
		f.Kind, f.Hint = proxmox.PmxcfsDown, "systemctl status pve-cluster"
	}
	return f
}
