package alerts

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quorumwatch/quorumwatch/checker"
)

// picky is a receiver that answers 500 to some incidents for ever, and takes the others.
type picky struct {
	receiver
	refuses map[string]bool
}

func (p *picky) Notify(ctx context.Context, n Notification) (bool, error) {
	if retry, err := p.receiver.Notify(ctx, n); err != nil {
		return retry, err
	}
	if p.refuses[n.Key] {
		return true, errors.New("answered 500")
	}
	return false, nil
}

// playPicky is play with a picky receiver.
func playPicky(t *testing.T, refuses []string, body func(q *Queue)) (calls []string, stats QueueStats) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &picky{refuses: map[string]bool{}}
		for _, key := range refuses {
			r.refuses[key] = true
		}
		r.start = time.Now()
		q := NewQueue(QueueConfig{Notifier: r, SendResolved: true})
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { _ = q.Run(ctx) })
		body(q)
		synctest.Wait()
		calls, stats = r.calls, q.Stats()
		cancel()
		wg.Wait()
	})
	return calls, stats
}

// TestQueuePoison: what one receiver never takes does not keep the rest from it, whichever is more severe.
func TestQueuePoison(t *testing.T) {
	for _, severity := range []checker.Severity{checker.Info, checker.Warning, checker.Critical} {
		_, stats := playPicky(t, []string{"p1", "p2"}, func(q *Queue) {
			q.Add(note("p1", severity))
			q.Add(note("p2", severity))
			q.Add(note("a", checker.Warning))
			q.Add(note("b", checker.Info))
			q.Add(note("c", checker.Critical))
			time.Sleep(30 * time.Second)
		})
		if stats.Delivered != 3 || stats.Pending != 2 {
			t.Errorf("%v poison: %+v, want 3 delivered, 2 pending", severity, stats)
		}
	}
}

// TestQueueCriticalWakes: a critical page does not wait for the end of a pause that lesser news brought about.
func TestQueueCriticalWakes(t *testing.T) {
	r := &receiver{answers: []answer{{retry: true, err: later{5 * time.Minute}}}}
	calls, _ := play(t, r, QueueConfig{}, func(q *Queue) {
		q.Add(note("w", checker.Warning))
		time.Sleep(10 * time.Second)
		q.Add(note("c", checker.Critical))
		time.Sleep(10 * time.Second)
	})
	if d := cmp.Diff([]string{"0s w firing new", "10s c firing new", "10s w firing new"}, calls); d != "" {
		t.Errorf("calls (-want +got):\n%s", d)
	}
}

// TestQueueWorstFirst: once the receiver is back it hears the worst first.
func TestQueueWorstFirst(t *testing.T) {
	r := &receiver{answers: []answer{{retry: true, err: errors.New("away")}}}
	calls, _ := play(t, r, QueueConfig{SendResolved: true}, func(q *Queue) {
		q.Add(note("i", checker.Info))
		synctest.Wait()
		q.Add(note("w", checker.Warning))
		q.Add(over("x"))
		q.Add(note("c", checker.Critical))
		time.Sleep(time.Minute)
	})
	want := []string{"0s i firing new", "0s c firing new", "0s x resolved over", "0s w firing new", "0s i firing new"}
	if d := cmp.Diff(want, calls); d != "" {
		t.Errorf("calls (-want +got):\n%s", d)
	}
}

// TestQueueNewsDuringCall: a page that comes in while a call hangs is tried as soon as that call has ended.
func TestQueueNewsDuringCall(t *testing.T) {
	r := &receiver{answers: []answer{{retry: true, err: later{5 * time.Minute}, takes: 10 * time.Second}}}
	calls, _ := play(t, r, QueueConfig{}, func(q *Queue) {
		q.Add(note("w", checker.Warning))
		time.Sleep(time.Second)
		q.Add(note("c", checker.Critical))
		if s := q.Stats(); s.Pending != 2 {
			t.Errorf("%d pending, one of them on its way; want 2", s.Pending)
		}
		time.Sleep(10 * time.Second)
	})
	if d := cmp.Diff([]string{"0s w firing new", "10s c firing new", "10s w firing new"}, calls); d != "" {
		t.Errorf("calls (-want +got):\n%s", d)
	}
}

// TestQueueStorm: while the receiver is away each new page costs one call at once, and the pauses stay.
func TestQueueStorm(t *testing.T) {
	r := &receiver{}
	for range 100 {
		r.answers = append(r.answers, answer{retry: true, err: errors.New("away")})
	}
	calls, _ := play(t, r, QueueConfig{}, func(q *Queue) {
		for _, key := range []string{"a", "b", "c", "d"} {
			q.Add(note(key, checker.Critical))
			synctest.Wait()
		}
		time.Sleep(time.Minute)
	})
	if len(calls) != 4+4+4 {
		t.Errorf("%d calls, want 4 at once, one after each pause (8 s, then 15 s), and 4 at the end:\n%q", len(calls), calls)
	}
}

