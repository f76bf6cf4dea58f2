package proxmox

import (
	"slices"
	"time"
)

// keepFor is how long a source's last words stand when it gives no newer ones.
const keepFor = 10 * time.Minute

// after is what is known of a source after a reading: what it gave, and of what it did not give what stands for a while. Stamps, names
// and configuration do; quorum, tasks, watchdog, and who is online and what runs, do not.
func after(known, got Snapshot) Snapshot {
	keep := func(p Part) bool {
		kept := !got.Known(p) && known.Known(p) && got.At.Sub(known.Origins[p].At) < keepFor
		if kept {
			got.Origins[p] = known.Origins[p]
		}
		return kept
	}
	if got.View == "" {
		got.View = known.View
	}
	if keep(PartMembers) {
		got.Standalone, got.ClusterName, got.ConfigVersion = known.Standalone, known.ClusterName, known.ConfigVersion
		got.Nodes = slices.Clone(known.Nodes)
		for i := range got.Nodes {
			got.Nodes[i].Online = Unknown
		}
		keep(PartVersions)
	}
	if keep(PartHA) {
		got.HA, got.Services = known.HA, known.Services
		keep(PartResources)
	}
	if keep(PartGuests) {
		got.Guests = slices.Clone(known.Guests)
		for i := range got.Guests {
			got.Guests[i].Running = Unknown
		}
	}
	if keep(PartRules) {
		got.Rules = known.Rules
	}
	if keep(PartConf) {
		got.Conf = known.Conf
	}
	if !got.Migration.Known {
		got.Migration = known.Migration
	}
	return got
}
