//go:build linux

package lab

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// What makes a run doubtful. The hub's figures on a quiet machine are far below (see the package's tests).
const (
	doubtPacket = 20 * time.Millisecond // a packet this late is a fault that the rules did not order
	doubtP99    = 2 * time.Millisecond
	doubtTick   = 50 * time.Millisecond  // the hub did not run at all
	doubtCanary = 100 * time.Millisecond // two probe intervals: an agent that did not run calls the network sick
	pauseSlack  = 20 * time.Second       // lines about a pause on purpose come this long after it at most
	loadAvgFile = "/proc/loadavg"
)

// mark is where Quality begins to look.
type mark struct {
	at    time.Time
	stats HubStats
}

// Quality says how far a run can be trusted: whether the machine did what the rules say and nothing else.
type Quality struct {
	Since    time.Time
	Stalls   []Line        // "not scheduled" and "Process pause" of daemons that were not stopped on purpose
	Late     []Late        // moments at which the hub was late by LateLimit or more, in this time
	Worst    time.Duration // the worst of them
	Packets  Lateness      // of packets, in this time
	Ticks    Lateness      // of the hub's wake-ups, in this time
	Starved  []Late        // moments at which ordinary processes of a node, as its agent is, did not run
	Load     string        // the machine's load averages at the end
	Doubts   []string      // why the run is doubtful
	Doubtful bool
}

// String is one line for people.
func (q Quality) String() string {
	verdict := "sound"
	if q.Doubtful {
		verdict = "DOUBTFUL: " + strings.Join(q.Doubts, "; ")
	}
	return fmt.Sprintf("hub late by p50 %v p99 %v max %v over %d packets (wake-ups: p99 %v max %v), stalls of corosync: %d, of others: %d up to %v, load %s: %s",
		q.Packets.Quantile(0.5), q.Packets.Quantile(0.99), q.Packets.Quantile(1), q.Packets.Count(),
		q.Ticks.Quantile(0.99), q.Ticks.Quantile(1), len(q.Stalls), len(q.Starved), q.starved(), q.Load, verdict)
}

// MarkQuality lets Quality judge from now on only. Start does it once Corosync is started; do it again after WaitFormed to leave the
// noise of the start out.
func (l *Lab) MarkQuality() {
	m := &mark{at: time.Now()}
	if s, err := l.hub.Stats(); err == nil {
		m.stats = s
	}
	l.since.Store(m)
}

// Quality judges the time since MarkQuality.
func (l *Lab) Quality() Quality {
	m := l.since.Load()
	if m == nil {
		m = &mark{at: l.record.Started}
	}
	q := Quality{Since: m.at, Load: loadAverage()}
	stats, err := l.hub.Stats()
	if err != nil {
		q.doubt("the hub does not answer: %v", err)
	}
	q.Packets, q.Ticks = stats.Packets.Since(m.stats.Packets), stats.Ticks.Since(m.stats.Ticks)
	for _, late := range stats.Late {
		if late.At >= m.stats.Now {
			q.Late = append(q.Late, late)
			q.Worst = max(q.Worst, late.By)
		}
	}
	for _, n := range l.nodes {
		q.Stalls = append(q.Stalls, n.stalls(m.at)...)
		q.Starved = append(q.Starved, n.starvedSince(l.hub.Instant(m.at))...)
	}
	q.judge(stats, m.stats)
	return q
}

// stalls are the lines of a node that say that its host did not let Corosync run.
func (n *Node) stalls(since time.Time) []Line {
	var stalls []Line
	for _, line := range n.log.Since(since) {
		if (line.Event == EventNotScheduled || line.Event == EventPause) && !n.daemon.pausedNear(line.At, pauseSlack) {
			stalls = append(stalls, line)
		}
	}
	return stalls
}

func (q *Quality) judge(now, before HubStats) {
	if !now.Realtime {
		q.doubt("the hub does not run in real time")
	}
	if q.Worst > doubtTick {
		q.doubt("the hub stood still for %v", q.Worst)
	} else if q.Worst > doubtPacket {
		q.doubt("the hub was late by %v", q.Worst)
	}
	if q.Packets.Quantile(0.99) > doubtP99 {
		q.doubt("one packet in a hundred was late by more than %v", doubtP99)
	}
	if n := now.Overrun - before.Overrun; n > 0 {
		q.doubt("the hub lost %d packets of its own", n)
	}
	if by := q.starved(); by >= doubtCanary {
		q.doubt("processes of a node did not run for %v", by)
	}
	if len(q.Stalls) > 0 {
		q.doubt("corosync was not scheduled %d times, first: %v", len(q.Stalls), q.Stalls[0])
	}
}

// starved is the longest time for which processes of a node did not run.
func (q *Quality) starved() time.Duration {
	var worst time.Duration
	for _, l := range q.Starved {
		worst = max(worst, l.By)
	}
	return worst
}

func (q *Quality) doubt(format string, args ...any) {
	q.Doubtful = true
	q.Doubts = append(q.Doubts, fmt.Sprintf(format, args...))
}

func loadAverage() string {
	b, err := os.ReadFile(loadAvgFile)
	if err != nil {
		return "unknown"
	}
	fields := strings.Fields(string(b))
	return strings.Join(fields[:min(3, len(fields))], " ")
}
