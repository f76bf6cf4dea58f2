package totem

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestSetLink: a link that is taken down mutes its pair as one that fell by itself, comes up after as many pongs, or when it is told to.
func TestSetLink(t *testing.T) {
	for _, raise := range []time.Duration{0, 300 * time.Millisecond} {
		cfg := proxmoxConfig(3, 1, 3*time.Second, 0)
		cfg.Network, cfg.Rand = NewLines(3, 1, &Line{Delay: time.Millisecond}, nil), rand.New(rand.NewPCG(1, 2))
		r := mustNew(t, cfg)
		begin := 10 * time.Second
		r.Run(begin)
		r.SetLink(0, 1, 0, false)
		r.SetLink(0, 1, 0, false)
		if r.Usable(0, 1, 0) || !r.Usable(1, 0, 0) || !r.Usable(0, 2, 0) {
			t.Fatal("one end goes down, and that alone")
		}
		var events []Event
		if raise > 0 {
			events = append(events, r.Run(begin+raise)...)
			r.SetLink(0, 1, 0, true)
			r.SetLink(0, 1, 0, true)
		}
		events = append(slices.Clone(events), r.Run(begin+time.Minute)...)
		i := slices.IndexFunc(events, func(e Event) bool { return e.Kind == LinkUp })
		if s := r.Stats(); i < 0 || s.LinkDowns != 1 || s.LinkUps != 1 {
			t.Fatalf("down and up once: %+v", s)
		}
		switch after := events[i].At - begin; {
		case raise > 0 && (after != raise || !events[i].Forced):
			t.Errorf("raised at %v: %v", raise, events[i])
		case raise == 0 && (after < 2*time.Second || after > 4*time.Second):
			t.Errorf("three pongs take %v", after)
		}
		if !r.Usable(0, 1, 0) {
			t.Error("it stays up")
		}
	}
	cfg := proxmoxConfig(3, 1, 3*time.Second, 0)
	cfg.Network = NewLines(3, 1, &Line{}, nil)
	r := mustNew(t, cfg)
	r.PowerOff(0)
	r.SetLink(0, 1, 0, true)
	r.SetLink(1, 1, 0, false)
	if r.Stats().LinkUps > 0 || r.Stats().LinkDowns > 0 {
		t.Error("a dead processor and a node's link to itself are nothing")
	}
}

// TestTogether: a ring is together while all processors are in one, and neither while it forms nor after one has stopped or lost power.
func TestTogether(t *testing.T) {
	for name, fault := range map[string]func(*Ring){"power off": func(r *Ring) { r.PowerOff(2) }, "stop": func(r *Ring) { r.Stop(2) }} {
		cfg := proxmoxConfig(3, 1, time.Second, 0)
		cfg.Network, cfg.Rand = NewLines(3, 1, &Line{Delay: time.Millisecond}, nil), rand.New(rand.NewPCG(1, 2))
		r := mustNew(t, cfg)
		r.Run(10 * time.Second)
		if !r.Together() {
			t.Errorf("%s: three healthy processors are apart", name)
		}
		fault(r)
		for range 30 {
			r.Run(r.Now() + 500*time.Millisecond)
			if r.Together() {
				t.Errorf("%s: together after %v, without one", name, r.Now())
			}
		}
	}
}
