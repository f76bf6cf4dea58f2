package alerts

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/quorumwatch/quorumwatch/checker"
)

// receiver answers each call by the next of its answers (nil when they are used up) and keeps what it took.
type receiver struct {
	mu      sync.Mutex
	answers []answer
	start   time.Time
	calls   []string // "after key status reason"
}

type answer struct {
	retry bool
	err   error
	takes time.Duration
}

func (r *receiver) String() string { return "test" }

func (r *receiver) Notify(ctx context.Context, n Notification) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, strings.Join([]string{
		time.Since(r.start).String(), n.Key, n.Status.String(), n.Reason.String()}, " "))
	var a answer
	if len(r.answers) > 0 {
		a, r.answers = r.answers[0], r.answers[1:]
	}
	select {
	case <-time.After(a.takes):
	case <-ctx.Done():
		return true, ctx.Err()
	}
	return a.retry, a.err
}

func note(key string, s checker.Severity) Notification {
	return Notification{Key: key, Severity: s, Worst: s}
}

func over(key string) Notification {
	return Notification{Key: key, Status: Resolved, Reason: Over, Worst: checker.Critical}
}

// play runs a queue in a bubble: body adds, the queue delivers; the calls are returned after the queue has ended.
func play(t *testing.T, r *receiver, c QueueConfig, body func(q *Queue)) (calls []string, stats QueueStats) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r.start = time.Now()
		c.Notifier = r
		q := NewQueue(c)
		<-q.Ready()
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := q.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		body(q)
		synctest.Wait()
		cancel()
		wg.Wait()
		calls, stats = r.calls, q.Stats()
	})
	return calls, stats
}

func TestQueueRetries(t *testing.T) {
	down := answer{retry: true, err: errors.New("connection refused")}
	r := &receiver{answers: []answer{down, down, down, down, down, down}}
	calls, stats := play(t, r, QueueConfig{}, func(q *Queue) {
		q.Add(note("a", checker.Critical))
		time.Sleep(time.Minute)
	})
	want := []string{
		"0s a firing new", "1s a firing new", "3s a firing new", "7s a firing new", "15s a firing new",
		"30s a firing new", "45s a firing new",
	}
	if d := cmp.Diff(want, calls); d != "" {
		t.Errorf("calls (-want +got):\n%s", d)
	}
	if want := (QueueStats{Delivered: 1, Retries: 6}); stats != want {
		t.Errorf("stats %+v, want %+v", stats, want)
	}
}

type later struct{ after time.Duration }

func (l later) Error() string             { return "answered 429" }
func (l later) RetryAfter() time.Duration { return l.after }

// TestQueueHonorsRetryAfter: within bounds, which are closer while somebody has to be paged.
func TestQueueHonorsRetryAfter(t *testing.T) {
	tests := map[checker.Severity][]string{
		checker.Warning:  {"0s a firing new", "20s a firing new", "5m20s a firing new"},
		checker.Critical: {"0s a firing new", "20s a firing new", "50s a firing new"},
	}
	for severity, want := range tests {
		r := &receiver{answers: []answer{{retry: true, err: later{20 * time.Second}}, {retry: true, err: later{time.Hour}}}}
		calls, _ := play(t, r, QueueConfig{}, func(q *Queue) {
			q.Add(note("a", severity))
			time.Sleep(10 * time.Minute)
		})
		if d := cmp.Diff(want, calls); d != "" {
			t.Errorf("%v: calls (-want +got):\n%s", severity, d)
		}
	}
}

func TestQueueGivesUp(t *testing.T) {
	r := &receiver{answers: []answer{{retry: false, err: errors.New("answered 404")}}}
	calls, stats := play(t, r, QueueConfig{}, func(q *Queue) {
		q.Add(note("a", checker.Critical))
		q.Add(note("b", checker.Critical))
		time.Sleep(time.Minute)
	})
	if d := cmp.Diff([]string{"0s a firing new", "0s b firing new"}, calls); d != "" {
		t.Errorf("calls (-want +got):\n%s", d)
	}
	if want := (QueueStats{Delivered: 1, Failed: 1}); stats != want {
		t.Errorf("stats %+v, want %+v", stats, want)
	}
}

