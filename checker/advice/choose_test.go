package advice

import (
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/risk"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// TestHelps: what counts as help, by the losses and the longest time without a token of a second.
func TestHelps(t *testing.T) {
	outcome := func(losses int, gap time.Duration) *trial {
		return &trial{
			Trial: Trial{Tested: true, Figures: Figures{WorstGap: gap}, Bounds: Bounds{Token: time.Second, Most: 30 * time.Second, Membership: 3 * time.Second}},
			tally: tally{losses: losses, worst: gap},
		}
	}
	const lost, near, easy = 1010 * time.Millisecond, 950 * time.Millisecond, 400 * time.Millisecond
	expects := &risk.Forecast{Enough: true, TokenLoss: risk.Expect{PerHour: 2}}
	for _, c := range []struct {
		name       string
		now, after *trial
		forecast   *risk.Forecast // of the present settings
		stall      time.Duration
		broken     time.Duration // with the change
		want       bool
	}{
		{name: "many losses gone", now: outcome(40, lost), after: outcome(0, easy), want: true},
		{name: "many losses, a few left", now: outcome(40, lost), after: outcome(4, lost), want: true},
		{name: "hardly fewer", now: outcome(40, lost), after: outcome(30, lost)},
		{name: "fewer, but not beyond chance", now: outcome(4, lost), after: outcome(2, lost)},
		{name: "fewer, but broken for longer", now: outcome(40, lost), after: outcome(0, easy), broken: time.Minute},
		{name: "close, then easy", now: outcome(0, near), after: outcome(0, easy), want: true},
		{name: "close, then as close", now: outcome(0, near), after: outcome(0, near)},
		{name: "once, then easy", now: outcome(1, lost), after: outcome(0, easy), want: true},
		{name: "once, then close", now: outcome(1, lost), after: outcome(0, near)},
		{name: "once, then once", now: outcome(1, lost), after: outcome(1, lost)},
		{name: "once, and the forecast expects more", now: outcome(1, lost), after: outcome(0, near), forecast: expects, want: true},
		{name: "none, but the forecast expects some", now: outcome(0, easy), after: outcome(0, easy), forecast: expects, want: true},
		{name: "none, and the change loses one", now: outcome(0, easy), after: outcome(1, lost), forecast: expects},
		{name: "a stall that the token does not bridge", now: outcome(1, lost), after: outcome(0, near), stall: 600 * time.Millisecond, want: true},
	} {
		c.now.Forecast, c.now.Bounds.Least, c.after.tally.broken = c.forecast, Safety*c.stall, c.broken
		if got := new(search).helps(c.now, c.after); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// TestLooksOn: what first looked easy and was not in the long run is not the last word.
func TestLooksOn(t *testing.T) {
	w := world{sites: []int{4, 4}, links: 1, totem: proxmoxNow, length: 10 * time.Minute, loss: []float64{0.03}, seed: 4}
	a := w.advise(t)
	if a.Verdict != Change || len(a.Tried) <= survivors || a.Proposed.Figures.WorstGap > a.Proposed.Bounds.Token*3/4 {
		t.Errorf("%v", a)
	}
}

// TestPreferred: of two links the one without loss.
func TestPreferred(t *testing.T) {
	w := world{sites: []int{3, 2}, links: 2, totem: proxmoxNow, length: 20 * time.Minute, loss: []float64{0.15, 0}}
	a := w.advise(t)
	if a.Verdict != Change || len(a.Proposed.Edits) != 1 || a.Proposed.Edits[0].Key != "totem.interface.1.knet_link_priority" || a.Limit != worseLink {
		t.Errorf("%v", a)
	}
}

// TestOutagesTold: what is said of tokens holds for all the outages of which it is said.
func TestOutagesTold(t *testing.T) {
	for _, c := range []struct {
		lengths []time.Duration
		want    string
	}{
		{[]time.Duration{20 * time.Second, 19 * time.Second}, "no token that may be set bridges it;"},
		{[]time.Duration{2 * time.Second, 3 * time.Second}, "only a token above 6.00 s would bridge"},
		{[]time.Duration{20 * time.Second, 2 * time.Second}, "no token that may be set bridges the longest of them"},
	} {
		s := &search{in: Input{Trace: &trace.Trace{}}, knobs: knobs{most: 12 * time.Second}}
		for _, l := range c.lengths {
			s.out.Evidence.Outages = append(s.out.Evidence.Outages, Stall{From: 1, To: 2, Length: l})
		}
		if s.outages(); len(s.out.Remarks) != 1 || !strings.Contains(s.out.Remarks[0].Text, c.want) {
			t.Errorf("%v: %v", c.lengths, s.out.Remarks)
		}
	}
}

// TestAllRefused: where the bounds refuse every setting unseen, none is said to have been tried in the model.
func TestAllRefused(t *testing.T) {
	s := &search{in: Input{Trace: &trace.Trace{}}, out: Advice{Tried: []Trial{{Name: "x", Refused: "too short"}}}}
	if s.why(&trial{}, nil); !strings.Contains(s.out.Why[len(s.out.Why)-1], "out of the question") {
		t.Errorf("%q", s.out.Why)
	}
	s.out = Advice{Tried: []Trial{{Name: "x", Tested: true}}}
	if s.why(&trial{}, nil); !strings.Contains(s.out.Why[len(s.out.Why)-1], "clearly helps") {
		t.Errorf("%q", s.out.Why)
	}
}
