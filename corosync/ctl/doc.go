// Package ctl asks a running Corosync daemon, through Corosync's own tools, and follows it.
//
// A Follower keeps an immutable corosync.Status up to date. What Corosync pushes arrives at once: a tracking
// corosync-cmapctl tells of members and reloads, a monitoring corosync-quorumtool of new rings and of quorum, the journal
// or the log file of links and of the token. The rest is polled gently: every key read is a round trip through the very loop
// of Corosync's that handles tokens, so only what is needed is read, seldom, and ever more seldom the longer it takes.
//
// No call blocks: each runs beside the Follower under a deadline, its process group is killed when that passes, and its
// output is bounded. A daemon that is stopped, starts, hangs, is absent or refuses to answer is a state of the Status
// (corosync.Daemon), reported once; the last values are kept and marked Stale. Only one cheap question is then asked, with a
// growing pause in between: corosync-cfgtool -s, the one tool that names its reason by number and does not wait.
//
// It and corosync/lab are the only users of os/exec.
package ctl
