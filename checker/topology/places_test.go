package topology_test

import (
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/topology"
)

// life is a cluster of four nodes whose sites are looked for, second by second.
type life struct {
	places topology.Places
	now    time.Time
	nodes  []topology.Node
}

func newLife() *life { return &life{now: time.Unix(1_700_000_000, 0), nodes: nodes(4)} }

// live lets time pass with the same round trips; it returns what is found then.
func (l *life) live(d time.Duration, trips string) string {
	var got []topology.Site
	for range d / time.Second {
		l.now = l.now.Add(time.Second)
		got = l.places.Step(l.now, l.nodes, ms(trips))
	}
	return show(got)
}

const (
	stretched = "12=0.2 34=0.2 13=5 14=5 23=5 24=5"
	longer    = "12=0.2 34=0.2 13=35 14=5 23=5 24=5" // one path takes 30 ms more
	local     = "12=0.2 34=0.2 13=0.2 14=0.2 23=0.2 24=0.2"
)

func TestPlacesHold(t *testing.T) {
	for _, tt := range []struct {
		name  string
		lives []string // what a minute is like, minute after minute
		want  string
	}{
		{"found after a minute or two", []string{stretched, stretched}, "1,2|3,4"},
		{"a minute of 30 ms more on one path", []string{stretched, stretched, longer, stretched}, "1,2|3,4"},
		{"a minute of 30 ms more on every path", []string{stretched, stretched, "12=30 34=30 13=35 14=35 23=35 24=35", stretched}, "1,2|3,4"},
		{"a minute of 30 ms more within a site", []string{stretched, stretched, "12=30 34=0.2 13=5 14=5 23=5 24=5", stretched}, "1,2|3,4"},
		{"a quarter of an hour of it within a site: its nodes are somewhere else now", rep(stretched, 12, "12=30 34=0.2 13=5 14=5 23=5 24=5", 17), "1|2|3,4"},
		{"but not before", rep(stretched, 12, "12=30 34=0.2 13=5 14=5 23=5 24=5", 9), "1,2|3,4"},
		{"all paths down", rep(stretched, 2, "", 60), "1,2|3,4"},
		{"one site out of reach", rep(stretched, 2, "12=0.2 34=0.2", 60), "1,2|3,4"},
		{"a minute with a clock gone mad", rep(stretched, 5, local, 1, stretched, 9), "1,2|3,4"},
		{"three bad minutes of every kind", rep(stretched, 8, local, 1, longer, 1, "12=30 34=30", 1, stretched, 9), "1,2|3,4"},
		{"one place from now on", rep(stretched, 12, local, 12), ""},
		{"no place from the start", rep(local, 10), ""},
		{"one place for long, then two for a while", rep(local, 12, "", 1, "12=0.2 34=0.2 13=9 14=9 23=9 24=9", 9), ""},
		{"one place for long, then two", rep(local, 12, "12=0.2 34=0.2 13=9 14=9 23=9 24=9", 16), "1,2|3,4"},
		{"a node comes later", rep("12=0.2 13=5 23=5", 3, stretched, 2), "1,2|3,4"},
		{"and is where nobody was", rep("12=0.2 13=5 23=5", 3, "12=0.2 13=5 23=5 14=20 24=20 34=20", 2), "1,2|3|4"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLife()
			got := ""
			for _, minute := range tt.lives {
				got = l.live(time.Minute+time.Second, minute)
			}
			if got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// rep is what minutes are like: pairs of a text and how often it is so.
func rep(of ...any) (out []string) {
	for i := 0; i < len(of); i += 2 {
		for range of[i+1].(int) {
			out = append(out, of[i].(string))
		}
	}
	return out
}

// TestPlacesOnTheEdge: a distance that is now just far and now not quite does not move anybody for and back.
func TestPlacesOnTheEdge(t *testing.T) {
	l := newLife()
	far, near := "12=0.2 34=0.2 13=1.05 14=1.05 23=1.05 24=1.05", "12=0.2 34=0.2 13=0.95 14=0.95 23=0.95 24=0.95"
	l.live(2*time.Minute, far)
	for range 30 {
		if got := l.live(10*time.Minute, near); got != "1,2|3,4" {
			t.Fatalf("%q when it is near", got)
		}
		if got := l.live(15*time.Minute, far); got != "1,2|3,4" {
			t.Fatalf("%q when it is far", got)
		}
	}
	if got := newLife().live(firstMinute, far); got != "" {
		t.Errorf("%q at once", got)
	}
	m := newLife()
	if got := m.live(time.Hour, near); got != "" {
		t.Errorf("%q without having been far before", got)
	}
}

// firstMinute is too short a time to find sites in.
const firstMinute = 50 * time.Second

// TestPlacesForget: nodes that leave the cluster leave their sites, and one site is none.
func TestPlacesForget(t *testing.T) {
	l := newLife()
	l.live(2*time.Minute, stretched)
	if got := l.places.Step(l.now.Add(time.Minute), nil, nil); show(got) != "1,2|3,4" {
		t.Errorf("%q in a moment without nodes", show(got))
	}
	l.nodes = l.nodes[:3]
	if got := l.live(15*time.Second, "12=0.2 13=5 23=5"); got != "1,2|3" {
		t.Errorf("%q without node 4", got)
	}
	l.nodes = l.nodes[:2]
	if got := l.live(15*time.Second, "12=0.2"); got != "" {
		t.Errorf("%q without nodes 3 and 4", got)
	}
}

// TestPlacesEvidence: what is shown of sites follows the round trips, though the sites stay.
func TestPlacesEvidence(t *testing.T) {
	l := newLife()
	l.live(2*time.Minute, stretched)
	l.live(7*time.Minute, "12=0.3 34=0.2 13=9 14=9 23=9 24=9")
	got := l.places.Step(l.now, l.nodes, nil)
	if len(got) != 2 || got[0].Within != 300*time.Microsecond || got[0].Between != 9*time.Millisecond || got[0].Name != "near n1" || !got[0].Found {
		t.Errorf("%+v", got)
	}
}

// TestMergeSites: the configuration's sites count, by name or nodeid; else those that were found.
func TestMergeSites(t *testing.T) {
	in := topology.Input{Config: parse(t, conf), Found: []topology.Site{
		{Name: "near a1", Nodes: []uint32{1, 2}, Found: true}, {Name: "near b1", Nodes: []uint32{4}, Found: true},
	}}
	for _, tt := range []struct {
		sites map[string]string
		want  string // site of a1, a2, b1
		found bool
	}{
		{nil, "near a1;near a1;near b1", true},
		{map[string]string{"a1": "x", "2": "x", "b1": "y"}, "x;x;y", false},
		{map[string]string{"a1": "x"}, "x;;", false},
	} {
		in.Sites = tt.sites
		c, _ := topology.Merge(in)
		got := c.Nodes[0].Site + ";" + c.Nodes[1].Site + ";" + c.Nodes[2].Site
		if got != tt.want || len(c.Sites) == 0 || c.Sites[0].Found != tt.found || c.Sites[0].Nodes[0] != 1 {
			t.Errorf("%v: %s, %+v", tt.sites, got, c.Sites)
		}
	}
}