// TestQueueSupersedes: while the receiver is away, news of one incident replaces older news, but not its end.
func TestQueueSupersedes(t *testing.T) {
	r := &receiver{answers: []answer{{retry: true, err: errors.New("away")}}}
	calls, _ := play(t, r, QueueConfig{SendResolved: true}, func(q *Queue) {
		q.Add(note("a", checker.Warning))
		synctest.Wait() // the first call has gone wrong
		worse := note("a", checker.Critical)
		worse.Reason = Worse
		q.Add(worse)
		q.Add(over("a"))
		q.Add(note("a", checker.Critical)) // it begins anew
		time.Sleep(time.Minute)
	})
	// What is critical does not wait for the end of the pause.
	want := []string{"0s a firing new", "0s a firing new", "0s a resolved over", "0s a firing new"}
	if d := cmp.Diff(want, calls); d != "" {
		t.Errorf("calls (-want +got):\n%s", d)
	}
}

func TestQueueSelects(t *testing.T) {
	add := func(q *Queue) {
		q.Add(note("info", checker.Info))
		q.Add(note("critical", checker.Critical))
		q.Add(Notification{Key: "was critical", Severity: checker.Warning, Worst: checker.Critical})
		q.Add(over("critical"))
	}
	calls, _ := play(t, &receiver{}, QueueConfig{MinSeverity: checker.Critical}, add)
	if d := cmp.Diff([]string{"0s critical firing new", "0s was critical firing new"}, calls); d != "" {
		t.Errorf("calls (-want +got):\n%s", d)
	}
}

func TestQueueIsBounded(t *testing.T) {
	var log bytes.Buffer
	q := NewQueue(QueueConfig{Notifier: &receiver{}, Limit: 3, Log: zerolog.New(&log)})
	for _, n := range []Notification{
		note("a", checker.Critical), note("b", checker.Warning), note("c", checker.Critical), note("d", checker.Warning),
		note("e", checker.Critical), note("f", checker.Critical),
	} {
		q.Add(n)
	}
	var left []string
	for _, n := range q.line {
		left = append(left, n.Key)
	}
	if d := cmp.Diff([]string{"c", "e", "f"}, left); d != "" {
		t.Errorf("left in line (-want +got):\n%s", d)
	}
	if s := q.Stats(); s.Dropped != 3 || s.Pending != 3 {
		t.Errorf("stats %+v", s)
	}
	if n := strings.Count(log.String(), "dropped"); n != 3 {
		t.Errorf("%d drops in the log:\n%s", n, log.String())
	}
}

// TestQueueFarewell: what waits when the program ends gets one more try, and the program still ends soon.
func TestQueueFarewell(t *testing.T) {
	away := answer{retry: true, err: errors.New("away")}
	r := &receiver{answers: []answer{away, {}, {takes: time.Hour}}}
	synctest.Test(t, func(t *testing.T) {
		r.start = time.Now()
		q := NewQueue(QueueConfig{Notifier: r})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		for _, key := range []string{"a", "b", "c"} {
			q.Add(note(key, checker.Critical)) // before Run: a critical page that comes later would end the pause
		}
		go func() { _ = q.Run(ctx); close(ended) }()
		time.Sleep(500 * time.Millisecond) // a waits for its retry, the others for a
		cancel()
		<-ended
		if d := cmp.Diff([]string{"0s a firing new", "500ms b firing new", "500ms c firing new"}, r.calls); d != "" {
			t.Errorf("calls (-want +got):\n%s", d)
		}
		if took := time.Since(r.start); took > 4*time.Second {
			t.Errorf("the end took %v", took)
		}
	})
}
