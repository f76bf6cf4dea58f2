package stats

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// sender is a peer that sends a request each interval, whatever becomes of it. It is the dumb twin of Incoming: it knows.
type sender struct {
	every   time.Duration // between requests; 0: as every
	clock   time.Duration // its own, less ours
	session uint16
	seq     uint32
	now     time.Duration // ours
	sent    []request
}

// request is one packet and its fate.
type request struct {
	Heard
	left  time.Duration
	delay time.Duration
	lost  bool
}

// send sends a packet that is lost or arrives after a delay; the next one leaves an interval later.
func (s *sender) send(lost bool, delay, wobble time.Duration) {
	left := s.now + wobble
	s.sent = append(s.sent, request{
		Heard: Heard{Session: s.session, Seq: s.seq, At: start.Add(left + delay), Sent: s.clock + left, Small: true},
		left:  left, delay: delay, lost: lost,
	})
	s.seq++
	s.now += cmp.Or(s.every, every)
}

func (s *sender) sends(n int) {
	for range n {
		s.send(false, trip/2, 0)
	}
}

// deliver tells a Path all arrivals up to an instant, in their order.
func (s *sender) deliver(p *Path, until time.Duration) {
	all := slices.Clone(s.sent)
	slices.SortStableFunc(all, func(a, b request) int { return a.At.Compare(b.At) })
	for _, r := range all {
		if !r.lost && r.At.Sub(start) <= until {
			p.Heard(r.Heard)
		}
	}
}

// newHearer is a Path whose round trips are known.
func newHearer() *Path {
	p := New(Config{Start: start, Interval: every})
	p.trips.add(0, int64(trip))
	return p
}

func grid() Grid { return Grid{Begin: start.Add(13 * time.Millisecond), Slot: every} }

// tell counts slots by state.
func tell(slots []Slot) (n [4]int) {
	for _, s := range slots {
		n[s.State]++
	}
	return n
}

// Whenever in a slot the packets leave, each one counts once.
func TestIncomingPhases(t *testing.T) {
	for phase := time.Duration(0); phase < every; phase += 3 * time.Millisecond {
		r := rand.New(rand.NewPCG(uint64(phase), 1))
		s := sender{clock: -time.Hour, session: 7, seq: 1<<32 - 50, now: phase}
		p := newHearer()
		lost, slow := 0, 0
		var out []Slot
		for i := range 180 {
			gone, delay := i > 5 && i < 170 && r.IntN(10) == 0, trip/2
			if i > 5 && r.IntN(10) == 0 && !gone {
				delay += 30 * time.Millisecond
				slow++
			}
			s.send(gone, delay, time.Duration(r.IntN(2000)-1000)*time.Microsecond)
			if gone {
				lost++
			}
		}
		s.deliver(p, time.Hour)
		p.incoming.phase.learn(int64(s.sent[len(s.sent)-1].left-13*time.Millisecond), int64(every))
		out = p.Incoming(nil, grid(), 0, start.Add(s.now+100*time.Millisecond))
		n := tell(out)
		if n[SlotLost] != lost || n[SlotSilent] != 0 || n[SlotUnknown] > 1 || len(out) < 178 {
			t.Errorf("phase %v: %d slots, %v, want %d lost", phase, len(out), n, lost)
		}
		late := 0
		for _, x := range out {
			switch d := x.Delay - trip/2; {
			case d >= 28*time.Millisecond && d <= 33*time.Millisecond:
				late++
			case x.State == SlotArrived && (d < 0 || d > 3*time.Millisecond):
				t.Errorf("phase %v: a delay of %v", phase, x.Delay)
			}
		}
		if late != slow {
			t.Errorf("phase %v: %d late, want %d", phase, late, slow)
		}
	}
}

// What is asked for bit by bit is what is there in the end.
func TestIncomingPiecemeal(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	s := sender{session: 7, seq: 100, now: 20 * time.Millisecond}
	for i := range 170 {
		s.send(i/10%4 == 1 && r.IntN(2) == 0, trip/2+time.Duration(i%7/6)*100*time.Millisecond, 0)
	}
	p := newHearer()
	var out []Slot
	all := slices.Clone(s.sent)
	slices.SortStableFunc(all, func(a, b request) int { return cmp.Compare(a.left+a.delay, b.left+b.delay) })
	for now := time.Duration(0); now < s.now; now += 170 * time.Millisecond {
		for len(all) > 0 && all[0].left+all[0].delay <= now {
			if !all[0].lost {
				p.Heard(all[0].Heard)
			}
			all = all[1:]
		}
		out = p.Incoming(out, grid(), len(out), start.Add(now))
	}
	whole := newHearer()
	s.deliver(whole, s.now)
	want := whole.Incoming(nil, grid(), 0, start.Add(s.now))
	differ := 0
	for i := range min(len(out), len(want)) {
		if out[i].State != want[i].State {
			differ++
		}
	}
	if len(out) < 155 || differ > 1 { // the first one: where in a slot the packets leave is not known yet
		t.Errorf("%d slots, %d differ\n%v\n%v", len(out), differ, out, want)
	}
}

