//go:build linux

package lab

import (
	"fmt"
	"os"
	"sync/atomic"
)

// roleEnv tells a re-executed program which part of a lab it is.
const roleEnv = "QUORUMWATCH_LAB_ROLE"

const (
	roleHolder = "holder"
	roleHub    = "hub"
)

// hooked remembers that the program has called Main. Without that call a re-executed test binary would run its tests again, and
// start labs in labs.
var hooked atomic.Bool

// Main must be the first thing that main or TestMain calls in a program that uses this package. In the program proper it does nothing.
// In a holder or hub, which are re-executions of the same program, it does their work and never returns.
func Main() {
	hooked.Store(true)
	role := os.Getenv(roleEnv)
	if role == "" {
		return
	}
	var err error
	switch role {
	case roleHolder:
		err = runHolder()
	case roleHub:
		err = runHub()
	default:
		err = fmt.Errorf("%s=%s: no such role", roleEnv, role)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "lab: %s: %v\n", role, err)
		os.Exit(1)
	}
	os.Exit(0)
}
