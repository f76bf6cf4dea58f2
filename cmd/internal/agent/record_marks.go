package agent

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// linkMark is what knet said of a link when it was last looked at.
type linkMark struct {
	connected bool
	downs     uint64
}

// recordNodes are the nodes of a corosync.conf with their sites.
func recordNodes(p *plan) []trace.Node {
	var out []trace.Node
	for _, n := range p.config.Nodes {
		site := p.settings.Sites[n.Name]
		if site == "" {
			site = p.settings.Sites[fmt.Sprint(n.ID)]
		}
		out = append(out, trace.Node{ID: n.ID, Name: n.Name, Site: site})
	}
	slices.SortFunc(out, func(a, b trace.Node) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

func reloaded(p *plan) string {
	return fmt.Sprintf("corosync.conf with config_version %d in force, effective token %v", p.config.Version, p.config.Timeouts().Token)
}

// note adds a mark in its place: what Corosync logged may be told a little later than something else.
func (r *recorder) note(m trace.Mark) {
	m.At = max(m.At, 0)
	marks := r.record.Marks
	i := len(marks)
	for i > 0 && marks[i-1].At > m.At {
		i--
	}
	r.record.Marks = slices.Insert(marks, i, m)
}

// mark notes what Corosync said and what was found since the last time.
func (r *recorder) mark(now time.Time, status corosync.Status, rep *checker.Report) {
	if !status.At.Equal(r.status.At) {
		r.markDaemon(now, status)
		r.status = status
	}
	r.markFindings(now, rep)
}

// markDaemon notes what Corosync logged about its token, its ring and its links.
func (r *recorder) markDaemon(now time.Time, s corosync.Status) {
	old := r.status
	first := old.At.IsZero()
	add := func(at time.Time, kind, text string) {
		r.note(trace.Mark{At: min(at.Sub(r.grid.Begin), now.Sub(r.grid.Begin)), Node: r.record.Author, Kind: kind, Text: text})
		if kind == trace.KindTokenLost || kind == trace.KindMembership {
			r.open.extend(now, kind)
		}
	}
	if at, news := r.logged(now, s.TokenAt.Warned, old.TokenAt.Warned); news {
		add(at, trace.KindTokenWarning, "Corosync: token has not been received")
	}
	if at, news := r.logged(now, s.TokenAt.Lost, old.TokenAt.Lost); news {
		add(at, trace.KindTokenLost, "Corosync: a processor failed, forming new configuration")
	}
	if !first && s.Daemon == corosync.DaemonRunning && s.RingID != old.RingID && s.RingID.Seq > 0 && old.RingID.Seq > 0 {
		add(s.At, trace.KindMembership, fmt.Sprintf("ring %x.%x of %s", s.RingID.Rep, s.RingID.Seq, r.members(s)))
	}
	for i := range s.Links {
		r.markLink(&s.Links[i], func(kind, text string) { add(cmp.Or(s.LinksAt, s.At), kind, text) })
	}
}

// logLag is how long ago a line of the log may be: else it has another clock than now, or came late.
const logLag = 2 * time.Second

// logged places an instant that Corosync's log gave by the wall clock, which may have been set since. It is news if it is another one than the old one,
// and not from before the record.
func (r *recorder) logged(now, at, old time.Time) (placed time.Time, news bool) {
	first := r.status.At.IsZero()
	if at.IsZero() || at.Equal(old) || first && at.Before(r.grid.Begin) {
		return time.Time{}, false
	}
	if age := now.Sub(at); age >= 0 && age < logLag {
		return now.Add(-age), true
	}
	return now, true
}

// members names who is joined.
func (r *recorder) members(s corosync.Status) string {
	var names []string
	for _, m := range s.Members {
		if m.Joined {
			names = append(names, r.name(m.ID))
		}
	}
	return strings.Join(names, ", ")
}

func (r *recorder) name(id uint32) string {
	for _, n := range r.record.Nodes {
		if n.ID == id && n.Name != "" {
			return n.Name
		}
	}
	return fmt.Sprint(id)
}

func (r *recorder) markLink(l *corosync.LinkStatus, add func(kind, text string)) {
	key := linkKey{l.Node, l.Link}
	old, known := r.links[key]
	r.links[key] = linkMark{l.Connected, l.DownCount}
	if !known {
		return
	}
	if l.DownCount > old.downs || old.connected && !l.Connected {
		add(trace.KindLinkDown, fmt.Sprintf("knet: link %d to %s down", l.Link, r.name(l.Node)))
	}
	if l.Connected && (!old.connected || l.DownCount > old.downs) {
		add(trace.KindLinkUp, fmt.Sprintf("knet: link %d to %s up", l.Link, r.name(l.Node)))
	}
}

// markFindings notes which findings at warning or above begin and end.
func (r *recorder) markFindings(now time.Time, rep *checker.Report) {
	at := now.Sub(r.grid.Begin)
	present := map[string]bool{}
	for i := range rep.Findings {
		f := &rep.Findings[i]
		if f.Severity < checker.Warning {
			continue
		}
		present[f.Key] = true
		was, stood := r.stood[f.Key]
		r.stood[f.Key] = f.Severity
		if f.Severity == checker.Critical && !f.Clearing {
			r.open.extend(now, f.Code)
		}
		if !stood || was < f.Severity {
			r.note(trace.Mark{At: at, Node: r.record.Author, Kind: trace.KindFinding, Text: f.Severity.String() + " " + f.Key + ": " + f.Title})
		}
	}
	for key := range r.stood {
		if !present[key] {
			delete(r.stood, key)
			r.note(trace.Mark{At: at, Node: r.record.Author, Kind: trace.KindCleared, Text: key})
		}
	}
}