func TestIncomingFaults(t *testing.T) {
	for _, c := range []struct {
		name  string
		play  func(s *sender, p *Path)
		check func(n [4]int, slowest time.Duration) bool
	}{
		{"healthy", func(s *sender, _ *Path) { s.sends(50) }, func(n [4]int, slowest time.Duration) bool {
			return n[SlotArrived] > 95 && n[SlotUnknown] <= 1 && n[SlotLost]+n[SlotSilent] == 0 && slowest < 2*trip
		}},
		{"its clock is set ahead", func(s *sender, _ *Path) { s.clock += 5 * time.Second; s.sends(50) }, func(n [4]int, slowest time.Duration) bool {
			return n[SlotArrived] > 95 && slowest < 2*trip
		}},
		{"its clock is set back", func(s *sender, _ *Path) { s.clock -= 5 * time.Second; s.sends(50) }, func(n [4]int, slowest time.Duration) bool {
			return n[SlotArrived] > 95 && slowest < 2*trip
		}},
		{"it stalls", func(s *sender, _ *Path) { s.now += 500 * time.Millisecond; s.sends(50) }, func(n [4]int, slowest time.Duration) bool {
			return n[SlotUnknown] >= 9 && n[SlotUnknown] <= 11 && n[SlotLost]+n[SlotSilent] == 0 && slowest < 2*trip
		}},
		{"it stalls, and its clock is set back", func(s *sender, _ *Path) {
			s.now += 500 * time.Millisecond
			s.clock -= 5 * time.Second
			s.sends(50)
		}, func(n [4]int, slowest time.Duration) bool {
			return n[SlotUnknown] >= 9 && n[SlotUnknown] <= 11 && n[SlotLost]+n[SlotSilent] == 0 && slowest < 2*trip
		}},
		{"a queue stands still", func(s *sender, _ *Path) {
			for i := range 10 {
				s.send(false, trip/2+time.Duration(10-i)*every, 0)
			}
			s.sends(40)
		}, func(n [4]int, slowest time.Duration) bool {
			return n[SlotArrived] > 95 && slowest > 500*time.Millisecond && slowest < 510*time.Millisecond
		}},
		{"a new run of the agent", func(s *sender, _ *Path) { s.now += time.Second; s.session, s.seq = 9, 1<<31; s.sends(50) }, func(n [4]int, slowest time.Duration) bool {
			return n[SlotArrived] >= 49 && n[SlotLost]+n[SlotSilent] == 0 && slowest < 2*trip
		}},
		{"silence", func(s *sender, _ *Path) { s.now += 3 * time.Second }, func(n [4]int, _ time.Duration) bool {
			return n[SlotSilent] >= 50 && n[SlotSilent] <= 56 && n[SlotLost] == 0
		}},
		{"this host stalls", func(s *sender, p *Path) {
			p.Sent(1, start.Add(s.now))
			p.HostPause(start.Add(s.now), start.Add(s.now+3*time.Second))
			s.now += 3 * time.Second
		}, func(n [4]int, _ time.Duration) bool { return n[SlotSilent]+n[SlotLost] == 0 && n[SlotUnknown] >= 50 }},
		{"a blackout", func(s *sender, _ *Path) {
			for range 20 {
				s.send(true, 0, 0)
			}
			s.sends(30)
		}, func(n [4]int, _ time.Duration) bool { return n[SlotLost] == 20 && n[SlotArrived] > 75 }},
		{"reordering", func(s *sender, _ *Path) {
			for i := range 50 {
				s.send(false, trip/2+time.Duration(i%2)*120*time.Millisecond, 0)
			}
		}, func(n [4]int, slowest time.Duration) bool {
			return n[SlotLost] == 0 && slowest > 120*time.Millisecond && slowest < 125*time.Millisecond
		}},
		{"it restarts its numbers far away", func(s *sender, _ *Path) { s.seq += 1 << 25; s.sends(50) }, func(n [4]int, _ time.Duration) bool {
			return n[SlotLost] == 0 && n[SlotArrived] >= 49
		}},
	} {
		s, p := sender{session: 7, seq: 5, now: 20 * time.Millisecond}, newHearer()
		s.sends(50)
		c.play(&s, p)
		s.deliver(p, s.now)
		out := p.Incoming(nil, grid(), 0, start.Add(s.now))
		var slowest time.Duration
		for _, x := range out {
			slowest = max(slowest, x.Delay)
		}
		if n := tell(out); !c.check(n, slowest) {
			t.Errorf("%s: unknown, arrived, lost, silent: %v, slowest %v", c.name, n, slowest)
		}
	}
}

