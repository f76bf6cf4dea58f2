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

const (
	interval = 50 * time.Millisecond
	rtt      = 4 * time.Millisecond
)

var healthy = simnet.Link{Delay: rtt / 2}

// bubble runs a scenario on the simulated network after it has been healthy for a while.
func bubble(t *testing.T, f func(t *testing.T, x *pair)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		x := newPair(t)
		time.Sleep(20 * time.Second)
		f(t, x)
	})
}

// lossy is a healthy link that loses one of ten.
func lossy() simnet.Link {
	l := healthy
	l.Loss = 0.1
	return l
}

func ratio(part, whole uint64) float64 { return float64(part) / float64(max(whole, 1)) }

func TestLossHasADirection(t *testing.T) {
	for _, forward := range []bool{true, false} {
		bubble(t, func(t *testing.T, x *pair) {
			if forward {
				x.net.Set(addrA, addrB, lossy())
			} else {
				x.net.Set(addrB, addrA, lossy())
			}
			time.Sleep(2 * time.Minute)
			for end, s := range []stats.Summary{x.summary(0), x.summary(1)} {
				w := s.Windows[2]
				lost, other := w.LostForward, w.LostBackward
				if forward != (end == 0) {
					lost, other = other, lost
				}
				if r := ratio(w.Lost, w.Sent); r < 0.06 || r > 0.14 {
					t.Errorf("forward %v end %d: %.3f lost, want about 0.1", forward, end, r)
				}
				if other != 0 || lost+3 < w.Lost {
					t.Errorf("forward %v end %d: of %d lost %d in the right direction, %d in the other", forward, end, w.Lost, lost, other)
				}
				if w.Late+w.Duplicated+w.Reordered+w.Corrupt != 0 || w.Sent < w.Received+w.Lost {
					t.Errorf("forward %v end %d: %+v", forward, end, w.Counters)
				}
			}
		})
	}
}

func TestBlackout(t *testing.T) {
	for _, d := range []time.Duration{300 * time.Millisecond, time.Second, 7 * time.Second, 3 * time.Minute} {
		for _, c := range []struct{ forward, backward bool }{{true, true}, {true, false}, {false, true}} {
			bubble(t, func(t *testing.T, x *pair) {
				if c.forward {
					x.net.Set(addrA, addrB, simnet.Link{Down: true})
				}
				if c.backward {
					x.net.Set(addrB, addrA, simnet.Link{Down: true})
				}
				time.Sleep(d - time.Millisecond)
				s := x.summary(0)
				if s.Outage.For < d-interval-rtt || s.Outage.For > d || s.Outage.HostPaused {
					t.Errorf("%v %+v: outage %+v while it lasts", d, c, s.Outage)
				}
				if n := int(d / interval); s.Unanswered < n-2 || s.Unanswered > n {
					t.Errorf("%v %+v: %d unanswered, want about %d", d, c, s.Unanswered, n)
				}
				if known := c.forward && !c.backward; s.Forward.Known != known {
					t.Errorf("%v %+v: direction known %v", d, c, s.Forward.Known)
				}
				if s.Forward.Gap < d-interval {
					t.Errorf("%v %+v: forward gap %v", d, c, s.Forward.Gap)
				}
				if back := s.Backward.Gap; c.backward != (back > d-2*interval) {
					t.Errorf("%v %+v: backward gap %v", d, c, back)
				}
				time.Sleep(time.Millisecond)
				x.net.SetBoth(addrA, addrB, healthy)
				time.Sleep(2 * time.Second)
				checkGap(t, x.summary(0).Windows[1:], d, c.forward, c.backward)
			})
		}
	}
}

