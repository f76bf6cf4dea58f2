package corosync_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/quorumwatch/quorumwatch/corosync"
)

func TestDrift(t *testing.T) {
	c, err := corosync.Parse("c", strings.NewReader(small))
	if err != nil {
		t.Fatal(err)
	}
	running := func(change map[string]string) corosync.Map {
		m := c.RuntimeValues()
		maps.Copy(m, c.Values)
		m["nodelist.local_node_pos"] = corosync.Value{Type: "u32", Text: "0"}
		m["totem.interface.0.bindnetaddr"] = corosync.Value{Type: "str", Text: "10.0.0.1"}
		for key, text := range change {
			m[key] = corosync.Value{Type: m[key].Type, Text: text}
			if text == "" {
				delete(m, key)
			}
		}
		return m
	}
	tests := []struct {
		name   string
		change map[string]string
		want   []string
	}{
		{"none", nil, nil},
		{"older daemon without a key", map[string]string{"runtime.config.totem.cancel_token_hold_on_retransmit": "", "runtime.config.totem.interface.0.mcastport": ""}, nil},
		{"token set at run time", map[string]string{"runtime.config.totem.token": "5000"}, []string{"c: runtime.config.totem.token: the daemon runs with 5000, the file gives 3000"}},
		{"stale knet timer", map[string]string{"runtime.config.totem.interface.0.knet_ping_timeout": "5325"},
			[]string{"c: runtime.config.totem.interface.0.knet_ping_timeout: the daemon runs with 5325, the file gives 1500"}},
		{"file not loaded", map[string]string{"nodelist.node.1.ring0_addr": "10.0.0.9", "nodelist.node.2.nodeid": "3", "totem.secauth": ""}, []string{
			"c:3: totem.secauth: the file says on, the daemon does not have the key",
			"c:15: nodelist.node.1.ring0_addr: the daemon runs with 10.0.0.9, the file says 10.0.0.2",
			"c: nodelist.node.2.nodeid: the daemon runs with 3, the file does not have the key",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			problems := corosync.Drift(c, running(tt.change))
			if len(problems) != len(tt.want) {
				t.Fatalf("%v", problems)
			}
			for i, p := range problems {
				if p.Error() != tt.want[i] || p.Hint == "" {
					t.Errorf("got %v (%s), want %s", p, p.Hint, tt.want[i])
				}
			}
		})
	}
	if p := corosync.Drift(c, corosync.Map{"runtime.config.totem.token": {Type: "u32", Text: "3000"}}); p != nil {
		t.Errorf("a part of the map must do: %v", p)
	}
	if p := corosync.Drift(c, nil); p != nil {
		t.Errorf("nothing is known, so nothing drifts: %v", p)
	}
}
