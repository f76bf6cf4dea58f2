package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/quorumwatch/quorumwatch/cmd/internal/config"
)

// newConfigCommand holds what concerns the configuration as such.
func newConfigCommand(p *process) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "config",
		Short:   "Check, show or print the configuration",
		GroupID: groupSetUp,
		Args:    unknownCommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newConfigCheckCommand(p), newConfigShowCommand(p), newConfigExampleCommand(p))
	return cmd
}

// loadConfig reads the configuration that the flags of cmd, the environment and the file give.
func loadConfig(cmd *cobra.Command, p *process) (config.Config, error) {
	return config.Load(config.Source{Flags: cmd.Flags(), Environ: p.environ})
}

func newConfigCheckCommand(p *process) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check [file]",
		Short: "Tell what is wrong with the configuration",
		Long: `Read the configuration as the agent would: flags, environment, file, defaults. Tell everything that is wrong with it, with its
place and the remedy, and exit with status 1; else say which file is good and exit with status 0.`,
		Args: arguments(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				if err := cmd.Flags().Set("config", args[0]); err != nil {
					return err
				}
			}
			c, err := loadConfig(cmd, p)
			if err != nil {
				return err
			}
			name := c.File
			if name == "" {
				name = "defaults (no file)"
			}
			_, err = fmt.Fprintf(p.out, "%s: good\n", name)
			return err
		},
	}
	config.RegisterFlags(cmd.Flags())
	return cmd
}

func newConfigShowCommand(p *process) *cobra.Command {
	var asJSON, changed bool
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Show every effective value and where it comes from",
		Args:  arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loadConfig(cmd, p)
			if err != nil {
				return err
			}
			return showSettings(p, c.Settings, asJSON, changed)
		},
	}
	config.RegisterFlags(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&changed, "changed", false, "leave out what is at its default")
	return cmd
}

// showSettings writes one line for each setting, or a JSON list.
func showSettings(p *process, settings []config.Setting, asJSON, changed bool) error {
	type row struct {
		Key    string `json:"key"`
		Value  string `json:"value"`
		Origin string `json:"origin"`
	}
	rows := []row{}
	for _, s := range settings {
		if !changed || s.Origin != "default" {
			rows = append(rows, row(s))
		}
	}
	if asJSON {
		e := json.NewEncoder(p.out)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(rows)
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		if r.Value == "" {
			r.Value = `""`
		}
		fmt.Fprintln(w, strings.Join([]string{r.Key, r.Value, r.Origin}, "\t"))
	}
	return w.Flush()
}

func newConfigExampleCommand(p *process) *cobra.Command {
	return &cobra.Command{
		Use:   "example",
		Short: "Print an annotated configuration with every key and its default",
		Args:  arguments(cobra.NoArgs),
		RunE:  func(*cobra.Command, []string) error { return config.WriteExample(p.out) },
	}
}
