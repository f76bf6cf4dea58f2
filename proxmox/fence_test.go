package proxmox

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// epoch is when a test's cut happens.
func epoch() time.Time { return time.Unix(1795178906, 0) }

// at is an instant some seconds after the cut.
func at(seconds float64) time.Time {
	return epoch().Add(time.Duration(seconds * float64(time.Second)))
}

// life is one node's LRM and watchdog-mux, round by round: the twin of the formula, after pve-ha-manager's sources. Seconds are
// from the cut.
type life struct {
	renewed    float64 // last feeding of the watchdog
	lock       time.Time
	stamp      time.Time
	quorumLost float64
	lostLock   float64
	warned     float64
	expired    float64
	reset      float64
}

// live plays it. age is how old the last round is at the cut, work how long a round's work takes, membership how long quorum
// outlives the cut, blocked how long writes to pmxcfs hang, tick the phase of watchdog-mux's look at the clock.
func live(age, work, membership, tick float64) life {
	var l life
	whole := func(s float64) float64 { return math.Floor(s + float64(epoch().Unix())) }
	l.renewed = -age
	l.lock = at(l.renewed).Truncate(time.Second)
	l.stamp = at(l.renewed + work).Truncate(time.Second)
	if l.renewed+work > 0 { // the status can no longer be written: the one of the round before stands
		l.stamp = at(l.renewed - 10 + work).Truncate(time.Second)
	}
	l.quorumLost = membership
	l.lostLock = max(l.renewed+10, membership) + 0.4 // the first renewal after the cut hangs until quorum is lost
	for look := l.renewed + tick; ; look++ {
		silent := whole(look) - whole(l.renewed)
		if l.warned == 0 && silent > 50 {
			l.warned = look
		}
		if silent > 60 {
			l.expired, l.reset = look, look-1+10 // the last keepalive was at the look before
			return l
		}
	}
}

// TestFenceFormula: on thousands of replayed lives, at every stage of what a node's files and log say, the likely reset is within
// 3 s of 70 - a after the cut (facts of pve-ha-manager), the real one within 3 s of the likely one and inside the span.
func TestFenceFormula(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		age, work, membership := 10*r.Float64(), 1.5*r.Float64(), 1+12*r.Float64()
		l := live(age, work, membership, r.Float64())
		for _, now := range []float64{membership + 2, 30, 45, 53, l.expired + 2} {
			in := FenceInput{
				Node: "a", Now: at(now), Quorate: No, HA: HAArmed, Watchdog: Yes, Membership: time.Duration(membership * float64(time.Second)),
				LRM: LRM{Node: "a", State: "active", Mode: "active", Stamp: l.stamp, Lock: l.lock, Active: 1},
				Log: l.log(now),
			}
			f := FenceOf(in)
			l.check(t, "as root", f, age, 3*time.Second)
			in.LRM.Lock = time.Time{}
			in.Cut = Span{at(-0.1), epoch(), at(0.5)}
			l.check(t, "without the lock", FenceOf(in), age, 12*time.Second)
			in.Cut, in.Log = Span{}, FenceLog{}
			l.check(t, "from the status alone", FenceOf(in), age, 12*time.Second)
			if t.Failed() {
				t.Fatalf("age %.2f work %.2f membership %.2f now %.1f: %+v", age, work, membership, now, l)
			}
		}
	}
}

// check compares a countdown with what happens.
func (l life) check(t *testing.T, how string, f Fence, age float64, within time.Duration) {
	t.Helper()
	if f.Armed != Yes || f.Counting != Yes {
		t.Errorf("%s: armed %v counting %v: %s", how, f.Armed, f.Counting, f.Why)
	}
	formula := at(70 - age)
	if off := f.Reset.Likely.Sub(formula).Abs(); off > within {
		t.Errorf("%s: reset is %v off the formula", how, off)
	}
	for what, v := range map[string]struct {
		span Span
		real float64
	}{"no return": {f.NoReturn, l.expired}, "reset": {f.Reset, l.reset}} {
		real := at(v.real)
		if real.Before(v.span.Earliest) || real.After(v.span.Latest) {
			t.Errorf("%s: %s at %.1f, not in %.1f to %.1f", how, what, v.real, v.span.Earliest.Sub(epoch()).Seconds(), v.span.Latest.Sub(epoch()).Seconds())
		}
		if off := v.span.Likely.Sub(real).Abs(); off > within {
			t.Errorf("%s: %s is %v off what happens", how, what, off)
		}
	}
}

