package probe_test

import (
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorumwatch/quorumwatch/probe"
	"github.com/quorumwatch/quorumwatch/probe/simnet"
	"github.com/quorumwatch/quorumwatch/probe/stats"
)

func TestPeerRestart(t *testing.T) {
	bubble(t, func(t *testing.T, x *pair) {
		x.stop[1]()
		time.Sleep(3 * time.Second)
		if o := x.observe(0); time.Since(o.Refused) > interval+rtt || o.Summary.Outage.For < 2900*time.Millisecond {
			t.Errorf("peer's agent gone: %v %+v", o.Refused, o.Summary.Outage)
		}
		x.start(1, nil)
		time.Sleep(5 * time.Second)
		for i := range 2 {
			s := x.summary(i)
			if s.Outage.For != 0 || s.Windows[0].Lost != 0 || !s.Forward.Known || s.Backward.Gap > 60*time.Millisecond {
				t.Errorf("end %d after the restart: %+v", i, s)
			}
		}
		if o := x.observe(0); !o.Refused.IsZero() {
			t.Errorf("still %v", o.Refused)
		}
		if n := x.p[0].Counters().Dropped[probe.Replayed]; n != 0 {
			t.Errorf("%d packets of the new run were taken for replays", n)
		}
	})
}

func TestClockStep(t *testing.T) {
	for _, step := range []time.Duration{time.Hour, -time.Hour} {
		for end := range 2 {
			bubble(t, func(t *testing.T, x *pair) {
				x.host[end].SetClock(step)
				time.Sleep(30 * time.Second)
				for i := range 2 {
					s := x.summary(i)
					w := s.Windows[2]
					if w.Lost != 0 || w.WorstGap != 0 || w.WorstGapForward != 0 || w.WorstGapBackward != 0 ||
						w.RTT.Max != rtt || w.RTT.Min != rtt || s.Outage.For != 0 {
						t.Errorf("clock of %d by %v: end %d: %+v", end, step, i, w)
					}
				}
				for r, n := range x.p[1-end].Counters().Dropped {
					if n != 0 {
						t.Errorf("dropped %v: %d", r, n)
					}
				}
			})
		}
	}
}

// A peer whose clock was set back while its agent restarted is heard again after sessionSilence.
func TestClockSetBackAndRestart(t *testing.T) {
	bubble(t, func(t *testing.T, x *pair) {
		x.stop[1]()
		x.host[1].SetClock(-time.Hour)
		time.Sleep(time.Second)
		x.start(1, nil)
		time.Sleep(12 * time.Second)
		if s := x.summary(1); s.Outage.For != 0 || !s.RTT.Known {
			t.Errorf("%+v", s)
		}
	})
}

// So is one that this end does not probe, if its clock is near ours then.
func TestClockSetRightAndRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := simnet.New(1)
		x := &pair{t: t, net: n, host: [2]*simnet.Host{n.Host("a", addrA), n.Host("b", addrB)}}
		x.host[0].SetClock(time.Hour)
		x.start(0, nil)
		x.start(1, func(c *probe.Config) {
			c.Reflect, c.Allow = []netip.Addr{addrB}, []netip.Prefix{netip.PrefixFrom(addrA, 32)}
		})
		x.p[1].SetTargets(nil)
		t.Cleanup(x.close)
		time.Sleep(20 * time.Second)
		x.stop[0]()
		x.host[0].SetClock(0)
		time.Sleep(time.Second)
		x.start(0, nil)
		time.Sleep(15 * time.Second)
		if s := x.summary(0); s.Outage.For != 0 || !s.RTT.Known || s.Full.Received == 0 {
			t.Errorf("%+v", s)
		}
	})
}

