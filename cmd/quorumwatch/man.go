package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// newManCommand writes the man pages; packaging calls it, people need not see it.
func newManCommand(*process) *cobra.Command {
	return &cobra.Command{
		Use:    "man directory",
		Short:  "Write the man pages into a directory",
		Hidden: true,
		Args:   arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			root := cmd.Root()
			root.DisableAutoGenTag = true
			v := readVersion()
			date := commitTime(v)
			return doc.GenManTree(root, &doc.GenManHeader{
				Section: "8",
				Source:  fmt.Sprintf("quorumwatch %s", v.Version),
				Manual:  "System administration",
				Date:    &date,
			}, args[0])
		},
	}
}

// commitTime dates the pages by the commit, so that equal sources give equal pages.
func commitTime(v buildVersion) time.Time {
	t, err := time.Parse(time.RFC3339, v.Time)
	if err != nil {
		return time.Unix(0, 0).UTC()
	}
	return t
}
