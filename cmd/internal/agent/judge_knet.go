package agent

import (
	"maps"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// deadFor is how long knet must say that a link is down whose probes pass, before the virtual rings take its word: it is up again three pongs after
// an outage, in three seconds, or after a few more with long timers.
const deadFor = 20 * time.Second

// knetWord follows the links that knet has given up although probes pass: the firewall lets probes through, and not Corosync.
type knetWord struct {
	since map[trace.Path]time.Time
	seen  map[trace.Path]bool // at present
}

// step returns the paths for which that has lasted, in order.
func (k *knetWord) step(now time.Time, rep *checker.Report) []trace.Path {
	if k.since == nil {
		k.since, k.seen = map[trace.Path]time.Time{}, map[trace.Path]bool{}
	}
	clear(k.seen)
	for i := range rep.Paths {
		if p := &rep.Paths[i]; p.Knet == checker.KnetDisconnected && p.State == checker.PathUp {
			k.note(now, rep.Node.ID, p.Peer.ID, p.Link)
		}
	}
	for i := range rep.Mesh {
		if r := &rep.Mesh[i]; r.KnetDown && r.State == checker.PathUp && now.Sub(r.At) < freshView {
			k.note(now, r.From.ID, r.To.ID, r.Link)
		}
	}
	maps.DeleteFunc(k.since, func(p trace.Path, _ time.Time) bool { return !k.seen[p] })
	var dead []trace.Path
	for p, since := range k.since {
		if now.Sub(since) >= deadFor {
			dead = append(dead, p)
		}
	}
	slices.SortFunc(dead, trace.Path.Compare)
	return dead
}

// note is one end's word: it mutes both directions.
func (k *knetWord) note(now time.Time, a, b uint32, link int) {
	for _, p := range [2]trace.Path{{From: a, To: b, Link: link}, {From: b, To: a, Link: link}} {
		k.seen[p] = true
		if _, known := k.since[p]; !known {
			k.since[p] = now
		}
	}
}
