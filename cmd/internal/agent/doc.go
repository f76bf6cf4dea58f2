// Package agent runs one node's watch: it wires the sources (corosync.conf, the running Corosync, the probes) to the judge and
// the judge's Report to the views (HTTP, metrics, alerts).
//
// It is the only package that may import everything. What it does at the same time it does in Tasks under one group:
//
//	config    reads corosync.conf, at start, when it changes and on reload; keeps the last good one in force
//	daemon    follows the running Corosync
//	probes    sends, answers and accounts probes
//	judge     some 20 times a second: everything known -> checker.Step -> one immutable Report
//	traces    what the paths did around incidents -> files
//	alerts    Report -> notifications -> receivers
//	web       Report -> HTTP
//	systemd   readiness and watchdog
//
// Nothing waits for anything else: a dead Corosync, an unreadable file or a receiver out of reach never holds a probe or a
// judgement. The Report is published through an atomic pointer and never changed after.
package agent
