package main

import "github.com/spf13/cobra"

// The groups that help lists commands under.
const (
	groupWatch = "watch"
	groupAsk   = "ask"
	groupSetUp = "setup"
)

// commands are the subcommands, one file each.
func commands(p *process) []*cobra.Command {
	return []*cobra.Command{
		newAgentCommand(p),
		newDemoCommand(p),
		newCheckCommand(p),
		newReflectCommand(p),
		newPlanCommand(p),
		newReplayCommand(p),
		newAdviseCommand(p),
		newConfigCommand(p),
		newProxmoxCommand(p),
		newManCommand(p),
		newVersionCommand(p),
	}
}
