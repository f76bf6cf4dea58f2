package verdict

import (
	"time"

	"github.com/quorumwatch/quorumwatch/checker/advice"
	"github.com/quorumwatch/quorumwatch/checker/plan"
)

// model runs the record through the ring, asks for advice where that shows trouble, and plans failures.
func (j *judge) model() error {
	if err := j.design(); err != nil {
		return err
	}
	t := j.in.Trace
	if t == nil || j.out.Basis.Paths == 0 {
		j.shorten()
		return nil
	}
	s, t, err := j.run(t)
	switch {
	case err != nil:
		return err
	case t == nil:
		return nil
	case j.in.Soak != nil && j.in.Soak.Model.Length > 0:
		s = j.in.Soak.Model
	}
	j.length = s.Length.Duration()
	h := &j.out.Headroom
	h.Virtual, h.Lost, h.Passes, h.Losses = s.Virtual, s.Lost, s.Passes, s.Losses/s.Length.Duration().Hours()
	if h.Virtual > h.Gap {
		h.Gap, h.Where = h.Virtual, "the token, in the model"
	}
	h.Share = max(min(float64(h.Gap)/float64(h.Token), 1), s.Used)
	if j.troubled() {
		j.advise(t)
	}
	if j.advice == nil || j.advice.Verdict != advice.Change {
		j.shorten()
	}
	return nil
}

// passes is how often the record is run: what it costs goes by the square of the nodes.
func (j *judge) passes(length time.Duration) int {
	n := passes
	if len(j.cluster.Nodes) > 12 {
		n /= 2
	}
	return min(n, max(2, int(mostRing/max(length, 1))))
}

// easyShare of the token is where Corosync itself begins to warn (token_warning): what uses more is trouble.
const easyShare = 0.75

// troubled says whether settings are worth looking at.
func (j *judge) troubled() bool {
	h := &j.out.Headroom
	return h.Lost > 0 || h.Share >= easyShare || j.losesMuch() || h.Delivery*advice.Safety >= h.Token
}

func (j *judge) membershipTooLong() bool {
	return j.in.Proxmox && j.cluster.Timeouts.Membership() > advice.MembershipBudget
}

// design plans the failures of the cluster, with the round trips that were measured.
func (j *judge) design() error {
	d, err := plan.FromConfig(j.then, j.planSites())
	if err != nil {
		return err
	}
	for _, p := range j.in.Paths {
		if !p.answered() {
			continue
		}
		rtt := min(p.P50.Duration(), plan.MaxRTT)
		if j.siteOf(p.Node) == j.siteOf(j.in.Local) {
			d.Network.Within.RTT = max(d.Network.Within.RTT, rtt)
		} else {
			d.Network.Between.RTT = max(d.Network.Between.RTT, rtt)
		}
	}
	if !j.in.HA.fences() {
		d.Armed = map[string]bool{}
	}
	j.plan, err = plan.Make(d, plan.Changes{}, plan.Options{})
	return err
}

// planSites are the sites as package plan takes them; none unless every node has one.
func (j *judge) planSites() (out []plan.Site) {
	at := map[string]int{}
	for _, n := range j.cluster.Nodes {
		if n.Site == "" {
			return nil
		}
		i, ok := at[n.Site]
		if !ok {
			i = len(out)
			at[n.Site] = i
			out = append(out, plan.Site{Name: n.Site})
		}
		out[i].Nodes = append(out[i].Nodes, n.Name)
	}
	if len(out) > plan.MaxSites {
		return nil
	}
	return out
}

// siteOf is a node's site; a node that is none of the cluster is at a place of its own.
func (j *judge) siteOf(node uint32) string {
	if i := j.cluster.Index(node); i >= 0 {
		return j.cluster.Nodes[i].Site
	}
	return "\x00"
}

// ringWork is what a node is assumed to take for the token: Corosync handles one in about a tenth of a millisecond on an idle machine.
const ringWork = 100 * time.Microsecond

// ring tells what the token pays once around.
func (j *judge) ring() {
	r := &j.out.Ring
	nodes := j.cluster.Nodes
	r.Nodes, r.Processing, r.Retransmit = len(nodes), Seconds(ringWork), Seconds(j.cluster.Timeouts.TokenRetransmit)
	for i, a := range nodes {
		b := nodes[(i+1)%len(nodes)]
		if a.Site != b.Site {
			r.Crossings++
		}
		trip, tail := j.trip(a.ID, b.ID)
		r.Round += trip/2 + Seconds(ringWork)
		r.RoundTail += tail/2 + Seconds(ringWork)
	}
	for i := range j.out.Paths {
		if p := &j.out.Paths[i]; p.answered() {
			r.Pair, r.PairTail = max(r.Pair, p.P50), max(r.PairTail, p.P999)
		}
	}
	r.Share = float64(r.Round) / float64(r.Retransmit)
}

// trip is the round trip between two nodes, median and tail: as measured, else as that of the farther one from here, if they are in
// different places.
func (j *judge) trip(a, b uint32) (median, tail Seconds) {
	near := func(node uint32) (median, tail Seconds) {
		for i := range j.out.Paths {
			if p := &j.out.Paths[i]; p.Node == node && p.answered() && (median == 0 || p.P50 < median) {
				median, tail = p.P50, p.P999
			}
		}
		return median, tail
	}
	switch {
	case a == j.in.Local:
		return near(b)
	case b == j.in.Local:
		return near(a)
	case j.siteOf(a) != "" && j.siteOf(a) == j.siteOf(b):
		return Seconds(plan.DefaultNetwork().Within.RTT), Seconds(plan.DefaultNetwork().Within.RTT)
	}
	m, x := near(a)
	n, y := near(b)
	return max(m, n), max(x, y)
}
