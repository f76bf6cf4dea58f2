package check_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/verdict"
	"github.com/quorumwatch/quorumwatch/cmd/internal/check"
	"github.com/quorumwatch/quorumwatch/probe"
	"github.com/quorumwatch/quorumwatch/probe/simnet"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// soak is one of two nodes at two places, on a simulated network that loses a packet in a hundred, in a bubble.
type soak struct {
	net    *simnet.Net
	a, b   netip.Addr
	here   *simnet.Host
	file   string
	models []time.Duration // of fresh record that the model ran over
	asked  []check.Measurement
}

func newSoak(t *testing.T, ctx context.Context, wg *sync.WaitGroup) *soak {
	t.Helper()
	s := &soak{net: simnet.New(7), a: addr(0, 0), b: addr(1, 0), file: filepath.Join(t.TempDir(), "soak", "s.json.gz")}
	s.here = s.net.Host("a", s.a)
	there := s.net.Host("b", s.b)
	s.net.Set(s.a, s.b, simnet.Link{Delay: time.Millisecond, Loss: 0.01})
	s.net.Set(s.b, s.a, simnet.Link{Delay: time.Millisecond})
	r, err := probe.New(probe.Config{
		Network: there, NewPacer: there.NewPacer, Wall: there.Wall, Reflect: []netip.Addr{s.b}, Allow: []netip.Prefix{netip.PrefixFrom(s.a, 32)},
		Rand: rand.New(rand.NewPCG(1, 1)),
	})
	if err != nil {
		t.Fatal(err)
	}
	wg.Go(func() {
		if err := r.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	synctest.Wait()
	return s
}

func (s *soak) config(length time.Duration) check.Config {
	return check.Config{
		Network: s.here, NewPacer: s.here.NewPacer, Wall: s.here.Wall, Local: 1, Port: port, From: from, Interval: 100 * time.Millisecond,
		FullSize: 1472, FullInterval: time.Second, For: length, Targets: []check.Target{{Peer: "b", Node: 2, Local: s.a, Remote: s.b}},
	}
}

// run soaks until the soak has length, or until it is stopped.
func (s *soak) run(t *testing.T, length, stop time.Duration) check.Measurement {
	t.Helper()
	c := s.config(length)
	kept, err := check.OpenSoak(s.file, check.NewFingerprint(&c, []byte("conf"), nil, nil), false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := kept.Close(); err != nil {
			t.Error(err)
		}
	}()
	kept.Model = func(x *trace.Trace, fresh time.Duration, _ []verdict.Path) (verdict.Stretch, error) {
		first, next := x.Span()
		if long := x.At(next - first); long < fresh || long > fresh+31*time.Second || len(x.Paths) != 2 {
			t.Errorf("a record of %v, of which %v are new, of %d paths", long, fresh, len(x.Paths))
		}
		s.models = append(s.models, fresh)
		return verdict.Stretch{Length: verdict.Seconds(fresh), Passes: 2, Losses: 0.5, Virtual: verdict.Seconds(fresh / 1000), Used: fresh.Hours()}, nil
	}
	kept.Interim = func(m check.Measurement) { s.asked = append(s.asked, m) }
	c.Soak = kept
	ctx, cancel := context.WithTimeout(t.Context(), stop)
	defer cancel()
	m, err := check.Run(ctx, c)
	if err != nil || m.SaveErr != nil {
		t.Fatal(err, m.SaveErr)
	}
	return m
}

// TestSoak: a soak that is broken off and taken up again comes to the sum of its parts; the time in between is a gap, and no loss.
func TestSoak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		s := newSoak(t, ctx, &wg)
		began := time.Now()
		first := s.run(t, 2*time.Hour, 47*time.Minute+30*time.Second)
		if !first.Stopped || first.Length.Round(time.Second) != 47*time.Minute+30*time.Second || first.Soak.Runs != 1 || len(first.Soak.Gaps) != 0 {
			t.Errorf("%v of %v: %+v", first.Length, first.Soak.Asked, first.Soak)
		}
		time.Sleep(20 * time.Minute)
		time.AfterFunc(30*time.Minute, func() { s.net.SetBoth(s.a, s.b, simnet.Link{Down: true}) })
		time.AfterFunc(30*time.Minute+4*time.Second, func() { s.net.SetBoth(s.a, s.b, simnet.Link{Delay: time.Millisecond}) })
		second := s.run(t, 2*time.Hour, 24*time.Hour)
		again := s.run(t, 2*time.Hour, time.Hour)
		stop()
		wg.Wait()
		x := second.Soak
		if second.Stopped || second.Length != 2*time.Hour || x.Runs != 2 || len(x.Gaps) != 1 || (x.Down.Duration()-20*time.Minute).Abs() > 5*time.Second {
			t.Errorf("%v: %+v", second.Length, x)
		}
		p, was := second.Paths[0], first.Paths[0]
		if n := p.Received + p.Lost; n != p.Sent || p.Sent != uint64(2*time.Hour/(100*time.Millisecond)) || was.Sent != 28_500 || was.Received+was.Lost != was.Sent {
			t.Errorf("%+v after %+v", p, was)
		}
		if was.Lost < 200 || p.Lost < was.Lost+40 || p.Lost > 1000 || p.LostForward < was.LostForward || p.FullSent < 7100 || p.FullReceived < 7000 {
			t.Errorf("%+v after %+v", p, was)
		}
		if p.WorstGap.Duration() < 3900*time.Millisecond || p.WorstGap.Duration() > 5*time.Second || p.Burst < 39 || was.WorstGap > verdict.Seconds(time.Second) {
			t.Errorf("%+v after %+v", p, was)
		}
		var probes, lost uint64
		var measured time.Duration
		for _, h := range x.Hours {
			probes, lost, measured = probes+h.Probes, lost+h.Lost, measured+h.Measured.Duration()
		}
		if probes != p.Sent || lost != p.Lost || measured != 2*time.Hour {
			t.Errorf("hours: %d probes, %d lost, %v", probes, lost, measured)
		}
		at := began.Add(47*time.Minute + 30*time.Second + 20*time.Minute + 30*time.Minute)
		if d := x.Worst.Begin.Sub(at); d < -time.Minute || d > 10*time.Second || x.Worst.Lost < 39 || x.Worst.Where != "link 0 to b" {
			t.Errorf("%v after the blackout: %+v", d, x.Worst)
		}
		if (x.Model.Length.Duration()-2*time.Hour).Abs() > 5*time.Second || x.Model.Losses < 6 || second.Trace == nil {
			t.Errorf("the model ran over %+v", x.Model)
		}
		if again.Length != second.Length || again.Paths[0] != p || again.Soak.Runs != 2 {
			t.Errorf("a soak that is complete is told again: %+v", again)
		}
		if len(s.asked) < 12 || s.asked[0].Length > 2*time.Minute || s.asked[0].Soak.Model.Length == 0 {
			t.Errorf("%d interim verdicts", len(s.asked))
		}
	})
}