// log is what the node's log says by now.
func (l life) log(now float64) FenceLog {
	var g FenceLog
	for _, line := range []struct {
		at   float64
		text string
	}{
		{l.quorumLost, "[status] notice: node lost quorum"},
		{l.lostLock, "lost lock 'ha_agent_a_lock - cfs lock update failed - Operation not permitted"},
		{l.warned, "client (PID 1234) watchdog is about to expire"},
		{l.expired, "client (PID 1234) watchdog expired - disable watchdog updates"},
	} {
		if line.at <= now {
			g.Add(at(line.at), line.text)
		}
	}
	return g
}

// TestFenceMeasured: the two runs that were measured on real Proxmox VE, three nodes.
func TestFenceMeasured(t *testing.T) {
	for name, tt := range map[string]struct {
		age, quorumLost, expired, reset float64
	}{
		"first":  {7, 6.69, 54.0, 63},
		"second": {8.5, 6.5, 52.6, 62.5},
	} {
		lock := at(-tt.age).Truncate(time.Second)
		f := FenceOf(FenceInput{
			Node: "pve1", Now: at(30), Quorate: No, LRM: LRM{Node: "pve1", State: "active", Stamp: lock, Lock: lock}, Watchdog: Yes,
		})
		if off := f.NoReturn.Likely.Sub(at(tt.expired)).Abs(); off > 2*time.Second {
			t.Errorf("%s: no return %v off", name, off)
		}
		if off := f.Reset.Likely.Sub(at(tt.reset)).Abs(); off > 2*time.Second {
			t.Errorf("%s: reset %v off", name, off)
		}
		// The guest was moved 126.9 s after the cut in the first run.
		if d := f.Recovery.Latest.Sub(at(126.9)); d < 0 || f.Recovery.Earliest.After(at(126.9)) {
			t.Errorf("%s: recovery %v to %v", name, f.Recovery.Earliest.Sub(epoch()), f.Recovery.Latest.Sub(epoch()))
		}
		// Without any file: quorum was seen to go between two looks, 2 s apart.
		f = FenceOf(FenceInput{
			Node: "pve1", Now: at(30), Quorate: No, Watchdog: Yes, Membership: 6700 * time.Millisecond,
			Lost: Span{at(tt.quorumLost - 1.5), at(tt.quorumLost), at(tt.quorumLost + 0.5)},
		})
		if f.From != "quorum" || f.Armed != Yes || at(tt.reset).Before(f.Reset.Earliest) || at(tt.reset).After(f.Reset.Latest) || f.Reset.Likely.Sub(at(tt.reset)).Abs() > 6*time.Second {
			t.Errorf("%s: from quorum alone: %+v", name, f)
		}
	}
}

