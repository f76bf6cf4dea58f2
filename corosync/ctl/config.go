package ctl

import "time"

// Config says how to follow a daemon. The zero value is good on a node with Corosync and systemd.
type Config struct {
	Runner Runner // nil: Exec{}

	// Deadline is how long one call of a tool may take. Zero: 3 s. A call that takes a third of it makes the Follower ask
	// whether the daemon answers at all; one that gets no answer in a Deadline is a daemon that hangs.
	Deadline time.Duration

	// Polling periods; zero: the defaults. What is pushed does not wait for them.
	Links   time.Duration // knet's state and counters per link: 2 s, stretched to 50 times what a reading takes
	SRP     time.Duration // Totem's counters: 5 s
	Quorum  time.Duration // votes, ring id and members: 5 s
	Runtime time.Duration // effective values: 30 s, and after a reload

	// Log is where Corosync's log lines come from. The zero value: the journal of corosync.service. Nothing fails if there
	// are none.
	Log LogSource
	// LogNow, if set, knows where that is now. It is asked at first, when the daemon has come up and after a reload, and may read
	// files. If it fails, the log that is followed stays; at first that is Log.
	LogNow func() (LogSource, error)
}

// LogSource is where Corosync logs to.
type LogSource struct {
	File string // follow this file (logging.logfile), also when it is rotated
	Unit string // follow this unit's journal; "": corosync.service. Ignored with a File
	None bool   // follow nothing
}

// The defaults of Config, and what it does not offer.
const (
	defaultDeadline = 3 * time.Second
	defaultLinks    = 2 * time.Second
	defaultSRP      = 5 * time.Second
	defaultQuorum   = 5 * time.Second
	defaultRuntime  = 30 * time.Second

	// linkShare bounds the polling of links: 31 peers with 3 links are 800 keys, some 80 ms of round trips.
	linkShare = 50

	// A daemon that does not answer is asked again after minBackoff, then ever less often.
	minBackoff = time.Second
	maxBackoff = 5 * time.Second

	// A push about members arrives before votequorum has decided: the quorum is read again after firstSettle, then at
	// doubling intervals, until both speak of the same members. With a quorum device that may take its sync_timeout, 30 s.
	firstSettle  = 20 * time.Millisecond
	maxSettle    = time.Second
	settleWithin = 40 * time.Second

	// A reload pushes a key at a time: the values are read once it is over.
	reloadSettle = 100 * time.Millisecond

	// linkNews is the least time between two readings of the links that log lines ask for.
	linkNews = 200 * time.Millisecond

	// streamPause is the least time between two starts of a following tool, and logPause for the log's.
	streamPause = time.Second
	logPause    = 10 * time.Second

	eventsKept = 256
)

func (c Config) withDefaults() Config {
	set := func(d *time.Duration, def time.Duration) {
		if *d <= 0 {
			*d = def
		}
	}
	if c.Runner == nil {
		c.Runner = Exec{}
	}
	set(&c.Deadline, defaultDeadline)
	set(&c.Links, defaultLinks)
	set(&c.SRP, defaultSRP)
	set(&c.Quorum, defaultQuorum)
	set(&c.Runtime, defaultRuntime)
	if c.LogNow == nil {
		at := c.Log
		c.LogNow = func() (LogSource, error) { return at, nil }
	}
	return c
}
