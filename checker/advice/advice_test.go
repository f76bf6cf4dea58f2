package advice

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quorumwatch/quorumwatch/corosync"
)

const (
	proxmoxNow = "  token_coefficient: 125\n"
	oldToken   = "  token: 1000\n  token_coefficient: 0\n"
)

// TestLossIsCut: on one lossy link the proposed settings lose the token at least ten times less often, on a network that no trial
// has seen, and keep both bounds.
func TestLossIsCut(t *testing.T) {
	for _, w := range []world{
		{sites: []int{2, 1}, links: 1, totem: proxmoxNow, length: 20 * time.Minute, loss: []float64{0.01}},
		{sites: []int{2, 1}, links: 1, totem: proxmoxNow, length: 10 * time.Minute, loss: []float64{0.05}},
		{sites: []int{3, 2}, links: 1, totem: oldToken, length: 10 * time.Minute, loss: []float64{0.10}},
		{sites: []int{3, 2}, links: 1, totem: proxmoxNow, length: 10 * time.Minute, loss: []float64{0.10}},
		{sites: []int{3, 2}, links: 2, totem: proxmoxNow, length: 10 * time.Minute, loss: []float64{0.10, 0.10}},
	} {
		a := w.advise(t)
		if a.Verdict != Change || !a.Proposed.Bounds.LowerHolds() || !a.Proposed.Bounds.UpperHolds() || !a.Proposed.Drill.Declared {
			t.Errorf("%+v:\n%v", w, a)
			continue
		}
		before, after := w.afresh(t, w.conf(), time.Hour), w.afresh(t, a.Text, 2*time.Hour)
		t.Logf("%+v: %s: %.2f to %.2f token losses an hour", w, a.Proposed.Name, before, after)
		if after*10 > before {
			t.Errorf("%s: %.2f to %.2f token losses an hour", a.Proposed.Name, before, after)
		}
		checkDiff(t, w, a)
	}
}

// checkDiff: the text is what the edits say, with a higher version.
func checkDiff(t *testing.T, w world, a Advice) {
	t.Helper()
	old, _ := corosync.Parse("corosync.conf", bytes.NewReader(w.conf()))
	c, err := corosync.Parse("corosync.conf", bytes.NewReader(a.Text))
	if err != nil || c.Version != old.Version+1 || len(c.Warnings) > len(old.Warnings) {
		t.Fatalf("%v %v", err, c)
	}
	for _, e := range a.Proposed.Edits {
		if got := c.Values[e.Key].Text; got != e.Value {
			t.Errorf("%s is %q, not %q", e.Key, got, e.Value)
		}
	}
}

// TestNothing: no advice where nothing is wrong.
func TestNothing(t *testing.T) {
	for _, w := range []world{
		{sites: []int{3, 2}, links: 1, totem: proxmoxNow, length: 15 * time.Minute, loss: []float64{0}},
		{sites: []int{3, 2}, links: 2, totem: proxmoxNow, length: 15 * time.Minute, loss: []float64{0.03, 0}}, // the second link bears it
	} {
		if a := w.advise(t); a.Verdict != Nothing || a.Text != nil || a.Steps != nil {
			t.Errorf("%v", a)
		}
	}
}

// TestClose: a token that is never lost, but comes as late as it may, is trouble, and quicker pings are enough.
func TestClose(t *testing.T) {
	w := world{sites: []int{2, 1}, links: 1, totem: proxmoxNow, length: 20 * time.Minute, loss: []float64{0.001}}
	a := w.advise(t)
	want := []corosync.Edit{{Key: "totem.interface.0.knet_ping_interval", Value: "200"}}
	if a.Before.Figures.TokenLosses.PerHour > 0 || a.Verdict != Change || cmp.Diff(want, a.Proposed.Edits) != "" || !strings.Contains(a.Limit, "ping timeout") {
		t.Errorf("%v", a)
	}
}

