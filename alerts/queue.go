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

// How a Queue retries. The longest wait with a critical page in line stays well under the time from quorum loss to fence (about
// 60 s), so that a network that comes back in between is used.
const (
	firstBackoff     = time.Second
	maxBackoff       = 15 * time.Second
	maxAsked         = 5 * time.Minute // the longest Retry-After that is honored
	maxAskedCritical = 30 * time.Second
	farewell         = 3 * time.Second // for what is still in line when the program ends
	defaultLimit     = 100
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
	Pending   int    // in line or on their way now
	Delivered uint64 // the receiver has them
	Retries   uint64 // calls that went wrong and were to be made again
	Failed    uint64 // given up at once, because the receiver's answer says that retrying would not help
	GivenUp   uint64 // given up after many calls, or after a long time
	Dropped   uint64 // lost, because the line was full
}

// Queue brings notifications to one receiver, one at a time, those of one incident in order. Add never blocks. It is a task: Run,
// Ready, String.
type Queue struct {
	config QueueConfig
	wake   chan struct{} // holds a token when line may have grown
	ready  chan struct{}

	mu      sync.Mutex // guards what follows
	line    line
	flying  bool // one has left the line, and its call has not ended
	news    bool // an urgent page came in since the last call began
	leaving bool // nothing goes back into the line
	stats   QueueStats
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
func (q *Queue) String() string { return "alerts to " + q.Receiver() }

// Receiver names whom it brings them to, without secrets.
func (q *Queue) Receiver() string { return q.config.Notifier.String() }

// Ready is closed from the start: a receiver that is out of reach keeps nothing waiting.
func (q *Queue) Ready() <-chan struct{} { return q.ready }

// Stats returns the counters.
func (q *Queue) Stats() QueueStats {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.stats
	s.Pending = len(q.line)
	if q.flying {
		s.Pending++
	}
	return s
}

// Add puts a notification in line, if the receiver is to have it. While earlier news of the same incident waits, newer news
// takes its place; the end of an incident does not, so that nobody misses what happened while the receiver was away. Only a
// critical page takes the place of all that is less. It is tried at once, whatever is being waited for.
func (q *Queue) Add(n Notification) {
	if n.Worst < q.config.MinSeverity || n.Status == Resolved && !q.config.SendResolved {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.line = q.line.add(n, time.Now())
	q.news = q.news || n.urgent()
	if len(q.line) > q.config.Limit {
		q.drop()
	}
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// drop makes room.
func (q *Queue) drop() {
	i := q.line.leastSevere()
	q.config.Log.Warn().Str("receiver", q.Receiver()).Str("incident", q.line[i].Key).
		Msg("notification dropped: too many wait for this receiver")
	q.line = slices.Delete(q.line, i, i+1)
	q.stats.Dropped++
}

// Run delivers until ctx is done, and then gives what is left one short try. It returns nil. The most urgent goes first; after a
// failure every other try is for what was tried least, so that nothing the receiver never takes keeps the rest from it.
func (q *Queue) Run(ctx context.Context) error {
	backoff, fair := firstBackoff, false
	for ctx.Err() == nil {
		it, ok := q.next(fair)
		if !ok {
			select {
			case <-ctx.Done():
			case <-q.wake:
			}
			continue
		}
		wait, failed := q.deliver(ctx, it)
		if !failed {
			backoff, fair = firstBackoff, false
			continue
		}
		woken := q.pause(ctx, max(backoff, wait))
		backoff, fair = min(2*backoff, maxBackoff), !fair && !woken
	}
	q.sayFarewell(ctx)
	return nil
}

// pause waits before a retry, until an urgent page comes in (woken) or until the program ends.
func (q *Queue) pause(ctx context.Context, d time.Duration) (woken bool) {
	t := time.NewTimer(d)
	defer t.Stop()
	for !q.hasNews() {
		select {
		case <-ctx.Done():
			return false
		case <-t.C:
			return false
		case <-q.wake:
		}
	}
	return true
}

func (q *Queue) hasNews() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.news
}

// next takes out of the line what to send now.
func (q *Queue) next(fair bool) (item, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.news = false
	i := q.line.pick(fair)
	if i < 0 {
		return item{}, false
	}
	it := q.line[i]
	q.line = slices.Delete(q.line, i, i+1)
	q.flying = true
	if it.tries == 0 {
		it.heard = q.stats.Delivered
	}
	return it, true
}

// deliver makes one call. It returns whether the receiver may do better later, and how long it asked to wait.
func (q *Queue) deliver(ctx context.Context, it item) (wait time.Duration, failed bool) {
	retry, err := q.config.Notifier.Notify(ctx, it.Notification)
	log := q.config.Log.With().Str("receiver", q.Receiver()).Str("incident", it.Key).
		Stringer("status", it.Status).Stringer("severity", it.Severity).Logger()
	q.mu.Lock()
	defer q.mu.Unlock()
	q.flying = false
	switch {
	case err == nil:
		q.stats.Delivered++
		log.Info().Stringer("reason", it.Reason).Msg("notification delivered")
		return 0, false
	case !retry:
		q.stats.Failed++
		log.Error().Err(err).Msg("notification not delivered, given up: retrying would not help")
		return 0, false
	}
	it.tries++
	if q.leaving || it.spent(time.Now(), q.stats.Delivered) {
		q.stats.GivenUp++
		log.Error().Err(err).Int("tries", it.tries).
			Msg("notification not delivered, given up: tried too often or for too long, or the program ends")
	} else {
		q.stats.Retries++
		log.Warn().Err(err).Msg("notification not delivered, will retry")
		q.line = q.line.putBack(it)
	}
	return q.asked(err), true
}

// asked is how long the receiver asked to wait, as far as that is honored.
func (q *Queue) asked(err error) time.Duration {
	asker, ok := errors.AsType[interface {
		error
		RetryAfter() time.Duration
	}](err)
	switch {
	case !ok:
		return 0
	case q.line.holdsUrgent(""):
		return min(asker.RetryAfter(), maxAskedCritical)
	default:
		return min(asker.RetryAfter(), maxAsked)
	}
}

// sayFarewell tries everything in line once, within a few seconds in all.
func (q *Queue) sayFarewell(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	q.mu.Lock()
	q.leaving = true
	q.mu.Unlock()
	for ctx.Err() == nil {
		it, ok := q.next(false)
		if !ok {
			return
		}
		q.deliver(ctx, it)
	}
}
