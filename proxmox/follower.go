package proxmox

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Reader reads what one place knows of the cluster. proxmox/pmxcfs and proxmox/api have one each.
type Reader interface {
	// Read returns what the place knows now; what it could not read is among the Faults. It should return when ctx ends; a
	// Reader that does not is left alone until it does.
	Read(ctx context.Context) Snapshot
	// Source is where its parts come from.
	Source() Source
	// String is its name for people.
	String() string
}

// Feed is a Reader and its pace.
type Feed struct {
	Reader  Reader
	Every   time.Duration // between the starts of two readings; zero: 2 s for files, 10 s for the API
	Timeout time.Duration // of one reading; zero: 2 s for files, 20 s for the API
}

// How a Follower goes about it.
const (
	filesEvery, filesTimeout = 2 * time.Second, 2 * time.Second
	apiEvery, apiTimeout     = 10 * time.Second, 20 * time.Second

	maxPause = time.Minute // between two readings of a source that gives nothing
	jitter   = 0.1         // share of a pause, so that agents do not ask in step
)

// Follower keeps a Snapshot up to date from several readers, the one nearest to the local node first. Readers never wait for
// each other, and Latest never waits for any: a hanging /etc/pve or API is a Fault, and what it said last fades.
type Follower struct {
	feeds  []Feed
	latest atomic.Pointer[Snapshot]
}

// NewFollower returns a Follower that knows nothing until Run is called. The order of feeds is that of Merge.
func NewFollower(feeds ...Feed) *Follower {
	f := &Follower{feeds: slices.Clone(feeds)}
	for i := range f.feeds {
		every, timeout := apiEvery, apiTimeout
		if feeds[i].Reader.Source() == FromFiles {
			every, timeout = filesEvery, filesTimeout
		}
		if f.feeds[i].Every <= 0 {
			f.feeds[i].Every = every
		}
		if f.feeds[i].Timeout <= 0 {
			f.feeds[i].Timeout = timeout
		}
	}
	f.latest.Store(&Snapshot{})
	return f
}

// Latest returns what is known now. It never blocks. Slices and maps in it must not be changed.
func (f *Follower) Latest() Snapshot { return *f.latest.Load() }

// Run follows the sources until ctx ends; then it returns nil. It may be called once.
func (f *Follower) Run(ctx context.Context) error {
	news := make(chan reading)
	var all sync.WaitGroup
	for i := range f.feeds {
		all.Go(func() { f.feeds[i].follow(ctx, i, news) })
	}
	known := make([]Snapshot, len(f.feeds))
	for {
		select {
		case <-ctx.Done():
			all.Wait()
			return nil
		case r := <-news:
			known[r.feed] = r.snapshot
			merged := Merge(known...)
			f.latest.Store(&merged)
		}
	}
}

// reading is what a feed knows now.
type reading struct {
	feed     int
	snapshot Snapshot
}

// follow reads again and again, one reading at a time.
func (d Feed) follow(ctx context.Context, number int, news chan<- reading) {
	var known Snapshot
	pause := d.Every
	for {
		started := time.Now()
		got, done := d.read(ctx, func(overdue Snapshot) {
			known = after(known, overdue)
			send(ctx, news, reading{number, known})
		})
		if !done {
			return
		}
		known = after(known, got)
		send(ctx, news, reading{number, known})
		pause = min(2*pause, max(min(maxPause, 6*d.Every), d.Every))
		if got.Known(PartMembers) || got.Known(PartQuorum) {
			pause = d.Every
		}
		if !sleep(ctx, started.Add(jittered(pause))) {
			return
		}
	}
}

// read makes one reading. When it takes longer than it may, overdue is called, once, and the wait goes on: there is never a second
// one beside it. It returns false when ctx ends.
func (d Feed) read(ctx context.Context, overdue func(Snapshot)) (Snapshot, bool) {
	limited, cancel := context.WithTimeout(ctx, d.Timeout)
	defer cancel()
	name := d.Reader.String() // which is the Reader's own while it reads
	result := make(chan Snapshot, 1)
	go func() { result <- d.Reader.Read(limited) }()
	late := time.NewTimer(d.Timeout + time.Second) // a Reader that minds ctx has returned by then
	defer late.Stop()
	for {
		select {
		case s := <-result:
			return s, true
		case <-late.C:
			overdue(Snapshot{At: time.Now(), Faults: []Fault{{
				Source: d.Reader.Source(), Part: PartMembers, Kind: Hanging, Where: name,
				Reason: fmt.Sprintf("no answer for %s", d.Timeout), Hint: "systemctl status pve-cluster pveproxy",
			}}})
		case <-ctx.Done():
			return Snapshot{}, false
		}
	}
}

func send(ctx context.Context, news chan<- reading, r reading) {
	select {
	case news <- r:
	case <-ctx.Done():
	}
}

func sleep(ctx context.Context, until time.Time) bool {
	t := time.NewTimer(time.Until(until))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func jittered(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (1 + jitter*(2*rand.Float64()-1)))
}
