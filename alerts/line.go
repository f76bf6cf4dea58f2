package alerts

import (
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
)

// How long a notification that went wrong is tried again. While the receiver is away only age counts: a receiver that is back the
// next morning still hears what happened. A receiver that takes others meanwhile does not want this one.
const (
	maxAge             = 24 * time.Hour
	maxAgeCritical     = 7 * 24 * time.Hour
	maxRefused         = 20 // calls, once the receiver has taken something else since the first
	maxRefusedCritical = 40
)

// item is a notification in line.
type item struct {
	Notification
	since time.Time // when it, or the news whose place it took, was put in line
	tries int       // calls that went wrong
	heard uint64    // what the receiver had taken when this was first tried
}

// line holds what waits for one receiver, by age.
type line []item

// rank orders by urgency: what is worse first, and what stands before what is over.
func (n Notification) rank() int {
	if n.Status == Resolved {
		return 2 * int(n.Worst)
	}
	return 2*int(n.Severity) + 1
}

// urgent tells whether this is a page that somebody has to see before the time to a fence is over.
func (n Notification) urgent() bool { return n.Status == Firing && n.Severity == checker.Critical }

// of returns the place of an incident's last news, -1 if none waits.
func (l line) of(key string) int {
	for i, it := range slices.Backward(l) {
		if it.Key == key {
			return i
		}
	}
	return -1
}

// holdsUrgent tells whether an urgent page waits, about this incident or, with "", about any.
func (l line) holdsUrgent(key string) bool {
	return slices.ContainsFunc(l, func(it item) bool { return (key == "" || it.Key == key) && it.urgent() })
}

// add puts news in line. It takes the place of the same incident's last news, unless one is its end; an urgent page takes the
// place of all lesser news of its incident, so that it never waits behind them.
func (l line) add(n Notification, now time.Time) line {
	if n.urgent() && !l.holdsUrgent(n.Key) {
		lesser := func(it item) bool { return it.Key == n.Key }
		if slices.ContainsFunc(l, func(it item) bool { return lesser(it) && it.Status == Firing && it.Reason == New }) {
			n.Reason = New // it will be the first that the receiver hears
		}
		return append(slices.DeleteFunc(l, lesser), item{Notification: n, since: now})
	}
	i := l.of(n.Key)
	if i < 0 || l[i].Status != n.Status {
		return append(l, item{Notification: n, since: now})
	}
	if l[i].Reason == New {
		n.Reason = New
	}
	l[i] = item{Notification: n, since: l[i].since}
	return l
}

// putBack returns what went wrong to its place, unless newer news has come in meanwhile that takes it.
func (l line) putBack(it item) line {
	i := slices.IndexFunc(l, func(o item) bool { return o.Key == it.Key })
	if i >= 0 && (l[i].Status == it.Status || l[i].urgent()) {
		if it.Status == Firing && it.Reason == New {
			l[i].Reason = New
		}
		return l
	}
	at := slices.IndexFunc(l, func(o item) bool { return o.since.After(it.since) })
	if at < 0 {
		at = len(l)
	}
	if i >= 0 {
		at = min(at, i) // news of one incident stays in order
	}
	return slices.Insert(l, at, it)
}

// pick returns the place of what to send next, -1 if nothing waits: the most urgent or, when it is the turn of the others (fair),
// what was tried least. Of one incident the oldest news goes first, and is as urgent as the most urgent behind it.
func (l line) pick(fair bool) int {
	urgency := map[string]int{}
	for _, it := range l {
		urgency[it.Key] = max(urgency[it.Key], it.rank())
	}
	best := -1
	seen := map[string]bool{}
	for i, it := range l {
		if seen[it.Key] {
			continue
		}
		seen[it.Key] = true
		if best < 0 {
			best = i
			continue
		}
		more, less := urgency[it.Key]-urgency[l[best].Key], it.tries-l[best].tries
		if fair && less < 0 || (!fair || less == 0) && more > 0 || more == 0 && less < 0 {
			best = i
		}
	}
	return best
}

// leastSevere returns the place of what to drop: the oldest of the least severe.
func (l line) leastSevere() int {
	least := slices.MinFunc(l, func(a, b item) int { return int(a.Worst) - int(b.Worst) })
	return slices.IndexFunc(l, func(it item) bool { return it.Worst == least.Worst })
}

// spent tells whether trying again makes no sense any more, of what went wrong. The receiver has taken so many in all.
func (it item) spent(now time.Time, delivered uint64) bool {
	age, refused := maxAge, maxRefused
	if it.Worst == checker.Critical {
		age, refused = maxAgeCritical, maxRefusedCritical
	}
	return now.Sub(it.since) >= age || delivered > it.heard && it.tries >= refused
}
