package verdict

import (
	"fmt"
	"slices"
	"strings"

	"github.com/quorumwatch/quorumwatch/checker/advice"
	"github.com/quorumwatch/quorumwatch/checker/plan"
	"github.com/quorumwatch/quorumwatch/checker/units"
)

// links: one link is one fault away from a split.
func (j *judge) links() Limit {
	l := Limit{Name: LimitLinks, Status: Pass, Text: fmt.Sprintf("%d links", len(j.cluster.Links))}
	if len(j.cluster.Links) == 1 {
		l.Status, l.Text = Warn, "a single knet link: whatever breaks it splits the cluster, and one lost heartbeat mutes it for more than a second"
		l.Cure = "a second link on other switches and other NICs: pvecm's link1"
		return l
	}
	for _, s := range j.state().Switches {
		if s.Lost > 0 {
			l.Status, l.Text = Warn, fmt.Sprintf("when %s dies, the token is lost in %d of %d trials of the model, though another link could carry it", s.Failure, s.Lost, s.Trials)
			l.Cure = "shorter knet_ping_timeout, or a longer token"
		}
	}
	return l
}

func (j *judge) state() *plan.State {
	if j.plan.Then != nil {
		return j.plan.Then
	}
	return &j.plan.Now
}

// votes: a single failure after which nobody, or more than one side, has quorum.
func (j *judge) votes() Limit {
	s := j.state()
	l := Limit{Name: LimitVotes, Status: Pass}
	l.Text = fmt.Sprintf("no single failure takes quorum from everybody; %d of %d nodes may be lost at once", s.Quorum.SpareNodes, len(s.Nodes))
	var keys, texts []string
	for _, w := range s.Weak {
		if quorumKey(w.Key) {
			keys, texts = append(keys, w.Key), append(texts, w.Key+": "+w.Text)
		}
	}
	if len(keys) == 0 {
		return l
	}
	l.Status, l.Text = Fail, strings.Join(texts[:min(len(texts), 3)], "; ")
	for _, a := range j.plan.Advice {
		if slices.ContainsFunc(keys, func(k string) bool { return slices.Contains(a.Cures, k) }) {
			l.Cure = a.Text + " (quorumwatch plan " + a.Flags + ")"
			break
		}
	}
	if l.Cure == "" {
		l.Cure = "a quorum device at a third place, or a third site with votes"
	}
	return l
}

// quorumKey says whether a weak point of a plan is one of votes. Those of a lone link are told of under links.
func quorumKey(key string) bool {
	switch key {
	case "fence", "ring", "token losses":
		return false
	}
	return !strings.HasPrefix(key, "link ") && !strings.HasSuffix(key, " dies") && !strings.Contains(key, " on link ")
}

// fence: how long a new membership takes of the minute that a watchdog gives.
func (j *judge) fence() Limit {
	f := j.state().Fence
	l := Limit{Name: LimitFence, Status: Pass}
	l.Text = fmt.Sprintf("token + consensus + synchronization take %s of the %s that a watchdog leaves", units.Round(f.Needed.Duration()), units.Round(f.Usable.Duration()))
	switch {
	case !j.in.Proxmox:
		l.Text += "; no Proxmox VE HA was seen here"
	case f.Exceeds && j.in.HA.fences():
		l.Status = Fail
		l.Text += ": when one node dies, healthy ones may reset, too"
		l.Cure = j.fenceCure()
	case f.Needed.Duration() > advice.MembershipBudget:
		l.Status, l.Cure = Warn, j.fenceCure()
	}
	return l
}

func (j *judge) fenceCure() string {
	if c := orElse(j.shorter, j.cured()); c != "" {
		return c
	}
	return "fewer nodes, or a shorter token: 'quorumwatch plan' tells what becomes of the timers"
}

// config: what lint found.
func (j *judge) config() Limit {
	n := serious(j.in.Lint)
	l := Limit{Name: LimitConfig, Status: Pass, Text: "no serious weak points in the configuration and the interfaces of this host"}
	if n > 0 {
		l.Status, l.Cure = Warn, "see the findings"
		l.Text = fmt.Sprintf("%d serious weak points in the configuration or the interfaces of this host", n)
	}
	return l
}
