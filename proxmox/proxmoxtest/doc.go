// Package proxmoxtest is Proxmox VE for tests: what its API answered in recorded states, a server that answers so over TLS, and
// what the files of a node hold in the same states.
//
// testdata/pve-9.2/STATE holds the body of each answer, named after its path, and below it "[status] seconds". Recorded from a cluster
// of three nodes (Proxmox VE 9.2.11, two links, HA with vm:100 on pve1 and vm:101 on pve2):
//
//	healthy       all is well; asked of pve1, as the next two
//	isolated_t30  pve1 is cut off since 30 s; its own watchdog counts, its HA API says standby
//	disarmed      HA is disarmed
//	corosync_down Corosync is stopped on pve3; asked of pve3, which still shows everybody online
//	standalone    pve4, in no cluster, was never in one
//
// Others are made of these (states.go), after what Proxmox's sources say:
//
//	majority_t30  the other side of isolated_t30: asked of pve3
//	fenced        the same two minutes later: pve1 is fenced, vm:100 has moved to pve3
//	expected_one  pve1 is cut off, then "pvecm expected 1": quorate, while /cluster/status goes on saying that it is not
//	qdevice_lost  pve3 is off and the quorum device's server has died: not quorate, while /cluster/status says now this, now that
//	maintenance   pve1 is in HA maintenance, and empty
//	never_ha      a cluster that never used HA
//	pmxcfs_down   pve-cluster is stopped on pve1: every answer is an empty 500
//
// # The quirks
//
// Numbers are strings where they come from text, false is "", the reason of a refusal is in the status line, 401 and 595 have no body, a
// standalone node's configuration is null and its join information a 424. A Server shows all of them, and can on request hang,
// drip, forbid, refuse the token, or answer anything else, while it runs.
package proxmoxtest
