package agent

import (
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/probe/stats"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// Trace says what is kept of the paths' past, and where.
type Trace struct {
	Keep  time.Duration // in memory; zero: an hour
	Dir   string        // for files of incidents; "": none are written
	Files int           // that are kept there at most; zero: 100
	Size  int64         // that they have together at most, in bytes; zero: 200 MiB
}

// Rhythm and bounds of the record.
const (
	recordEvery = 150 * time.Millisecond
	fillEvery   = time.Second
	leastSlot   = 50 * time.Millisecond
	defaultKeep = time.Hour
	// giveUp is the age at which a slot of which nobody told anything is unknown for good: a bulletin that brings it is at most 150 ms old when
	// it is made, waits for 250 ms and for a full-size probe, and one of two may be lost.
	giveUp = 3 * time.Second
	// tellFor is how much of the past a bulletin tells again, so that one that is lost leaves no hole.
	tellFor = 2 * time.Second
	// maxRuns bounds the memory, at eight bytes each. An hour of five nodes with two links that lose 3 % is 170,000.
	maxRuns = 500_000
)

// recorder keeps the record of all directed paths of the cluster: what this node heard of its peers, and what they heard of each other, by
// their bulletins. It belongs to the judge's goroutine. A slot is as long as a probe interval, at least 50 ms.
type recorder struct {
	keep     time.Duration
	grid     stats.Grid
	record   *trace.Trace
	plan     *plan
	status   corosync.Status // as last marked
	tracks   map[trace.Path]*track
	own      []ownPath
	peers    map[uint32]*author
	stood    map[string]checker.Severity // findings as last marked
	links    map[linkKey]linkMark
	told     map[linkKey]*checker.Path // of the present Report
	ready    int                       // what known returns
	patience map[int]time.Duration     // with silence, by link
	last     time.Time
	filled   time.Time
	buffer   []stats.Slot
	other    []stats.Slot
	trim     trimmer
	open     incident
}

// linkKey names a link to a peer.
type linkKey struct {
	node uint32
	link int
}

// track is the record of one path while it grows.
type track struct {
	*trace.Series
	usual time.Duration // delay that samples have unless they were late
}

// newRecorder begins a record.
func newRecorder(begin time.Time, c Trace, software string, interval time.Duration) *recorder {
	r := &recorder{
		keep: c.Keep, grid: stats.Grid{Begin: begin, Slot: max(interval, leastSlot)},
		tracks: map[trace.Path]*track{}, peers: map[uint32]*author{}, stood: map[string]checker.Severity{}, links: map[linkKey]linkMark{},
		told: map[linkKey]*checker.Path{},
	}
	if r.keep <= 0 {
		r.keep = defaultKeep
	}
	r.record = &trace.Trace{Start: begin, Slot: r.grid.Slot, Software: software, Paths: map[trace.Path]*trace.Series{}}
	r.open.dir = c.Dir
	return r
}

// trace is the record. It grows with each step; who wants it in another goroutine takes a Snapshot.
func (r *recorder) trace() *trace.Trace { return r.record }

// known is the slot before which all paths are told whose receiver's agent is heard. What nobody tells within three seconds is unknown.
func (r *recorder) known() int { return r.ready }

// slotOf is the slot of an instant.
func (r *recorder) slotOf(at time.Time) int { return r.record.SlotOf(at.Sub(r.grid.Begin)) }

// track is the record of a path, a new one if there is none; nil if there is no such path in the cluster.
func (r *recorder) track(p trace.Path) *track {
	if k := r.tracks[p]; k != nil {
		return k
	}
	if p.From == p.To || !r.plan.has(p.From, p.Link) || !r.plan.has(p.To, p.Link) {
		return nil
	}
	k := &track{Series: &trace.Series{}}
	r.tracks[p], r.record.Paths[p] = k, k.Series
	return k
}

// has says whether a node has an address on a link.
func (p *plan) has(node uint32, link int) bool {
	for i := range p.config.Nodes {
		if n := &p.config.Nodes[i]; n.ID == node {
			return n.Addrs[link] != ""
		}
	}
	return false
}

// step takes in what is new. It does so some times a second, however often it is called.
func (r *recorder) step(now time.Time, p *plan, prober *keyed, status corosync.Status, rep *checker.Report) {
	if now.Sub(r.last) < recordEvery {
		return
	}
	r.last = now
	r.follow(p, now)
	r.mark(now, status, rep)
	r.look(rep)
	least := r.hearAll(now, prober)
	if now.Sub(r.filled) >= fillEvery {
		r.filled = now
		r.fill(now)
		r.trim.step(r, now)
	}
	r.ready = max(r.ready, min(r.heardUntil(now, least), r.slotOf(now)), r.slotOf(now.Add(-giveUp-fillEvery)))
}

// look indexes the Report's paths.
func (r *recorder) look(rep *checker.Report) {
	r.patience = patienceOf(rep)
	clear(r.told)
	for i := range rep.Paths {
		p := &rep.Paths[i]
		r.told[linkKey{p.Peer.ID, p.Link}] = p
	}
}

// follow keeps nodes and paths in step with corosync.conf.
func (r *recorder) follow(p *plan, now time.Time) {
	if p == r.plan {
		return
	}
	first := r.plan == nil
	r.plan = p
	t := r.record
	t.Author, t.Config, t.Nodes = p.local, trace.Redact(p.text), recordNodes(p)
	for path := range r.tracks {
		if !p.has(path.From, path.Link) || !p.has(path.To, path.Link) {
			delete(r.tracks, path)
			delete(t.Paths, path)
		}
	}
	r.own = ownPaths(p)
	if !first {
		r.note(trace.Mark{At: now.Sub(r.grid.Begin), Node: p.local, Kind: trace.KindReload, Text: reloaded(p)})
	}
}

// fill makes unknown what nobody told in time, so that all paths grow. Those to this node may wait for knet.
func (r *recorder) fill(now time.Time) {
	late, own := r.slotOf(now.Add(-giveUp)), r.slotOf(now.Add(-mostPatience))
	for p, k := range r.tracks {
		if p.To == r.plan.local {
			k.AppendTo(own, trace.Sample{})
		} else {
			k.AppendTo(late, trace.Sample{})
		}
	}
}

// heardUntil is the slot before which every node that is heard of late has told its paths.
func (r *recorder) heardUntil(now time.Time, least int) int {
	for _, a := range r.peers {
		if a.least > 0 && now.Sub(a.at) < giveUp {
			least = min(least, a.least)
		}
	}
	return least
}

// trimmer keeps a record in its bounds.
type trimmer struct{ at time.Time }

// trimEvery is how often the record is cut to its length, trimStep by how much more where that is too little.
const (
	trimEvery = 10 * time.Second
	trimStep  = time.Minute
	maxMarks  = 20_000
)

func (m *trimmer) step(r *recorder, now time.Time) {
	if now.Sub(m.at) < trimEvery {
		return
	}
	m.at = now
	t := r.record
	from := r.slotOf(now.Add(-r.keep))
	t.Forget(from)
	for t.Runs() > maxRuns {
		first, next := t.Span()
		from = min(first+int(trimStep/t.Slot), next)
		t.Forget(from)
		r.note(trace.Mark{At: t.At(from), Kind: trace.KindTruncated, Text: "too much happened to be kept: what was before is dropped"})
	}
	if n := len(t.Marks) - maxMarks; n > 0 {
		t.Marks = t.Marks[n:]
	}
}
