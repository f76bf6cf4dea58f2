// Package replay runs a recorded trace through the model of Totem and knet (package corosync/totem), under the settings that were in force
// or under others, and tells what would have become of the token. It is pure.
//
// Where in their cycles Corosync's timers were is in no record, so one pass proves little: New makes a Replay, Pass runs it once with phases
// drawn from a seed, and Summarize makes one Outcome of many passes. Passes are independent of each other; a caller may run
// them side by side.
//
// What nobody knew is taken for arrived, but in the middle of an outage: a replay errs on the side of the network. Nodes take part from beginning to end, whatever became of
// their daemons in reality.
package replay
