package plan

import (
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/units"
)

// Network is what is assumed of the paths.
type Network struct {
	Within, Between Quality // inside of a site, and from one site to another
	Rules           []Rule  // exceptions; of several that apply the last one counts
}

// Quality is what a path does to packets.
type Quality struct {
	RTT  time.Duration
	Loss float64 // ratio of packets lost, each on its own, in each direction
}

// Rule is an exception for one pair of sites, or one link, or both.
type Rule struct {
	A, B string // names of sites, in any order; both "": all pairs of sites
	Link int    // knet's number; -1: all links
	RTT  *time.Duration
	Loss *float64
}

// DefaultNetwork is assumed when nothing is said: no loss, the delays of a switch and of a town.
func DefaultNetwork() Network {
	return Network{Within: Quality{RTT: 200 * time.Microsecond}, Between: Quality{RTT: time.Millisecond}}
}

// Quality is what is assumed of a link between two sites, which may be the same.
func (n Network) Quality(a, b string, link int) Quality {
	if a == b {
		return n.Within
	}
	q := n.Between
	for _, r := range n.Rules {
		here := r.A == "" && r.B == "" || r.A == a && r.B == b || r.A == b && r.B == a
		if !here || r.Link >= 0 && r.Link != link {
			continue
		}
		if r.RTT != nil {
			q.RTT = *r.RTT
		}
		if r.Loss != nil {
			q.Loss = *r.Loss
		}
	}
	return q
}

// lossless is n without any loss.
func (n Network) lossless() Network { return n.withLoss(0) }

// withLoss is n with the same loss on all paths between sites, and none inside of them.
func (n Network) withLoss(loss float64) Network {
	n.Between.Loss, n.Within.Loss = loss, 0
	n.Rules = slices.Clone(n.Rules)
	for i := range n.Rules {
		n.Rules[i].Loss = nil
	}
	return n
}

// checkNetwork refuses assumptions about sites and links that are not there, and figures beyond any sense.
func (d *Design) checkNetwork() error {
	n := d.Network
	qualities := []Quality{n.Within, n.Between}
	for _, r := range n.Rules {
		for _, s := range []string{r.A, r.B} {
			if s != "" && !slices.Contains(d.sites(), s) {
				return refuse("", "--rtt or --loss names site %q, which has no nodes", s)
			}
		}
		if r.A == r.B && r.A != "" {
			return refuse("'within=' is for paths inside of sites", "--rtt or --loss for a path from site %s to itself", r.A)
		}
		if r.Link >= 0 && !d.hasLink(r.Link) {
			return refuse("", "--rtt or --loss names link %d, which the cluster does not have", r.Link)
		}
		q := Quality{}
		if r.RTT != nil {
			q.RTT = *r.RTT
		}
		if r.Loss != nil {
			q.Loss = *r.Loss
		}
		qualities = append(qualities, q)
	}
	if len(d.sites()) < 2 && n.Between.Loss > 0 {
		return refuse("--loss within=1% is for paths inside of a site; --site says where the nodes are", "--loss between sites, but there is one site")
	}
	for _, q := range qualities {
		if q.RTT < 0 || q.RTT > MaxRTT {
			return refuse("a millisecond per 100 km of fibre, twice that with detours; 600 ms over a satellite", "a round trip of %s is beyond any network", units.Time(q.RTT))
		}
		if !(q.Loss >= 0 && q.Loss <= MaxLoss) { // NaN is neither
			return refuse("say it as 1% or as 0.01", "a loss of %g %% is no network to plan with", 100*q.Loss)
		}
	}
	return nil
}

func (d *Design) hasLink(number int) bool {
	for _, l := range d.Cluster.Links {
		if l.Number == number {
			return true
		}
	}
	return false
}
