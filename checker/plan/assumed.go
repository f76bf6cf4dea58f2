package plan

// Assumed is what a Report rests on besides the configuration.
type Assumed struct {
	Defaults      bool    `json:"defaults"` // no configuration was read
	RTTWithin     Seconds `json:"rtt_within_site"`
	RTTBetween    Seconds `json:"rtt_between_sites"`
	LossWithin    float64 `json:"loss_within_site"`
	LossBetween   float64 `json:"loss_between_sites"`
	Exceptions    int     `json:"exceptions"` // options that give paths or links figures of their own
	RTTLeast      Seconds `json:"rtt_least"`  // of all links between two sites; with the next three: what is really assumed
	RTTMost       Seconds `json:"rtt_most"`
	LossLeast     float64 `json:"loss_least"`
	LossMost      float64 `json:"loss_most"`
	LossSaid      bool    `json:"loss_said"` // else token losses are shown for 1 %, to have an idea, and not judged
	ArmedNodes    int     `json:"armed_nodes"`
	TrafficPeriod Seconds `json:"traffic_period"` // each node multicasts once in this time, in the model
}

func (d *Design) assumed(o Options) Assumed {
	a := Assumed{
		Defaults: d.Assumed, RTTWithin: Seconds(d.Network.Within.RTT), RTTBetween: Seconds(d.Network.Between.RTT),
		LossWithin: d.Network.Within.Loss, LossBetween: d.Network.Between.Loss, Exceptions: len(d.Network.Rules),
		LossSaid: o.LossSaid, TrafficPeriod: Seconds(traffic),
	}
	first := true
	eachPair(d.sites(), func(x, y string) {
		for _, l := range d.Cluster.Links {
			q := d.Network.Quality(x, y, l.Number)
			if first {
				a.RTTLeast, a.LossLeast, first = Seconds(q.RTT), q.Loss, false
			}
			a.RTTLeast, a.RTTMost = min(a.RTTLeast, Seconds(q.RTT)), max(a.RTTMost, Seconds(q.RTT))
			a.LossLeast, a.LossMost = min(a.LossLeast, q.Loss), max(a.LossMost, q.Loss)
		}
	})
	for _, n := range d.Cluster.Nodes {
		if d.armed(n.Name) {
			a.ArmedNodes++
		}
	}
	return a
}
