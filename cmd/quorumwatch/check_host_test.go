package main

import (
	"maps"
	"testing"

	"github.com/quorumwatch/quorumwatch/checker/verdict"
	"github.com/quorumwatch/quorumwatch/corosync"
)

// TestFactsLibknet: the model runs as the libknet that is installed here does; what an agent has told is not forgotten.
func TestFactsLibknet(t *testing.T) {
	for _, c := range []struct{ told, here, want string }{
		{"", "1.25-1", "1.25-1"},
		{"1.28", "", "1.28"},
		{"", "", ""},
	} {
		in := verdict.Input{Libknet: c.told}
		new(checkHost).facts(&in, corosync.Status{Libknet: c.here})
		if in.Libknet != c.want {
			t.Errorf("told %q, here %q: %q", c.told, c.here, in.Libknet)
		}
	}
}

// TestSitesWith: sites are told by name or nodeid; of the nodes without one those that are to join are apart from those that are here.
func TestSitesWith(t *testing.T) {
	then := &corosync.Config{Nodes: []corosync.Node{{ID: 1, Name: "a"}, {ID: 2, Name: "b"}, {ID: 3, Name: "c"}, {ID: 4, Name: "d"}}}
	all := []candidate{{name: "c"}, {name: "d"}, {name: "d", link: 1}}
	for _, test := range []struct{ told, want map[string]string }{
		{nil, map[string]string{"a": "here", "b": "here", "c": "new", "d": "new"}},
		{map[string]string{"1": "x", "b": "x", "3": "y"}, map[string]string{"a": "x", "b": "x", "c": "y", "d": "new"}},
	} {
		h := &checkHost{sites: test.told}
		if got := h.sitesWith(all, then); !maps.Equal(got, test.want) {
			t.Errorf("told %v: %v, want %v", test.told, got, test.want)
		}
	}
}
