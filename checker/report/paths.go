package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/checker/units"
)

// paths writes this node's own paths, with figures of the last minute.
func (p *printer) paths() {
	if len(p.r.Paths) == 0 {
		p.line("\nPATHS     none is probed")
		return
	}
	t := table{{"\nPATH", "link", "state", "knet", "gap", "worst 1m", "of T", "loss ->", "loss <-", "rtt p50", "p99", "jitter"}}
	for i := range p.r.Paths {
		path := &p.r.Paths[i]
		row := []string{or(path.Peer.Name, fmt.Sprint(path.Peer.ID)), fmt.Sprint(path.Link), path.State.String(), knet(path.Knet), "-", "-", "-", "-", "-", "-", "-", "-"}
		if path.Gap > 0 {
			row[4] = units.Time(path.Gap.Duration())
		}
		if w := window(path, time.Minute); w.Covered > 0 && path.State != checker.PathUnknown {
			row[5], row[6] = units.Time(w.WorstGap.Duration()), units.Percent(w.WorstGapShare)
			if decided := w.Received + w.Lost; decided > 0 {
				row[7], row[8] = units.Percent(float64(w.LostForward)/float64(decided)), units.Percent(float64(w.LostBackward)/float64(decided))
			}
			if w.RTT.Count > 0 {
				row[9], row[10], row[11] = units.Time(w.RTT.P50.Duration()), units.Time(w.RTT.P99.Duration()), units.Time(w.Jitter.Duration())
			}
		}
		t = append(t, row)
	}
	p.table(t)
	for i := range p.r.Paths {
		if path := &p.r.Paths[i]; path.State != checker.PathUp && path.Reason != "" {
			p.line("          %s link %d: %s", path.Peer.Name, path.Link, path.Reason)
		}
	}
}

func knet(k checker.KnetState) string {
	switch k {
	case checker.KnetConnected:
		return "up"
	case checker.KnetDisconnected:
		return "DOWN"
	}
	return "?"
}

// mesh draws who reaches whom: a row for each node that speaks, a cell for each that it speaks of, a sign for each link.
func (p *printer) mesh() {
	nodes := p.r.Cluster.Nodes
	if len(p.r.Mesh) == 0 || len(nodes) < 3 {
		return
	}
	cells := map[[2]uint32][]byte{}
	speaks := map[uint32]bool{p.r.Node.ID: true}
	put := func(from, to uint32, s checker.PathState, down bool) {
		sign := signs[s]
		if down && sign == '.' {
			sign = 'k'
		}
		cells[[2]uint32{from, to}] = append(cells[[2]uint32{from, to}], sign)
	}
	for i := range p.r.Paths {
		path := &p.r.Paths[i]
		put(p.r.Node.ID, path.Peer.ID, path.State, path.Knet == checker.KnetDisconnected)
	}
	for i := range p.r.Mesh {
		m := &p.r.Mesh[i]
		speaks[m.From.ID] = true
		put(m.From.ID, m.To.ID, m.State, m.KnetDown)
	}
	wide := max(1, len(p.r.Cluster.Links))
	label := 4
	for _, n := range nodes {
		label = max(label, width(n.Name))
	}
	if label+len(nodes)*(max(wide, 2)+1) > Width {
		wide = 1
	}
	p.line("\nMESH      from row to column, a sign a link: . up  ~ degraded  X down  k knet down  ? unknown")
	p.meshRows(nodes, cells, speaks, label, wide)
}

var signs = map[checker.PathState]byte{checker.PathUp: '.', checker.PathDegraded: '~', checker.PathDown: 'X', checker.PathUnknown: '?'}

func (p *printer) meshRows(nodes []checker.Node, cells map[[2]uint32][]byte, speaks map[uint32]bool, label, wide int) {
	cell := max(wide, 2)
	head := strings.Repeat(" ", label)
	for _, n := range nodes {
		head += fmt.Sprintf(" %*d", cell, n.ID)
	}
	p.line("%s", head)
	for _, from := range nodes {
		row := fmt.Sprintf("%-*s", label, clip(from.Name, label))
		for _, to := range nodes {
			text := string(cells[[2]uint32{from.ID, to.ID}])
			switch {
			case from.ID == to.ID:
				text = "-"
			case !speaks[from.ID]:
				text = " "
			case len(text) > wide:
				text = string(worstSign(text))
			}
			row += fmt.Sprintf(" %*s", cell, text)
		}
		p.line("%s", row)
	}
}

// worstSign is the best link's sign: a peer is reached if one link reaches it.
func worstSign(s string) byte {
	for _, sign := range []byte(".~k?X") {
		if slices.Contains([]byte(s), sign) {
			return sign
		}
	}
	return '?'
}
