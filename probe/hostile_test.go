package probe_test

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorumwatch/quorumwatch/probe"
	"github.com/quorumwatch/quorumwatch/probe/simnet"
	"github.com/quorumwatch/quorumwatch/probe/stamp"
)

// port returns the socket address of a prober.
func port(a netip.Addr) netip.AddrPort { return netip.AddrPortFrom(a, probe.DefaultPort) }

// record keeps copies of what one address sends to another from now on.
func (x *pair) record(from, to netip.Addr) *[][]byte {
	var out [][]byte
	x.net.Tap(func(p simnet.Packet) {
		if p.From.Addr() == from && p.To.Addr() == to {
			out = append(out, bytes.Clone(p.Data))
		}
	})
	return &out
}

// dropped returns how many packets a prober dropped for a reason.
func (x *pair) dropped(i int, r probe.Reason) uint64 { return x.p[i].Counters().Dropped[r] }

func TestReplayedRequests(t *testing.T) {
	bubble(t, func(t *testing.T, x *pair) {
		seen := x.record(addrA, addrB)
		time.Sleep(2*time.Second + 4*time.Millisecond) // no probe leaves within the next millisecond
		x.net.Tap(nil)
		before := x.p[1].Counters()
		for _, p := range *seen {
			x.net.Inject(port(addrA), port(addrB), p)
		}
		time.Sleep(time.Millisecond)
		after := x.p[1].Counters()
		if got := after.Dropped[probe.Replayed] - before.Dropped[probe.Replayed]; got < 40 {
			t.Errorf("%d dropped as replayed", got)
		}
		if after.Reflected != before.Reflected {
			t.Errorf("%d replays were answered", after.Reflected-before.Reflected)
		}
		// Recorded replies are duplicates.
		if n := x.summary(1).Total.Duplicated; n < 40 {
			t.Errorf("%d duplicates", n)
		}
	})
}

// What was recorded of a session that is over must not open it again while the peer is alive, from any port.
func TestReplayedSession(t *testing.T) {
	bubble(t, func(t *testing.T, x *pair) {
		seen := x.record(addrA, addrB)
		time.Sleep(time.Second)
		x.net.Tap(nil)
		x.stop[0]()
		x.start(0, nil)
		time.Sleep(time.Minute)
		before := x.p[1].Counters()
		for i, p := range *seen {
			x.net.Inject(netip.AddrPortFrom(addrA, uint16(40000+i%10)), port(addrB), p)
		}
		time.Sleep(time.Millisecond)
		after := x.p[1].Counters()
		if after.Reflected != before.Reflected || after.Dropped[probe.Replayed] == before.Dropped[probe.Replayed] {
			t.Errorf("%+v then %+v", before, after)
		}
	})
}

// requests are those of the packets that are requests, newest last.
func requests(packets [][]byte) [][]byte {
	return slices.DeleteFunc(slices.Clone(packets), func(p []byte) bool { return stamp.IsReply(p, true) })
}

// The source port is under no HMAC: from whatever port a recorded packet comes again, it was seen before.
func TestReplayFromOtherPorts(t *testing.T) {
	bubble(t, func(t *testing.T, x *pair) {
		seen := x.record(addrA, addrB)
		time.Sleep(time.Second + 4*time.Millisecond) // all have arrived
		x.net.Tap(nil)
		all := requests(*seen)
		before := x.p[1].Counters()
		for i := range uint16(30) {
			x.net.Inject(netip.AddrPortFrom(addrA, 40000+i), port(addrB), all[len(all)-1])
		}
		time.Sleep(time.Millisecond)
		after := x.p[1].Counters()
		if n := after.Dropped[probe.Replayed] - before.Dropped[probe.Replayed]; n != 30 || after.Reflected != before.Reflected {
			t.Errorf("%d dropped as replayed, %d answered", n, after.Reflected-before.Reflected)
		}
		time.Sleep(15 * time.Second)
		if n := x.dropped(1, probe.TooMany) + x.dropped(1, probe.RateLimited); n != 0 || x.summary(0).Windows[1].Lost != 0 {
			t.Errorf("%d real probes were refused", n)
		}
	})
}

