package verdict

import (
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// TestRepeat: what a short record saw once, the model meets in many phases of knet's tick, and on all paths at the same time as before.
func TestRepeat(t *testing.T) {
	const slot, length, at, tick = time.Millisecond, 10 * time.Second, 5 * time.Second, 200 * time.Millisecond
	series := func() *trace.Series {
		s := &trace.Series{}
		ok := trace.Sample{State: trace.Arrived, Delay: time.Millisecond}
		s.Append(int(at/slot), ok)
		s.Append(1, trace.Sample{State: trace.Lost})
		s.Append(int((length-at)/slot)-1, ok)
		return s
	}
	there, back := trace.Path{From: 1, To: 2}, trace.Path{From: 2, To: 1}
	short := &trace.Trace{Slot: slot, Paths: map[trace.Path]*trace.Series{there: series(), back: series()}}
	long := repeat(short, leastRecord)
	first, next := long.Span()
	if got := long.At(next - first); got < leastRecord || got > leastRecord+length+leastRecord/50 {
		t.Errorf("%v long", got)
	}
	phases, lost := map[int]int{}, 0
	for i := first; i < next; i++ {
		v, _ := long.Paths[there].Run(i)
		if w, _ := long.Paths[back].Run(i); v != w {
			t.Fatalf("slot %d: %v there, %v back", i, v, w)
		}
		if v.State == trace.Lost {
			lost++
			phases[i%int(tick/slot)]++
		}
	}
	if lost != 61 || len(phases) < 30 {
		t.Errorf("%d losses in %d phases of a tick", lost, len(phases))
	}
	if same := repeat(long, leastRecord); same != long {
		t.Error("a record that is long enough is another one")
	}
}

// TestGapText: what loses packets but never for long has no gap, and is not said to have had one of no time.
func TestGapText(t *testing.T) {
	for _, c := range []struct {
		burst int
		gap   time.Duration
		want  string
	}{
		{4, 0, "4 in a row at most"},
		{4, 250 * time.Millisecond, "longest gap 250 ms (25 % of the token)"},
		{0, 0, "longest gap 0 s (0 % of the token)"},
	} {
		j := &judge{}
		j.out.Headroom = Headroom{Delivery: Seconds(c.gap), Token: Seconds(time.Second)}
		j.out.Paths = []Path{{Figures: Figures{Received: 90, Lost: 10, Burst: c.burst}}}
		if got := j.gapText(); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

// TestReflector: what a cluster is told to run when nobody answers does answer.
func TestReflector(t *testing.T) {
	for planned, want := range map[bool]string{false: "'quorumwatch reflect --key-file /etc/corosync/authkey'", true: "'quorumwatch reflect'"} {
		w := world{here: 2, away: 1, links: 1, silent: true, planned: planned}
		v, err := Judge(w.input(t, 1))
		if err != nil || len(v.Next) == 0 || !strings.Contains(v.Next[0], want) {
			t.Errorf("planned %v: %v, %q", planned, err, v.Next)
		}
	}
}
