package main

import (
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/quorumwatch/quorumwatch/checker/plan"
)

// complete offers what flags may say. Only --config names a file; the shell must not offer files for any other.
func (f *planFlags) complete(cmd *cobra.Command) {
	offers := map[string]func() []string{
		"ha":           func() []string { return append([]string{"all", "none"}, f.known(cmd, nodeNames)...) },
		"remove-node":  func() []string { return f.known(cmd, nodeNames) },
		"qdevice-site": func() []string { return f.known(cmd, f.siteNames) },
	}
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if flag.Name == "config" {
			return
		}
		_ = cmd.RegisterFlagCompletionFunc(flag.Name, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			if offer := offers[flag.Name]; offer != nil {
				return offer(), cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		})
	})
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
