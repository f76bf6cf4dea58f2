//go:build linux

package main

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/totem"
)

// ringSpec is the lab's cluster as the model has to know it: the configuration and the path, nothing that was measured.
type ringSpec struct {
	Sites       []int         `json:"sites"` // nodes at each
	Links       int           `json:"links"`
	Token       time.Duration `json:"token"` // totem.token as written; 0: Corosync's own
	Coefficient time.Duration `json:"coefficient"`
	Interval    time.Duration `json:"ping_interval,omitempty"` // knet_ping_interval as written; 0: Corosync's own
	Timeout     time.Duration `json:"ping_timeout,omitempty"`  // knet_ping_timeout
	Retransmits int           `json:"retransmits,omitempty"`   // token_retransmits_before_loss_const
	Delay       time.Duration `json:"delay"`                   // one way between the sites
}

const (
	modelSpread = 100 * time.Millisecond // daemons started together keep their heartbeats together
	modelEvery  = time.Second            // the lab's load: a message per second and node
	modelInside = 100 * time.Microsecond // one way within a site, as the lab's rules have it
	modelSettle = 5 * time.Second        // of a modelled ring before anything happens to it: any phase of token and messages
)

// modelDelay is the lab's delay between the sites, one way, in the proofs of the model.
const modelDelay = 5 * time.Millisecond

// ring is the cluster that the flags describe.
func (o proveOptions) ring() ringSpec {
	s := ringSpec{Links: o.links, Token: o.token, Interval: o.knet[0], Timeout: o.knet[1], Delay: modelDelay}
	if o.token == 0 {
		s.Coefficient = o.coeff
	}
	for field := range strings.SplitSeq(o.nodes, ",") {
		_, count, _ := strings.Cut(field, ":")
		n, _ := strconv.Atoi(count) // spec refused what is not a number
		s.Sites = append(s.Sites, n)
	}
	return s
}

func (s ringSpec) nodes() int {
	n := 0
	for _, site := range s.Sites {
		n += site
	}
	return n
}

func (s ringSpec) timeouts() totem.Timeouts {
	p := totem.Params{
		Nodes: s.nodes(), HasLink0: true, Token: s.Token, TokenCoefficient: &s.Coefficient, TokenRetransmitsBeforeLossConst: s.Retransmits,
	}
	return p.Timeouts()
}

// config is a ring of the model over lines like wan between the sites.
func (s ringSpec) config(rng *rand.Rand, wan totem.Line) (totem.Config, *totem.Lines) {
	wan.Delay = s.Delay
	net := totem.NewSites(s.Sites, s.Links, totem.Line{Delay: modelInside}, wan, rng)
	cfg := totem.Config{
		Nodes: s.nodes(), Timeouts: s.timeouts(), Traffic: totem.Traffic{Every: modelEvery}, Spread: modelSpread, Rand: rng, Network: net,
	}
	knet := totem.LinkParams{PingInterval: s.Interval, PingTimeout: s.Timeout}
	for range s.Links {
		cfg.Links = append(cfg.Links, totem.Link{Timeouts: knet.Timeouts(cfg.Timeouts.Token), Priority: 1})
	}
	return cfg, net
}

// spread is a mean and where nine of ten fell.
type spreadOf struct{ Mean, Low, High float64 }

func summarize(values []float64) spreadOf {
	if len(values) == 0 {
		return spreadOf{}
	}
	values = slices.Sorted(slices.Values(values))
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	n := len(values)
	return spreadOf{sum / float64(n), values[n/20], values[n-1-n/20]}
}

func (s spreadOf) scale(by float64) spreadOf { return spreadOf{s.Mean * by, s.Low * by, s.High * by} }
