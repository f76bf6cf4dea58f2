package probe

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/quorumwatch/quorumwatch/probe/stamp"
)

// idleWait is the longest that the pacer waits: how long a new plan may take to be seen.
const idleWait = 100 * time.Millisecond

// shot is a Shot that is being executed.
type shot struct {
	Shot
	path   *path
	socket *socket
	next   time.Time
}

// setPlan makes the running plan; under p.mu. Instants are counted from each path's own start, so a plan that changes elsewhere
// leaves a path's rhythm alone.
func (p *Prober) setPlan(now time.Time) {
	targets := make([]Target, 0, len(p.paths))
	for _, q := range p.paths {
		targets = append(targets, q.target)
	}
	slices.SortFunc(targets, func(a, b Target) int { return comparePaths(a.Path, b.Path) })
	type key struct {
		path *path
		full bool
	}
	old := make(map[key]time.Time, len(p.plan))
	for _, s := range p.plan {
		old[key{s.path, s.Full}] = s.next
	}
	var plan []*shot
	for _, s := range Plan(targets) {
		x := &shot{Shot: s, path: p.paths[s.Path]}
		x.socket = x.path.socket.Load()
		if next, ok := old[key{x.path, s.Full}]; ok {
			x.next = next
		} else {
			x.next = x.path.start.Add(s.Phase)
			x.skip(now)
		}
		plan = append(plan, x)
	}
	slices.SortStableFunc(plan, func(a, b *shot) int { return a.socket.listen.Addr.Compare(b.socket.listen.Addr) })
	p.plan, p.beat, p.bursts = plan, beat(plan), slices.ContainsFunc(targets, func(t Target) bool { return t.Burst > 0 })
	p.next = first(plan)
}

// first is when the first shot of a plan is due; zero if there is none.
func first(plan []*shot) time.Time {
	var at time.Time
	for _, s := range plan {
		if at.IsZero() || s.next.Before(at) {
			at = s.next
		}
	}
	return at
}

// skip moves the next instant to the first one that is not before now: what was missed is not made up for.
func (s *shot) skip(now time.Time) {
	if late := now.Sub(s.next); late > 0 {
		n := (late + s.Interval - 1) / s.Interval
		s.next = s.next.Add(n * s.Interval)
	}
}

// pace sends each probe at its time, and reads the sockets that are polled, until ctx ends. It returns an error if the pacer fails before.
func (p *Prober) pace(ctx context.Context, pacer Pacer) error {
	var due []*shot
	look := lookout{in: newInbox()}
	for ctx.Err() == nil {
		p.mu.Lock()
		if p.bursts {
			p.plan = slices.DeleteFunc(p.plan, func(s *shot) bool { return s.path.spent(s.Full) })
			p.next = first(p.plan)
		}
		until := time.Now().Add(idleWait)
		if !p.next.IsZero() && p.next.Before(until) {
			until = p.next
		}
		until = look.until(p, until)
		p.mu.Unlock()
		now, err := p.wait(pacer, until)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("probe: pacer: %w", err)
		}
		due = p.due(due[:0], now)
		p.fire(due, now)
		look.look(now)
		p.notice(now)
	}
	return nil
}

// wait waits for an instant, and notices when this host did not wake up in time.
func (p *Prober) wait(pacer Pacer, until time.Time) (time.Time, error) {
	p.checkStall(time.Now())
	p.watch.expect(until)
	now, err := pacer.Wait(until)
	if err == nil {
		p.checkStall(now)
	}
	return now, err
}

// due collects the shots whose time has come, those of one socket together, and sets their next.
func (p *Prober) due(due []*shot, now time.Time) []*shot {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next.After(now) {
		return due
	}
	p.next = time.Time{}
	for _, s := range p.plan {
		if !s.next.After(now) {
			s.next = s.next.Add(s.Interval)
			s.skip(now)
			due = append(due, s)
		}
		if p.next.IsZero() || s.next.Before(p.next) {
			p.next = s.next
		}
	}
	return due
}

// fire sends the shots, those of one socket together.
func (p *Prober) fire(due []*shot, now time.Time) {
	for len(due) > 0 {
		n := 1
		for n < len(due) && n < batch && due[n].socket == due[0].socket {
			n++
		}
		due[0].socket.shoot(due[:n], now)
		due = due[n:]
	}
}

// request builds the next probe of a shot in buf.
func (p *Prober) request(buf []byte, s *shot, wall stamp.Timestamp) ([]byte, uint32) {
	q := s.path
	ses := q.session(s.Full)
	seq := ses.seq
	ses.seq++
	ses.sent++
	b := stamp.AppendRequest(buf[:0], stamp.Request{Seq: seq, Sent: wall, Error: p.clock, SSID: ses.ssid}, q.tx)
	size := smallSize(q.tx)
	if s.Full {
		size = q.target.FullSize
		if d := p.bulletin.Load(); q.large != nil {
			b = stamp.AppendFollowUp(b)
		} else if d != nil && len(*d) > 0 && len(*d) <= BulletinRoom(size) {
			b = stamp.AppendBulletin(b, *d)
		}
	} else {
		b = stamp.AppendFollowUp(b)
	}
	// A size that cannot be had leaves the packet at what it is: still a good probe.
	if sealed, err := stamp.Seal(b, size, q.tx); err == nil {
		b = sealed
	}
	return b, seq
}

// tlvHeader is the size of a TLV without its value (RFC 8972 section 4).
const tlvHeader = 4

// Token-sized probes are about as long as Corosync's token on the wire, which was measured with Corosync 3.1 and libknet 1.32:
// 128 bytes of UDP payload with aes256 and sha256, 71 without encryption.
const (
	authTokenSize = stamp.AuthSize + (tlvHeader + 16) + (tlvHeader + 16) // 152: with the Follow-Up Telemetry and HMAC TLVs
	openTokenSize = 71
)

// smallSize is the UDP payload of token-sized probes.
func smallSize(m *stamp.MAC) int {
	if m == nil {
		return openTokenSize
	}
	return authTokenSize
}

// BulletinRoom returns how long a bulletin may be to ride in probes of a size.
func BulletinRoom(fullSize int) int {
	return max(fullSize-stamp.AuthSize-stamp.BulletinOverhead-2*tlvHeader-16, 0)
}

// sleeper is the Pacer that needs nothing.
type sleeper struct {
	done chan struct{}
	once sync.Once
}

func newSleeper() *sleeper { return &sleeper{done: make(chan struct{})} }

// Wait implements Pacer.
func (s *sleeper) Wait(until time.Time) (time.Time, error) {
	t := time.NewTimer(time.Until(until))
	defer t.Stop()
	select {
	case <-s.done:
		return time.Now(), net.ErrClosed
	case <-t.C:
		return time.Now(), nil
	}
}

// Close implements Pacer.
func (s *sleeper) Close() error {
	s.once.Do(func() { close(s.done) })
	return nil
}
