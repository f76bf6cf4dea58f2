package agent

import (
	"context"

	"github.com/quorumwatch/quorumwatch/proxmox"
)

// Proxmox follows what Proxmox VE knows of its cluster: proxmox.Follower does.
type Proxmox interface {
	Run(ctx context.Context) error
	Latest() proxmox.Snapshot // never blocks
}

// pve is what Proxmox VE knows now.
func (a *Agent) pve() proxmox.Snapshot {
	if a.config.Proxmox == nil {
		return proxmox.Snapshot{}
	}
	return a.config.Proxmox.Latest()
}
