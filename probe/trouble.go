package probe

import "time"

// guard counts the paths in trouble, each time that the pacer is awake. It looks at a path only when that may be in trouble.
type guard struct {
	version int // of the paths
	posts   []post
}

// post is one path under guard.
type post struct {
	path   *path
	socket *socket
	calm   time.Time // it is not in trouble before, unless a probe cannot be sent
}

// count counts the paths in trouble; fresh: it looks at all.
func (g *guard) count(p *Prober, now time.Time, fresh bool) int {
	p.checkStall(now)
	g.follow(p)
	n := 0
	var s *socket // of many paths in a row
	var open bool
	for i := range g.posts {
		x := &g.posts[i]
		if x.socket != s {
			s = x.socket
			open, _ = s.state()
		}
		if open && !fresh && now.Before(x.calm) {
			continue
		}
		out := !open
		if open {
			out, x.calm = x.path.troubled(now)
		}
		if out {
			n++
			x.calm = time.Time{}
		}
	}
	return n
}

// follow keeps the posts in step with the targets.
func (g *guard) follow(p *Prober) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if g.version == p.version {
		return
	}
	g.version, g.posts = p.version, make([]post, 0, len(p.ordered))
	for _, q := range p.ordered {
		g.posts = append(g.posts, post{path: q, socket: q.socket.Load()})
	}
}

// Troubled counts the paths with two probes in a row that are overdue, or one that could not be sent.
func (p *Prober) Troubled(now time.Time) int { return new(guard).count(p, now, true) }

// Trouble holds a token after Troubled has changed, while Run is called. It is noticed when the pacer is awake.
func (p *Prober) Trouble() <-chan struct{} { return p.trouble }

// notice tells of trouble; of the pacer's goroutine.
func (p *Prober) notice(now time.Time) {
	n := p.guard.count(p, now, p.unsent)
	p.unsent = false
	if n == p.troubled {
		return
	}
	p.troubled = n
	select {
	case p.trouble <- struct{}{}:
	default:
	}
}

// troubledAfter is how many probes in a row must be unanswered for trouble: one is often just late.
const troubledAfter = 2

// troubled says whether a path is in trouble, and if not, before when that cannot change as long as probes can be sent.
func (q *path) troubled(now time.Time) (out bool, calm time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.sendErr != "" || q.stats.Unanswered(now) >= troubledAfter, q.stats.OverdueFrom(now)
}
