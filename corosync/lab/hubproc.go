//go:build linux

package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/quorumwatch/quorumwatch/corosync/lab/impair"
)

const (
	hubPriority = 60                   // SCHED_FIFO: above everything of the lab; Corosync runs nice, not realtime
	hubTick     = 5 * time.Millisecond // regular wake-up by which the hub measures how late it is
	hubBatch    = 64                   // packets read from one device before the others and the due ones get their turn
	hubBuffers  = 4096                 // packets under way before the hub allocates more
	hubLimit    = 1 << 16              // packets under way at most
	hubHeadroom = 4                    // spare bytes of a buffer
)

// hub moves the packets. Everything but the atomics belongs to its one thread.
type hub struct {
	ports   []hubPort
	fds     []unix.PollFd
	routes  atomic.Pointer[map[[16]byte]int] // address -> port
	set     atomic.Pointer[impair.Set]
	queue   dueQueue
	free    [][]byte
	size    int // of a buffer
	seq     uint64
	scratch [1280]byte
	clock   clock
	retired []impair.Drop // of rules that are gone; belongs to the control goroutine

	received, delivered, dropped, unrouted, refused, overrun, pending atomic.Int64
	ticks, packets                                                    histogram
	late                                                              lateRing
	tokens                                                            tap
	realtime                                                          bool
}

// runHub is the hub's main: it makes the devices, then moves packets until the lab goes away.
func runHub() error {
	debug.SetGCPercent(-1) // nothing on the packets' path allocates, and a collection would be late for them
	debug.SetMemoryLimit(512 << 20)
	control := os.NewFile(controlFD, "control")
	dec, enc := json.NewDecoder(control), json.NewEncoder(control)
	var init hubInit
	if err := dec.Decode(&init); err != nil {
		return fmt.Errorf("control socket: %w", err)
	}
	h, err := newHub(init)
	if err != nil {
		enc.Encode(hubReply{Err: err.Error()})
		return err
	}
	ready := make(chan error)
	go h.run(ready)
	if err := <-ready; err != nil {
		enc.Encode(hubReply{Err: err.Error()})
		return err
	}
	if err := enc.Encode(hubReply{}); err != nil {
		return fmt.Errorf("control socket: %w", err)
	}
	for {
		var req hubRequest
		if err := dec.Decode(&req); errors.Is(err, io.EOF) {
			return nil // the lab is gone
		} else if err != nil {
			return fmt.Errorf("control socket: %w", err)
		}
		if err := enc.Encode(h.answer(req, init)); err != nil {
			return fmt.Errorf("control socket: %w", err)
		}
	}
}