// A peer whose clock was set back while its agent restarted has its bulletins taken once its replies tell of its clock.
func TestBulletinsAfterClockSetBack(t *testing.T) {
	bubble(t, func(t *testing.T, x *pair) {
		x.stop[1]()
		x.host[1].SetClock(-time.Hour)
		x.start(1, nil)
		x.p[1].SetBulletin([]byte("later"))
		time.Sleep(15 * time.Second)
		if b := x.p[0].Bulletins(); len(b) != 1 || string(b[0].Data) != "later" || time.Since(b[0].At) > time.Second {
			t.Errorf("%+v", b)
		}
		if s := x.summary(0); time.Since(s.LastHeard) > time.Second || s.Backward.Gap > 2*interval {
			t.Errorf("%+v", s.Backward)
		}
	})
}

// A peer whose clock was set back while its agent went on may begin new sessions, as for another interval: they are answered and believed.
func TestNewSessionsAfterClockSetBack(t *testing.T) {
	bubble(t, func(t *testing.T, x *pair) {
		x.host[1].SetClock(-10 * time.Minute)
		time.Sleep(time.Second)
		other := x.target(1)
		other.Interval = 60 * time.Millisecond
		x.p[1].SetTargets([]probe.Target{other})
		x.p[1].SetBulletin([]byte("later"))
		time.Sleep(5 * time.Second)
		if s := x.summary(1); s.Outage.For != 0 || s.Total.Lost != 0 || s.Total.Received < 80 || s.Full.Received != s.Full.Sent {
			t.Errorf("%+v", s)
		}
		if b := x.p[0].Bulletins(); len(b) != 1 || string(b[0].Data) != "later" || time.Since(b[0].At) > time.Second {
			t.Errorf("%+v", b)
		}
	})
}

func TestHostPause(t *testing.T) {
	for _, suspend := range []bool{false, true} {
		bubble(t, func(t *testing.T, x *pair) {
			if suspend {
				x.host[0].Suspend()
			} else {
				x.host[0].Stop()
			}
			time.Sleep(4*time.Second + 7*time.Millisecond)
			x.host[0].Cont()
			checkPaused(t, "at once", x.summary(0))
			time.Sleep(5 * time.Second)
			checkPaused(t, "later", x.summary(0))
			if n := x.p[0].Pauses(); n.Longest < 3900*time.Millisecond || n.Longest > 4100*time.Millisecond || n.Count == 0 {
				t.Errorf("pauses: %+v", n)
			}
			if b := x.summary(1).Windows[1]; !suspend && (b.Lost != 0 || b.WorstGap > 10*time.Millisecond) {
				t.Errorf("the stopped host answered late, its kernel took everything: %+v", b)
			}
		})
	}
}

// The longest stall is told with its own end, also when a shorter one came after it.
func TestLongestPause(t *testing.T) {
	bubble(t, func(t *testing.T, x *pair) {
		var ends [2]time.Time
		for i, d := range []time.Duration{time.Second, 200 * time.Millisecond} {
			x.host[0].Stop()
			time.Sleep(d)
			x.host[0].Cont()
			ends[i] = time.Now()
			time.Sleep(2 * time.Second)
		}
		p := x.p[0].Pauses()
		if p.Ended.Sub(ends[0]).Abs() > 20*time.Millisecond || p.Last.Sub(ends[1]).Abs() > 20*time.Millisecond || p.Longest < 900*time.Millisecond {
			t.Errorf("%+v, want %v", p, ends)
		}
		time.Sleep(7 * time.Second)
		if p := x.p[0].Pauses(); p.Ended.Sub(ends[1]).Abs() > 20*time.Millisecond || p.Longest > 210*time.Millisecond {
			t.Errorf("later: %+v, want %v", p, ends)
		}
	})
}

func checkPaused(t *testing.T, when string, s stats.Summary) {
	t.Helper()
	w := s.Windows[1]
	if w.Lost != 0 || w.WorstGap != 0 || s.Outage.For != 0 || s.Unanswered != 0 || s.Forward.Gap > 2*interval {
		t.Errorf("%s: %+v\noutage %+v unanswered %d forward %+v", when, w, s.Outage, s.Unanswered, s.Forward)
	}
}