// TestNotEnough: records that are short or know little.
func TestNotEnough(t *testing.T) {
	w := world{sites: []int{2, 1}, links: 1, totem: proxmoxNow, length: time.Minute, loss: []float64{0.05}}
	if a := w.advise(t); a.Verdict != NotEnough || len(a.Why) == 0 {
		t.Errorf("a minute: %v", a)
	}
	w.length, w.loss[0] = 5*time.Minute, 0
	if a := w.advise(t); a.Verdict != NotEnough {
		t.Errorf("five quiet minutes: %v", a)
	}
	w.length, w.loss[0] = 20*time.Minute, 0.05
	tr := w.record()
	for p := range tr.Paths {
		if p.To == 3 || p.From == 3 { // node 3 has no agent
			delete(tr.Paths, p)
		}
	}
	a, err := Advise(Input{Name: "c", Conf: w.conf(), Trace: tr})
	if err != nil || a.Verdict != NotEnough {
		t.Errorf("%v %v", err, a)
	}
	tr.Paths = nil
	if _, err := Advise(Input{Name: "c", Conf: w.conf(), Trace: tr}); err != ErrNoRecord {
		t.Errorf("%v", err)
	}
}

// TestPathMustBeRepaired: where hardly anything gets through, no setting is proposed as if it would do.
func TestPathMustBeRepaired(t *testing.T) {
	for _, loss := range []float64{0.6, 0.85} {
		w := world{sites: []int{2, 1}, links: 1, totem: proxmoxNow, length: 10 * time.Minute, loss: []float64{loss}}
		if a := w.advise(t); a.Verdict != NoSetting && !a.Partly {
			t.Errorf("%v", a)
		}
	}
}

// every says whether at lies in one of the times of a length that come at regular intervals.
func every(interval, length time.Duration) func(int, time.Duration) bool {
	return func(_ int, at time.Duration) bool { return at >= 30*time.Second && at%interval < length }
}

// TestBlackouts: half a second of silence every twenty: the token must be twice as long, and knet patient.
func TestBlackouts(t *testing.T) {
	for _, conf := range []string{oldToken, proxmoxNow} {
		w := world{sites: []int{2, 1}, links: 1, totem: conf, length: 20 * time.Minute, loss: []float64{0}, burst: every(20*time.Second, 500*time.Millisecond)}
		a := w.advise(t)
		if a.Verdict != Change || a.Proposed.Bounds.Token <= time.Second {
			t.Fatalf("%v", a)
		}
		if before, after := w.afresh(t, w.conf(), 2*time.Hour), w.afresh(t, a.Text, 2*time.Hour); after*10 > before {
			t.Errorf("%.2f to %.2f token losses an hour: %v", before, after, a)
		}
	}
}

// bursts are times of total loss at random, of random length.
func bursts(gap, mean time.Duration) func(int, time.Duration) bool {
	rng := rand.New(rand.NewPCG(5, 6))
	var begins, ends []time.Duration
	for at := time.Duration(0); at < 3*time.Hour; {
		at += time.Duration(rng.ExpFloat64() * float64(gap))
		begins = append(begins, at)
		at += time.Duration(rng.ExpFloat64() * float64(mean))
		ends = append(ends, at)
	}
	return func(_ int, at time.Duration) bool {
		i, exact := slices.BinarySearch(begins, at)
		return exact || i > 0 && at < ends[i-1]
	}
}

// TestBursts: bursts of a quarter of a second are what knet's impatience makes worse.
func TestBursts(t *testing.T) {
	w := world{sites: []int{3, 2}, links: 1, totem: proxmoxNow, length: 20 * time.Minute, loss: []float64{0.001}, burst: bursts(15*time.Second, 250*time.Millisecond)}
	a := w.advise(t)
	if a.Verdict != Change {
		t.Fatalf("%v", a)
	}
	if before, after := w.afresh(t, w.conf(), 2*time.Hour), w.afresh(t, a.Text, 2*time.Hour); after*10 > before {
		t.Errorf("%.2f to %.2f token losses an hour: %v", before, after, a)
	}
}

// TestOutage: what no token bridges is told, and no setting is turned for it.
func TestOutage(t *testing.T) {
	w := world{sites: []int{2, 1}, links: 1, totem: proxmoxNow, length: 20 * time.Minute, loss: []float64{0}, burst: every(10*time.Minute, 40*time.Second)}
	a := w.advise(t)
	about := slices.ContainsFunc(a.Remarks, func(r Remark) bool { return r.About == "outages" })
	if a.Verdict != Nothing || len(a.Evidence.Outages) != 8 || !about || a.Evidence.Stall.Length > 0 { // two times two pairs, both directions
		t.Errorf("%v %v", a, a.Evidence.Outages)
	}
}