// checkGap checks the worst gaps after a blackout.
func checkGap(t *testing.T, windows []stats.Window, d time.Duration, forward, backward bool) {
	t.Helper()
	for _, w := range windows {
		near := func(g time.Duration) bool { return (g - d).Abs() <= interval+time.Millisecond }
		if !near(w.WorstGap) {
			t.Errorf("%v: worst gap %v in %v", d, w.WorstGap, w.Length)
		}
		if forward && !backward && (!near(w.WorstGapForward) || w.WorstGapBackward != 0) {
			t.Errorf("%v forward only: worst gaps %v and %v in %v", d, w.WorstGapForward, w.WorstGapBackward, w.Length)
		}
		if backward && !forward && (!near(w.WorstGapBackward) || w.WorstGapForward != 0) {
			t.Errorf("%v backward only: worst gaps %v and %v in %v", d, w.WorstGapForward, w.WorstGapBackward, w.Length)
		}
	}
}

// A cut is seen within three intervals and an RTT of the first lost packet.
func TestDetection(t *testing.T) {
	bubble(t, func(t *testing.T, x *pair) {
		x.net.Set(addrB, addrA, simnet.Link{Down: true})
		cut := time.Now()
		for x.summary(0).Unanswered < 2 {
			time.Sleep(time.Millisecond)
		}
		if took := time.Since(cut); took > 3*interval+rtt {
			t.Errorf("two probes in a row were overdue after %v", took)
		}
	})
}

func TestBursts(t *testing.T) {
	bubble(t, func(t *testing.T, x *pair) {
		for range 5 {
			x.net.Set(addrA, addrB, simnet.Link{Down: true})
			time.Sleep(4 * interval)
			x.net.Set(addrA, addrB, healthy)
			time.Sleep(time.Second)
		}
		time.Sleep(time.Second)
		if w := x.summary(0).Windows[2]; w.Bursts[3] != 5 || w.Lost != 20 {
			t.Errorf("bursts %v, %d lost; want 5 of 4", w.Bursts, w.Lost)
		}
	})
}

func TestDelaySpike(t *testing.T) {
	for _, forward := range []bool{true, false} {
		bubble(t, func(t *testing.T, x *pair) {
			from, to := addrA, addrB
			if !forward {
				from, to = to, from
			}
			// A queue that stands still for 400 ms and then delivers everything.
			open := time.Now().Add(400 * time.Millisecond)
			x.net.Script(from, to, func(since time.Duration) simnet.Link {
				l := healthy
				l.Delay += max(x.net.Since(open)-since, 0)
				return l
			})
			time.Sleep(3 * time.Second)
			w := x.summary(0).Windows[1]
			near := func(g time.Duration) bool { return g > 340*time.Millisecond && g <= 400*time.Millisecond }
			if !near(w.WorstGap) || w.Lost != 0 || w.Late != 0 || w.RTT.Max < 350*time.Millisecond {
				t.Errorf("worst gap %v, %+v, RTT %+v", w.WorstGap, w.Counters, w.RTT)
			}
			right, wrong := w.WorstGapForward, w.WorstGapBackward
			if !forward {
				right, wrong = wrong, right
			}
			if !near(right) || wrong > 20*time.Millisecond {
				t.Errorf("forward %v: worst gaps %v and %v", forward, w.WorstGapForward, w.WorstGapBackward)
			}
		})
	}
}

func TestLateIsNotLost(t *testing.T) {
	bubble(t, func(t *testing.T, x *pair) {
		before := x.summary(0).Total
		slow := healthy
		slow.Delay = 1500 * time.Millisecond
		x.net.Set(addrA, addrB, slow)
		time.Sleep(interval)
		x.net.Set(addrA, addrB, simnet.Link{Delay: rtt / 2})
		time.Sleep(5 * time.Second)
		n := x.summary(0).Total
		if n.Late == 0 || n.Lost != before.Lost {
			t.Errorf("late %d, lost %d", n.Late, n.Lost-before.Lost)
		}
	})
}

