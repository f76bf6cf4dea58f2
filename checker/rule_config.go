package checker

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// ruleConfig tells of what the configuration itself says.
func ruleConfig(j *judge) {
	if j.in.ConfigErr != "" {
		d := draft{code: CodeConfigError, severity: Warning, subject: "corosync.conf"}
		d.title = "corosync.conf cannot be used, the last good one stays in force: " + j.in.ConfigErr
		if len(j.in.Cluster.Nodes) == 0 {
			d.title = "corosync.conf cannot be used, and no good one was read before, so nothing is watched: " + j.in.ConfigErr
			d.advice = "correct the file; `corosync -t` tells what Corosync makes of it. The agent reads it again when it changes"
		}
		j.add(d)
	}
	for _, w := range j.in.Warnings {
		where := w.Key
		if where == "" {
			where = "line " + strconv.Itoa(w.Line)
		}
		j.add(draft{
			code: CodeConfigWarning, severity: Info, subject: where, title: where + ": " + w.Reason, advice: w.Hint,
			evidence: map[string]string{"file": w.File, "line": strconv.Itoa(w.Line)},
		})
	}
	for _, f := range j.in.Lint {
		d := draft{code: f.Code, severity: Info, subject: f.Subject, title: f.Title, advice: f.Fix, evidence: f.Evidence}
		if f.Serious {
			d.severity = Warning
		}
		j.add(d)
	}
}

// ruleDisagreements tells of what the sources of the topology do not agree on.
func ruleDisagreements(j *judge) {
	for _, d := range j.in.Disagreements {
		severity := Info
		if d.Serious {
			severity = Warning
		}
		j.add(draft{code: string(d.Code), severity: severity, subject: d.Subject, title: d.Text})
	}
}

// dropsMany thrown away packets in a minute are a warning; a stray one is not.
const dropsMany = 60

// ruleProbing tells of probes that are not authenticated and of packets that were thrown away.
func ruleProbing(j *judge) {
	if j.in.Probing.Unauthenticated {
		j.add(draft{
			code: CodeUnauthenticated, severity: Info, subject: j.local.Name,
			title: "probes are not authenticated: anybody on the network could forge answers",
		})
	}
	j.next.drops = make([]dropMemo, 0, len(j.in.Probing.Drops))
	for _, d := range j.in.Probing.Drops {
		m := dropMemo{reason: d.Reason, count: d.Count, at: j.now()}
		i := slices.IndexFunc(j.prev.drops, func(o dropMemo) bool { return o.reason == d.Reason })
		known := i >= 0
		if known {
			m = j.prev.drops[i]
		}
		if d.Count < m.count { // the agent's counters began anew
			m = dropMemo{reason: d.Reason, count: d.Count, at: j.now()}
		}
		grown := d.Count - m.count
		if j.ago(m.at) >= time.Minute {
			m.count, m.at, m.grown = d.Count, j.now(), grown
		}
		j.next.drops = append(j.next.drops, m)
		if n := max(grown, m.grown); n > 0 {
			j.dropFinding(cmp.Or(d.Reason, "unknown"), n)
		}
	}
}

func (j *judge) dropFinding(reason string, n uint64) {
	d := draft{code: CodeProbeDrops, severity: Info, subject: reason}
	if n >= dropsMany {
		d.severity = Warning
	}
	d.title = fmt.Sprintf("%d probe packets were thrown away in a minute: %s", n, reason)
	d.evidence = map[string]string{"reason": reason, "per_minute": strconv.FormatUint(n, 10)}
	j.add(d)
}
