package agent

import (
	"context"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/checker/topology"
	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/probe"
	"github.com/quorumwatch/quorumwatch/probe/mesh"
)

// How often things happen. A finding has to stand within three probe intervals (150 ms) of the first lost packet, so that the
// judge comes at once when a path begins or ceases to be in trouble, and every 25 ms for a while then. At rest it judges less
// often: in a large cluster that costs as much as the probes themselves. A bulletin rides in each full-size probe (500 ms), so that
// 250 ms keep it fresh.
const (
	judgeEvery    = 25 * time.Millisecond
	calmEvery     = 200 * time.Millisecond
	calmAfter     = 3 * time.Second
	bulletinEvery = 250 * time.Millisecond
	viewsEvery    = 100 * time.Millisecond
	windowsAge    = 250 * time.Millisecond
	mergeEvery    = time.Second
	freshView     = 5 * time.Second
)

// judge makes a Report of everything that is known, many times a second.
func (a *Agent) judge(ctx context.Context, ready func()) error {
	j := judge{agent: a}
	defer j.endRecord()
	a.awaitConfig(ctx)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		changed, trouble := a.config.Daemon.Changed(), a.trouble()
		j.step(time.Now())
		ready()
		timer.Reset(j.rest())
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		case <-changed:
		case <-a.hurry:
		case <-trouble:
			j.restless = time.Now()
			timer.Reset(judgeEvery - time.Since(j.last)) // it may come and go with each probe
			select {
			case <-ctx.Done():
				return nil
			case <-timer.C:
			}
		}
	}
}

// trouble is where the prober tells that paths are in trouble, or are no more; nil without a prober.
func (a *Agent) trouble() <-chan struct{} {
	if p := a.prober.Load(); p != nil {
		return p.Trouble()
	}
	return nil
}

// awaitConfig gives the first reading of corosync.conf a moment, so that the first Report knows whose it is. It does not wait for a
// name server.
func (a *Agent) awaitConfig(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	select {
	case <-a.loaded:
	case <-ctx.Done():
	}
}

// judge is what the judging task remembers between its steps.
type judge struct {
	agent    *Agent
	state    checker.State
	last     time.Time // when it last judged
	restless time.Time // when the prober last told of trouble
	plan     *plan
	status   corosync.Status
	cluster  topology.Cluster
	disagree []topology.Disagreement
	merged   time.Time
	told     time.Time // when the bulletin was last renewed
	leaving  bool      // as told
	sequence uint32
	seen     []probe.Observation // scratch of observations
	viewed   []checker.PeerView  // the peers' newest bulletins
	viewedAt time.Time           // when they were collected
	decoded  map[uint32]decoded  // by node
	record   *recorder           // nil before the first good corosync.conf
	virtual  virtual
	worst    worstOf
	weak     lintMemo
	sites    sites
}

// rest is how long to wait for the next judgement, if nothing happens.
func (j *judge) rest() time.Duration {
	if j.last.Sub(j.restless) < calmAfter {
		return judgeEvery
	}
	return calmEvery
}

func (j *judge) step(now time.Time) {
	a := j.agent
	j.last = now
	status := a.config.Daemon.Status()
	views := j.views(now)
	j.virtual.news.note(status)
	j.merge(now, status, views)
	in := checker.Input{
		Now: now, Software: a.config.Software,
		Cluster: j.cluster, Disagreements: j.disagree,
		Status: status, Paths: j.observations(now), Views: views,
		Host: j.pauses(now), Probing: a.probing(), Margin: j.virtual.margin, Forecast: a.forecast.Load(),
		Proxmox: a.pve(), FenceLog: a.fenceLogged(), Lint: j.lint(now),
	}
	if j.plan != nil {
		in.Warnings = j.plan.warnings
	}
	if text := a.confErr.Load(); text != nil {
		in.ConfigErr = *text
	}
	if text := a.keyErr.Load(); text != nil {
		in.KeyErr = *text
	}
	var rep checker.Report
	j.state, rep = checker.Step(j.state, in)
	a.publish(&rep)
	j.sites.step(now, j, &rep)
	j.keepRecord(now, status, &rep)
	j.virtual.step(now, j, status, &rep)
	if lively(&rep, now) {
		a.config.Daemon.Hurry()
	}
	if leaving := a.leaving.Load(); leaving != j.leaving || now.Sub(j.told) >= bulletinEvery {
		j.told, j.leaving = now, leaving
		j.tell(&rep, status)
	}
}

// livelyFor is for how long after a change Corosync is asked more often than usual. What stands, may stand for weeks.
const livelyFor = time.Minute

// lively tells whether something is changing: an outage of a path or a finding has begun of late, or one is about to end.
func lively(rep *checker.Report, now time.Time) bool {
	return slices.ContainsFunc(rep.Paths, func(p checker.Path) bool { return p.Gap > 0 && time.Duration(p.Gap) < livelyFor }) ||
		slices.ContainsFunc(rep.Findings, func(f checker.Finding) bool {
			return f.Severity >= checker.Warning && (f.Clearing || now.Sub(f.Since) < livelyFor)
		})
}

// merge renews the one account of the cluster, when a source of it is new and now and then.
func (j *judge) merge(now time.Time, status corosync.Status, views []checker.PeerView) {
	p := j.agent.plan.Load()
	if p == j.plan && status.At.Equal(j.status.At) && status.Daemon == j.status.Daemon && now.Sub(j.merged) < mergeEvery {
		return
	}
	j.plan, j.status, j.merged = p, status, now
	in := topology.Input{Status: status, Hostname: j.agent.config.Hostname, Sites: j.agent.settings.Load().Sites, Found: j.sites.found, Proxmox: j.agent.pve()}
	for _, v := range views {
		if now.Sub(v.At) < freshView { // an agent that is gone says nothing of now
			in.Views = append(in.Views, v.View)
		}
	}
	if p != nil {
		in.Config, in.Digest, in.Addresses = p.config, p.sha1, p.addresses
		if addrs, err := j.agent.config.LocalAddrs(); err == nil {
			in.Local = addrs
		}
		if status.Runtime.Known {
			in.Status.Runtime.Drift = corosync.Drift(p.config, status.Runtime.Values)
		}
	}
	j.cluster, j.disagree = topology.Merge(in)
	if j.cluster.Local == 0 && p != nil {
		j.cluster.Local = p.local
	}
}

func (a *Agent) publish(rep *checker.Report) {
	old := a.report.Swap(rep)
	a.logFindings(old, rep)
	select {
	case a.published <- struct{}{}:
	default:
	}
}

// tell renews the bulletin that rides in the probes. The one of an agent that leaves says that the silence to come is no outage.
func (j *judge) tell(rep *checker.Report, status corosync.Status) {
	prober := j.agent.prober.Load()
	if prober == nil {
		return
	}
	s := j.agent.settings.Load()
	v := viewOf(rep, status, s.Interval)
	tellStall(&v, rep.At, prober.Pauses())
	if j.record != nil {
		j.record.tell(&v, rep.At, prober.Clock())
	}
	j.virtual.news.tell(&v, rep.At, prober.Clock())
	j.sequence++
	v.Sequence, v.Leaving = j.sequence, j.leaving
	prober.SetBulletin(mesh.EncodeMax(nil, v, probe.BulletinRoom(s.FullSize-ipv6Extra)))
}