// A stall does not hide a cut that began before it and goes on after it.
func TestHostPauseInOutage(t *testing.T) {
	bubble(t, func(t *testing.T, x *pair) {
		x.net.SetBoth(addrA, addrB, simnet.Link{Down: true})
		time.Sleep(2 * time.Second)
		x.host[0].Stop()
		time.Sleep(time.Second)
		x.host[0].Cont()
		if s := x.summary(0); !s.Outage.HostPaused || s.Outage.For < 2900*time.Millisecond {
			t.Errorf("at once: %+v", s.Outage)
		}
		time.Sleep(200 * time.Millisecond)
		if s := x.summary(0); s.Outage.HostPaused || s.Outage.For < 3100*time.Millisecond {
			t.Errorf("later: %+v", s.Outage)
		}
		time.Sleep(800 * time.Millisecond)
		x.net.SetBoth(addrA, addrB, healthy)
		time.Sleep(time.Second)
		if g := x.summary(0).Windows[1].WorstGap; g < 3900*time.Millisecond || g > 4100*time.Millisecond {
			t.Errorf("worst gap %v, want 4 s", g)
		}
	})
}

func TestAddressGoesAndComes(t *testing.T) {
	bubble(t, func(t *testing.T, x *pair) {
		x.host[0].Remove(addrA)
		time.Sleep(3 * time.Second)
		o := x.observe(0)
		if o.Err == "" || o.Summary.Outage.For < 2900*time.Millisecond {
			t.Errorf("address gone: %q, outage %+v", o.Err, o.Summary.Outage)
		}
		x.host[0].Add(addrA)
		time.Sleep(2 * time.Second)
		if o := x.observe(0); o.Err != "" || o.Summary.Outage.For != 0 {
			t.Errorf("address back: %q, outage %+v", o.Err, o.Summary.Outage)
		}
	})
}

func TestAddressNotThereYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := simnet.New(1)
		x := &pair{t: t, net: n, host: [2]*simnet.Host{n.Host("a"), n.Host("b", addrB)}}
		x.start(0, nil)
		x.start(1, nil)
		t.Cleanup(x.close)
		time.Sleep(5 * time.Second)
		if o := x.observe(0); o.Err == "" || o.Summary.EverHeard {
			t.Errorf("%+v", o)
		}
		x.host[0].Add(addrA)
		time.Sleep(2 * time.Second)
		if o := x.observe(0); o.Err != "" || o.Summary.Outage.For != 0 {
			t.Errorf("%q %+v", o.Err, o.Summary.Outage)
		}
	})
}

func TestTargetsComeAndGo(t *testing.T) {
	bubble(t, func(t *testing.T, x *pair) {
		c := netip.MustParseAddr("10.0.0.3")
		before := x.observe(0)
		other := x.target(0)
		other.Remote = c
		x.p[0].SetTargets([]probe.Target{x.target(0), other, other})
		time.Sleep(3 * time.Second)
		o := x.p[0].Observations(time.Now())
		if len(o) != 2 || !o[0].Since.Equal(before.Since) || o[0].Summary.Total.Sent <= before.Summary.Total.Sent ||
			o[0].Summary.Windows[1].Lost != 0 {
			t.Fatalf("%+v", o)
		}
		if s := o[1].Summary; o[1].Remote != c || s.Outage.For < 2*time.Second || s.EverHeard || s.Forward.Known {
			t.Errorf("absent peer: %+v", s)
		}
		x.p[0].SetTargets([]probe.Target{other})
		x.p[1].SetTargets(nil)
		time.Sleep(time.Second)
		if o := x.p[0].Observations(time.Now()); len(o) != 1 || o[0].Remote != c {
			t.Fatalf("%+v", o)
		}
		if o := x.p[1].Observations(time.Now()); len(o) != 0 {
			t.Fatalf("%+v", o)
		}
		x.p[0].SetTargets([]probe.Target{x.target(0)})
		x.p[1].SetTargets([]probe.Target{x.target(1)})
		time.Sleep(5 * time.Second)
		if s := x.summary(0); s.Outage.For != 0 || s.Windows[0].Received < 18 {
			t.Errorf("after coming back: %+v", s)
		}
	})
}