func newHub(init hubInit) (*hub, error) {
	h := &hub{ports: init.Ports, size: init.MTU + hubHeadroom, clock: newClock()}
	set, err := impair.Compile(init.Topology, init.Seed, init.Rules, nil)
	if err != nil {
		return nil, err
	}
	h.set.Store(set)
	h.route()
	for _, p := range h.ports {
		fd, err := openTUN(p.Holder, device(p.Link))
		if err != nil {
			return nil, err
		}
		h.fds = append(h.fds, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
	}
	for range hubBuffers {
		b := make([]byte, h.size)
		for i := range b {
			b[i] = 1 // so that its pages are there before they are needed
		}
		h.free = append(h.free, b)
	}
	return h, nil
}

// isRealtime reports whether this thread runs under SCHED_FIFO; its parent saw to that for the whole process, so that no thread of the
// Go runtime can hold the hub up by not being run itself.
func isRealtime() bool {
	attr, err := unix.SchedGetAttr(0, 0)
	return err == nil && attr.Policy == unix.SCHED_FIFO
}

// route publishes the table of addresses.
func (h *hub) route() {
	table := make(map[[16]byte]int)
	for i, p := range h.ports {
		for _, a := range p.Addrs {
			table[a.As16()] = i
		}
	}
	h.routes.Store(&table)
}

// answer serves one request, on the control goroutine.
func (h *hub) answer(req hubRequest, init hubInit) hubReply {
	switch {
	case req.Rules != nil:
		set, err := impair.Compile(init.Topology, init.Seed, *req.Rules, h.set.Load())
		if err != nil {
			return hubReply{Err: err.Error()}
		}
		before := h.set.Swap(set)
		h.retire(before.Drops(), *req.Rules)
	case req.Addrs != nil:
		for _, a := range req.Addrs {
			for i := range h.ports {
				if p := &h.ports[i]; p.Node == a.Node && p.Link == a.Link {
					p.Addrs = a.Addrs
				}
			}
		}
		h.route()
	}
	if req.Tokens != nil {
		packed, next := h.tokens.since(*req.Tokens)
		return hubReply{Tokens: packed, Next: next}
	}
	if req.Stats {
		return hubReply{Stats: h.stats()}
	}
	return hubReply{}
}

func (h *hub) stats() *HubStats {
	return &HubStats{
		Now: h.clock.now(), Realtime: h.realtime,
		Received: h.received.Load(), Delivered: h.delivered.Load(), Dropped: h.dropped.Load(), Unrouted: h.unrouted.Load(),
		Refused: h.refused.Load(), Overrun: h.overrun.Load(), Pending: h.pending.Load(),
		Ticks: h.ticks.read(), Packets: h.packets.read(), Late: h.late.list(), Drops: slices.Concat(h.retired, h.set.Load().Drops()),
	}
}

// retire keeps the records of rules that are no longer there.
func (h *hub) retire(drops []impair.Drop, rules []impair.Rule) {
	for _, d := range drops {
		if !slices.ContainsFunc(rules, func(r impair.Rule) bool { return r.Name == d.Rule }) {
			h.retired = append(h.retired, d)
		}
	}
}

// run is the hub's thread.
func (h *hub) run(ready chan<- error) {
	runtime.LockOSThread()
	h.realtime = isRealtime()
	ready <- nil
	tick := h.clock.now() + impair.Instant(hubTick)
	for {
		now := h.deliver(h.clock.now())
		if now >= tick {
			h.measure(&h.ticks, now, tick)
			tick = now + impair.Instant(hubTick)
		}
		next := tick
		if len(h.queue) > 0 {
			next = min(next, h.queue[0].due)
		}
		wait := unix.NsecToTimespec(int64(max(0, next-h.clock.now())))
		if pollRaw(h.fds, &wait) <= 0 {
			continue
		}
		for i := range h.fds {
			switch {
			case h.fds[i].Revents&unix.POLLIN != 0:
				h.read(i)
			case h.fds[i].Revents != 0: // the node is gone and its device with it
				h.fds[i].Fd = -1
			}
		}
	}
}

// read takes packets from one device and judges them.
func (h *hub) read(port int) {
	for range hubBatch {
		buf := h.buffer()
		n := ioRaw(unix.SYS_READ, h.fds[port].Fd, buf)
		if n <= 0 {
			h.free = append(h.free, buf)
			return
		}
		h.received.Add(1)
		h.judge(port, h.clock.now(), buf[:n])
	}
}

// judge decides over one packet. A packet that is due at once is written at once unless others wait.
func (h *hub) judge(port int, now impair.Instant, b []byte) {
	var p impair.Packet
	from := &h.ports[port]
	to, ok := 0, p.Parse(b)
	if ok {
		to, ok = (*h.routes.Load())[p.Dst]
	}
	if !ok || h.ports[to].Link != from.Link || to == port {
		h.unrouted.Add(1)
		h.release(b)
		return
	}
	p.From, p.To, p.Link = from.Node, h.ports[to].Node, from.Link
	v := h.set.Load().Judge(now, &p)
	if t, ok := parseToken(b, &p); ok {
		t.At, t.Due, t.Lost = now, v.Due, v.Drop
		h.tokens.add(t)
	}
	if v.Drop {
		h.dropped.Add(1)
		if v.TooBig != 0 {
			h.send(port, h.scratch[:impair.TooBig(h.scratch[:], b, &p, v.TooBig)])
		}
		h.release(b)
		return
	}
	if v.Duplicate {
		twin := h.buffer()
		h.push(v.Due, to, twin[:copy(twin, b)])
	}
	if v.Flip >= 0 {
		impair.Flip(b, &p, v.Flip, v.Mend)
	}
	h.push(v.Due, to, b)
}

func (h *hub) push(due impair.Instant, port int, b []byte) {
	if len(h.queue) >= hubLimit {
		h.overrun.Add(1)
		h.release(b)
		return
	}
	h.seq++
	h.queue.push(parcel{due: due, seq: h.seq, port: port, bytes: b})
	h.pending.Store(int64(len(h.queue)))
}

// deliver writes all that is due and returns the time.
func (h *hub) deliver(now impair.Instant) impair.Instant {
	for len(h.queue) > 0 && h.queue[0].due <= now {
		p := h.queue.pop()
		h.measure(&h.packets, now, p.due)
		h.send(p.port, p.bytes)
		h.release(p.bytes)
		h.pending.Store(int64(len(h.queue)))
		now = h.clock.now()
	}
	return now
}

func (h *hub) send(port int, b []byte) {
	if ioRaw(unix.SYS_WRITE, h.fds[port].Fd, b) < 0 {
		h.refused.Add(1)
		return
	}
	h.delivered.Add(1)
}

func (h *hub) measure(hist *histogram, now, due impair.Instant) {
	by := time.Duration(now - due)
	hist.add(by)
	if by >= LateLimit {
		h.late.add(now, by)
	}
}

func (h *hub) buffer() []byte {
	if n := len(h.free); n > 0 {
		b := h.free[n-1]
		h.free = h.free[:n-1]
		return b
	}
	return make([]byte, h.size)
}

func (h *hub) release(b []byte) { h.free = append(h.free, b[:h.size]) }
