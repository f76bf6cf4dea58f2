//go:build !linux

package ctl

import "os/exec"

// Corosync runs on Linux; elsewhere there is nothing to ask, but the rest of the program builds.
func ownGroup(*exec.Cmd) {}

func killGroup(cmd *exec.Cmd) error { return cmd.Process.Kill() }
