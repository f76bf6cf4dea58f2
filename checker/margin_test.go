package checker_test

import (
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/checker/risk"
)

// tell puts a margin of the virtual token into every Input; its windows are the last ten minutes, but for Now, which is calm.
func tell(s *scene, ten risk.Window) *risk.Margin {
	m := &risk.Margin{Known: true, Token: s.token, Rings: 8, Coverage: 1}
	m.Now = risk.Window{Length: 10 * time.Second, Covered: 10 * time.Second, Median: s.token / 5, Worst: s.token / 5}
	ten.Length, ten.Covered = 10*time.Minute, 10*time.Minute
	ten.At = s.start.Add(-3 * time.Minute)
	m.Minute, m.Ten, m.Hour, m.Day = m.Now, ten, ten, ten
	m.Minute.Length, m.Hour.Length, m.Day.Length = time.Minute, time.Hour, 24*time.Hour
	s.edit = func(in *checker.Input) {
		n := *m
		n.At, n.Last = in.Now.Add(-time.Second), in.Now.Add(-time.Minute)
		in.Margin = &n
	}
	return m
}

// share of a token of 3 s.
func share(f float64) time.Duration { return time.Duration(f * float64(3*time.Second)) }

// TestLowMargin: what is told of a margin by the virtual token, by how low it was and what came of it.
func TestLowMargin(t *testing.T) {
	hop := risk.Hop{Cause: risk.CauseLost, From: 3, To: 4, Link: 0}
	for _, c := range []struct {
		name  string
		ten   risk.Window
		worst checker.Severity
		title []string
	}{
		{"idle", risk.Window{Median: share(0.2), Worst: share(0.25)}, checker.OK, nil},
		{"a failover", risk.Window{Median: share(0.9), Worst: share(0.97), Tight: 0.9, Spells: 1, Hop: hop}, checker.Info, []string{"within 10", "a3 to b1 on link 0"}},
		{"one outage that most rings lost the token in", risk.Window{Median: share(1.2), Worst: share(2), Tight: 1, Spells: 1, Losses: 0.8, LossShare: 0.8, Hop: hop}, checker.Info, nil},
		{"3 % on one of two links", risk.Window{Median: share(0.96), Worst: share(0.97), Tight: 1.4, Spells: 3, Hop: hop}, checker.Info, nil},
		{"one ring of eight lost it, in the second spell", risk.Window{Median: share(0.7), Worst: share(1.2), Tight: 0.3, Spells: 2, Losses: 0.125, LossShare: 0.125, Hop: hop}, checker.Warning,
			[]string{"1 of 8 virtual rings", "a3 to b1 on link 0", "if that breaks, a1 a2 a3 keep quorum with 3 of 5 votes; b1 b2 lose it"}},
		{"near it again and again", risk.Window{Median: share(0.96), Worst: share(0.97), Tight: 1.5, Spells: 4, Hop: hop}, checker.Warning, nil},
		{"really lost, once", risk.Window{Median: share(0.96), Worst: share(0.97), Tight: 0.5, Spells: 1, Real: risk.Real{Losses: 1}, Hop: hop}, checker.Info, []string{"lost the token once"}},
		{"really lost, by nothing that the paths show", risk.Window{Median: share(0.2), Worst: share(0.2), Real: risk.Real{Losses: 4}}, checker.Info, []string{"lost the token 4 times"}},
		{"lost again and again", risk.Window{Median: share(1.2), Worst: share(2), Tight: 3, Spells: 4, Losses: 2, LossShare: 1, Real: risk.Real{Losses: 3}, Hop: hop}, checker.Critical,
			[]string{"lost the token 3 times", "b1 b2 lose it"}},
		{"lost again and again, but in cuts", risk.Window{Median: share(1.2), Worst: share(2), Tight: 3, Spells: 4, Losses: 2, LossShare: 1, Real: risk.Real{Losses: 3, InCuts: 2}, Hop: hop}, checker.Warning, nil},
	} {
		s := newScene(t, 3*time.Second, 1, stretched...)
		tell(s, c.ten)
		s.run(10 * time.Second)
		f, ok := s.finding("low-margin:ring")
		if f.Severity != c.worst || ok != (c.worst > checker.OK) {
			t.Errorf("%s: %v %+v, want %v", c.name, ok, f, c.worst)
		}
		for _, want := range c.title {
			if !strings.Contains(f.Title, want) {
				t.Errorf("%s: %q lacks %q", c.name, f.Title, want)
			}
		}
	}
}

