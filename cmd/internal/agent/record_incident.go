package agent

import (
	"time"

	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// What a file about an incident holds: from so long before its first sign until so long after its last, in all not more than a time.
const (
	incidentBefore = 5 * time.Minute
	incidentAfter  = 2 * time.Minute
	incidentMost   = 30 * time.Minute
)

// incident is what is to be written to disk once it is over.
type incident struct {
	dir   string // "": nothing is written
	begun bool
	from  time.Time
	to    time.Time
	why   string
}

// extend notes a sign of trouble: one begins, or the one that goes on lasts longer.
func (i *incident) extend(now time.Time, why string) {
	if i.dir == "" {
		return
	}
	if !i.begun {
		*i = incident{dir: i.dir, begun: true, from: now.Add(-incidentBefore), why: why}
	}
	i.to = now.Add(incidentAfter)
}

// traceJob is a file to be written.
type traceJob struct {
	record   *trace.Trace // a snapshot
	from, to int          // slots
	why      string
}

// due returns what is to be written: an incident that is over or too long, or any, if this is the end of the agent.
func (r *recorder) due(now time.Time, end bool) (job traceJob, ok bool) {
	i := &r.open
	if !i.begun || !end && now.Before(i.to) && now.Sub(i.from) < incidentMost {
		return traceJob{}, false
	}
	i.begun = false
	first, next := r.record.Span()
	job = traceJob{record: r.record.Snapshot(), from: max(r.slotOf(i.from), first), to: next, why: i.why}
	return job, job.from < job.to
}
