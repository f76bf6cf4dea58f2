package verdict

import (
	"fmt"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/units"
)

// What a GO takes. What was quiet for ten minutes of an idle night says nothing of the next backup.
const (
	needLocal     = 5 * time.Second // of a cluster in one place: what was measured is what is there
	needHA        = 9 * time.Second
	needStretched = time.Hour
	needFenced    = 24 * time.Hour // stretched, and nodes reset themselves: with a busy period in it
	leastProbes   = 100
	muchExcused   = 0.1 // of the probes: this host cannot measure
)

// need is how long a measurement a GO takes.
func (j *judge) need() time.Duration {
	fenced := j.in.HA.fences()
	switch {
	case j.out.Cluster.Stretched && fenced:
		return needFenced
	case j.out.Cluster.Stretched:
		return needStretched
	case fenced:
		return needHA
	}
	return needLocal
}

// lacks says why the data is not enough for a GO; "" if it is.
func (j *judge) lacks() string {
	b := &j.out.Basis
	excused := uint64(0)
	for _, p := range j.in.Paths {
		excused += p.Excused
		if p.Full != nil {
			excused += p.Full.Excused
		}
	}
	switch need := b.Need.Duration(); {
	case len(j.in.Paths) == 0:
		return "no path was probed"
	case b.Paths == 0:
		return "nobody answered"
	case b.Silent > 0:
		return fmt.Sprintf("%d of %d paths gave no answer", b.Silent, b.Silent+b.Paths)
	case b.Probes < leastProbes:
		return fmt.Sprintf("only %d probes", b.Probes)
	case ratio(excused, excused+b.Probes) > muchExcused:
		return "this host stalled too often to measure"
	case j.in.Length < need:
		text := fmt.Sprintf("%s of probes", units.Round(j.in.Length))
		if j.out.Cluster.Stretched && j.in.HA.fences() {
			return text + ", where a stretched cluster with HA takes a day with a busy period in it"
		}
		return text + ", where a GO takes " + units.Round(need)
	case need == needFenced && b.Busy == 0:
		return "a day without a backup, migration or replication: the path has not been seen under load"
	}
	return ""
}

// answer comes to the answer.
func (j *judge) answer() {
	v := &j.out
	v.Basis.Need = Seconds(j.need())
	lacks := j.lacks()
	var lost, broken, warned []Limit
	for _, l := range v.Limits {
		switch {
		case l.Status == Fail && l.Cure == "":
			lost = append(lost, l)
		case l.Status == Fail:
			broken = append(broken, l)
		case l.Status == Warn:
			warned = append(warned, l)
		}
	}
	switch {
	case len(lost) > 0:
		v.Answer, v.Text = NoGo, lost[0].Name+": "+lost[0].Text
		v.Instead = instead()
	case v.Basis.Paths == 0:
		v.Answer, v.Text = NotEnough, "not enough was measured: "+lacks
	case len(broken) > 0 && broken[0].measured:
		v.Answer, v.Text = GoWithChanges, "not as it is: "+broken[0].Name+": "+broken[0].Text
	case lacks != "":
		v.Answer, v.Text = NotEnough, "what was measured held, but it is not enough for a GO: "+lacks
	case len(broken) > 0:
		v.Answer, v.Text = GoWithChanges, "not as it is: "+broken[0].Name+": "+broken[0].Text
	case len(warned) > 0:
		v.Answer, v.Text = GoWithChanges, warned[0].Name+": "+warned[0].Text
	default:
		v.Answer, v.Text = Go, fmt.Sprintf("the worst gap was %s of the token", units.Percent(v.Headroom.Share))
	}
	for _, l := range append(append(lost, broken...), warned...) {
		if l.Cure != "" && !strings.HasPrefix(l.Cure, "see ") && !j.proposes(l.Cure) {
			v.Changes = append(v.Changes, l.Name+": "+l.Cure)
		}
	}
	j.confidence()
	j.next(lacks)
}

// proposes says whether a cure is the change of settings that is in the list already.
func (j *judge) proposes(cure string) bool { return cure == j.cured() || cure == j.shorter }

