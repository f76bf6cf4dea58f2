package main

import (
	"fmt"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/quorumwatch/quorumwatch/proxmox/api"
)

func newProxmoxCommand(p *process) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "proxmox",
		Short:   "What concerns the API of Proxmox VE",
		GroupID: groupSetUp,
		Args:    unknownCommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newProxmoxTokenCommand(p))
	return cmd
}

func newProxmoxTokenCommand(p *process) *cobra.Command {
	var user, name string
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Print the commands that make an API token which can only read",
		Long: `token prints the commands that make a role, a user and a token with which quorumwatch can read the state of cluster, HA
and configuration, and can do nothing else. It runs none of them: run them as root on any node.

On a cluster's own nodes no token is needed: the agent reads /etc/pve there.`,
		Example: `  quorumwatch proxmox token
  quorumwatch proxmox token | ssh root@pve1 sh`,
		Args: arguments(cobra.NoArgs),
	}
	cmd.Flags().StringVar(&user, "user", "quorumwatch@pve", "`user` that the token belongs to, with its realm")
	cmd.Flags().StringVar(&name, "name", "agent", "`name` of the token")
	cmd.RunE = func(*cobra.Command, []string) error {
		if !regexp.MustCompile(`^[\w.+-]+@[\w.-]+$`).MatchString(user) {
			return &usageError{fmt.Errorf("%q is not a user of Proxmox VE", user), "write it with its realm, as quorumwatch@pve"}
		}
		if !regexp.MustCompile(`^[A-Za-z][\w.-]+$`).MatchString(name) {
			return &usageError{fmt.Errorf("%q is not the name of a token", name), "letters, digits, dots, dashes and underscores; a letter first"}
		}
		for _, line := range api.Privileges(user, name) {
			fmt.Fprintln(p.out, line)
		}
		return nil
	}
	return cmd
}
