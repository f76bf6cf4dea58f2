package ctl

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
)

// Follower keeps the Status of the local Corosync daemon up to date. Its methods may be called from any goroutine.
type Follower struct {
	cfg     Config
	status  atomic.Pointer[corosync.Status]
	changed atomic.Pointer[chan struct{}]
	events  chan corosync.Event
	dropped atomic.Uint64

	hurry   chan struct{} // holds a token when a fresh reading is wanted
	reports chan report   // from what runs beside the loop
	done    chan struct{} // closed when the loop has ended
	beside  sync.WaitGroup
}

// New returns a Follower that does nothing until Run is called.
func New(cfg Config) *Follower {
	f := &Follower{
		cfg:     cfg.withDefaults(),
		events:  make(chan corosync.Event, eventsKept),
		hurry:   make(chan struct{}, 1),
		reports: make(chan report),
		done:    make(chan struct{}),
	}
	f.status.Store(&corosync.Status{})
	f.changed.Store(new(make(chan struct{})))
	return f
}

// Status returns what is known of the daemon now. It never blocks. Slices and maps in it must not be changed.
func (f *Follower) Status() corosync.Status { return *f.status.Load() }

// Changed returns a channel that is closed at the next change of Status. Take it before reading Status, so that no change
// is missed:
//
//	for {
//		changed := f.Changed()
//		use(f.Status())
//		<-changed
//	}
func (f *Follower) Changed() <-chan struct{} { return *f.changed.Load() }

// Events delivers what Corosync's log tells, those lines that mean something (Event.What is never nil). It has room for
// 256; when nobody reads, new ones are dropped and counted. It is never closed.
func (f *Follower) Events() <-chan corosync.Event { return f.events }

// Dropped is how many events found no room in Events.
func (f *Follower) Dropped() uint64 { return f.dropped.Load() }

// Run follows the daemon until ctx ends; then it returns nil. It may be called once.
func (f *Follower) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	l := &loop{
		f:       f,
		ctx:     ctx,
		jobs:    newJobs(f.cfg),
		members: corosync.Map{},
		cur:     corosync.Status{Since: time.Now()},
	}
	l.follow()
	cancel()
	close(f.done)
	f.waitBeside()
	return nil
}

// waitBeside waits for what still runs, as long as a kill may take; a process in an uninterruptible sleep is left behind.
func (f *Follower) waitBeside() {
	ended := make(chan struct{})
	go func() {
		f.beside.Wait()
		close(ended)
	}()
	t := time.NewTimer(2 * killWait)
	defer t.Stop()
	select {
	case <-ended:
	case <-t.C:
	}
}

// tell hands a report to the loop. After the loop's end it is dropped.
func (f *Follower) tell(r report) {
	select {
	case f.reports <- r:
	case <-f.done:
	}
}

// publish makes s the Status and wakes those who wait for a change.
func (f *Follower) publish(s corosync.Status) {
	f.status.Store(&s)
	close(*f.changed.Swap(new(make(chan struct{}))))
}

// pass offers an event without waiting.
func (f *Follower) pass(e corosync.Event) {
	select {
	case f.events <- e:
	default:
		f.dropped.Add(1)
	}
}
