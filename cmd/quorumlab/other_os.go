//go:build !linux

// Command quorumlab runs a real Corosync cluster on one machine. It needs Linux.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "quorumlab: needs Linux: network namespaces, TUN devices, Corosync")
	os.Exit(1)
}
