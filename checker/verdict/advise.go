package verdict

import (
	"fmt"

	"github.com/quorumwatch/quorumwatch/checker/advice"
	"github.com/quorumwatch/quorumwatch/checker/units"
	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// advise looks for settings that help on the record.
func (j *judge) advise(t *trace.Trace) {
	a, err := advice.Advise(advice.Input{
		Name: "corosync.conf", Conf: j.text, Trace: t, Sites: j.sites, Libknet: j.in.Libknet, Seed: seed,
	})
	if err != nil {
		return // the record is of other nodes: said elsewhere
	}
	j.advice = &a
	if a.Verdict != advice.Change {
		return
	}
	j.out.Changes = append(j.out.Changes, "corosync.conf: "+a.Proposed.Name)
	j.out.Edited, j.out.Original, j.out.Steps = a.Text, j.text, a.Steps
}

// shorten proposes the token_coefficient of new clusters (pve-cluster 9.1) where a new membership takes too much of the watchdogs' minute.
func (j *judge) shorten() {
	if !j.membershipTooLong() {
		return
	}
	edit := corosync.Edit{Key: "totem.token_coefficient", Value: "125"}
	text, conf, err := corosync.Rewrite("corosync.conf", j.text, []corosync.Edit{edit})
	if err != nil || conf.Timeouts().Membership() > advice.MembershipBudget {
		return
	}
	j.shorter = fmt.Sprintf("token_coefficient 125: token %s, token + consensus %s", units.Round(conf.Timeouts().Token), units.Round(conf.Timeouts().Membership()))
	j.out.Changes = append(j.out.Changes, "corosync.conf: "+j.shorter)
	j.out.Edited, j.out.Original = text, j.text
}

// cured says whether a change of settings makes what was measured bearable.
func (j *judge) cured() string {
	if j.advice == nil || j.advice.Verdict != advice.Change {
		return ""
	}
	text := j.advice.Proposed.Name
	if j.advice.Partly {
		text += " (it helps in part: the path must be repaired, too)"
	}
	return text
}
