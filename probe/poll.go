package probe

import "time"

// A wake-up of this process costs as much as ten datagrams. So sockets whose Conn is a Poller are read by the pacer, when it is
// awake anyway to send: the kernel's stamps say when each datagram came, and the residence of a request is taken off by its sender.

// maxBatches is how many batches of one socket are read before the next probes get their turn.
const maxBatches = 8

// maxBeat is how long a datagram lies at most, if probes leave rarely.
const maxBeat = 10 * time.Millisecond

// lookout reads the sockets that are polled; of the pacer's goroutine.
type lookout struct {
	in      *inbox
	sockets []*socket
	every   time.Duration
	next    time.Time // when to look again
}

// until returns the instant at which the pacer has to be awake to look, or one before it at which it will be anyway; under p.mu.
func (l *lookout) until(p *Prober, before time.Time) time.Time {
	l.sockets, l.every = l.sockets[:0], p.beat
	for _, s := range p.sockets {
		if s.polled() != nil {
			l.sockets = append(l.sockets, s)
		}
	}
	if len(l.sockets) > 0 && l.next.Before(before) {
		return l.next
	}
	return before
}

// look reads what is there. It looks whenever the pacer is awake, which is mostly at the instants of the plan.
func (l *lookout) look(now time.Time) {
	l.next = now.Add(l.every)
	for _, s := range l.sockets {
		if more := s.drain(l.in); more {
			l.next = now
		}
	}
}

// beat is how often the sockets are looked at: as often as an instant of the plan may come.
func beat(plan []*shot) time.Duration {
	d := maxBeat
	for _, s := range plan {
		d = min(d, s.Interval/slots)
	}
	return d
}

// polled returns the Conn if the pacer is to read it.
func (s *socket) polled() Poller {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.poll
}

// drain reads until nothing is left, within reason: more says that there may be.
func (s *socket) drain(b *inbox) (more bool) {
	conn := s.polled()
	if conn == nil {
		return false
	}
	for range maxBatches {
		n, err := conn.Poll(b.in)
		if err != nil {
			s.fail(err)
			return false
		}
		s.take(conn, b, n)
		if n < len(b.in) {
			return false
		}
	}
	return true
}

// fail ends polling.
func (s *socket) fail(err error) {
	s.mu.Lock()
	s.poll = nil
	s.mu.Unlock()
	select {
	case s.failed <- err:
	default:
	}
}