// TestArmed: who resets, and why.
func TestArmed(t *testing.T) {
	fresh := at(28)
	for name, tt := range map[string]struct {
		in       FenceInput
		armed    Tri
		counting Tri
	}{
		"active, quorate":           {FenceInput{Quorate: Yes, LRM: LRM{State: "active", Stamp: fresh}}, Yes, No},
		"active, not quorate":       {FenceInput{Quorate: No, LRM: LRM{State: "active", Stamp: at(-3)}}, Yes, Yes},
		"active, who knows":         {FenceInput{LRM: LRM{State: "active", Stamp: fresh}}, Yes, Unknown},
		"lost lock":                 {FenceInput{Quorate: No, LRM: LRM{State: "lost_agent_lock", Stamp: at(-3)}}, Yes, Yes},
		"idle":                      {FenceInput{Quorate: No, LRM: LRM{State: "wait_for_agent_lock", Stamp: at(-3)}}, No, No},
		"disarmed":                  {FenceInput{Quorate: No, HA: HADisarmed, LRM: LRM{State: "wait_for_agent_lock", Mode: "disarm", Stamp: at(-3)}}, No, No},
		"disarming":                 {FenceInput{Quorate: No, HA: HADisarming, LRM: LRM{State: "active", Mode: "disarm", Stamp: at(-3)}}, Yes, Yes},
		"maintenance, empty":        {FenceInput{Quorate: No, LRM: LRM{State: "maintenance", Stamp: at(-3)}}, No, No},
		"maintenance, moving":       {FenceInput{Quorate: No, LRM: LRM{State: "maintenance", Active: 2, Stamp: at(-3)}}, Yes, Yes},
		"nobody at the watchdog":    {FenceInput{Quorate: No, Watchdog: No, LRM: LRM{State: "active", Stamp: at(-3)}}, No, No},
		"manager with an idle LRM":  {FenceInput{Quorate: No, Watchdog: Yes, Master: true, LRM: LRM{State: "wait_for_agent_lock", Stamp: at(-3)}}, No, No},
		"somebody at the watchdog":  {FenceInput{Quorate: No, Watchdog: Yes, LRM: LRM{State: "wait_for_agent_lock", Stamp: at(-3)}}, Unknown, Unknown},
		"only the watchdog known":   {FenceInput{Quorate: No, Watchdog: Yes}, Yes, Yes},
		"nothing known":             {FenceInput{Quorate: No}, Unknown, Unknown},
		"never had HA":              {FenceInput{Quorate: No, HA: HAStandby}, No, No},
		"quorate, silent LRM":       {FenceInput{Quorate: Yes, LRM: LRM{State: "active", Stamp: at(-30)}}, Unknown, Unknown},
		"quorate, lock overdue":     {FenceInput{Quorate: Yes, Watchdog: Yes, LRM: LRM{State: "active", Stamp: at(-1), Lock: at(-1)}}, Yes, Yes},
		"pmxcfs down, lock overdue": {FenceInput{Watchdog: Yes, LRM: LRM{State: "active", Stamp: at(-1), Lock: at(-1)}}, Yes, Yes},
		"lived through it":          {FenceInput{Quorate: No, Watchdog: Yes, LRM: LRM{State: "active", Stamp: at(-80), Lock: at(-80)}}, Yes, Unknown},
		"LRM killed":                {FenceInput{Quorate: Yes, Watchdog: Yes, LRM: LRM{State: "active", Stamp: fresh}, Log: FenceLog{Abandoned: at(25)}}, Yes, Yes},
	} {
		tt.in.Now, tt.in.Node = at(30), "a"
		if tt.in.LRM.State != "" {
			tt.in.LRM.Node = "a"
		}
		f := FenceOf(tt.in)
		if f.Armed != tt.armed || f.Counting != tt.counting || f.Why == "" {
			t.Errorf("%s: armed %v, counting %v: %s", name, f.Armed, f.Counting, f.Why)
		}
		if f.Renewed.Known() && (f.Renewed.Earliest.After(f.Renewed.Likely) || f.Renewed.Likely.After(f.Renewed.Latest) || f.Renewed.Latest.After(tt.in.Now)) {
			t.Errorf("%s: renewed %+v", name, f.Renewed)
		}
	}
}

// TestAbandoned: an LRM that dies without letting go resets its node within 10 s.
func TestAbandoned(t *testing.T) {
	var l FenceLog
	l.Add(at(25), "watchdog-mux[700]: client (PID 1001) did not stop watchdog - disable watchdog updates")
	f := FenceOf(FenceInput{Node: "a", Now: at(26), Quorate: Yes, Log: l, LRM: LRM{State: "active", Stamp: at(20), Lock: at(20)}})
	if !f.Expired || f.Reset.Latest != at(35) || f.Reset.Earliest != at(33) {
		t.Errorf("%+v", f)
	}
}

