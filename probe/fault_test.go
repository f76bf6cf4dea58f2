package probe_test

import (
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
		if o := x.observe(0); o.Summary.Full.Received == 0 || o.Summary.Full.Received != o.Summary.Full.Sent || o.MTU != 0 {
			t.Errorf("healthy: %+v", o)
		}
		l := healthy
		l.MTU, l.BlackHole = 1400, true
		x.net.Set(addrA, addrB, l)
		time.Sleep(15 * time.Second)
		if o := x.observe(0); o.Summary.Full.Sent < 10 || o.Summary.Full.Received != 0 || o.Summary.Windows[1].Lost != 0 || o.Summary.Outage.For != 0 {
			t.Errorf("black hole: %+v %+v", o.Summary.Full, o.Summary.Windows[1].Counters)
		}
		l.BlackHole = false
		x.net.Set(addrA, addrB, l)
		time.Sleep(time.Second)
		if o := x.observe(0); o.MTU != 1400 {
			t.Errorf("MTU %d", o.MTU)
		}
	})
}
