package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/checker/units"
)

// Width is the most columns that Text uses.
const Width = 100

// Text writes r for people, at most Width columns wide, worst first: findings with their symptoms below them, what the present
// cut would do, the chain of budgets, then the state of cluster, paths and mesh.
func Text(w io.Writer, r *checker.Report) error {
	p := &printer{r: r}
	p.header()
	p.findings()
	p.outcome()
	p.toll()
	p.fence()
	p.budget()
	p.cluster()
	p.paths()
	p.mesh()
	_, err := io.WriteString(w, p.b.String())
	return err
}

type printer struct {
	r *checker.Report
	b strings.Builder
}

func (p *printer) line(format string, args ...any) {
	p.b.WriteString(strings.TrimRight(clip(fmt.Sprintf(format, args...), Width), " "))
	p.b.WriteByte('\n')
}

// wrap writes text behind a label, broken at blanks, with the following lines as far in as the text began.
func (p *printer) wrap(label, text string) {
	indent := strings.Repeat(" ", width(label))
	line := label
	for word := range strings.FieldsSeq(text) {
		if width(line)+1+width(word) > Width && strings.TrimSpace(line) != "" && line != label {
			p.line("%s", line)
			line = indent
		}
		if line != label && line != indent {
			line += " "
		}
		line += word
	}
	p.line("%s", line)
}

func (p *printer) header() {
	r := p.r
	left := fmt.Sprintf("quorumwatch  %s  seen by %s  %s", or(r.Cluster.Name, "(no name)"), or(r.Node.Name, "(unknown node)"), r.At.Format("2006-01-02 15:04:05 MST"))
	right := strings.ToUpper(r.Severity.String())
	p.line("%s%s%s", left, strings.Repeat(" ", max(2, Width-width(left)-width(right))), right)
}

// findings writes those that no other one explains, each with its symptoms.
func (p *printer) findings() {
	if len(p.r.Findings) == 0 {
		p.line("\nno findings")
		return
	}
	roots := map[string]bool{}
	for _, f := range p.r.Findings {
		roots[f.Key] = true
	}
	for _, f := range p.r.Findings {
		if f.Cause != "" && roots[f.Cause] && f.Cause != f.Key {
			continue
		}
		p.finding(f)
		p.symptoms(f.Key, map[string]bool{f.Key: true})
	}
}

func (p *printer) finding(f checker.Finding) {
	p.line("")
	word := strings.ToUpper(f.Severity.String())
	if f.Clearing {
		word = "clearing"
	}
	p.wrap(fmt.Sprintf("%-10s", word), f.Title)
	p.line("          %s  since %s (%s)", f.Key, f.Since.Format("15:04:05"), units.Time(p.r.At.Sub(f.Since)))
	if f.Severity >= checker.Warning {
		for _, k := range []string{"confirmed_by", "other_nodes", "direction"} {
			if v := f.Evidence[k]; v != "" {
				p.wrap("          "+strings.ReplaceAll(k, "_", " ")+": ", v)
			}
		}
	}
	if f.Advice != "" && f.Severity >= checker.Warning && !f.Clearing {
		p.wrap("          next: ", f.Advice)
	}
}

// maxSymptoms is how many symptoms of one cause are listed.
const maxSymptoms = 6

func (p *printer) symptoms(cause string, seen map[string]bool) {
	n := 0
	for _, f := range p.r.Findings {
		if f.Cause != cause || seen[f.Key] {
			continue
		}
		seen[f.Key] = true
		if n++; n <= maxSymptoms {
			word := f.Severity.String()
			if f.Clearing {
				word = "clearing"
			}
			p.wrap(fmt.Sprintf("    %-9s ", word), f.Title)
			p.symptoms(f.Key, seen)
		}
	}
	if n > maxSymptoms {
		p.line("              and %d more", n-maxSymptoms)
	}
}

func (p *printer) outcome() {
	o := p.r.Outcome
	if o == nil {
		return
	}
	if o.Happened {
		p.line("\nOUTCOME   the membership has changed")
	} else {
		p.line("\nOUTCOME   if it lasts: token lost in %s at the earliest, new membership in %s", units.Time(o.TokenLossIn.Duration()), units.Time(o.MembershipIn.Duration()))
	}
	for _, part := range o.Partitions {
		word := "no quorum"
		if part.Quorate {
			word = "quorum"
		}
		here := ""
		if part.Local {
			here = " (here)"
		}
		p.wrap(fmt.Sprintf("          %-10s", word), names(part.Nodes)+here+": "+part.Reason)
	}
}