func TestDuplicates(t *testing.T) {
	bubble(t, func(t *testing.T, x *pair) {
		l := healthy
		l.Duplicate = 0.5
		x.net.Set(addrB, addrA, l)
		time.Sleep(10 * time.Second)
		a, b := x.summary(0).Windows[1], x.summary(1).Windows[1]
		// b's replies come to a twice, and so do b's requests; a answers those once.
		if r := ratio(a.Duplicated, a.Sent); r < 0.8 || r > 1.2 {
			t.Errorf("%d duplicates of %d probes", a.Duplicated, a.Sent)
		}
		if a.Lost+b.Lost != 0 || a.Received > a.Sent || b.Duplicated != 0 {
			t.Errorf("a %+v b %+v", a.Counters, b.Counters)
		}
		if x.p[0].Counters().Dropped[probe.Replayed] == 0 {
			t.Error("a second request was not dropped")
		}
	})
}

func TestReordering(t *testing.T) {
	bubble(t, func(t *testing.T, x *pair) {
		l := healthy
		l.Reorder, l.ReorderBy = 0.2, 120*time.Millisecond
		x.net.Set(addrB, addrA, l)
		time.Sleep(time.Minute)
		w := x.summary(0).Windows[2]
		if r := ratio(w.Reordered, w.Sent); r < 0.1 || r > 0.3 || w.Lost != 0 || w.Duplicated != 0 {
			t.Errorf("%+v", w.Counters)
		}
	})
}

func TestCorruption(t *testing.T) {
	bubble(t, func(t *testing.T, x *pair) {
		l := healthy
		l.Corrupt = 0.2
		x.net.Set(addrA, addrB, l)
		time.Sleep(time.Minute)
		a, b := x.summary(0).Windows[2], x.summary(1).Windows[2]
		// Of a's packets, requests and replies, b finds a fifth damaged; most damage hits the base packet.
		if r := ratio(b.Corrupt, 2*b.Sent); r < 0.12 || r > 0.25 || a.Corrupt != 0 {
			t.Errorf("corrupt: %d at a, %d at b of %d", a.Corrupt, b.Corrupt, 2*b.Sent)
		}
		if x.p[1].Counters().Dropped[probe.BadHMAC] == 0 {
			t.Error("no bad HMAC counted")
		}
		if a.LostForward == 0 || a.LostBackward != 0 {
			t.Errorf("a: %+v", a.Counters)
		}
	})
}

func TestBlackHole(t *testing.T) {
	bubble(t, func(t *testing.T, x *pair) {
		if o := x.observe(0); o.BlackHole || o.MTU != 0 {
			t.Errorf("healthy: %+v", o)
		}
		l := healthy
		l.MTU, l.BlackHole = 1400, true
		x.net.Set(addrA, addrB, l)
		time.Sleep(15 * time.Second)
		if o := x.observe(0); !o.BlackHole || o.Summary.Windows[1].Lost != 0 || o.Summary.Outage.For != 0 {
			t.Errorf("black hole: %v %+v %+v", o.BlackHole, o.Summary.Full, o.Summary.Windows[1].Counters)
		}
		l.BlackHole = false
		x.net.Set(addrA, addrB, l)
		time.Sleep(time.Second)
		if o := x.observe(0); o.MTU != 1400 {
			t.Errorf("MTU %d", o.MTU)
		}
	})
}

func TestPeerRestart(t *testing.T) {
	bubble(t, func(t *testing.T, x *pair) {
		x.stop[1]()
		time.Sleep(3 * time.Second)
		if o := x.observe(0); o.NetErr == "" || o.Summary.Outage.For < 2900*time.Millisecond {
			t.Errorf("peer's agent gone: %q %+v", o.NetErr, o.Summary.Outage)
		}
		x.start(1, nil)
		time.Sleep(5 * time.Second)
		for i := range 2 {
			s := x.summary(i)
			if s.Outage.For != 0 || s.Windows[0].Lost != 0 || !s.Forward.Known || s.Backward.Gap > 60*time.Millisecond {
				t.Errorf("end %d after the restart: %+v", i, s)
			}
		}
		if o := x.observe(0); o.NetErr != "" {
			t.Errorf("still %q", o.NetErr)
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
