// Package sim is a cluster of Corosync daemons in one process: for `quorumwatch demo` and for tests of the whole agent.
//
// A Cluster takes a parsed corosync.conf and a function that says what a path does with a packet. Totem and knet are those
// of package totem, packet by packet, quorum is that of package votequorum; so timing, partitions and counters are Corosync's
// own. It has no clock and no goroutine: Step moves it on, and equal calls give equal results. Status and the events that Step
// returns are what corosync/ctl would report on that node of a real cluster. A Driver runs a Cluster by the clock and gives
// each node's agent its daemon.
//
// What it leaves out:
//
//   - votequorum answers once, when the services are synchronized; expected_votes_tracking, allow_downscale and the window
//     of last_man_standing do not exist, and a quorum device is whatever Config.Device answers, at once.
//   - MTU: packets are small, PMTUD finds 1397 bytes on a link that is up. Configuration cannot be reloaded.
//   - A stopped daemon's Status keeps its last values, Stale, as with corosync/ctl; a paused one hangs.
//   - stats.srp is made of the model's events: no mcast_retx, rx_msg_dropped or times of synchronization.
package sim
