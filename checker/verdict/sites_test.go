package verdict

import (
	"maps"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
)

// TestSitesOf: sites that were told count; else each place that round trips tell apart is one; else what is a millisecond away is elsewhere.
func TestSitesOf(t *testing.T) {
	const ms = time.Millisecond
	for _, test := range []struct {
		name  string
		local uint32
		told  map[string]string
		trips []time.Duration // to nodes 2, 3, 4; 0: no answer
		want  map[string]string
	}{
		{"told", 1, map[string]string{"n1": "x"}, []time.Duration{9 * ms, 9 * ms, 9 * ms}, map[string]string{"n1": "x"}},
		{"told by nodeid", 1, map[string]string{"1": "x", "2": "x", "3": "y"}, []time.Duration{ms / 5, ms / 5, ms / 5}, map[string]string{"n1": "x", "n2": "x", "n3": "y"}},
		{"told of other nodes", 1, map[string]string{"m1": "x", "m2": "y"}, []time.Duration{ms / 5, 5 * ms, 5 * ms}, map[string]string{"n1": "near n1", "n2": "near n1", "n3": "near n3", "n4": "near n3"}},
		{"one place", 1, nil, []time.Duration{ms / 5, ms / 4, ms / 5}, nil},
		{"two places", 1, nil, []time.Duration{ms / 5, 5 * ms, 5 * ms}, map[string]string{"n1": "near n1", "n2": "near n1", "n3": "near n3", "n4": "near n3"}},
		{"three places", 1, nil, []time.Duration{ms / 5, 5 * ms, 20 * ms}, map[string]string{"n1": "near n1", "n2": "near n1", "n3": "near n3", "n4": "near n4"}},
		{"no clear gap, but far", 1, nil, []time.Duration{ms / 2, ms * 11 / 10, ms / 2}, map[string]string{"n1": "here", "n2": "here", "n3": "away", "n4": "here"}},
		{"not all answer", 1, nil, []time.Duration{ms / 5, 5 * ms, 0}, map[string]string{"n1": "here", "n2": "here", "n3": "away", "n4": "here"}},
		{"from outside", 0, nil, []time.Duration{ms / 5, ms / 5, ms / 5}, nil},
	} {
		j := judge{in: Input{Local: test.local, Sites: test.told}, then: &corosync.Config{}}
		for i, name := range []string{"n1", "n2", "n3", "n4"} {
			j.then.Nodes = append(j.then.Nodes, corosync.Node{ID: uint32(i + 1), Name: name})
			if i > 0 && test.trips[i-1] > 0 {
				j.in.Paths = append(j.in.Paths, Path{Peer: name, Node: uint32(i + 1), Figures: Figures{Sent: 10, Received: 10, P50: Seconds(test.trips[i-1])}})
			}
		}
		if got := j.sitesOf(); !maps.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}
