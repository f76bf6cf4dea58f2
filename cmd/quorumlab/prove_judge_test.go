//go:build linux

package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/corosync/lab"
)

// cutAt is the first lost packet in all these tests.
var cutAt = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// at is a moment, in ms after the first lost packet.
func at(ms int) time.Time { return cutAt.Add(time.Duration(ms) * time.Millisecond) }

func said(ms int, code, subject string, severity checker.Severity) saying {
	return saying{Node: "a1", At: at(ms), Code: code, Subject: subject, Severity: severity}
}

// cleared is a finding that went away.
func cleared(ms int, code, subject string) saying {
	return saying{Node: "a1", At: at(ms), Code: code, Subject: subject, Text: clearedPrefix, Cleared: true}
}

func membership(ms int, node string, left ...uint32) lab.Line {
	return lab.Line{Node: node, At: at(ms), Event: lab.EventMembership, Left: left}
}

func tokenLost(ms int) lab.Line {
	return lab.Line{Node: "b1", At: at(ms), Event: lab.EventTokenLost, For: time.Second}
}

func split() partitions {
	return canonical(partitions{{[]string{"b1"}, false}, {[]string{"a2", "a1"}, true}})
}

// good is a blackout of two witnesses in which all was as promised; each test spoils one thing.
func good() blackout {
	one := func(name, far string, first int) witness {
		w := witness{Name: name, Far: []string{far}, First: at(first), RTT: 10 * time.Millisecond, Named: split(), Proper: true}
		w.Said = []saying{
			said(100, checker.CodePathGap, far+"/link0", checker.Info), said(160, checker.CodePeerCut, far, checker.Info),
			said(500, checker.CodePeerCut, far, checker.Critical),
		}
		return w
	}
	return blackout{
		Number: 1, Interval: 50 * time.Millisecond, FirstAny: cutAt, Shown: split(), Nodes: []witness{one("a1", "b1", 0), one("b1", "a1", 30)},
		Did: []lab.Line{
			{Node: "a1", At: at(740), Event: lab.EventTokenWarning}, tokenLost(990),
			{Node: "a1", At: at(992), Event: lab.EventTokenLost}, membership(2200, "a1", 3), membership(2300, "b1", 1, 2),
		},
	}
}

func TestJudgeBlackout(t *testing.T) {
	type kept struct{ Quick, BeforeLost, BeforeSplit, Agrees bool }
	all := kept{true, true, true, true}
	without := func(spoil func(*kept)) kept {
		k := all
		spoil(&k)
		return k
	}
	first := func(b *blackout, s saying) { b.Nodes[1].Said[0] = s }
	for _, c := range []struct {
		name  string
		spoil func(*blackout)
		want  kept
	}{
		{"good", func(*blackout) {}, all},
		{"just in time", func(b *blackout) {
			first(b, said(190, checker.CodePathGap, "a1/link0", checker.Info))
			b.Nodes[1].Said[1].At = at(190)
		}, all},
		{"late", func(b *blackout) { b.Nodes[1].Said = b.Nodes[1].Said[2:] }, without(func(k *kept) { k.Quick = false })},
		{"about a neighbor", func(b *blackout) { first(b, said(40, checker.CodePathGap, "b2/link0", checker.Info)) }, all},
		{"no word", func(b *blackout) { b.Nodes[0].Said = nil }, kept{Agrees: true}},
		{"no probe lost", func(b *blackout) { b.Nodes[0].First = time.Time{} }, without(func(k *kept) { k.Quick = false })},
		{"after the token", func(b *blackout) { b.Did[1].At = at(90) }, without(func(k *kept) { k.BeforeLost = false })},
		{"no token lost", func(b *blackout) { b.Did = b.Did[2:] }, without(func(k *kept) { k.BeforeLost = false })},
		{"critical late", func(b *blackout) { b.Nodes[1].Said[2].At = at(2250) }, without(func(k *kept) { k.BeforeSplit = false })},
		{"critical of a host", func(b *blackout) { b.Nodes[1].Said[2].Code = checker.CodeHostPause }, without(func(k *kept) { k.BeforeSplit = false })},
		{"only clearing", func(b *blackout) { b.Nodes[1].Said[2].Clearing = true }, without(func(k *kept) { k.BeforeSplit = false })},
		{"no split", func(b *blackout) { b.Did = b.Did[:3] }, without(func(k *kept) { k.BeforeSplit = false })},
		{"other partitions", func(b *blackout) { b.Nodes[0].Named = split()[:1] }, without(func(k *kept) { k.Agrees = false })},
		{"other quorum", func(b *blackout) { b.Nodes[0].Named[1].Quorate = true }, without(func(k *kept) { k.Agrees = false })},
		{"a fact too early", func(b *blackout) { b.Nodes[0].Proper = false }, without(func(k *kept) { k.Agrees = false })},
		{"whole", func(b *blackout) { b.Shown = b.Shown[:1]; b.Nodes[0].Named, b.Nodes[1].Named = b.Shown, b.Shown }, without(func(k *kept) { k.Agrees = false })},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := good()
			c.spoil(&b)
			r := judgeBlackout(b)
			got := kept{r.quick(), r.beforeLost(), r.beforeSplit(), r.agrees()}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s\n%+v", diff, r)
			}
			for i, q := range requireBlackouts([]row{r}) {
				if want := []bool{c.want.Quick, c.want.BeforeLost, c.want.BeforeSplit, c.want.Agrees}[i]; q.ok() != want {
					t.Errorf("%v, want ok %v", q, want)
				}
			}
		})
	}
	if (requirement{}).ok() {
		t.Error("a promise that was never tried is kept")
	}
}