// TestLowMarginEven: where a split leaves nobody with quorum, one real loss among virtual ones pages.
func TestLowMarginEven(t *testing.T) {
	s := newScene(t, 3*time.Second, 1, "a1", "a2", "b1", "b2")
	tell(s, risk.Window{
		Median: share(1.1), Worst: share(2), Tight: 2, Spells: 3, Losses: 0.8, LossShare: 0.6, Real: risk.Real{Losses: 1},
		Hop: risk.Hop{Cause: risk.CauseLost, From: 2, To: 3},
	})
	s.run(10 * time.Second)
	if f, _ := s.finding("low-margin:ring"); f.Severity != checker.Critical || !strings.Contains(f.Title, "nobody has quorum") {
		t.Errorf("%+v", f)
	}
}

// TestMarginBasis: where the virtual token cannot tell, gaps do, and why is said.
func TestMarginBasis(t *testing.T) {
	for _, c := range []struct {
		name, reason string
		edit         func(m *risk.Margin)
	}{
		{"virtual", "", func(*risk.Margin) {}},
		{"settling", "only just begun", func(m *risk.Margin) { m.Known, m.Reason = false, "the virtual ring has only just begun" }},
		{"alone", "too few paths are known (40 %)", func(m *risk.Margin) { m.Coverage = 0.4 }},
	} {
		s := newScene(t, 3*time.Second, 1, stretched...)
		for _, l := range s.lines {
			l.windows = windows(1200, 0)
		}
		c.edit(tell(s, risk.Window{Median: share(0.6), Worst: share(0.7)}))
		s.run(5 * time.Second)
		m := s.last.Margin
		virtual := c.reason == ""
		if !m.Known || (m.Basis == "virtual-token") != virtual || (len(m.Windows) == 5) != virtual || !strings.Contains(m.Reason, c.reason) {
			t.Errorf("%s: %+v", c.name, m)
		}
		if virtual && (m.TenMin < 0.399 || m.TenMin > 0.401 || m.Now < 0.79 || m.Windows[2].Low < 0.299 || m.Windows[2].Low > 0.301) {
			t.Errorf("%+v", m)
		}
	}
}

// TestMarginInCut: in a cut the margin is what is left of the token, at once, and no new finding about it comes beside the one about the cut.
func TestMarginInCut(t *testing.T) {
	s := newScene(t, 3*time.Second, 1, stretched...)
	m := tell(s, risk.Window{Median: share(0.2), Worst: share(0.2)})
	s.run(30 * time.Second)
	s.cutSite()
	s.run(1500 * time.Millisecond)
	if n := s.last.Margin.Now; n < 0.45 || n > 0.55 {
		t.Errorf("margin %v after half of a token", n)
	}
	m.Ten = risk.Window{Median: share(1.2), Worst: share(2), Tight: 3, Spells: 4, Losses: 2, LossShare: 1, Real: risk.Real{Losses: 3}}
	s.run(6 * time.Second)
	if f, ok := s.finding("low-margin:ring"); ok {
		t.Errorf("%+v beside a cut", f)
	}
	s.run(time.Minute)
	s.healSite()
	s.run(time.Minute)
	if f, ok := s.finding("low-margin:ring"); !ok || f.Severity != checker.Critical {
		t.Errorf("after it: %v %+v", ok, f)
	}
}

// TestMarginFalling: a margin that has halved within the hour is told.
func TestMarginFalling(t *testing.T) {
	s := newScene(t, 3*time.Second, 2, stretched...)
	m := tell(s, risk.Window{Median: share(0.7), Worst: share(0.7)})
	m.Trend = risk.Trend{Known: true, Before: share(0.2), Now: share(0.65)}
	s.run(5 * time.Second)
	f, ok := s.finding("margin-falling:ring")
	if !ok || f.Severity != checker.Info || !strings.Contains(f.Title, "from 80 % to 35 %") {
		t.Errorf("%v %+v", ok, f)
	}
	if tr := s.last.Margin.Trend; tr == nil || !tr.Falling {
		t.Errorf("%+v", tr)
	}
}

// TestMutedFar: knet here has taken the link up again, but the peer says that its own has not: still mute, as critical as it was.
func TestMutedFar(t *testing.T) {
	s := newScene(t, 3375*time.Millisecond, 1, stretched...)
	s.run(30 * time.Second)
	s.cutSite()
	s.run(3 * time.Second)
	s.healSite()
	s.node("b1").knetDown[1], s.node("b2").knetDown[1] = true, true
	s.run(6 * time.Second)
	if f, ok := s.finding("site-cut:b"); !ok || f.Clearing || f.Severity != checker.Critical {
		t.Errorf("%+v\n%s", f, s.log())
	}
	clear(s.node("b1").knetDown)
	clear(s.node("b2").knetDown)
	s.run(3 * time.Second)
	if f, ok := s.finding("site-cut:b"); ok && !f.Clearing {
		t.Errorf("%+v\n%s", f, s.log())
	}
}
