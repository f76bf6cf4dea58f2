package agent

import (
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/corosync"
)

// keepRecord takes what is new into the record, hands incidents that are over to the writer and snapshots to who asks.
func (j *judge) keepRecord(now time.Time, status corosync.Status, rep *checker.Report) {
	prober := j.agent.prober.Load()
	if j.plan == nil || prober == nil {
		return
	}
	interval := max(j.plan.settings.Interval, leastSlot)
	if j.record != nil && j.record.grid.Slot != interval {
		j.endIncident(now, true)
		j.record = nil
	}
	if j.record == nil {
		j.record = newRecorder(now, j.agent.config.Trace, j.agent.config.Software, interval)
	}
	j.record.record.Libknet = status.Libknet
	j.record.step(now, j.plan, prober, status, rep)
	j.endIncident(now, false)
	select {
	case ask := <-j.agent.traceAsk:
		ask <- j.record.trace().Snapshot()
	default:
	}
}

// endIncident hands the record of an incident that is over to the writer.
func (j *judge) endIncident(now time.Time, end bool) {
	if j.record == nil {
		return
	}
	if job, ok := j.record.due(now, end); ok {
		j.agent.handTrace(job)
	}
}

// endRecord is the end of the judge: what goes on is written as far as it went.
func (j *judge) endRecord() {
	j.endIncident(time.Now(), true)
	close(j.agent.traceJobs)
}
