package pmxcfs

import (
	"net/netip"
	"strings"

	"github.com/quorumwatch/quorumwatch/proxmox"
)

// readMigration reads how guests move. Without a datacenter.cfg, or without a line in it, Proxmox's own choice holds.
func (p *reading) readMigration() {
	if text, ok := p.file(proxmox.PartConf, centerFile); ok {
		p.s.Migration = parseMigration(string(text))
	}
}

// parseMigration finds "migration: secure,network=10.1.2.0/24" or "migration: type=insecure,network=..." (PVE/DataCenterConfig.pm).
func parseMigration(text string) proxmox.MigrationWay {
	m := proxmox.MigrationWay{Known: true}
	for line := range strings.Lines(text) {
		value, ok := strings.CutPrefix(strings.TrimSpace(line), "migration:")
		if !ok {
			continue
		}
		for option := range strings.SplitSeq(value, ",") {
			if cidr, ok := strings.CutPrefix(strings.TrimSpace(option), "network="); ok {
				network, err := netip.ParsePrefix(cidr)
				m.Network, m.Known = network.Masked(), err == nil
			}
		}
	}
	return m
}
