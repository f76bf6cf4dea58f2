package main

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/quorumwatch/quorumwatch/checker/plan"
)

// complete offers what flags may say. Only --config names a file; the shell must not offer files for any other that takes a value.
func (f *planFlags) complete(cmd *cobra.Command) {
	none := func() []string { return nil }
	offers := map[string]func() []string{
		"ha":           func() []string { return append([]string{"all", "none"}, f.known(cmd, nodeNames)...) },
		"remove-node":  func() []string { return f.known(cmd, nodeNames) },
		"qdevice-site": func() []string { return f.known(cmd, f.siteNames) },
	}
	for _, name := range []string{
		"site", "rtt", "loss", "add-node", "links", "qdevice", "token", "coefficient", "retransmits", "ping-interval", "ping-timeout", "votes", "columns",
	} {
		offers[name] = none
	}
	for name, offer := range offers {
		_ = cmd.RegisterFlagCompletionFunc(name, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return offer(), cobra.ShellCompDirectiveNoFileComp
		})
	}
}

// known names what is in the design that the flags so far make; nothing if they make none.
func (f *planFlags) known(cmd *cobra.Command, names func(plan.Design) []string) []string {
	once := *f
	once.sites = slices.Compact(slices.Sorted(slices.Values(f.sites))) // cobra reads the flags twice for a completion
	d, err := once.design(cmd.Flags().Changed)
	if err != nil {
		return nil
	}
	return names(d)
}

func nodeNames(d plan.Design) []string {
	var out []string
	for _, n := range d.Cluster.Nodes {
		out = append(out, n.Name)
	}
	return out
}