// instead is what to do where the path cannot carry Corosync.
func instead() []string {
	return []string{
		"a cluster for each site, and replication or backups between them",
		"only a quorum device at the other site: it is bound by no token",
	}
}

// confidence says how much the answer is worth, and what it rests on.
func (j *judge) confidence() {
	v, b := &j.out, &j.out.Basis
	switch {
	case b.Paths == 0:
		v.Confidence = "none"
	case j.in.Length >= 24*time.Hour && b.Busy > 0:
		v.Confidence = "high"
	case j.in.Length >= time.Hour || b.Probes >= 10_000:
		v.Confidence = "medium"
	default:
		v.Confidence = "low"
	}
	busy := "no busy period"
	if b.Busy == 1 {
		busy = "1 busy period"
	} else if b.Busy > 1 {
		busy = fmt.Sprintf("%d busy periods", b.Busy)
	}
	v.Rests = append(v.Rests, fmt.Sprintf("%s of %s, %d probes on %s, %s", units.Round(j.in.Length), orElse(b.Source, "probes"), b.Probes, pathCount(b.Paths), busy))
	if text := j.in.Soak.runs(); text != "" {
		v.Rests = append(v.Rests, text)
	}
	if j.in.Turns > 1 {
		v.Rests = append(v.Rests, fmt.Sprintf("the paths were probed in %d turns, all links to a peer in the same one: troubles that turns share are seen in each by itself", j.in.Turns))
	}
	if b.Assumed > 0 {
		v.Rests = append(v.Rests, fmt.Sprintf("%d directions between other nodes were not measured from here: taken to be as those beside them", b.Assumed))
	}
	if h := &v.Headroom; h.Passes > 0 && j.length > 2*j.in.Length {
		v.Rests = append(v.Rests, fmt.Sprintf("for the model the record was repeated to %s", units.Round(j.length)))
	}
	if p := v.Basis.Probes; p > 0 && j.worst().Lost == 0 {
		v.Rests = append(v.Rests, fmt.Sprintf("no loss in %d probes: below %s with 19 chances of 20", p, units.Percent(3/float64(p))))
	}
	if b.Stopped {
		v.Rests = append(v.Rests, "the run was broken off: this is the verdict so far")
	}
	v.Rests = append(v.Rests, b.Missing...)
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// next says what to do.
func (j *judge) next(lacks string) {
	v := &j.out
	add := func(format string, args ...any) { v.Next = append(v.Next, fmt.Sprintf(format, args...)) }
	if v.Basis.Silent > 0 || v.Basis.Paths == 0 {
		add("run an agent on every node, or '%s' where there is none, and let UDP %d pass", j.reflector(), j.in.Port)
	}
	switch v.Answer {
	case NoGo:
		add("repair what broke first (%s) and check again; compare the two runs with 'quorumwatch check diff A.json B.json'", v.First)
	case NotEnough:
		if v.Basis.Paths > 0 {
			add("measure for %s, with a backup or migration in it: %s", units.Round(v.Basis.Need.Duration()), longer(v.Basis.Need.Duration()))
		}
	case GoWithChanges:
		if v.Edited != nil {
			add("disarm HA, apply the diff on one node, and check again")
		} else {
			add("make the changes and check again")
		}
		if lacks != "" {
			add("this run alone would not carry a GO: %s", lacks)
		}
	case Go:
		add("let an agent watch: what was measured is the past")
	}
}

// longer is how to measure for so long.
func longer(d time.Duration) string {
	how := "--for "
	if d >= time.Hour {
		how = "--soak "
	}
	return "quorumwatch check " + how + strings.TrimSuffix(strings.TrimSuffix(d.String(), "0s"), "0m")
}

func pathCount(n int) string {
	if n == 1 {
		return "1 path"
	}
	return fmt.Sprintf("%d paths", n)
}

// reflector is what answers these probes: those of a cluster have its own key, those to a site that is to join it a code.
func (j *judge) reflector() string {
	if len(j.in.Planned) > 0 {
		return "quorumwatch reflect"
	}
	return "quorumwatch reflect --key-file " + j.conf.KeyFile
}