// TestLossBesideStalls: stalls that only a useless token would bridge don't keep the loss beside them from being cured.
func TestLossBesideStalls(t *testing.T) {
	w := world{sites: []int{2, 1}, links: 1, totem: proxmoxNow, length: 20 * time.Minute, loss: []float64{0.05}, burst: every(3*time.Minute, 5900*time.Millisecond)}
	a := w.advise(t)
	if a.Verdict != Change {
		t.Fatalf("%v", a)
	}
	if before, after := a.Before.Figures.TokenLosses.PerHour, a.Proposed.Figures.TokenLosses.PerHour; after*5 > before {
		t.Errorf("%.2f to %.2f: %v", before, after, a)
	}
	w.burst = every(11*time.Minute, 5*time.Second) // once
	if a = w.advise(t); a.Verdict != Change || a.Proposed.Bounds.Token != a.Before.Bounds.Token || occasions(a.Evidence.Outages) != 1 {
		t.Errorf("a single stall: %v", a)
	}
	if w.loss[0] = 0; w.advise(t).Verdict != Nothing {
		t.Error("a single stall and nothing else")
	}
}

// TestFenceBudget: 32 nodes with the old coefficient come close to the watchdog; the newer coefficient is enough.
func TestFenceBudget(t *testing.T) {
	w := world{sites: []int{16, 16}, links: 1, totem: "", length: 10 * time.Minute, loss: []float64{0}}
	a := w.advise(t)
	want := []corosync.Edit{{Key: "totem.token_coefficient", Value: "125"}}
	if a.Verdict != Change || cmp.Diff(want, a.Proposed.Edits) != "" || a.Limit != "the fence budget" {
		t.Errorf("%v", a)
	}
	for conf, want := range map[string]corosync.Edit{
		"  token: 20000\n  token_coefficient: 125\n": {Key: "totem.token", Value: "10000"},
		"  consensus: 40000\n":                       {Key: "totem.consensus"},
	} {
		w := world{sites: []int{2, 1}, links: 1, totem: conf, length: 10 * time.Minute, loss: []float64{0}}
		if a := w.advise(t); a.Verdict != Change || cmp.Diff([]corosync.Edit{want}, a.Proposed.Edits) != "" {
			t.Errorf("%v", a)
		}
	}
	if !slices.ContainsFunc(a.Steps, func(s string) bool { return strings.Contains(s, "reload once more") }) {
		t.Error("nothing of the second reload")
	}
}

// TestFailoverIsKept: with two links no candidate may pass that makes a clean death of the first cost the token.
func TestFailoverIsKept(t *testing.T) {
	w := world{sites: []int{2, 1}, links: 2, totem: oldToken, length: 10 * time.Minute, loss: []float64{0.2, 0.2}}
	s, err := newSearch(Input{Name: "c", Conf: w.conf(), Trace: w.record(), Seed: 1}, 0)
	if err != nil {
		t.Fatal(err)
	}
	now, err := s.present()
	if err != nil {
		t.Fatal(err)
	}
	s.out.Before = now.Trial
	if now.Drill.Lost > 0 || now.Drill.Failover == 0 {
		t.Fatalf("%+v", now.Drill)
	}
	slow := s.make(s.knobs.pings(200*time.Millisecond, 4*time.Second), 0)
	if s.drill(slow); !strings.HasPrefix(slow.Refused, "the death of link 0 would lose the token") {
		t.Errorf("a timeout of four tokens: %q %+v", slow.Refused, slow.Drill)
	}
	fast := s.make(s.knobs.pings(200*time.Millisecond, 0), 0)
	if s.drill(fast); fast.Refused != "" {
		t.Errorf("quicker pings: %q %+v", fast.Refused, fast.Drill)
	}
}

// TestPriority: where only the standby is good, it is preferred.
func TestPriority(t *testing.T) {
	w := world{sites: []int{2, 1}, links: 2, totem: oldToken, length: 10 * time.Minute, loss: []float64{0.4, 0}}
	a := w.advise(t)
	first := a.Tried[0]
	if first.Name != "link 1 preferred" || cmp.Diff([]corosync.Edit{{Key: "totem.interface.1.knet_link_priority", Value: "2"}}, first.Edits) != "" {
		t.Errorf("%v", a)
	}
}