// TestQueueCriticalPassesItsOwnPast: a page does not wait behind lesser news of its own incident that the receiver never takes.
func TestQueueCriticalPassesItsOwnPast(t *testing.T) {
	calls, stats := playPicky(t, []string{"a"}, func(q *Queue) {
		q.Add(note("a", checker.Warning))
		time.Sleep(10 * time.Second)
		q.Add(over("a"))
		worse := note("a", checker.Critical)
		worse.Reason = Worse
		q.Add(worse)
		time.Sleep(time.Second)
	})
	want := []string{"0s a firing new", "1s a firing new", "3s a firing new", "7s a firing new", "10s a firing new"}
	if d := cmp.Diff(want, calls); d != "" {
		t.Errorf("calls (-want +got):\n%s", d)
	}
	if stats.Pending != 1 {
		t.Errorf("%+v, want only the page to wait", stats)
	}
}

// TestQueueTiresOfPoison: what the receiver refuses while it takes others is given up, what is critical later.
func TestQueueTiresOfPoison(t *testing.T) {
	for severity, want := range map[checker.Severity]int{checker.Warning: maxRefused, checker.Critical: maxRefusedCritical} {
		calls, stats := playPicky(t, []string{"p"}, func(q *Queue) {
			q.Add(note("p", severity))
			time.Sleep(time.Minute)
			q.Add(note("a", checker.Warning))
			time.Sleep(time.Hour)
		})
		if len(calls) != want+1 {
			t.Errorf("%v: %d calls, want %d and one for the other", severity, len(calls), want)
		}
		if want := (QueueStats{Delivered: 1, GivenUp: 1, Retries: uint64(want - 1)}); stats != want {
			t.Errorf("%v: %+v, want %+v", severity, stats, want)
		}
	}
}

// TestQueueOutlastsAnOutage: while the receiver is away, only age ends the tries.
func TestQueueOutlastsAnOutage(t *testing.T) {
	for severity, age := range map[checker.Severity]time.Duration{checker.Warning: maxAge, checker.Critical: maxAgeCritical} {
		playPicky(t, []string{"p"}, func(q *Queue) {
			q.Add(note("p", severity))
			time.Sleep(age - time.Minute)
			if s := q.Stats(); s.Pending != 1 || s.GivenUp != 0 {
				t.Errorf("%v after %v: %+v, want it to wait", severity, age-time.Minute, s)
			}
			time.Sleep(2 * time.Minute)
			if s := q.Stats(); s.Pending != 0 || s.GivenUp != 1 {
				t.Errorf("%v after %v: %+v, want it given up", severity, age+time.Minute, s)
			}
		})
	}
}

// TestQueueLastWord: whatever goes wrong meanwhile, the last that a receiver hears of an incident is the last that was said, its end
// never comes before its beginning, and nobody is told of lesser news after the page that took its place.
func TestQueueLastWord(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		r := &flaky{random: rand.New(rand.NewPCG(random.Uint64(), 5))}
		said := map[string]Notification{}
		synctest.Test(t, func(t *testing.T) {
			q := NewQueue(QueueConfig{Notifier: r, SendResolved: true})
			ctx, cancel := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			wg.Go(func() { _ = q.Run(ctx) })
			for i := range 100 {
				n := note(fmt.Sprint("k", random.IntN(4)), checker.Severity(1+random.IntN(3)))
				if random.IntN(3) == 0 {
					n = over(n.Key)
				}
				n.At = time.Now().Add(time.Duration(i)) // tells them apart
				said[n.Key] = n
				q.Add(n)
				time.Sleep(time.Duration(random.IntN(4)) * time.Second)
			}
			time.Sleep(30 * time.Minute)
			cancel()
			wg.Wait()
		})
		heard := map[string]Notification{}
		for _, n := range r.took {
			if was, ok := heard[n.Key]; ok && !n.At.After(was.At) {
				t.Fatalf("%s: what was said at %v came after %v", n.Key, n.At, was.At)
			}
			heard[n.Key] = n
		}
		for key, n := range said {
			if !heard[key].At.Equal(n.At) {
				t.Errorf("%s: last heard %+v, last said %+v", key, heard[key], n)
			}
		}
	}
}

// flaky takes every other notification, by chance and after a while.
type flaky struct {
	random *rand.Rand
	took   []Notification
}

func (f *flaky) String() string { return "flaky" }

func (f *flaky) Notify(_ context.Context, n Notification) (bool, error) {
	time.Sleep(time.Duration(f.random.IntN(2000)) * time.Millisecond)
	if f.random.IntN(2) == 0 {
		return true, errors.New("answered 503")
	}
	f.took = append(f.took, n)
	return false, nil
}
