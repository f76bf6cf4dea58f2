// Package demo is a whole stretched cluster in one process: five agents, the same that run on real nodes, on a simulated network
// (probe/simnet) with simulated Corosync daemons (corosync/sim), and a script that makes the links between the sites sicken, die
// and heal. It needs neither root nor Corosync.
//
// What is shown is not acted: the agents measure the simulated network as they would a real one, and the daemons lose their token
// by Totem's own rules.
package demo
