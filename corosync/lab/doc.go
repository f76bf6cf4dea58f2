// Package lab runs a real Corosync cluster on one machine, with a sick network on demand.
//
// A node is a holder process that is init of its own PID namespace, with its own network, mount, UTS and IPC namespaces and
// its own /dev/shm, /run, /sys, /proc, /var/lib, /etc/corosync, /var/log/corosync and /etc/hosts. Corosync and its
// tools work unchanged in many nodes side by side, and so does an agent that is started in one without configuration.
//
// A link is one TUN device per node and link. Addresses are 10.(50+L).SITE.NODE/16 and fd00:(50+L)::SITE:NODE/64, sites and
// nodes in a site numbered from 1. One hub process moves all packets and applies the rules of package impair to them, on one
// thread under SCHED_FIFO. The hub records its own lateness; Lab.Quality says when a run is not to be trusted.
//
// A quorum device (Spec.Device, StartDevice) is a corosync-qnetd in namespaces of its own. Nodes reach it over their loopback, past all links, until
// Qnetd.Reach shuts the way.
//
// Holders and hub are re-executions of the running program, so a program that uses this package calls Main first:
//
//	func TestMain(m *testing.M) {
//		lab.Main() // returns only in the program proper
//		os.Exit(m.Run())
//	}
//
//	func TestCut(t *testing.T) {
//		lab.Require(t)
//		l, err := lab.New(t.Context(), lab.Spec{Sites: []lab.Site{{Name: "a", Nodes: 2}, {Name: "b", Nodes: 1}}})
//		...
//		defer l.Close()
//		err = l.Start(ctx)          // Corosync everywhere
//		err = l.WaitFormed(ctx)     // one membership, quorate
//		now, err := l.Hub().Now(), l.Hub().Add(impair.Rule{Name: "cut", From: []string{"a"}, To: []string{"b"}, Both: true, Blackout: true})
//	}
//
// Everything dies with the program, however it dies: holders and hub carry a parent-death signal, a PID namespace dies with its init,
// network namespaces and TUN devices with their last user. What stays after a crash is the run directory; Clean removes it.
// One lab runs at a time on a machine (a lock in /run/quorumlab), because more than five or six nodes on two cores
// invent faults of their own.
//
// The package needs Linux, root, Corosync 3 and /dev/net/tun. It needs no tc, no bridge, no iptables and no systemd.
package lab
