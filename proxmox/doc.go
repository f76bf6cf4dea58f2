// Package proxmox says what Proxmox VE knows of its cluster: nodes, quorum, HA, guests, the tasks that load the network and the
// configuration as pmxcfs holds it. It has values and judgement over them; proxmox/api and proxmox/pmxcfs fill them in.
//
// # A Snapshot and its parts
//
// A Snapshot is a value that nobody changes. It consists of Parts, and each Part has an Origin: which source gave it and when. A Part without an
// Origin is unknown, and its fields are zero; in a Part that is known, single fields can still be unknown (Unknown, "", 0, the
// zero time). What could not be read is a Fault, with the way out.
//
// # What is believed
//
// Proxmox has several answers to one question, and some are wrong:
//
//   - Quorum is what /etc/pve/.members says, or the mode of /etc/pve/local, or the entry "quorum" of /cluster/ha/status/current,
//     which looks at that mode. /cluster/status.quorate comes from caches of its own in each worker process and can be wrong for as long as
//     the members stay; it is kept in StatusQuorate, to explain what other tools show, and believed by nothing.
//   - A node is online when pmxcfs can reach it. That is not cleared when the local Corosync dies: then Online is Unknown.
//   - An isolated node's HA status calls watchdogs "standby" 30 s after the cut, while they count down to the reset. Armed is
//     judged from the LRM's own file instead, and on the node itself from watchdog-mux.
//   - On a node without quorum every file is a frozen copy. Of two copies of an HA status the one with the younger stamp counts.
//   - /etc/pve without quorum is the node's own past: Merge prefers a source whose node has quorum, for everything but the
//     membership and the quorum of the node itself.
//
// # Fence
//
// FenceOf counts down to a node's reset, from what files and logs say, so that a restart of the agent forgets nothing. Blast
// says which HA services restart where.
package proxmox
