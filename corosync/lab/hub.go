//go:build linux

package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/lab/impair"
)

// Hub is the network of a lab. Its methods may be called from any goroutine.
type Hub struct {
	clock clock

	mu    sync.Mutex // one request at a time
	enc   *json.Encoder
	dec   *json.Decoder
	rules []impair.Rule
}

func newHubClient(h *helper) *Hub {
	return &Hub{clock: newClock(), enc: json.NewEncoder(h.control), dec: h.in}
}

// Now is the present instant on the hub's clock.
func (h *Hub) Now() impair.Instant { return h.clock.now() }

// Instant converts a time. One without a monotonic reading is converted by the wall clock.
func (h *Hub) Instant(t time.Time) impair.Instant { return h.clock.instant(t) }

// Time converts an instant of the hub's clock into a time with a monotonic reading.
func (h *Hub) Time(i impair.Instant) time.Time { return h.clock.time(i) }

// Rules returns the present rules, in the order in which they apply.
func (h *Hub) Rules() []impair.Rule {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.rules)
}

// Set replaces all rules. Rules that stay the same keep their state and their records. Either all rules hold or, with an error,
// nothing has changed.
func (h *Hub) Set(rules ...impair.Rule) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.set(rules)
}

// Add adds rules behind the present ones.
func (h *Hub) Add(rules ...impair.Rule) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.set(slices.Concat(h.rules, rules))
}

// Remove takes rules away by name. A name that is not there is no error. Their records stay.
func (h *Hub) Remove(names ...string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.set(slices.DeleteFunc(slices.Clone(h.rules), func(r impair.Rule) bool { return slices.Contains(names, r.Name) }))
}

func (h *Hub) set(rules []impair.Rule) error {
	if rules == nil {
		rules = []impair.Rule{}
	}
	if _, err := h.ask(hubRequest{Rules: &rules}); err != nil {
		return err
	}
	h.rules = slices.Clone(rules)
	return nil
}

// Stats returns the hub's counters and lateness since its start.
func (h *Hub) Stats() (HubStats, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r, err := h.ask(hubRequest{Stats: true})
	if err != nil {
		return HubStats{}, err
	}
	if r.Stats == nil {
		return HubStats{}, errors.New("hub: no counters in its answer")
	}
	return *r.Stats, nil
}

// Drops returns what the rule of this name dropped, by path and kind of packet; also of one that is gone.
func (h *Hub) Drops(rule string) ([]impair.Drop, error) {
	s, err := h.Stats()
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(s.Drops, func(d impair.Drop) bool { return d.Rule != rule }), nil
}

// FirstDrop returns the earliest record of the rule for one kind of packet over all its paths. It reports false when nothing of that
// kind was dropped yet.
func (h *Hub) FirstDrop(rule string, kind impair.Kind) (impair.Drop, bool, error) {
	drops, err := h.Drops(rule)
	if err != nil {
		return impair.Drop{}, false, err
	}
	drops = slices.DeleteFunc(drops, func(d impair.Drop) bool { return d.Kind != kind })
	if len(drops) == 0 {
		return impair.Drop{}, false, nil
	}
	return slices.MinFunc(drops, func(a, b impair.Drop) int { return int(a.First - b.First) }), true, nil
}

func (h *Hub) ask(req hubRequest) (hubReply, error) {
	var r hubReply
	if err := h.enc.Encode(req); err != nil {
		return r, fmt.Errorf("hub: %w", err)
	}
	if err := h.dec.Decode(&r); err != nil {
		return r, fmt.Errorf("hub: %w", err)
	}
	if r.Err != "" {
		return r, errors.New("hub: " + r.Err)
	}
	return r, nil
}

// reroute tells the hub the new addresses of one port.
func (h *Hub) reroute(p hubPort) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := h.ask(hubRequest{Addrs: []hubPort{p}})
	return err
}
