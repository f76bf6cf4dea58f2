// Package trace holds what happened to packets on the paths of a cluster, slot by slot: the record that the virtual token runs over,
// live and afterwards. It is a leaf.
//
// A path is one direction, from one node to another on one link. Time is cut into slots of equal length, as long as the probe
// interval; a Sample tells what became of a packet that left in a slot. Equal samples in a row take the place of one, so that hours of
// a healthy cluster are small.
package trace
