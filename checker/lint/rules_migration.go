package lint

import (
	"fmt"
	"slices"
)

func sharedWithMigration(in *Input) []found {
	if !in.Migration.IsValid() {
		return nil
	}
	var shared, all []int
	for _, a := range in.Addresses {
		if a.Node != in.Local || in.Local == 0 {
			continue
		}
		all = append(all, a.Link)
		if in.Migration.Contains(a.Addr) {
			shared = append(shared, a.Link)
		}
	}
	slices.Sort(shared)
	var out []found
	for _, link := range slices.Compact(shared) {
		out = append(out, found{
			serious: len(shared) == len(all), subject: linkName(link), evidence: map[string]string{"network": in.Migration.String()},
			title: fmt.Sprintf("guests migrate over the network of link %d, %s", link, in.Migration),
		})
	}
	return out
}