// Targets that are set again and again change nothing.
func TestSameTargetsAgain(t *testing.T) {
	bubble(t, func(t *testing.T, x *pair) {
		mapped := x.target(0)
		mapped.Remote = netip.AddrFrom16(mapped.Remote.As16())
		before := x.summary(0).Total
		for range 3000 {
			time.Sleep(time.Second / 300)
			x.p[0].SetTargets([]probe.Target{mapped})
		}
		after := x.summary(0).Total
		if n := after.Sent - before.Sent; n < 199 || n > 201 || after.Lost != 0 || x.dropped(1, probe.Replayed) != 0 {
			t.Errorf("%d sent in 10 s, %+v", n, after)
		}
	})
}

type brokenPacer struct{ probe.Pacer }

func (brokenPacer) Wait(time.Time) (time.Time, error) { return time.Now(), errors.New("no timer") }
func (brokenPacer) Close() error                      { return nil }

func TestBrokenPacer(t *testing.T) {
	n := simnet.New(1)
	p, err := probe.New(probe.Config{
		Network: n.Host("a", addrA), NewPacer: func() (probe.Pacer, error) { return brokenPacer{}, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Run(t.Context()); err == nil {
		t.Error("Run says nothing of a pacer that fails")
	}
}

func TestBulletins(t *testing.T) {
	bubble(t, func(t *testing.T, x *pair) {
		if b := x.p[1].Bulletins(); len(b) != 0 {
			t.Errorf("%v", b)
		}
		x.p[0].SetBulletin([]byte("all is well"))
		time.Sleep(time.Second)
		b := x.p[1].Bulletins()
		if len(b) != 1 || string(b[0].Data) != "all is well" || b[0].Remote != addrA || time.Since(b[0].At) > 600*time.Millisecond {
			t.Errorf("%+v", b)
		}
		x.p[0].SetBulletin(make([]byte, 2000))
		x.p[1].SetBulletin(make([]byte, probe.BulletinRoom(1472)))
		time.Sleep(2 * time.Second)
		if b := x.p[1].Bulletins(); len(b) != 1 || len(b[0].Data) != 11 {
			t.Errorf("too long a bulletin: %+v", b)
		}
		if b := x.p[0].Bulletins(); len(b) != 1 || len(b[0].Data) != probe.BulletinRoom(1472) {
			t.Errorf("longest bulletin: %d", len(b))
		}
		if f := x.summary(0).Full; f.Received != f.Sent {
			t.Errorf("%+v", f)
		}
	})
}

// Trouble is told at once, also by an observer that is content with older windows.
func TestTroubledAndOldWindows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newPairWith(t, func(c *probe.Config) { c.WindowsAge = time.Second })
		time.Sleep(10 * time.Second)
		first := x.summary(0).Windows[1].Sent
		time.Sleep(500 * time.Millisecond)
		if n := x.summary(0).Windows[1].Sent; n != first || x.p[0].Troubled(time.Now()) != 0 {
			t.Errorf("%d sent, then %d; %d troubled", first, n, x.p[0].Troubled(time.Now()))
		}
		x.net.Set(addrA, addrB, simnet.Link{Down: true})
		time.Sleep(2 * interval)
		if n := x.p[0].Troubled(time.Now()); n != 1 {
			t.Errorf("%d troubled", n)
		}
		if s := x.summary(0); s.Outage.For == 0 || s.Windows[0].WorstGap == 0 {
			t.Errorf("%+v", s)
		}
		x.net.Set(addrA, addrB, healthy)
		time.Sleep(interval)
		if s := x.summary(0); s.Outage.For != 0 || s.Windows[0].WorstGap < interval {
			t.Errorf("after the outage: %+v", s.Windows[0])
		}
		x.host[0].Remove(addrA)
		time.Sleep(interval + 2*time.Millisecond)
		if n := x.p[0].Troubled(time.Now()); n != 1 {
			t.Errorf("%d troubled without an address", n)
		}
	})
}
