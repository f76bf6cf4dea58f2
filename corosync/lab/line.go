//go:build linux

package lab

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Event says what a log line of Corosync means, as far as a lab cares.
type Event int

// What lines mean. The templates are those of Corosync 3.1 (facts: exec/totemsrp.c, exec/main.c, libknet).
const (
	EventOther        Event = iota
	EventTokenWarning       // "Token has not been received in N ms"
	EventTokenLost          // "A processor failed, forming new configuration ..."
	EventMembership         // "A new membership (R.S) was formed. Members ..."
	EventLeaveMissed        // "Failed to receive the leave message."
	EventLinkDown           // "link: host: H link: L is down"
	EventLinkUp             // "rx: host: H link: L is up"
	EventNoLinks            // "host: host: H has no active links"
	EventQuorate            // "This node is within the primary component ..."
	EventInquorate          // "This node is within the non-primary component ..."
	EventSynced             // "Completed service synchronization ..."
	EventNotScheduled       // "Corosync main process was not scheduled ...": this machine is overloaded, or the daemon was stopped
	EventPause              // "Process pause detected for N ms ..."
	EventRetransmit         // "Retransmit List: ..."
	EventStarted            // "Corosync Cluster Engine V starting up"
	EventExited             // "Corosync Cluster Engine exiting ..."
	EventReload             // "Config reload requested by node N"
)

var eventNames = []string{
	"other", "token warning", "token lost", "membership", "leave missed", "link down", "link up", "no active links", "quorate", "not quorate",
	"synced", "not scheduled", "process pause", "retransmit", "started", "exited", "reload",
}

// String returns the event's name.
func (e Event) String() string {
	if e >= 0 && int(e) < len(eventNames) {
		return eventNames[e]
	}
	return fmt.Sprintf("event%d", int(e))
}

// Line is one line of a node's Corosync log.
type Line struct {
	Node  string
	At    time.Time // as Corosync stamped it, in steps of the kernel's tick (4 ms at HZ 250)
	Seen  time.Time // when the lab read it
	Level string    // notice, info, warning, error, crit
	Tag   string    // MAIN, TOTEM, KNET, QUORUM, ...
	Text  string
	Event Event
	Peer  uint32        // link events: the other node
	Link  int           // link events
	For   time.Duration // token warning, token lost (the token timeout), pause, not scheduled: how long
	Ring  string        // membership: ring id as printed
	Join  []uint32      // membership
	Left  []uint32      // membership
}

// String is the line as Corosync wrote it, with the node's name.
func (l Line) String() string {
	return fmt.Sprintf("%s %-4s [%s] %s", l.At.Format("15:04:05.000"), l.Node, l.Tag, l.Text)
}

var (
	lineForm = regexp.MustCompile(`^(\w{3} [ \d]\d \d\d:\d\d:\d\d\.\d{3}) (?:\[\d+\] \S+ \S+ )?(\w+)\s+\[(\w+)\s*\] (.*)$`)
	events   = []struct {
		event Event
		form  *regexp.Regexp
		fill  func(*Line, []string)
	}{
		{EventTokenWarning, regexp.MustCompile(`^Token has not been received in (\d+) ms`), fillMillis},
		{EventTokenLost, regexp.MustCompile(`^A processor failed, forming new configuration(?:: token timed out \((\d+)ms\))?`), fillMillis},
		{EventMembership, regexp.MustCompile(`^A new membership \(([0-9a-f.]+)\) was formed\. Members(?: joined:((?: \d+)+))?(?: left:((?: \d+)+))?`), fillMembers},
		{EventLeaveMissed, regexp.MustCompile(`^Failed to receive the leave message`), nil},
		{EventLinkDown, regexp.MustCompile(`^link: host: (\d+) link: (\d+) is down`), fillPeer},
		{EventLinkUp, regexp.MustCompile(`^rx: host: (\d+) link: (\d+) is up`), fillPeer},
		{EventNoLinks, regexp.MustCompile(`^host: host: (\d+) has no active links`), fillPeer},
		{EventQuorate, regexp.MustCompile(`^This node is within the primary component`), nil},
		{EventInquorate, regexp.MustCompile(`^This node is within the non-primary component`), nil},
		{EventSynced, regexp.MustCompile(`^Completed service synchronization`), nil},
		{EventNotScheduled, regexp.MustCompile(`^Corosync main process was not scheduled (?:\(@\d+\) )?for ([\d.]+) ms`), fillMillis},
		{EventPause, regexp.MustCompile(`^Process pause detected for (\d+) ms`), fillMillis},
		{EventRetransmit, regexp.MustCompile(`^Retransmit List:`), nil},
		{EventStarted, regexp.MustCompile(`^Corosync Cluster Engine .*starting up`), nil},
		{EventExited, regexp.MustCompile(`^Corosync Cluster Engine exiting`), nil},
		{EventReload, regexp.MustCompile(`^Config reload requested by node`), nil},
	}
)

// parseLine reads one line of a Corosync log file with "timestamp: hires". Stamps have no year: the one nearest to now is meant.
// Lines of another form are reported as false.
func parseLine(text string, now time.Time) (Line, bool) {
	m := lineForm.FindStringSubmatch(text)
	if m == nil {
		return Line{}, false
	}
	at, err := time.ParseInLocation("Jan _2 15:04:05.000", m[1], now.Location())
	if err != nil {
		return Line{}, false
	}
	l := Line{At: nearestYear(at, now), Seen: now, Level: m[2], Tag: m[3], Text: strings.TrimSpace(m[4])}
	for _, e := range events {
		if m := e.form.FindStringSubmatch(l.Text); m != nil {
			l.Event = e.event
			if e.fill != nil {
				e.fill(&l, m)
			}
			break
		}
	}
	return l, true
}

func nearestYear(at, now time.Time) time.Time {
	years := []time.Time{
		at.AddDate(now.Year()-1, 0, 0), at.AddDate(now.Year(), 0, 0), at.AddDate(now.Year()+1, 0, 0),
	}
	return slices.MinFunc(years, func(a, b time.Time) int { return int(now.Sub(a).Abs() - now.Sub(b).Abs()) })
}

func fillMillis(l *Line, m []string) {
	if v, err := strconv.ParseFloat(m[1], 64); err == nil {
		l.For = time.Duration(v * float64(time.Millisecond))
	}
}

func fillPeer(l *Line, m []string) {
	if id, err := strconv.ParseUint(m[1], 10, 32); err == nil {
		l.Peer = uint32(id)
	}
	if len(m) > 2 {
		if link, err := strconv.Atoi(m[2]); err == nil {
			l.Link = link
		}
	}
}

func fillMembers(l *Line, m []string) {
	l.Ring, l.Join, l.Left = m[1], ids(m[2]), ids(m[3])
}

func ids(text string) []uint32 {
	var list []uint32
	for _, f := range strings.Fields(text) {
		if id, err := strconv.ParseUint(f, 10, 32); err == nil {
			list = append(list, uint32(id))
		}
	}
	return list
}
