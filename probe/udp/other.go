//go:build !linux

package udp

import (
	"context"
	"errors"

	"github.com/quorumwatch/quorumwatch/probe"
)

var errLinux = errors.New("udp: probes need linux")

// Network opens real UDP sockets. It works on Linux only.
type Network struct{}

// Listen returns an error: this is not Linux.
func (Network) Listen(context.Context, probe.ListenConfig) (probe.Conn, error) { return nil, errLinux }

// NewPacer returns an error: this is not Linux.
func NewPacer() (probe.Pacer, error) { return nil, errLinux }
