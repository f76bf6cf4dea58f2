package api

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/proxmox"
	"github.com/quorumwatch/quorumwatch/proxmox/proxmoxtest"
)

// seeds gives every recorded answer of a path to a fuzz target.
func seeds(f *testing.F, paths ...string) {
	for _, name := range proxmoxtest.States() {
		s := proxmoxtest.Load(name)
		for _, path := range paths {
			var envelope struct{ Data json.RawMessage }
			if json.Unmarshal([]byte(s.Answer(path).Body), &envelope) == nil {
				f.Add([]byte(envelope.Data))
			}
		}
	}
}

// FuzzStatus: no answer breaks the members and the HA status, and what comes out is of sound mind.
func FuzzStatus(f *testing.F) {
	seeds(f, "/cluster/status", "/cluster/ha/status/current", "/cluster/ha/status/manager_status")
	f.Fuzz(func(t *testing.T, data []byte) {
		var s proxmox.Snapshot
		if err := takeStatus(&s, data); err == nil && len(s.Nodes) == 0 {
			t.Error("members without a node")
		}
		if s.Standalone == proxmox.Yes && (len(s.Nodes) > 1 || s.ClusterName != "") {
			t.Errorf("a standalone cluster: %+v", s)
		}
		if s.Quorate != proxmox.Unknown {
			t.Error("/cluster/status is believed")
		}
		_, configured, _ := takeCurrent(&s, data)
		if s.HA.State == proxmox.HAStandby && s.Quorate != proxmox.Yes {
			t.Error("standby without quorum is believed")
		}
		_ = takeManager(&s, data)
		s.Services = proxmox.WithConfigured(s.Services, configured)
		s.SettleOnline(nil)
		s.SettleRunning()
		for _, n := range s.FenceNodes() {
			proxmox.FenceOf(s.FenceInput(n, time.Unix(1795178936, 0)))
			s.BlastRadius(n)
		}
	})
}

// FuzzLists: no answer breaks the lists.
func FuzzLists(f *testing.F) {
	seeds(f, "/cluster/resources", "/cluster/tasks", "/cluster/config/nodes", "/cluster/config/totem", "/cluster/config/qdevice", "/cluster/ha/rules", "/access/permissions")
	f.Fuzz(func(t *testing.T, data []byte) {
		guests, _ := parseResources(data)
		for _, g := range guests {
			if g.Kind != proxmox.VM && g.Kind != proxmox.Container {
				t.Errorf("%+v", g)
			}
		}
		tasks, _ := parseTasks(data, time.Unix(1795178936, 0))
		for _, task := range tasks {
			if task.Load == "" || task.Running == proxmox.Unknown {
				t.Errorf("%+v", task)
			}
		}
		nodes, _ := parseConfNodes(data)
		for _, n := range nodes {
			if n.Votes < 0 {
				t.Errorf("%+v", n)
			}
		}
		_, _ = parseTotem(data)
		_, _ = parseQDevice(data)
		_, _ = parseRules(data, nil)
		a, _ := parseAccess(data)
		a.faults("x")
	})
}

// FuzzToken: what is taken for a token can be put into a header.
func FuzzToken(f *testing.F) {
	f.Add(proxmoxtest.Token)
	f.Add("PVEAPIToken=root@pam!x1=abc\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		token, ok := parseToken(text)
		for _, r := range token.id + token.secret {
			if ok && (r <= ' ' || r == 0x7f) {
				t.Errorf("%q gives %q", text, token)
			}
		}
	})
}