func TestTableOfBlackouts(t *testing.T) {
	late := good()
	late.Number, late.Doubts = 2, []string{"late"}
	late.Nodes[0].Said = nil
	rows := []row{judgeBlackout(good()), judgeBlackout(late)}
	var out bytes.Buffer
	for _, r := range rows {
		r.print(&out)
	}
	sumBlackouts(&out, rows)
	detailBlackouts(&out, rows[:1])
	want := `| 1 | 85 / 100 | 1.80 | 100 / 100 | 500 / 500 | 740 | 990 | 2200-2300 | yes | yes |
| 2 | 70 / never | never | 100 / never | 500 / never | 740 | 990 | 2200-2300 | yes | **NO** (doubtful) |
| all | 70 / never | never | 100 / never | 500 / never | 740, earliest 740 | 990, earliest 990 | 2200, earliest 2200 |  |  |

The finding stood 890 ms before "token timed out" (median; least 890), critical 1700 ms before the new membership (least 1700).

| cut | node | own first loss | finding, own | intervals beyond RTT | what | critical | new membership | named before the split | Corosync shows |
|---|---|---|---|---|---|---|---|---|---|
| 1 | a1 | 0 | 100 | 1.80 | path-gap | 500 | 2200 | a1 a2 with quorum, b1 without | the same |
| 1 | b1 | 30 | 70 | 1.20 | path-gap | 500 | 2300 | a1 a2 with quorum, b1 without | the same |
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestNamedAndShown(t *testing.T) {
	ref := func(list ...string) (refs []checker.NodeRef) {
		for _, n := range list {
			refs = append(refs, checker.NodeRef{Name: n})
		}
		return refs
	}
	o := &checker.Outcome{
		Partitions: []checker.Partition{{Nodes: ref("b1")}, {Nodes: ref("a1", "a2"), Quorate: true}},
		Keeps:      ref("a2", "a1"), Loses: ref("b1"),
	}
	names := map[uint32]string{1: "a1", 2: "a2", 3: "b1"}
	side := lab.Membership{Members: []uint32{1, 2}, Quorate: true}
	views := []lab.Membership{side, side, {Members: []uint32{3}}}
	if got, want := named(o).String(), "a1 a2 with quorum, b1 without"; got != want {
		t.Errorf("named: %s, want %s", got, want)
	}
	if got, want := shown(views, names).String(), named(o).String(); got != want {
		t.Errorf("shown: %s, want %s", got, want)
	}
	views[1].Quorate = false
	if got := shown(views, names); len(got) != 3 {
		t.Errorf("two nodes of one ring that differ about quorum are one: %v", got)
	}
	o.Keeps = ref("b1")
	if got := named(o); len(got) != 3 {
		t.Errorf("a report that contradicts itself goes through: %v", got)
	}
	if got := named(nil).String(); got != "none" {
		t.Errorf("no outcome: %s", got)
	}
}

func TestJudgeShort(t *testing.T) {
	base := func() short {
		w := witness{Name: "a1", Far: []string{"b1"}, Said: []saying{
			said(90, checker.CodePathGap, "b1/link0", checker.Info), said(110, checker.CodePeerCut, "b1", checker.Warning),
			said(3000, checker.CodeLowMargin, "cluster", checker.Warning),
			cleared(10_300, checker.CodePathGap, "b1/link0"), cleared(10_320, checker.CodePeerCut, "b1"),
		}}
		return short{FirstAny: cutAt, Ended: at(120), Token: 3375 * time.Millisecond, Nodes: []witness{w},
			Did: []lab.Line{{Event: lab.EventLinkDown}, {Event: lab.EventTokenWarning}}}
	}
	type kept struct{ Survived, Found, Modest, Cleared bool }
	for _, c := range []struct {
		name  string
		spoil func(*short)
		want  kept
	}{
		{"good", func(*short) {}, kept{true, true, true, true}},
		{"token lost", func(s *short) { s.Did = append(s.Did, tokenLost(900)) }, kept{false, true, true, true}},
		{"no word", func(s *short) { s.Nodes[0].Said = nil }, kept{true, false, true, false}},
		{"critical", func(s *short) { s.Nodes[0].Said[1].Severity, s.Did = checker.Critical, s.Did[:1] }, kept{true, true, false, true}},
		{"critical, and Corosync warned", func(s *short) { s.Nodes[0].Said[1].Severity = checker.Critical }, kept{true, true, true, true}},
		{"a split claimed", func(s *short) { s.Happened = []string{"a1"} }, kept{true, true, false, true}},
		{"still there", func(s *short) { s.Nodes[0].Said = s.Nodes[0].Said[:4] }, kept{true, true, true, false}},
		{"too early", func(s *short) { s.Nodes[0].Said[3].At, s.Nodes[0].Said[4].At = at(4000), at(4000) }, kept{true, true, true, false}},
		{"too late", func(s *short) { s.Nodes[0].Said[4].At = at(60_000) }, kept{true, true, true, false}},
		{"again", func(s *short) {
			s.Nodes[0].Said = append(s.Nodes[0].Said, said(11_000, checker.CodePathGap, "b1/link0", checker.Info))
		}, kept{true, true, true, false}},
	} {
		s := base()
		c.spoil(&s)
		r := judgeShort(s)
		if diff := cmp.Diff(c.want, kept{r.Survived, r.found(), r.modest(), r.cleared()}); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
		var out bytes.Buffer
		r.print(&out)
		if !r.Survived != strings.Contains(out.String(), "left out") {
			t.Errorf("%s: %s", c.name, out.String())
		}
	}
	lost := judgeShort(base())
	lost.Survived = false
	if list := requireShort([]shortRow{judgeShort(base()), lost}); list[0].Of != 1 || !strings.Contains(list[0].Note, "1 more left out") {
		t.Errorf("%v", list)
	}
	if list := requireShort([]shortRow{lost}); list[0].ok() {
		t.Errorf("nothing was survived, and the promise is kept: %v", list)
	}
}

func TestJudgeLinks(t *testing.T) {
	phase := func(list ...saying) linkPhase {
		return linkPhase{FirstAny: cutAt, Nodes: []witness{{Name: "a1", Far: []string{"b1"}, Said: list}}}
	}
	gap, down := said(90, checker.CodePathGap, "b1/link0", checker.Info), said(1700, checker.CodeLinkDown, "link0", checker.Warning)
	crit := said(1500, checker.CodePeerCut, "b1", checker.Critical)
	both := phase(gap, crit)
	both.Did = []lab.Line{membership(7000, "a1", 2)}
	whole := phase(gap, crit)
	early := both
	early.Did = []lab.Line{membership(1400, "a1", 2)}
	type kept struct{ Warned, Modest, Critical bool }
	for _, c := range []struct {
		name      string
		one, both linkPhase
		want      kept
	}{
		{"good", phase(gap, down), both, kept{true, true, true}},
		{"information only", phase(gap), both, kept{false, true, true}},
		{"critical with one link", phase(gap, down, crit), both, kept{true, false, true}},
		{"no split", phase(gap, down), whole, kept{true, true, false}},
		{"critical after the split", phase(gap, down), early, kept{true, true, false}},
		{"never critical", phase(gap, down), phase(gap), kept{true, true, false}},
	} {
		r := judgeLinks(1, c.one, c.both)
		if diff := cmp.Diff(c.want, kept{r.warned(), r.modest(), r.critical()}); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

func TestJudgeCalm(t *testing.T) {
	span := calmSpan{From: cutAt, To: at(60_000), Said: []saying{
		said(-10, checker.CodePeerCut, "b1", checker.Critical), // before
		said(10, checker.CodePathGap, "b1/link0", checker.Info),
		said(20, checker.CodeHostPause, "a1", checker.Warning),
		cleared(30, checker.CodeHostPause, "a1"),
		said(40, checker.CodePathLoss, "b1/link0", checker.Warning),
		said(61_000, checker.CodePeerCut, "b1", checker.Critical), // after
	}}
	got := judgeCalm(span)
	want := told{Network: span.Said[4:5], Host: span.Said[2:3]}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if r := requireCalm(got, []string{"a1", "b1"})[0]; r.Met != 1 || r.Of != 2 {
		t.Errorf("%v", r)
	}
}

// TestParseSayings reads lines as the agent writes them.
func TestParseSayings(t *testing.T) {
	log := `{"level":"info","node":"a1","version":"1","time":"2026-11-21T12:00:00.000Z","message":"quorumwatch agent starts"}
{"level":"error","node":"a1","code":"peer-cut","subject":"b1","severity":"critical","clearing":false,"time":"2026-11-21T12:00:00.500Z","message":"b1 is out of reach"}
{"level":"warn","node":"a1","code":"peer-cut","subject":"b1","severity":"warning","clearing":true,"time":"2026-11-21T12:00:00.600Z","message":"b1 is out of reach"}
not JSON
{"level":"info","node":"a1","code":"peer-cut","subject":"b1","time":"2026-11-21T12:00:00.700Z","message":"cleared: b1 is out of reach"}
{"level":"info","node":"a1","code":"peer-cu`
	crit, clearing := said(500, checker.CodePeerCut, "b1", checker.Critical), said(600, checker.CodePeerCut, "b1", checker.Warning)
	crit.Text, clearing.Text, clearing.Clearing = "b1 is out of reach", "b1 is out of reach", true
	gone := cleared(700, checker.CodePeerCut, "b1")
	gone.Text += crit.Text
	got := parseSayings([]byte(log))
	if diff := cmp.Diff([]saying{crit, clearing, gone}, got); diff != "" {
		t.Fatal(diff)
	}
	if !got[0].live() || got[1].live() || got[2].live() {
		t.Error("live: only the first is")
	}
}

func TestCmapMembers(t *testing.T) {
	text := `runtime.members.1.config_version (u64) = 1
runtime.members.1.status (str) = joined
runtime.members.3.status (str) = left
runtime.members.2.status (str) = joined
`
	if diff := cmp.Diff([]uint32{1, 2}, cmapMembers(text)); diff != "" {
		t.Error(diff)
	}
}

func TestProveOptions(t *testing.T) {
	sound := proveOptions{runs: 1, seeds: 1, nodes: "a:3,b:2", interval: time.Second, lasts: time.Second, coeff: 125 * time.Millisecond}
	for _, p := range proofs() {
		o := sound
		o.links = p.links
		s, err := o.spec(p)
		if err != nil || len(s.Sites) != 2 || s.Sites[0].Nodes != 3 || s.Links != p.links {
			t.Errorf("%s: %+v, %v", p.name, s, err)
		}
	}
	old := sound
	old.token = time.Second
	s, err := old.spec(proofs()[0])
	if diff := cmp.Diff([]lab.Option{{Key: "token_coefficient", Value: "0"}, {Key: "token", Value: "1000"}}, s.Totem); diff != "" || err != nil {
		t.Error(diff, err)
	}
	for _, nodes := range []string{"", "a", "a:3", "a:x,b:1", "a:3,b:2,c:1", "a:0,b:1", "A:1,b:1"} {
		o := sound
		o.nodes = nodes
		if s, err := o.spec(proofs()[0]); err == nil {
			t.Errorf("nodes %q: %+v", nodes, s)
		}
	}
}