// TestCandidates: Corosync takes every candidate, and each changes something.
func TestCandidates(t *testing.T) {
	for _, w := range []world{
		{sites: []int{2, 1}, links: 1, totem: oldToken}, {sites: []int{8, 8}, links: 2, totem: ""}, {sites: []int{20, 20}, links: 1, totem: ""},
		{sites: []int{2, 2}, links: 2, totem: "  token: 5000\n  consensus: 6500\n  hold: 500\n"}, {sites: []int{1, 1}, links: 1, totem: proxmoxNow},
	} {
		w.length, w.loss = 3*time.Minute, []float64{0.01, 0.01}
		s, err := newSearch(Input{Name: "c", Conf: w.conf(), Trace: w.record()}, 0)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for i, c := range s.knobs.candidates() {
			tr := s.make(c, i)
			if strings.Contains(tr.Refused, "Corosync") || seen[c.name] || bytes.Equal(tr.text, s.in.Conf) {
				t.Errorf("%v %s: %s (twice %v)", w, c.name, tr.Refused, seen[c.name])
			}
			seen[c.name] = true
			if conf, _ := corosync.Parse("c", bytes.NewReader(tr.text)); conf != nil && conf.Timeouts().Token != s.knobs.now.Token && conf.Timeouts().Consensus*10 < conf.Timeouts().Token*12-10*time.Millisecond {
				t.Errorf("%s: consensus %v of token %v", c.name, conf.Timeouts().Consensus, conf.Timeouts().Token)
			}
		}
		if len(seen) < 10 {
			t.Errorf("%v: %d candidates", w, len(seen))
		}
	}
}

// TestSame: equal inputs give equal advice.
func TestSame(t *testing.T) {
	w := world{sites: []int{2, 1}, links: 1, totem: oldToken, length: 4 * time.Minute, loss: []float64{0.05}}
	if d := cmp.Diff(w.advise(t), w.advise(t)); d != "" {
		t.Error(d)
	}
}

// TestTooLarge: what cannot be modelled is an error, not advice.
func TestTooLarge(t *testing.T) {
	w := world{sites: []int{40, 30}, links: 1, totem: proxmoxNow, length: 3 * time.Minute, loss: []float64{0}}
	if a, err := Advise(Input{Name: "c", Conf: w.conf(), Trace: w.record()}); err == nil || !strings.Contains(err.Error(), "70 processors") {
		t.Errorf("%v %v", err, a)
	}
}

// TestRemarks: an even number of votes, and a single link.
func TestRemarks(t *testing.T) {
	w := world{sites: []int{2, 2}, links: 1, totem: proxmoxNow, length: 10 * time.Minute, loss: []float64{0.05}}
	var about []string
	for _, r := range w.advise(t).Remarks {
		about = append(about, r.About)
		if r.About == "second link" && (r.After == nil || r.After.TokenLosses.PerHour*10 > r.Before.TokenLosses.PerHour) {
			t.Errorf("%+v", r)
		}
	}
	if cmp.Diff([]string{"second link", "quorum device", "votes", "timers"}, about) != "" {
		t.Errorf("%v", about)
	}
}

// TestLastVersion: where the version cannot be raised, that is the answer if something is wrong; if nothing is, it does not matter.
func TestLastVersion(t *testing.T) {
	w := world{sites: []int{2, 1}, links: 1, totem: proxmoxNow, length: 12 * time.Minute, loss: []float64{0.05}}
	last := bytes.Replace(w.conf(), []byte("config_version: 7"), []byte("config_version: 18446744073709551615"), 1)
	if a, err := Advise(Input{Name: "c", Conf: last, Trace: w.record(), Seed: 1}); err != ErrVersion {
		t.Errorf("%v %v", err, a)
	}
	w.loss[0] = 0
	if a, err := Advise(Input{Name: "c", Conf: last, Trace: w.record(), Seed: 1}); err != nil || a.Verdict != Nothing {
		t.Errorf("%v %v", err, a)
	}
}