// What was recorded of a peer does not bring it back to life when it is gone.
func TestReplayOfDeadPeer(t *testing.T) {
	for _, after := range []time.Duration{time.Minute, 10 * time.Minute} {
		bubble(t, func(t *testing.T, x *pair) {
			x.p[0].SetBulletin([]byte("old"))
			seen := x.record(addrA, addrB)
			time.Sleep(time.Second)
			x.net.Tap(nil)
			x.stop[0]()
			x.start(0, nil)
			x.p[0].SetBulletin([]byte("new"))
			time.Sleep(5 * time.Second)
			x.stop[0]()
			time.Sleep(after)
			heard, before := x.summary(1).LastHeard, x.p[1].Counters()
			for range 2 {
				for _, p := range *seen {
					x.net.Inject(port(addrA), port(addrB), p)
				}
				time.Sleep(12 * time.Second)
			}
			if at := x.summary(1).LastHeard; !at.Equal(heard) {
				t.Errorf("%v: heard %v ago", after, time.Since(at))
			}
			if b := x.p[1].Bulletins(); len(b) != 1 || string(b[0].Data) != "new" || time.Since(b[0].At) < after {
				t.Errorf("%v: bulletins %+v", after, b)
			}
			if n := x.p[1].Counters().Requests - before.Requests; after > 5*time.Minute && n != 0 {
				t.Errorf("%v: %d taken", after, n)
			}
		})
	}
}

// What was recorded of a session that is over does not open it again after the peer's clock was set back: not what is newer than the clock
// now, and not what is just as old as the clock shows.
func TestReplayAfterClockSetBack(t *testing.T) {
	for _, step := range []time.Duration{-10 * time.Minute, -76 * time.Second} {
		bubble(t, func(t *testing.T, x *pair) {
			seen := x.record(addrA, addrB)
			time.Sleep(time.Second)
			x.net.Tap(nil)
			time.Sleep(time.Minute) // no window reaches back to these
			x.stop[0]()
			x.start(0, nil)
			time.Sleep(15 * time.Second)
			x.host[0].SetClock(step)
			other := x.target(0)
			other.Interval = 60 * time.Millisecond
			x.p[0].SetTargets([]probe.Target{other}) // new sessions, which are believed
			time.Sleep(time.Second)
			if s := x.summary(0); s.Total.Received < 15 {
				t.Errorf("%v: not answered: %+v", step, s.Total)
			}
			recorded, before := requests(*seen), x.dropped(1, probe.Replayed)
			for _, p := range recorded {
				x.net.Inject(port(addrA), port(addrB), p)
			}
			time.Sleep(time.Millisecond)
			if n := x.dropped(1, probe.Replayed) - before; n != uint64(len(recorded)) || n < 20 {
				t.Errorf("%v: %d of %d refused", step, n, len(recorded))
			}
		})
	}
}

func TestForgedPackets(t *testing.T) {
	other, err := stamp.DeriveKey(bytes.Repeat([]byte{7}, 128))
	if err != nil {
		t.Fatal(err)
	}
	request := func(k stamp.Master) []byte {
		m := k.Session(addrA, addrB).MAC()
		return stamp.AppendRequest(nil, stamp.Request{Seq: 1, Sent: stamp.NewTimestamp(time.Now(), stamp.NTP), SSID: 77}, m)
	}
	for _, c := range []struct {
		name   string
		from   netip.Addr
		packet func() []byte
		reason probe.Reason
	}{
		{"stranger", netip.MustParseAddr("10.0.0.9"), func() []byte { return request(master(t)) }, probe.Unlisted},
		{"wrong key", addrA, func() []byte { return request(other) }, probe.BadHMAC},
		{"no key", addrA, func() []byte { return request(stamp.Master{}) }, probe.Unauthenticated},
		{"empty", addrA, func() []byte { return []byte{0} }, probe.Malformed},
		{"short", addrA, func() []byte { return make([]byte, 43) }, probe.Malformed},
		{"zeros", addrA, func() []byte { return make([]byte, 1472) }, probe.BadHMAC},
	} {
		bubble(t, func(t *testing.T, x *pair) {
			before := x.p[1].Counters()
			for range 10 {
				x.net.Inject(port(c.from), port(addrB), c.packet())
			}
			time.Sleep(time.Millisecond)
			after := x.p[1].Counters()
			if n := after.Dropped[c.reason] - before.Dropped[c.reason]; n != 10 || after.Reflected != before.Reflected {
				t.Errorf("%s: %d counted as %v, %d answered", c.name, n, c.reason, after.Reflected-before.Reflected)
			}
		})
	}
}

