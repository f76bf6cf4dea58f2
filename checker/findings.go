package checker

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// draft is a finding that holds at this instant. track gives it its history.
type draft struct {
	code     string
	severity Severity
	subject  string
	title    string
	evidence map[string]string
	cause    string
	advice   string // "": the catalogue's
	since    time.Time
	cut      int // number of the incident, of familyCut
}

func key(code, subject string) string { return code + ":" + subject }

// tracked is a finding with its history.
type tracked struct {
	finding Finding
	first   time.Time // when its condition began to hold
	last    time.Time // when it last held
	shown   bool
	family  family
	cut     int // number of the incident, of familyCut
}

// add drafts d.
func (j *judge) add(d draft) { j.drafts = append(j.drafts, d) }

// track merges the drafts of this instant with the findings of the last one: since-times, delays before a finding shows,
// and the stable period before one goes away.
func (j *judge) track() {
	fresh := j.draftsByKey()
	old := j.prev.findings
	next := make([]tracked, 0, len(fresh)+len(old))
	for len(fresh) > 0 || len(old) > 0 {
		switch c := compareHeads(fresh, old); {
		case c < 0:
			next = append(next, fresh[0])
			fresh = fresh[1:]
		case c > 0:
			if t := old[0]; j.stands(&t) {
				next = append(next, t)
			}
			old = old[1:]
		default:
			t := fresh[0]
			t.first, t.shown = old[0].first, old[0].shown
			if t.shown || t.finding.Since.After(old[0].finding.Since) {
				t.finding.Since = old[0].finding.Since
			}
			next = append(next, t)
			fresh, old = fresh[1:], old[1:]
		}
	}
	next = j.replace(next)
	for i := range next {
		t := &next[i]
		t.shown = t.shown || j.now().Sub(t.first) >= lookup(t.finding.Code).delay
	}
	j.next.findings = next
}

func compareHeads(fresh, old []tracked) int {
	switch {
	case len(old) == 0:
		return -1
	case len(fresh) == 0:
		return 1
	}
	return strings.Compare(fresh[0].finding.Key, old[0].finding.Key)
}

// draftsByKey turns the drafts into findings, sorted by key; of two with one key the worse stays.
func (j *judge) draftsByKey() []tracked {
	fresh := make([]tracked, 0, len(j.drafts))
	for i := range j.drafts {
		d := &j.drafts[i]
		e := lookup(d.code)
		since := d.since
		if since.IsZero() {
			since = j.now()
		}
		fresh = append(fresh, tracked{
			finding: Finding{
				Code: d.code, Severity: d.severity, Subject: d.subject, Title: d.title, Since: since, Evidence: d.evidence,
				Cause: d.cause, Advice: cmp.Or(d.advice, e.Advice), Key: key(d.code, d.subject), Runbook: e.Runbook(),
			},
			first: j.now(), last: j.now(), family: e.family, cut: d.cut,
		})
	}
	slices.SortStableFunc(fresh, func(a, b tracked) int {
		return cmp.Or(strings.Compare(a.finding.Key, b.finding.Key), cmp.Compare(b.finding.Severity, a.finding.Severity))
	})
	return slices.CompactFunc(fresh, func(a, b tracked) bool { return a.finding.Key == b.finding.Key })
}

// stands tells whether a finding whose condition is gone still stands, and marks it as clearing.
func (j *judge) stands(t *tracked) bool {
	if !t.shown || lookup(t.finding.Code).hold == holdNone || j.now().Sub(t.last) >= j.stablePeriod() {
		return false
	}
	t.finding.Clearing = true
	t.finding.Severity = min(t.finding.Severity, Warning)
	return true
}

// replace lets a live finding of a family take the place of those of the same family that no longer hold: more became
// known of the same trouble. It began when they did.
func (j *judge) replace(all []tracked) []tracked {
	for i := range all {
		live := &all[i]
		if live.family == familyNone || live.finding.Clearing {
			continue
		}
		for k := range all {
			if gone := &all[k]; gone.family == live.family && gone.finding.Clearing && j.succeeds(live, gone) {
				if gone.finding.Since.Before(live.finding.Since) {
					live.finding.Since = gone.finding.Since
				}
				gone.shown = false
			}
		}
	}
	return slices.DeleteFunc(all, func(t tracked) bool { return t.finding.Clearing && !t.shown })
}

// succeeds: the live finding is about the same incident as the one that is gone, or about a newer one that began as that was over.
func (j *judge) succeeds(live, gone *tracked) bool {
	return live.cut == gone.cut || live.cut > gone.cut && j.cutNumber(gone.cut) == nil
}

// stablePeriod is how long a condition must be gone before its finding is.
func (j *judge) stablePeriod() time.Duration { return max(5*time.Second, 3*j.token) }

// shownFindings returns what the Report shows, worst first, causes before symptoms.
func (j *judge) shownFindings() []Finding {
	out := make([]Finding, 0, len(j.next.findings))
	for i := range j.next.findings {
		if t := &j.next.findings[i]; t.shown {
			out = append(out, t.finding)
		}
	}
	slices.SortStableFunc(out, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), compareBool(a.Clearing, b.Clearing),
			compareBool(a.Cause != "", b.Cause != ""), a.Since.Compare(b.Since), strings.Compare(a.Key, b.Key))
	})
	return out
}

// compareBool puts false first.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