// TestLatestOnly: who only knows the latest that quorum was lost gets a countdown all the same.
func TestLatestOnly(t *testing.T) {
	f := FenceOf(FenceInput{Node: "a", Now: at(30), Quorate: No, Watchdog: Yes, Membership: 7 * time.Second, Lost: Span{Latest: at(7)}})
	least, likely, most := f.Reset.Left(at(30))
	if least < 10*time.Second || most > 50*time.Second || (likely-35*time.Second).Abs() > time.Second {
		t.Errorf("%v %v %v", least, likely, most)
	}
}

// TestPast: what the log said before the LRM wrote again counts no more.
func TestPast(t *testing.T) {
	f := FenceOf(FenceInput{
		Node: "a", Now: at(60), Quorate: Yes, LRM: LRM{Node: "a", State: "active", Stamp: at(58)},
		Log: FenceLog{LostQuorum: at(7), LostLock: at(8), Warned: at(45)},
	})
	if f.From != "lrm_status" || f.Counting != No || f.Renewed.Likely != at(58) {
		t.Errorf("%+v", f)
	}
}

// TestMuxGone: watchdog-mux ends when it gives up, and leaves its mark behind.
func TestMuxGone(t *testing.T) {
	in := FenceInput{Node: "a", Quorate: No, Watchdog: Yes, Mux: No, LRM: LRM{Node: "a", State: "active", Stamp: at(-7), Lock: at(-7)}}
	for now, want := range map[float64]Tri{54.2: Yes, 62: Yes, 30: Unknown, 90: Unknown} {
		in.Now = at(now)
		f := FenceOf(in)
		if !f.Expired || f.Armed != Yes || f.Counting != want || f.Reset.Latest.Before(in.Now) || f.NoReturn.Latest.After(in.Now) {
			t.Errorf("at %.1f: %+v", now, f)
		}
		if off := f.Reset.Likely.Sub(at(63)).Abs(); want == Yes && off > time.Second {
			t.Errorf("at %.1f: reset %v off", now, off)
		}
	}
	in.Now, in.Mux = at(54.2), Yes
	if f := FenceOf(in); f.Expired || f.Counting != Yes {
		t.Errorf("it still listens: %+v", f)
	}
}

// TestFenceLog: what makes it good again is forgotten.
func TestFenceLog(t *testing.T) {
	var l FenceLog
	for i, line := range []string{
		"[status] notice: node lost quorum", "lost lock 'ha_agent_a_lock - x", "client watchdog is about to expire",
		"client (PID 9) watchdog was updated before expiring", "[status] notice: node has quorum",
	} {
		if !l.Add(at(float64(i)), line) {
			t.Errorf("%q means nothing", line)
		}
	}
	if l != (FenceLog{}) {
		t.Errorf("%+v", l)
	}
	if l.Add(at(9), "pmxcfs: [dcdb] notice: all data is up to date") || l.Add(at(9), "lost lock 'ha_manager_lock'") {
		t.Error("a line that says nothing of the fence")
	}
}

// TestCutAt: what would follow a cut now, and later.
func TestCutAt(t *testing.T) {
	in := FenceInput{Node: "a", Now: at(0), Quorate: Yes, LRM: LRM{Node: "a", State: "active", Stamp: at(-4), Lock: at(-4)}}
	f := in.CutAt(at(0))
	if _, likely, _ := f.Reset.Left(at(0)); f.Counting != Yes || (likely-66*time.Second).Abs() > time.Second {
		t.Errorf("cut now: %v %+v", likely, f)
	}
	f = in.CutAt(at(600))
	least, likely, most := f.Reset.Left(at(600))
	if least < 57*time.Second || most > 73*time.Second || (likely-65*time.Second).Abs() > time.Second {
		t.Errorf("cut later: %v %v %v", least, likely, most)
	}
	in.LRM.State = "wait_for_agent_lock"
	if f = in.CutAt(at(0)); f.Armed != No || f.Counting != No {
		t.Errorf("idle: %+v", f)
	}
}