// A peer whose interval is not ours is heard as well, whatever becomes of its clock, and in whatever rhythm it begins.
func TestIncomingOtherInterval(t *testing.T) {
	for _, pace := range []time.Duration{25, 50, 90, 100, 120, 200, 1000} {
		pace *= time.Millisecond
		for _, step := range []time.Duration{-time.Hour, -2 * pace, -pace * 3 / 4, pace * 3 / 4, time.Hour} {
			for _, burst := range []int{0, 5} { // what waited together at first
				s, p := sender{every: pace, session: 7, seq: 5}, newHearer()
				for i := range burst {
					s.send(false, trip/2+time.Duration(burst-i)*(pace-time.Millisecond/10), 0)
				}
				s.sends(90)
				from := int(s.now / every)
				s.clock += step
				s.sends(int(max(2*time.Second, 10*pace) / pace))
				s.deliver(p, s.now)
				out := p.Incoming(nil, grid(), from, start.Add(s.now))
				var slowest time.Duration
				for _, x := range out {
					slowest = max(slowest, x.Delay)
				}
				if n := tell(out); len(out) < 30 || n[SlotArrived] < len(out)-1 || slowest > 2*trip {
					t.Errorf("every %v, clock by %v, burst of %d: unknown, arrived, lost, silent: %v, slowest %v", pace, step, burst, n, slowest)
				}
			}
		}
	}
}

// A single packet of another session does not end the one that goes on for long.
func TestIncomingStrayPacket(t *testing.T) {
	s, p := sender{session: 7, seq: 5}, newHearer()
	s.sends(20)
	s.session, s.seq = 9, 1000
	s.sends(1)
	s.session, s.seq = 7, 25
	s.sends(100)
	s.deliver(p, s.now)
	if n := tell(p.Incoming(nil, grid(), 40, start.Add(s.now))); n[SlotArrived] < 75 || n[SlotSilent] != 0 {
		t.Errorf("unknown, arrived, lost, silent: %v", n)
	}
}

func TestRoundTrips(t *testing.T) {
	for _, c := range []struct {
		name      string
		o         outcome
		out, back [4]int // of 20 probes that meet o
	}{
		{"pass", pass, [4]int{SlotArrived: 20}, [4]int{SlotArrived: 20}},
		{"lost on the way out", loseForward, [4]int{SlotLost: 20}, [4]int{SlotUnknown: 20}},
		{"lost on the way back", loseBackward, [4]int{SlotUnknown: 20}, [4]int{SlotLost: 20}},
	} {
		d := newDriver(77)
		d.probes(50, pass)
		d.probes(20, c.o)
		d.probes(100, pass)
		out, back := d.p.RoundTrips(nil, nil, Grid{start, every}, 50, d.at())
		if len(out) < 100 || len(out) != len(back) {
			t.Fatalf("%s: %d and %d slots", c.name, len(out), len(back))
		}
		if tell(out[:20]) != c.out || tell(back[:20]) != c.back {
			t.Errorf("%s: out %v, back %v", c.name, tell(out[:20]), tell(back[:20]))
		}
		if n := tell(out[20:]); n[SlotArrived] != len(out)-20 || out[30].Delay != trip/2 {
			t.Errorf("%s: then %v, after %v", c.name, n, out[30].Delay)
		}
	}
	d := newDriver(77) // no answer for as long as one looks: both
	d.probes(50, pass)
	d.probes(60, loseForward)
	out, back := d.p.RoundTrips(nil, nil, Grid{start, every}, 50, d.at())
	if n := tell(out); n[SlotLost] < 35 || n[SlotLost] != len(out) || tell(back) != n {
		t.Errorf("an outage: %v and %v", n, tell(back))
	}
	if out, _ := New(Config{Start: start}).RoundTrips(nil, nil, Grid{start, every}, 0, start.Add(time.Second)); len(out) != 0 {
		t.Errorf("nothing sent: %v", out)
	}
}

func BenchmarkIncoming(b *testing.B) {
	s, p := sender{session: 7, seq: 5}, newHearer()
	s.sends(200)
	s.deliver(p, s.now)
	out := make([]Slot, 0, 16)
	b.ReportAllocs()
	for b.Loop() {
		out = p.Incoming(out[:0], grid(), 190, start.Add(s.now))
	}
}
