package pmxcfs

import (
	"net/netip"
	"testing"
	"testing/fstest"

	"github.com/quorumwatch/quorumwatch/proxmox"
	"github.com/quorumwatch/quorumwatch/proxmox/proxmoxtest"
)

func TestMigration(t *testing.T) {
	for text, want := range map[string]proxmox.MigrationWay{
		"":                  {Known: true},
		"keyboard: en-us\n": {Known: true},
		"keyboard: de\nmigration: secure,network=10.1.2.7/24\n":       {Known: true, Network: netip.MustParsePrefix("10.1.2.0/24")},
		"migration: type=insecure,network=2001:db8:1::/64\nha: x=y\n": {Known: true, Network: netip.MustParsePrefix("2001:db8:1::/64")},
		"migration: insecure\n":                                            {Known: true},
		"migration: network=nonsense\n":                                    {},
		"# migration: secure,network=10.9.0.0/24\nmigration_unsecure: 1\n": {Known: true},
	} {
		if got := parseMigration(text); got != want {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
	}
	state := proxmoxtest.Load("healthy")
	files := state.Files()
	files["etc/pve/datacenter.cfg"] = &fstest.MapFile{Data: []byte("migration: secure,network=10.1.2.0/24\n"), Mode: 0o640}
	if s := New(files).Read(t.Context()); s.Migration.Network.String() != "10.1.2.0/24" {
		t.Errorf("%+v", s.Migration)
	}
}
