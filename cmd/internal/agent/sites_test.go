package agent_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/probe/simnet"
)

// stretch lays the sites a, b and w of a cluster out: near inside, farther between. With late, packets from a1 to b1 take longer.
func (c *cluster) stretch(late time.Duration) {
	site := map[uint32]byte{}
	for name, n := range c.nodes {
		site[n.id] = name[0]
	}
	a1, b1 := c.nodes["a1"].id, c.nodes["b1"].id
	c.setWeather(func(d direction) simnet.Link {
		l := simnet.Link{Delay: 3 * time.Millisecond}
		switch {
		case site[d.from] == site[d.to]:
			l.Delay = 150 * time.Microsecond
		case site[d.from] == 'w' || site[d.to] == 'w':
			l.Delay = 9 * time.Millisecond
		}
		if d.from == a1 && d.to == b1 {
			l.Delay += late
		}
		return l
	})
}

// placed is what each agent says of sites: "a1 a2|b1 b2|w1".
func placed(r *checker.Report) string {
	var all []string
	for _, s := range r.Cluster.Sites {
		var names []string
		for _, n := range r.Cluster.Nodes {
			if n.Site == s.Name && s.Found {
				names = append(names, n.Name)
			}
		}
		all = append(all, strings.Join(names, " "))
	}
	return strings.Join(all, "|")
}

// TestSitesFound: agents whose configuration names no sites find the same ones, keep them through a bad minute and a cut, and speak of them.
func TestSitesFound(t *testing.T) {
	inBubble(t, 1, func(c *cluster) {
		const want = "a1 a2|b1 b2|w1"
		agree := func(when string) {
			t.Helper()
			for name, n := range c.nodes {
				if got := placed(n.Report()); got != want {
					t.Errorf("%s, %s: %q", when, name, got)
				}
			}
		}
		c.stretch(0)
		c.pass(90 * time.Second)
		agree("after 90 s")
		s := c.nodes["b2"].Report().Cluster.Sites[1]
		if s.Name != "near b1" || s.Within.Duration() > time.Millisecond || s.Between.Duration() < 2*oneWay || s.Between.Duration() > 7*time.Millisecond {
			t.Errorf("%+v", s)
		}
		if !testing.Short() {
			c.stretch(30 * time.Millisecond)
			for range 4 {
				c.pass(15 * time.Second)
				agree("30 ms more on one path")
			}
			c.stretch(0)
			c.pass(10 * time.Second)
		}
		c.cut(notB, siteB, 0, true)
		c.pass(time.Second)
		agree("in a cut")
		for _, name := range []string{"a1", "w1"} {
			r := c.nodes[name].Report()
			f, ok := has(r, checker.CodeSiteCut)
			if !ok || !strings.Contains(f.Title, "site near b1") || r.Outcome == nil || len(r.Outcome.Loses) != 2 {
				t.Errorf("%s: %+v\n%s", name, f, describe(r))
			}
		}
		if testing.Short() {
			return
		}
		c.pass(time.Minute)
		agree("after a minute of the cut")
	})
}

// TestSitesConfigured: what the configuration says is not overruled, and goes back to what is found when it says nothing any more.
func TestSitesConfigured(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: minutes of five agents")
	}
	inBubble(t, 1, func(c *cluster) {
		c.stretch(0)
		n := c.nodes["a1"]
		s := n.Settings()
		s.Sites = map[string]string{"a1": "x", fmt.Sprint(c.nodes["a2"].id): "x", "b1": "y"}
		n.Reload(s)
		c.pass(80 * time.Second)
		r := n.Report()
		if len(r.Cluster.Sites) != 2 || r.Cluster.Sites[0].Found || r.Cluster.Nodes[1].Site != "x" || placed(r) != "|" {
			t.Errorf("%+v", r.Cluster)
		}
		s.Sites = nil
		n.Reload(s)
		c.pass(90 * time.Second)
		if got := placed(n.Report()); got != "a1 a2|b1 b2|w1" {
			t.Errorf("%q", got)
		}
	})
}

// TestNoSitesToFind: where all are alike, nobody is told apart.
func TestNoSitesToFind(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: minutes of five agents")
	}
	inBubble(t, 1, func(c *cluster) {
		c.pass(90 * time.Second)
		for name, n := range c.nodes {
			if r := n.Report(); len(r.Cluster.Sites) > 0 || r.Cluster.Nodes[0].Site != "" {
				t.Errorf("%s: %+v", name, r.Cluster.Sites)
			}
		}
	})
}
