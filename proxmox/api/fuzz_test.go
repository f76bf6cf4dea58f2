package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"

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

// FuzzRefusal: whatever a server answers, the fault is one short line.
func FuzzRefusal(f *testing.F) {
	f.Add(403, "Permission check failed", []byte(`{"data":null,"message":"Permission check failed (/, Sys.Audit)\n"}`))
	f.Add(500, "", []byte{})
	f.Add(302, "x\x1b[31m\u202e", []byte("{"))
	f.Fuzz(func(t *testing.T, status int, reason string, body []byte) {
		r := refused(&http.Response{StatusCode: status, Status: fmt.Sprintf("%d %s", status, reason), Body: io.NopCloser(bytes.NewReader(body))})
		var fault proxmox.Fault
		(&client{endpoint: "https://x"}).explainRefusal(&fault, r)
		if len([]rune(fault.Reason)) > 240 || strings.ContainsFunc(fault.Error(), func(c rune) bool { return !unicode.IsPrint(c) }) || fault.Kind == "" {
			t.Errorf("%q", fault)
		}
	})
}

// FuzzEndpoint: what is taken is https, and completing it again changes nothing.
func FuzzEndpoint(f *testing.F) {
	f.Add("pve1")
	f.Add("https://[2001:db8::1]:8006/")
	f.Fuzz(func(t *testing.T, text string) {
		e, err := endpoint(text)
		if err != nil {
			return
		}
		if again, err := endpoint(e); err != nil || again != e || !strings.HasPrefix(e, "https://") {
			t.Errorf("%q gives %q, which gives %q %v", text, e, again, err)
		}
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
