// Package impair is the sick network of the lab as a pure, deterministic model: a packet and an instant go in, a verdict
// comes out. It has no clock, socket, goroutine or lock, so that the hub can run it on a real-time thread and a test can run it on
// made-up packets.
//
// A Rule names directions (from and to, sites or nodes), links, flows and sizes, and says what happens to what it matches.
// Rules apply in their order, each as if it were one more piece of line behind the one before: a rule's delay is added to the instant
// at which the next rule sees the packet.
//
// What has a memory (queue, burst, jitter, order) is a line. A rule has one line for each direction between two sites and
// each link, shared by all paths that take it, as paths share a cable. A rule whose From and To name nodes has one line for each
// direction between two nodes.
//
// Rules with a time window are judged against the packet's own instant, not switched by a timer: a packet at the instant of
// Start is the first to meet the rule, one at End is the first to escape it.
//
// Two deterministic sets with the same rules, topology and seed give the same verdicts for the same packets.
package impair