// budget is the chain that every screen speaks in: gap, token, membership, quorum.
func (p *printer) budget() {
	r := p.r
	t := r.Timeouts
	if t.Token == 0 {
		p.line("\nBUDGET    unknown: neither Corosync nor its file tells the token timeout")
		return
	}
	now := presentGap(r.Paths)
	quorum := "unknown"
	if q := r.Quorum; q.Known {
		quorum = fmt.Sprintf("%d of %d votes, %d needed", q.Total, q.Expected, q.Needed)
	}
	p.line("\nBUDGET    gap %s -> token %s -> membership %s -> quorum %s", units.Time(now), units.Time(t.Token.Duration()), units.Time(t.Membership.Duration()), quorum)
	p.line("          %s", bar(now, t.Token.Duration(), t.Membership.Duration()))
	p.margin()
	if len(r.Cluster.Links) == 1 {
		p.line("          with one link an outage of %s is safe, one of %s loses the token", units.Time(t.SafeOutage.Duration()), units.Time(t.FatalOutage.Duration()))
	}
	p.forecast()
}

// presentGap is the longest that any peer is out of reach now, on the best of its links.
func presentGap(paths []checker.Path) time.Duration {
	best := map[uint32]time.Duration{}
	for i := range paths {
		p := &paths[i]
		if p.State == checker.PathUnknown {
			continue
		}
		if old, seen := best[p.Peer.ID]; !seen || p.Gap.Duration() < old {
			best[p.Peer.ID] = p.Gap.Duration()
		}
	}
	worst := time.Duration(0)
	for _, g := range best {
		worst = max(worst, g)
	}
	return worst
}

// bar draws how far the present gap has run towards token loss and membership change.
func bar(gap, token, membership time.Duration) string {
	const cells = 60
	at := func(d time.Duration) int {
		return int(int64(cells) * int64(min(d, membership)) / int64(max(membership, 1)))
	}
	row := []rune(strings.Repeat(".", cells+1))
	for i := range at(gap) {
		row[i] = '#'
	}
	row[at(token)], row[cells] = 'T', 'M'
	return "[" + string(row) + "]"
}

func (p *printer) cluster() {
	r := p.r
	c := r.Corosync
	state := c.State
	if c.State == "running" && !c.Fresh {
		state = "running, but what it said is old"
	}
	parts := []string{state}
	if c.Version != "" {
		parts = append(parts, c.Version)
	}
	if c.RingID != "" {
		parts = append(parts, "ring "+c.RingID)
	}
	if c.Reason != "" && c.State != "running" {
		parts = append(parts, c.Reason)
	}
	p.wrap("\nCOROSYNC  ", strings.Join(parts, ", "))
	p.wrap("QUORUM    ", quorumText(r.Quorum))
	if r.Host.Pause > 0 || r.Host.WorstPause > 0 {
		p.line("HOST      longest stall %s in 10 s, %s in 10 min", units.Time(r.Host.Pause.Duration()), units.Time(r.Host.WorstPause.Duration()))
	}
	t := table{{"NODE", "", "site", "votes", "member", "reach", "agent", "addresses"}}
	for _, n := range r.Cluster.Nodes {
		t = append(t, []string{"", n.Name, or(n.Site, "-"), fmt.Sprint(n.Votes), n.Member.String(), n.Reach.String(), n.Agent.String(), strings.Join(n.Addresses, " ")})
	}
	p.table(t)
	p.sites()
}

// sites tells what found sites rest on.
func (p *printer) sites() {
	var all []string
	for _, s := range p.r.Cluster.Sites {
		if !s.Found {
			continue
		}
		var how []string
		if s.Within > 0 {
			how = append(how, units.Time(s.Within.Duration())+" within")
		}
		if s.Between > 0 {
			how = append(how, units.Time(s.Between.Duration())+" to the next")
		}
		all = append(all, s.Name+": "+strings.Join(how, ", "))
	}
	if len(all) > 0 {
		p.wrap("SITES     ", "found by round trips, as the configuration names none. "+strings.Join(all, "; "))
	}
}

func quorumText(q checker.Quorum) string {
	if !q.Known {
		return "unknown"
	}
	s := "no"
	if q.Quorate {
		s = "yes"
		switch {
		case q.SpareKnown && q.SpareNodes == 0:
			s += "; no node may be lost any more"
		case q.SpareKnown:
			s += fmt.Sprintf("; %d votes (any %d nodes) may still be lost", q.SpareVotes, q.SpareNodes)
		}
	}
	s += fmt.Sprintf(" (%d of %d votes, %d needed)", q.Total, q.Expected, q.Needed)
	if q.TwoNode {
		s += ", two_node"
	}
	switch {
	case q.WaitingForAll:
		s += ", waits for all"
	case q.WaitForAll:
		s += ", wait_for_all"
	}
	return s
}

func names(refs []checker.NodeRef) string {
	s := make([]string, len(refs))
	for i, r := range refs {
		s[i] = r.Name
	}
	return strings.Join(s, " ")
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// window returns the window of that length; the zero Window if there is none.
func window(p *checker.Path, length time.Duration) checker.Window {
	i := slices.IndexFunc(p.Windows, func(w checker.Window) bool { return w.Length.Duration() == length })
	if i < 0 {
		return checker.Window{}
	}
	return p.Windows[i]
}
