package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the linker (-X main.version=v1.2.3) in packaged builds; else what Go itself recorded counts.
var version string

// buildVersion says what was built, from what, with what.
type buildVersion struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Time     string `json:"time,omitempty"` // of the commit, RFC 3339
	Modified bool   `json:"modified"`       // the tree had uncommitted changes
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func readVersion() buildVersion {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return versionOf(version, info)
}

// versionOf combines the linker's version with Go's own record.
func versionOf(linked string, info *debug.BuildInfo) buildVersion {
	v := buildVersion{
		Version:  cmp.Or(linked, info.Main.Version, "(devel)"),
		Go:       runtime.Version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH,
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Revision = s.Value
		case "vcs.time":
			v.Time = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}

// String is the version with its origin, on one line.
func (v buildVersion) String() string {
	s := v.Version + " ("
	if v.Revision != "" {
		s += "commit " + v.Revision[:min(len(v.Revision), 12)]
		if v.Modified {
			s += ", modified"
		}
		if v.Time != "" {
			s += ", " + v.Time
		}
		s += ", "
	}
	return s + v.Go + ", " + v.Platform + ")"
}

func newVersionCommand(p *process) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version and how it was built",
		GroupID: groupSetUp,
		Args:    arguments(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			if asJSON {
				e := json.NewEncoder(p.out)
				e.SetIndent("", "  ")
				return e.Encode(readVersion())
			}
			_, err := fmt.Fprintln(p.out, "quorumwatch", readVersion())
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
