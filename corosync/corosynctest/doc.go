// Package corosynctest is Corosync for tests: what the real tools printed, tools that follow a script (a ctl.Runner), and
// clusters as plain values.
//
// testdata/corosync-VERSION/STATE holds the recorded outputs (.out), complaints (.err) and exit statuses (.rc) of one node
// of a three-node cluster with two links, in network namespaces of one machine:
//
//	healthy3    all is well
//	link0down   link 0 to node 3 is down, link 1 carries
//	majority    node 3 is cut off, nodes 1 and 2 have formed a new ring; seen from node 1
//	isolated    the same, seen from node 3
//	qdevice     two nodes and a quorum device that votes
//	qdevicelost the same, the quorum device's server is gone
//	stopped     no daemon
//	denied      asked by an ordinary user
//
// Stretched and StretchedStatus are a healthy five-node cluster over three sites.
//
// log-hires-*.txt and log-on-*.txt are what the daemons of one such session logged, with the two forms of timestamps.
package corosynctest