// Our own packets that somebody throws back at us are neither answered nor taken for the peer's, with a key and without.
func TestThrownBack(t *testing.T) {
	for _, open := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			x := newPairWith(t, func(c *probe.Config) {
				if open {
					c.Key = stamp.Master{}
				}
			})
			time.Sleep(time.Second)
			seen := x.record(addrA, addrB)
			x.net.SetBoth(addrA, addrB, simnet.Link{Down: true})
			time.Sleep(time.Second)
			x.net.Tap(nil)
			heard := x.summary(0).LastHeard
			before := x.p[0].Counters()
			for _, p := range *seen {
				x.net.Inject(port(addrB), port(addrA), p)
			}
			time.Sleep(time.Millisecond)
			after := x.p[0].Counters()
			if after.Reflected != before.Reflected || after.Requests != before.Requests || after.Replies != before.Replies {
				t.Errorf("open %v: %+v then %+v", open, before, after)
			}
			if !x.summary(0).LastHeard.Equal(heard) {
				t.Errorf("open %v: taken for the peer's", open)
			}
		})
	}
}

func TestOpenMode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newPairWith(t, func(c *probe.Config) { c.Key = stamp.Master{} })
		time.Sleep(15 * time.Second)
		s := x.summary(0)
		if w := s.Windows[1]; s.Authenticated || w.Lost != 0 || w.RTT.P50 < 3900*time.Microsecond || s.Full.Received == 0 {
			t.Errorf("%+v", s)
		}
	})
}

// A peer that asks too much is answered at the rate that it may have.
func TestRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newPairWith(t, func(c *probe.Config) { c.PeerRate = 10 })
		time.Sleep(time.Minute)
		c := x.p[1].Counters()
		if c.Reflected < 600 || c.Reflected > 620 || c.Dropped[probe.RateLimited] < 600 || c.Requests < c.Reflected {
			t.Errorf("%+v", c)
		}
	})
}

// A flood of correctly signed new sessions is bounded.
func TestSessionsAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T, x *pair) {
		m := master(t).Session(addrA, addrB).MAC()
		for i := range 1000 {
			p := stamp.AppendRequest(nil, stamp.Request{
				Seq: 1, Sent: stamp.NewTimestamp(time.Now().Add(time.Duration(i)*time.Microsecond), stamp.NTP), SSID: uint16(i + 1),
			}, m)
			x.net.Inject(port(addrA), port(addrB), p)
		}
		time.Sleep(time.Millisecond)
		if n := x.dropped(1, probe.TooMany); n < 950 {
			t.Errorf("%d refused", n)
		}
		time.Sleep(12 * time.Second)
		if s := x.summary(0); s.Outage.For != 0 {
			t.Errorf("the flood cut off the peer: %+v", s.Outage)
		}
	})
}

// A reflector answers whoever is allowed, keeps a bounded number of them, and does not need targets.
func TestReflectOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := simnet.New(1)
		x := &pair{t: t, net: n, host: [2]*simnet.Host{n.Host("a", addrA), n.Host("b", addrB)}}
		x.start(0, nil)
		x.start(1, func(c *probe.Config) {
			c.Reflect, c.Allow, c.MaxPeers = []netip.Addr{addrB}, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/29")}, 2
		})
		x.p[1].SetTargets(nil)
		t.Cleanup(x.close)
		time.Sleep(5 * time.Second)
		s := x.summary(0)
		if s.Outage.For != 0 || s.Windows[0].Received < 19 {
			t.Errorf("%+v", s)
		}
		if s.Forward.Known != true {
			t.Errorf("%+v", s.Forward)
		}
		for i := range byte(5) {
			from := netip.AddrFrom4([4]byte{10, 0, 0, 3 + i})
			m := master(t).Session(from, addrB).MAC()
			n.Inject(port(from), port(addrB), stamp.AppendRequest(nil, stamp.Request{Sent: 1 << 40, SSID: 5}, m))
			n.Inject(port(from), port(addrB), make([]byte, 112))
		}
		time.Sleep(time.Millisecond)
		c := x.p[1].Counters()
		if c.Dropped[probe.TooMany] != 4 || c.Dropped[probe.Unlisted] != 0 || c.Dropped[probe.BadHMAC] != 5 {
			t.Errorf("%+v", c.Dropped)
		}
	})
}

