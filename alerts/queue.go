package alerts

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/quorumwatch/quorumwatch/checker"
)

// How a Queue retries. The longest wait stays well under the time from quorum loss to fence (about 60 s), so that a network that
// comes back in between is used.
const (
	firstBackoff = time.Second
	maxBackoff   = 15 * time.Second
	maxAsked     = 5 * time.Minute // the longest Retry-After that is honored
	farewell     = 3 * time.Second // for what is still in line when the program ends
	defaultLimit = 100
)

// QueueConfig says what a receiver is told.
type QueueConfig struct {
	Notifier     Notifier
	MinSeverity  checker.Severity // incidents that never were that severe are left out
	SendResolved bool
	Limit        int // of the line; 0: 100
	Log          zerolog.Logger
}

// QueueStats count notifications since the start.
type QueueStats struct {
	Pending   int    // in line now
	Delivered uint64 // the receiver has them
	Retries   uint64 // calls that went wrong and were made again
	Failed    uint64 // given up, because retrying would not help
	Dropped   uint64 // lost, because the line was full
}

// Queue brings notifications to one receiver, in order, one at a time. Add never blocks. It is a task: Run, Ready, String.
type Queue struct {
	config QueueConfig
	wake   chan struct{} // holds a token when line may have grown
	ready  chan struct{}

	mu    sync.Mutex // guards what follows
	line  []Notification
	stats QueueStats
}

// NewQueue returns a Queue; nothing is sent until Run.
func NewQueue(c QueueConfig) *Queue {
	if c.Limit <= 0 {
		c.Limit = defaultLimit
	}
	q := &Queue{config: c, wake: make(chan struct{}, 1), ready: make(chan struct{})}
	close(q.ready)
	return q
}

// String names the task.
func (q *Queue) String() string { return "alerts to " + q.config.Notifier.String() }

// Ready is closed from the start: a receiver that is out of reach keeps nothing waiting.
func (q *Queue) Ready() <-chan struct{} { return q.ready }

// Stats returns the counters.
func (q *Queue) Stats() QueueStats {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.stats
	s.Pending = len(q.line)
	return s
}

// Add puts a notification in line, if the receiver is to have it. While earlier news of the same incident waits, newer news
// takes its place; the end of an incident does not, so that nobody misses what happened while the receiver was away.
func (q *Queue) Add(n Notification) {
	if n.Worst < q.config.MinSeverity || n.Status == Resolved && !q.config.SendResolved {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	i := len(q.line) - 1
	for i >= 0 && q.line[i].Key != n.Key {
		i--
	}
	if i >= 0 && q.line[i].Status == n.Status {
		if q.line[i].Reason == New {
			n.Reason = New // it will be the first that the receiver hears
		}
		q.line[i] = n
	} else {
		q.line = append(q.line, n)
	}
	if len(q.line) > q.config.Limit {
		q.drop()
	}
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// drop makes room: the oldest of the least severe goes.
func (q *Queue) drop() {
	least := slices.MinFunc(q.line, func(a, b Notification) int { return int(a.Worst) - int(b.Worst) })
	i := slices.IndexFunc(q.line, func(n Notification) bool { return n.Worst == least.Worst })
	q.config.Log.Warn().Str("receiver", q.config.Notifier.String()).Str("incident", q.line[i].Key).
		Msg("notification dropped: too many wait for this receiver")
	q.line = slices.Delete(q.line, i, i+1)
	q.stats.Dropped++
}

// Run delivers until ctx is done, and then gives what is left one short try. It returns nil.
func (q *Queue) Run(ctx context.Context) error {
	backoff := firstBackoff
	for ctx.Err() == nil {
		n, ok := q.next()
		if !ok {
			select {
			case <-ctx.Done():
			case <-q.wake:
			}
			continue
		}
		wait, again := q.deliver(ctx, n)
		if !again {
			backoff = firstBackoff
			continue
		}
		q.putBack(n)
		pause(ctx, max(backoff, wait))
		backoff = min(2*backoff, maxBackoff)
	}
	q.sayFarewell(ctx)
	return nil
}

// pause waits before a retry, or until the program ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

func (q *Queue) next() (Notification, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.line) == 0 {
		return Notification{}, false
	}
	n := q.line[0]
	q.line = slices.Delete(q.line, 0, 1)
	return n, true
}

// putBack returns a notification to the head of the line, unless newer news has come in meanwhile that takes its place.
func (q *Queue) putBack(n Notification) {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.IndexFunc(q.line, func(o Notification) bool { return o.Key == n.Key })
	if i >= 0 && q.line[i].Status == n.Status {
		if n.Reason == New {
			q.line[i].Reason = New
		}
		return
	}
	q.line = slices.Insert(q.line, 0, n)
}

// deliver makes one call. It returns whether to call again, and how long the receiver asked to wait.
func (q *Queue) deliver(ctx context.Context, n Notification) (wait time.Duration, again bool) {
	retry, err := q.config.Notifier.Notify(ctx, n)
	log := q.config.Log.With().Str("receiver", q.config.Notifier.String()).Str("incident", n.Key).
		Stringer("status", n.Status).Stringer("severity", n.Severity).Logger()
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case err == nil:
		q.stats.Delivered++
		log.Info().Stringer("reason", n.Reason).Msg("notification delivered")
	case retry:
		q.stats.Retries++
		log.Warn().Err(err).Msg("notification not delivered, will retry")
	default:
		q.stats.Failed++
		log.Error().Err(err).Msg("notification not delivered, given up: retrying would not help")
	}
	if asker, ok := errors.AsType[interface {
		error
		RetryAfter() time.Duration
	}](err); ok {
		wait = min(asker.RetryAfter(), maxAsked)
	}
	return wait, retry && err != nil
}

// sayFarewell tries everything in line once, within a few seconds in all.
func (q *Queue) sayFarewell(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	for ctx.Err() == nil {
		n, ok := q.next()
		if !ok {
			return
		}
		q.deliver(ctx, n)
	}
}
