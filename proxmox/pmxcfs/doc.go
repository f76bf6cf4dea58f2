// Package pmxcfs reads what a Proxmox VE node knows of its cluster from its own files: /etc/pve, which is pmxcfs's FUSE file system, and
// a few below /run and /var. It needs no token and no network, and it is the nearest to the truth that there is: /etc/pve/.members is
// made anew at each open. It writes nothing, ever.
//
// /etc/pve needs root or the group www-data; the times of the agent locks, from which the fence countdown is exact, need root.
//
// # When /etc/pve is sick
//
// Reads are answered from the memory of the local pmxcfs and go on without quorum, while writes hang or fail. But a FUSE file
// system can hang for good. So it is read in a goroutine with a deadline, and no second one is started while the first hangs;
// /run is read beside it. With pmxcfs down /etc/pve is an empty directory: a Fault, and nothing is known. Connected to no Corosync, pmxcfs
// knows nothing of members, and shows as Detached.
package pmxcfs
