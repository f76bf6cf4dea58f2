package verdict

import (
	"fmt"
	"slices"
	"strings"

	"github.com/quorumwatch/quorumwatch/checker/units"
)

// limits holds what was measured and what is configured against what breaks.
func (j *judge) limits() {
	for _, check := range []func() Limit{
		j.pause, j.mtu, j.oneWay, j.loss, j.delay, j.links, j.votes, j.fence, j.config,
	} {
		j.out.Limits = append(j.out.Limits, check())
	}
	j.out.First = first(j.out.Limits)
}

// first is the limit that broke first: of what was measured before what was only computed, failures before warnings.
func first(all []Limit) string {
	for _, want := range []struct {
		measured bool
		status   Status
	}{{true, Fail}, {true, Warn}, {false, Fail}, {false, Warn}} {
		for _, l := range all {
			if l.measured == want.measured && l.Status == want.status {
				return l.Name
			}
		}
	}
	return ""
}

// Shares of the token.
const (
	pauseWarns = 0.25
	pauseFails = 0.8 // where Corosync itself complains (scheduling pause, totemsrp.c)
)

// pause: a host that does not run loses the token on the best network.
func (j *judge) pause() Limit {
	l := Limit{Name: LimitPause, Status: Pass, measured: true}
	share := float64(j.in.Pauses.Longest) / float64(j.cluster.Timeouts.Token)
	l.Text = fmt.Sprintf("longest time in which this host did not run: %s (%s of the token)", units.Round(j.in.Pauses.Longest), units.Percent(share))
	switch {
	case j.in.Length == 0:
		l.Status, l.Text = Unknown, "nothing was measured"
	case j.in.Pauses.Longest == 0:
		l.Text = "this host ran all the time"
	case share >= pauseFails:
		l.Status = Fail
		l.Text += ": Corosync would lose its token by that alone, whatever the network does"
	case share >= pauseWarns:
		l.Status, l.Cure = Warn, "find what stalls this host: overcommitted processors, I/O, a hypervisor above"
	}
	return l
}

// fullLeast is how many full-size probes must be decided for a word on the MTU.
const fullLeast = 3

// mtu: small packets pass and full ones do not.
func (j *judge) mtu() Limit {
	l := Limit{Name: LimitMTU, Status: Unknown, Text: "no full-size probes were answered or lost", measured: true}
	for i := range j.out.Paths {
		p := &j.out.Paths[i]
		switch {
		case p.hole():
			l.Status = Fail
			l.Text = fmt.Sprintf("%s: packets of %d bytes are lost (%d of %d), small ones pass%s", p.where(), p.FullBytes(), p.FullSent-p.FullReceived, p.FullSent, holeWords(p))
			l.Cure = "let the path carry the MTU of its interfaces, or let ICMP 'fragmentation needed' pass and lower the MTU of the interfaces at both ends; " +
				"until then totem.knet_mtu below what passes"
			p.Note = join(p.Note, "MTU")
			return l
		case l.Status == Unknown && p.FullReceived >= fullLeast:
			l.Status, l.Text = Pass, fmt.Sprintf("packets of %d bytes pass without fragmentation", p.FullBytes())
		}
	}
	return l
}

// holeWords says what is known of the reason.
func holeWords(p *Path) string {
	switch {
	case p.MTU > 0:
		return fmt.Sprintf("; the network told of an MTU of %d", p.MTU)
	case p.FullError != "":
		return ": " + p.FullError
	}
	return ", and nobody says why: a black hole"
}

func join(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "; ")
}
