// Package probe measures UDP paths between nodes with STAMP (RFC 8762, RFC 8972) at sub-second intervals: a Session-Sender
// and a stateful Session-Reflector on one socket per local address. It knows addresses only; whose they are is the
// business of package topology.
//
//	p, err := probe.New(probe.Config{Network: udp.Network{}, NewPacer: newPacer, Key: key})
//	p.SetTargets(targets)                // at any time: what stays keeps its figures, what goes is forgotten
//	go p.Run(ctx)
//	for _, o := range p.Observations(now) { ... }
//
// # What leaves, and when
//
// Each target gets two sessions: probes about as long as Corosync's token (152 bytes with a key, 71 without) at Interval, and
// probes of FullSize bytes with Don't Fragment at FullInterval, which carry this node's bulletin (SetBulletin) in the place of idle
// padding. Plan says when each leaves: at one of five instants of its interval, by a hash of both addresses. A Prober that wakes
// up late sends what is due and does not make up for what it missed.
//
// What arrives is read at those instants, too, 10 ms apart at most, where the kernel stamps packets: a wake-up of this process costs
// as much as ten datagrams. The time that a request lay unread is part of its residence, which its sender takes off.
//
// # What is measured
//
// The kernel's stamps say when a probe left and its reply came; the reflector's residence is taken off, and corrected by its
// Follow-Up Telemetry (RFC 8972 section 4.7) once the next reply tells when this one really left. Only instants of
// one monotonic clock are subtracted; clocks that are set, at either end, disturb nothing. Package stats says how loss gets its
// direction and what a gap is. A stall of this host (its pacer woke up more than 30 ms late) is told to all paths and by Pauses: what it
// hid is not held against the network. Nor is what was lost while our own kernel dropped datagrams (KernelDropped).
//
// # What is answered
//
// Requests from remote addresses of targets, and from whom Config.Allow lists; with the right key, unless Config.Key is
// zero; once each (a window of 1024 numbers for each session of an address, whatever the port; a new session must not be older than what
// was heard of the peer, unless its replies tell that its clock was set, or the peer was silent for 10 s and our clock is near: then it
// is answered, but not believed); at most Config.PeerRate a second for each peer and TotalRate in all. A reply is as long as its
// request. Everything else is dropped and counted by Reason. No input makes state for somebody who has not shown the key.
//
// # When a path cannot be used
//
// An address that is not there, an interface that is down, a socket that fails: Observation.Err says why, the socket is
// opened again every 100 ms to 1 s, and the probes that could not leave count as sent, and are lost in time: Corosync cannot send
// there either. Nothing blocks on it.
package probe