// TestSoakWithoutModel: a soak of which no verdict can come ends when that is seen, not after a day.
func TestSoakWithoutModel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		s := newSoak(t, ctx, &wg)
		c := s.config(24 * time.Hour)
		kept, err := check.OpenSoak(s.file, check.NewFingerprint(&c, []byte("conf"), nil, nil), false)
		if err != nil {
			t.Fatal(err)
		}
		bad := errors.New("no ring")
		kept.Model = func(*trace.Trace, time.Duration, []verdict.Path) (verdict.Stretch, error) {
			return verdict.Stretch{}, bad
		}
		c.Soak = kept
		began := time.Now()
		if _, err := check.Run(ctx, c); !errors.Is(err, bad) || time.Since(began) > time.Hour {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		if err := kept.Close(); err != nil {
			t.Error(err)
		}
		stop()
		wg.Wait()
	})
}

// TestSoakShortened: a soak that was broken off is complete by a shorter length, and its last minutes are in the verdict, too.
func TestSoakShortened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		s := newSoak(t, ctx, &wg)
		s.run(t, time.Hour, 5*time.Minute)
		m := s.run(t, 4*time.Minute, time.Hour)
		stop()
		wg.Wait()
		if m.Stopped || m.Length.Round(time.Second) != 5*time.Minute || m.Soak.Runs != 1 || m.Trace == nil || (m.Soak.Model.Length.Duration()-5*time.Minute).Abs() > 5*time.Second {
			t.Errorf("%v, %+v", m.Length, m.Soak)
		}
	})
}