// Strangers that do not know the key displace nobody who showed it, however silent he is, and cost a bounded amount of work.
func TestStrangersFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := simnet.New(1)
		x := &pair{t: t, net: n, host: [2]*simnet.Host{n.Host("a", addrA), n.Host("b", addrB)}}
		x.start(0, nil)
		x.start(1, func(c *probe.Config) {
			c.Reflect, c.Allow, c.MaxPeers = []netip.Addr{addrB}, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16")}, 1
		})
		x.p[1].SetTargets(nil)
		t.Cleanup(x.close)
		seen := x.record(addrA, addrB)
		time.Sleep(5 * time.Second)
		n.Tap(nil)
		x.stop[0]()
		time.Sleep(time.Minute)
		before := x.p[1].Counters()
		for i := range 4000 {
			n.Inject(port(netip.AddrFrom4([4]byte{10, 0, byte(1 + i/250), byte(i % 250)})), port(addrB), make([]byte, 152))
		}
		time.Sleep(time.Millisecond)
		after := x.p[1].Counters()
		bad, limited := after.Dropped[probe.BadHMAC]-before.Dropped[probe.BadHMAC], after.Dropped[probe.RateLimited]-before.Dropped[probe.RateLimited]
		if bad == 0 || bad > 250 || bad+limited != 4000 {
			t.Errorf("%d were checked, %d not", bad, limited)
		}
		// The one who showed the key is still known: his packets are seen again.
		n.Inject(port(addrA), port(addrB), (*seen)[len(*seen)-1])
		time.Sleep(time.Millisecond)
		if c := x.p[1].Counters(); c.Dropped[probe.Replayed] != after.Dropped[probe.Replayed]+1 {
			t.Errorf("%+v", c.Dropped)
		}
		x.start(0, nil)
		time.Sleep(5 * time.Second)
		if s := x.summary(0); s.Outage.For != 0 || s.Windows[0].Received < 18 {
			t.Errorf("%+v", s)
		}
	})
}

// Whatever arrives from a peer's address, nothing panics, nothing is answered that was not authentic, and the path lives on.
func TestGarbage(t *testing.T) {
	bubble(t, func(t *testing.T, x *pair) {
		r := rand.New(rand.NewPCG(8, 8))
		seen := x.record(addrA, addrB)
		time.Sleep(2*time.Second + 4*time.Millisecond)
		x.net.Tap(nil)
		before := x.p[1].Counters()
		for range 4000 {
			p := make([]byte, r.IntN(1600))
			if r.IntN(2) == 0 { // a real packet, damaged
				p = bytes.Clone((*seen)[r.IntN(len(*seen))])
				p = p[:len(p)-r.IntN(len(p))*r.IntN(2)]
			}
			for range min(len(p), 1+r.IntN(20)) {
				p[r.IntN(len(p))] ^= byte(1 + r.IntN(255))
			}
			x.net.Inject(port(addrA), port(addrB), p)
		}
		time.Sleep(time.Millisecond)
		if after := x.p[1].Counters(); after.Reflected != before.Reflected {
			t.Errorf("%d answered: %+v", after.Reflected-before.Reflected, after)
		}
		time.Sleep(5 * time.Second)
		if s := x.summary(1); s.Outage.For != 0 || s.Windows[0].Lost != 0 || s.Windows[0].Received < 18 {
			t.Errorf("afterwards: %+v", s)
		}
	})
}
