package verdict

import (
	"fmt"
	"net/netip"
)

// Path is what was measured between this node and one address of a peer. In a Verdict the last fields are filled in.
type Path struct {
	Peer   string     `json:"peer"`
	Node   uint32     `json:"nodeid"`
	Link   int        `json:"link"`
	Local  netip.Addr `json:"local"`
	Remote netip.Addr `json:"remote"`

	Figures // of small probes

	FullSize     int      `json:"full_size"` // UDP payload of full-size probes; 0: none were sent
	FullSent     uint64   `json:"full_sent"`
	FullReceived uint64   `json:"full_received"`
	Full         *Figures `json:"full,omitempty"` // of full-size probes, if as many were sent as small ones
	FullError    string   `json:"full_error,omitempty"`
	MTU          int      `json:"mtu,omitempty"`   // of the path, if the network told one
	Error        string   `json:"error,omitempty"` // why no probe could leave

	Note string `json:"note,omitempty"`
}

// Figures are those of the probes of one size. Forward is from here.
type Figures struct {
	Sent         uint64 `json:"sent"`
	Received     uint64 `json:"received"`
	Lost         uint64 `json:"lost"`
	LostForward  uint64 `json:"lost_forward"`
	LostBackward uint64 `json:"lost_backward"`
	Excused      uint64 `json:"excused"` // not counted: a host stalled

	P50  Seconds `json:"rtt_p50"`
	P99  Seconds `json:"rtt_p99"`
	P999 Seconds `json:"rtt_p999"`
	Max  Seconds `json:"rtt_max"`

	WorstGap         Seconds `json:"worst_gap"`
	WorstGapForward  Seconds `json:"worst_gap_forward"`
	WorstGapBackward Seconds `json:"worst_gap_backward"`
	Burst            int     `json:"longest_burst"` // lost in a row; an agent tells no more than 10

	LossRatio float64 `json:"loss_ratio"`      // filled in by Judge
	GapShare  float64 `json:"worst_gap_share"` // of the effective token; filled in by Judge
}

// FullBytes is the size of a full-size probe with its IP and UDP headers.
func (p *Path) FullBytes() int {
	if p.Remote.Is4() {
		return p.FullSize + 28
	}
	return p.FullSize + 48
}

// answered says whether anything came back.
func (p *Path) answered() bool { return p.Received > 0 }

// decided is how many probes have a fate.
func (f *Figures) decided() uint64 { return f.Received + f.Lost }

// loss is the ratio of probes lost, of those whose fate is known.
func (f *Figures) loss() float64 { return ratio(f.Lost, f.decided()) }

func ratio(n, of uint64) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}

// Shares of the full-size probes that small ones' loss leaves, up to which it is their size that stops them. Where they are counted as exactly as small
// ones, what is more than a tenth is judged as loss.
const (
	holeFew  = 0.5
	holeMany = 0.1
)

// hole says whether small probes pass and full-size ones do not.
func (p *Path) hole() bool {
	switch {
	case !p.answered() || p.FullSize == 0:
		return false
	case p.FullError != "":
		return true
	}
	most := holeFew
	if p.Full != nil {
		most = holeMany
	}
	return p.FullSent >= fullLeast && float64(p.FullReceived) <= most*float64(p.FullSent)*(1-p.loss())
}

// sample is the probes of one size on a path.
type sample struct {
	path *Path
	*Figures
	full bool
}

// samples are the sizes that were measured on a path. Full-size probes that fall into a hole tell nothing but that.
func (p *Path) samples() []sample {
	out := []sample{{p, &p.Figures, false}}
	if p.Full != nil && !p.hole() {
		out = append(out, sample{p, p.Full, true})
	}
	return out
}

// packets names what was sent: "probes", or "full-size probes" where both sizes were.
func (s sample) packets() string {
	switch {
	case s.full:
		return "full-size probes"
	case s.path != nil && s.path.Full != nil:
		return "small probes"
	}
	return "probes"
}

// where names a path.
func (p *Path) where() string { return fmt.Sprintf("link %d to %s", p.Link, p.Peer) }

// samples are those of all paths.
func (j *judge) samples() (out []sample) {
	for i := range j.out.Paths {
		out = append(out, j.out.Paths[i].samples()...)
	}
	return out
}
