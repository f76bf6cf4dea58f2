package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
)

// toll is what the resets of a cut cost.
func (p *printer) toll() {
	o := p.r.Outcome
	if o == nil || o.Toll == nil {
		return
	}
	t := o.Toll
	unsure := p.unsureOf(o.Loses)
	if len(t.Resets) == 0 && unsure == "" {
		p.wrap("          ", "no node resets: of those that lose quorum none is armed")
		return
	}
	if unsure != "" {
		p.wrap(fmt.Sprintf("          %-10s", "unknown"), "whether they are armed, and would reset: "+unsure)
	}
	if len(t.Resets) == 0 {
		return
	}
	text := names(t.Resets)
	if t.In != nil {
		text += ", in " + until(*t.In)
	}
	text += fmt.Sprintf("; guests on them: %d, starting again elsewhere: %d", t.Guests, t.Restarts)
	if t.Stuck > 0 {
		text += fmt.Sprintf(", with nowhere to go: %d", t.Stuck)
	}
	if !t.Complete {
		text += " (not all guests and services are known)"
	}
	p.wrap(fmt.Sprintf("          %-10s", "resets"), text)
}

// unsureOf are those of nodes of which nobody knows whether they are armed.
func (p *printer) unsureOf(nodes []checker.NodeRef) string {
	var out []string
	for _, n := range nodes {
		known := p.r.HA != nil && slices.ContainsFunc(p.r.HA.Nodes, func(h checker.HANode) bool { return h.Name == n.Name && h.Armed != checker.Unknown })
		if !known {
			out = append(out, n.Name)
		}
	}
	return strings.Join(out, " ")
}

// fence is one line while nothing counts down, and one for each node that does.
func (p *printer) fence() {
	h := p.r.HA
	if h == nil || !h.Known {
		return
	}
	var armed, unknown []string
	for _, n := range h.Nodes {
		switch n.Armed {
		case checker.Yes:
			armed = append(armed, n.Name)
		case checker.Unknown:
			unknown = append(unknown, n.Name)
		}
	}
	text := "HA " + or(h.State, "state unknown")
	if len(armed) > 0 {
		text += "; would reset without quorum: " + strings.Join(armed, " ")
	}
	if len(unknown) > 0 {
		text += "; not known: " + strings.Join(unknown, " ")
	}
	p.line("")
	p.wrap("FENCE     ", text)
	for _, n := range h.Nodes {
		if n.Counting != checker.Yes {
			continue
		}
		line := "counts down"
		if n.Reset != nil {
			line = "resets in " + until(*n.Reset)
		}
		if n.NoReturn != nil {
			line += ", no return after " + until(*n.NoReturn)
		}
		p.wrap(fmt.Sprintf("          %-10s", n.Name), line+": "+n.Reason)
	}
}

// until is "41 s", "36 to 46 s" or "now".
func until(u checker.Until) string {
	low, high := max(0, u.Earliest.Duration()), max(0, u.Latest.Duration())
	switch {
	case high == 0:
		return "now"
	case high-low < 2*time.Second:
		return fmt.Sprintf("%.0f s", max(0, u.Likely.Duration()).Seconds())
	}
	return fmt.Sprintf("%.0f to %.0f s", low.Seconds(), high.Seconds())
}
