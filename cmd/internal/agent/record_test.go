package agent_test

import (
	"bytes"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// download is a node's record, as its API gives it.
func (c *cluster) download(name string) *trace.Trace {
	c.t.Helper()
	w := httptest.NewRecorder()
	c.nodes[name].Handler("").ServeHTTP(w, httptest.NewRequestWithContext(c.t.Context(), "GET", "/api/v1/trace", nil))
	t, err := trace.Decode(bytes.NewReader(w.Body.Bytes()))
	if w.Code != 200 || err != nil {
		c.t.Fatalf("%s: status %d, %v", name, w.Code, err)
	}
	return t
}

// states counts the slots of a path between two instants, by state.
func states(t *trace.Trace, p trace.Path, from, to time.Time) (n [3]int) {
	s := t.Paths[p]
	if s == nil {
		return n
	}
	for slot := t.SlotOf(from.Sub(t.Start)); slot < t.SlotOf(to.Sub(t.Start)); slot++ {
		n[s.At(slot).State]++
	}
	return n
}

// All nodes record the same of all paths, whichever they can hear: here a direction that is dead for 1.2 s.
func TestRecordOfOneDirection(t *testing.T) {
	inBubble(t, 2, func(c *cluster) {
		a1, b1 := c.nodes["a1"].id, c.nodes["b1"].id
		began := time.Now()
		c.pass(5 * time.Second)
		c.mu.Lock()
		c.dead[direction{a1, b1, 0}] = true
		c.mu.Unlock()
		dead := time.Now()
		c.pass(1200 * time.Millisecond)
		c.mu.Lock()
		c.dead[direction{a1, b1, 0}] = false
		c.mu.Unlock()
		c.pass(5 * time.Second)
		for name := range c.nodes {
			x := c.download(name)
			if len(x.Paths) != 5*4*2 || len(x.Nodes) != 5 || x.Slot != interval || x.Author != c.nodes[name].id {
				t.Fatalf("%s: %d paths, %d nodes, a slot of %v, by %d", name, len(x.Paths), len(x.Nodes), x.Slot, x.Author)
			}
			for p, s := range x.Paths {
				lost := 0
				if p == (trace.Path{From: a1, To: b1, Link: 0}) {
					lost = 24
				}
				n := states(x, p, began, time.Now().Add(-3*time.Second))
				if n[trace.Lost] != lost || n[trace.Unknown] > 1 || n[trace.Arrived] < 140-lost {
					t.Errorf("%s: %v: unknown, arrived, lost: %v, want %d lost", name, p, n, lost)
				}
				if v := s.At(x.SlotOf(began.Sub(x.Start))); v.Delay != oneWay {
					t.Errorf("%s: %v: takes %v", name, p, v.Delay)
				}
			}
			n := states(x, trace.Path{From: a1, To: b1, Link: 0}, dead.Add(-interval), dead.Add(1200*time.Millisecond+interval))
			if n[trace.Lost] != 24 {
				t.Errorf("%s: %v lost in the time in which it was dead", name, n)
			}
		}
	})
}

// In a cut each side knows of the paths between them, and of its own side; the rest it has to leave open.
func TestRecordOfACut(t *testing.T) {
	inBubble(t, 1, func(c *cluster) {
		c.cut(notB, siteB, 0, true)
		began := time.Now()
		c.pass(8 * time.Second)
		c.cut(notB, siteB, 0, false)
		ended := time.Now()
		c.pass(8 * time.Second)
		x := c.download("a1")
		id := func(name string) uint32 { return c.nodes[name].id }
		for _, d := range []struct {
			from, to string
			state    trace.State
		}{
			{"b1", "a1", trace.Lost}, {"b2", "a2", trace.Lost}, {"a1", "b1", trace.Lost}, {"a2", "b2", trace.Lost}, {"w1", "b1", trace.Lost},
			{"a1", "a2", trace.Arrived}, {"w1", "a1", trace.Arrived}, {"b1", "b2", trace.Unknown},
		} {
			n := states(x, trace.Path{From: id(d.from), To: id(d.to)}, began, ended)
			if n[d.state] < 110 || n[trace.Arrived] > 0 && n[trace.Lost] > 8 {
				t.Errorf("%s to %s in the cut: unknown, arrived, lost: %v, want state %d", d.from, d.to, n, d.state)
			}
			after := states(x, trace.Path{From: id(d.from), To: id(d.to)}, ended.Add(3*time.Second), ended.Add(5*time.Second))
			if after[trace.Arrived] < 39 {
				t.Errorf("%s to %s after it: %v", d.from, d.to, after)
			}
		}
		kinds := map[string]int{}
		for _, m := range x.Marks {
			kinds[m.Kind]++
		}
		for _, k := range []string{trace.KindTokenLost, trace.KindMembership, trace.KindLinkDown, trace.KindLinkUp, trace.KindFinding} {
			if kinds[k] == 0 {
				t.Errorf("no mark %s: %v", k, x.Marks)
			}
		}
	})
}

// An agent that is stopped, and one that is killed while Corosync lives, lose nothing.
func TestRecordOfStoppedAgents(t *testing.T) {
	inBubble(t, 2, func(c *cluster) {
		c.nodes["w1"].stop()
		c.nodes["b2"].host.Stop() // its kernel answers no more, but the simulated Corosync beside it goes on
		c.pass(12 * time.Second)
		x := c.download("a1")
		for _, from := range []string{"w1", "b2"} {
			for link := range 2 {
				n := states(x, trace.Path{From: c.nodes[from].id, To: c.nodes["a1"].id, Link: link}, time.Now().Add(-12*time.Second), time.Now())
				if n[trace.Lost] != 0 {
					t.Errorf("%s link %d: unknown, arrived, lost: %v", from, link, n)
				}
			}
		}
		c.nodes["b2"].host.Cont()
	})
}

// What happened around an incident is on disk when it is over, and when the agent ends before that.
func TestTraceOfAnIncident(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes of a cluster of five agents")
	}
	inBubble(t, 1, func(c *cluster) {
		c.cut(notB, siteB, 0, true)
		c.pass(10 * time.Second)
		c.cut(notB, siteB, 0, false)
		c.pass(4 * time.Minute)
		files, err := filepath.Glob(filepath.Join(c.dir, "a1", "*.trace"))
		if err != nil || len(files) != 1 || !strings.HasSuffix(files[0], "-a1.trace") {
			t.Fatalf("%v: %v", err, files)
		}
		data, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		x, err := trace.Decode(bytes.NewReader(data))
		if err != nil || len(x.Marks) == 0 || len(x.Paths) != 20 {
			t.Fatalf("%v: %+v", err, x)
		}
		c.cut(notB, siteB, 0, true)
		c.pass(10 * time.Second)
		c.cut(notB, siteB, 0, false)
		c.pass(10 * time.Second)
		c.nodes["a1"].stop()
		c.pass(3 * time.Second)
		if data, err = os.ReadFile(files[0]); err != nil { // both begin with the agent
			t.Fatal(err)
		}
		y, err := trace.Decode(bytes.NewReader(data))
		if err != nil || len(y.Marks) <= len(x.Marks) {
			t.Errorf("after the agent's end: %v: %+v", err, y)
		}
		if files, err = filepath.Glob(filepath.Join(c.dir, "a1", "*")); err != nil || len(files) != 1 {
			t.Errorf("%v: %v", err, files)
		}
	})
}
