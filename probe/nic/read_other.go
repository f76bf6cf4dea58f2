//go:build !linux

package nic

import "net/netip"

// Read tells nothing outside of Linux.
func Read([]netip.Addr) ([]Interface, error) { return nil, nil }

// ClockUnsynchronized is not known outside of Linux.
func ClockUnsynchronized() bool { return false }
