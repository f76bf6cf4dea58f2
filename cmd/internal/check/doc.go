// Package check measures once: it probes paths for a while beside whatever agent runs on this host, keeps a record of what became of each
// probe, and hands back what package verdict judges. It also turns an agent's report and record into the same.
package check
