// Package risk runs the virtual token: Corosync's own rules (package corosync/totem) over what the probes saw. It is pure.
//
// A Cluster is what the model has to know of a configuration; a Recorded is a network that does what a trace says. Live runs them beside
// the real cluster and tells the margin; Fit and Forecast tell how long it is to the next token loss.
package risk