// TestSoakCrash: what was not written when the power failed is lost, and that is a minute.
func TestSoakCrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		s := newSoak(t, ctx, &wg)
		kept := make(chan []byte, 1)
		time.AfterFunc(25*time.Minute+50*time.Second, func() {
			text, err := os.ReadFile(s.file)
			if err != nil {
				t.Error(err)
			}
			kept <- text
		})
		s.run(t, time.Hour, 26*time.Minute)
		if err := os.WriteFile(s.file, <-kept, 0o600); err != nil {
			t.Fatal(err)
		}
		m := s.run(t, time.Hour, 24*time.Hour)
		stop()
		wg.Wait()
		if p := m.Paths[0]; m.Length != time.Hour || p.Sent < 35_980 || p.Sent > 36_000 || p.Received+p.Lost < p.Sent-30 || m.Soak.Runs != 2 || m.Soak.Down.Duration() < time.Minute/2 {
			t.Errorf("%+v %+v", m.Soak, p)
		}
	})
}

// TestOpenSoak: a file of something else is refused and stays as it is; a fresh soak takes its place.
func TestOpenSoak(t *testing.T) {
	c := (&soak{a: addr(0, 0), b: addr(1, 0)}).config(time.Hour)
	of := check.NewFingerprint(&c, []byte("conf"), nil, map[string]string{"a": "x"})
	file := filepath.Join(t.TempDir(), "s")
	s, err := check.OpenSoak(file, of, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := check.OpenSoak(file, of, true); err == nil {
		t.Error("two runs write the same file")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("something of yours"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := check.OpenSoak(file, of, false); err == nil {
		t.Error("that was no soak")
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "something of yours" {
		t.Errorf("%q %v", text, err)
	}
	if s, err = check.OpenSoak(file, of, true); err != nil || s.Measured() != 0 || s.Close() != nil {
		t.Error(err)
	}
}

// TestSoakJudged: hours of a cluster in two places with one blackout in them come to a verdict that names what broke (though six hours
// are too few for a word), in which hour, and which change helps.
func TestSoakJudged(t *testing.T) {
	if testing.Short() {
		t.Skip("hours of probes")
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		s := newSoak(t, ctx, &wg)
		s.net.SetBoth(s.a, s.b, simnet.Link{Delay: 3 * time.Millisecond})
		began := time.Now()
		time.AfterFunc(3*time.Hour+10*time.Minute-time.Second, func() { s.net.SetBoth(s.a, s.b, simnet.Link{Down: true}) }) // across two stretches
		time.AfterFunc(3*time.Hour+10*time.Minute+time.Second, func() { s.net.SetBoth(s.a, s.b, simnet.Link{Delay: 3 * time.Millisecond}) })
		c := s.config(6 * time.Hour)
		c.Interval = 500 * time.Millisecond
		in := verdict.Input{
			Conf: conf([]string{"a1", "b1"}, 1, true), Sites: map[string]string{"a1": "a", "b1": "b"}, Local: 1, HA: verdict.HAArmed, Proxmox: true, Busy: 1,
		}
		kept, err := check.OpenSoak(s.file, check.NewFingerprint(&c, in.Conf, nil, in.Sites), false)
		if err != nil {
			t.Fatal(err)
		}
		kept.Model = func(x *trace.Trace, fresh time.Duration, _ []verdict.Path) (verdict.Stretch, error) {
			return verdict.Run(in, x, fresh)
		}
		c.Soak = kept
		m, err := check.Run(ctx, c)
		stop()
		wg.Wait()
		if err != nil || m.SaveErr != nil || kept.Close() != nil {
			t.Fatal(err, m.SaveErr)
		}
		in.At, in.Length, in.Paths, in.Trace, in.Pauses, in.Soak = time.Now(), m.Length, m.Paths, m.Trace, m.Pauses, m.Soak
		v, err := verdict.Judge(in)
		if err != nil {
			t.Fatal(err)
		}
		worst := v.Soak.Hours[0]
		for _, h := range v.Soak.Hours {
			if h.Margin < worst.Margin {
				worst = h
			}
		}
		if v.Answer != verdict.NotEnough || v.First != verdict.LimitLoss || v.Confidence != "medium" || v.Headroom.Losses <= 0 || v.Headroom.Losses > 1 || v.Edited == nil {
			t.Errorf("%s, first %q, %s, %+v: %s", v.Answer, v.First, v.Confidence, v.Headroom, v.Text)
		}
		if at := worst.Begin.Sub(began.Truncate(time.Hour)); at != 3*time.Hour || worst.Losses < 0.5 || worst.Losses > 2 || worst.Lost < 3 || worst.Gap.Duration() < 1500*time.Millisecond {
			t.Errorf("after %v: %+v", at, worst)
		}
		t.Logf("%s\n%+v\n%q", v.Text, v.Soak.Model, v.Changes)
	})
}
