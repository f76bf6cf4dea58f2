// Package corosync reads corosync.conf exactly as Corosync 3.1 does, and holds what a running daemon says of itself as
// plain values. It does no I/O of its own: callers pass readers and bytes. Package ctl asks the daemon.
package corosync
