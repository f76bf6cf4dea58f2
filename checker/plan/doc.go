// Package plan answers what-if questions about a cluster without any traffic: which failures of nodes, sites, links, paths and the quorum
// device cost quorum, which nodes would reset, what the timers become, whether the token outlives the death of a link. It is pure.
//
// A Design is a cluster with what is assumed of it: made of a corosync.conf (FromConfig) or of sites and counts alone (New). Changes turn
// one Design into another. Make judges one, or two beside each other, and gives a Report.
//
// Who stays quorate is decided by package votequorum, timers and token by package totem; what plan adds is the enumeration of the failures,
// the partitions that each of them makes, and the grouping of equal cases.
package plan
