// Package corosync reads corosync.conf exactly as Corosync 3.1 does, and holds what a running daemon says of itself as
// plain values. It does no I/O of its own: callers pass readers, bytes and a Resolver. Package ctl asks the daemon.
//
// # From a file to what the daemon will do
//
//	c, err := corosync.Parse("/etc/corosync/corosync.conf", f) // what the file alone decides
//	addrs, problems := corosync.Resolve(ctx, net.DefaultResolver, c) // host names in ringN_addr
//	self, err := corosync.LocalNode(c, hostname, interfaceAddrs, addrs) // which node this machine is
//	c.Timeouts(), c.RuntimeValues() // the timers it will run with
//	corosync.Drift(c, running) // what runs otherwise: not reloaded, set by hand, left over
//
// The three steps together refuse what Corosync refuses to start with. What it takes, and an operator would not expect, is
// in Config.Warnings: misspelled keys, options that cancel each other, what the daemon refuses only after `corosync -t` has
// said yes, what Proxmox VE's own reader makes of the file (marked, to be left out elsewhere).
//
// # How it is known to be right
//
// TestParity runs every file of testdata/conf through the real Corosync of the machine and compares verdict, all of
// runtime.config.totem.*, nodelist.*, quorum.* and what quorumtool says; TestMutants compares the verdict on files that
// were spoiled at random. Both need root and Corosync, and were passed with 3.1.7 and 3.1.10.
//
// # Limits
//
// Users and groups of uidgid{}, the key file, libknet's crypto and compression modules and the names that DNS has for local
// addresses are not looked up. Where 3.1 releases differ, see Parse.
package corosync
