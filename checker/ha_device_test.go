package checker_test

import (
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/corosync/votequorum"
	"github.com/quorumwatch/quorumwatch/proxmox"
)

// withDevice adds a quorum device with a vote to a scene of four nodes that withHA has set up. votes says whether this node has the device's
// vote; the daemon's account of quorum follows.
func withDevice(s *scene, votes func() bool) {
	s.in.Cluster.Quorum.Device = &votequorum.Device{Model: "net", Host: "10.9.9.9", Algorithm: "ffsplit", Votes: 1}
	change(s, func(in *checker.Input) {
		q := &in.Status.Quorum
		q.Expected, q.HighestExpected, q.Quorum = 5, 5, 3
		row := corosync.MemberVotes{Name: "Qdevice"}
		if votes() {
			row.Votes = 1
			q.Total++
		}
		q.Votes = append(q.Votes[:len(q.Votes):len(q.Votes)], row)
		q.Quorate = q.Total >= q.Quorum
		in.Proxmox.Quorate = proxmox.TriOf(q.Quorate)
	})
}

// cutHalf parts a1 a2 from b1 b2, as seen from the first node of the scene.
func cutHalf(s *scene, near, far string) {
	s.cut(far)
	for name := range strings.FieldsSeq(near) {
		if n := s.node(name); n.id != 1 {
			for other := range strings.FieldsSeq(far) {
				n.others[s.node(other).id] = 3 // down
			}
		}
	}
}

// TestDeviceInCut: who resets in a cut into halves hangs on the quorum device: with its vote one side goes on, without it nobody does.
func TestDeviceInCut(t *testing.T) {
	for _, tt := range []struct {
		name     string
		nodes    string // the local one first
		tie      string // whom the device favours
		votes    bool
		spare    int // votes that may still be lost before the cut
		keeps    string
		resets   string
		text     string
		counting string // for the local node, once the ring has parted
	}{
		{"the device votes for this side", "a1 a2 b1 b2", "lowest", true, 2, "a1 a2", "b1 b2",
			"a1 a2 keep quorum with 3 of 5 votes; b1 b2 lose it (2 of 5, 3 needed); b1 b2 reset in ", ""},
		{"the device is lost", "a1 a2 b1 b2", "lowest", false, 1, "", "a1 a2 b1 b2", "nobody has quorum; a1 a2 b1 b2 reset in ", "fence-countdown:a1"},
		{"the device votes for the other side", "b1 b2 a1 a2", "highest", true, 2, "a1 a2", "b1 b2",
			"b1 b2 lose it (2 of 5, 3 needed); a1 a2 keep quorum with 3 of 5 votes; b1 b2 reset in ", "fence-countdown:b1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			names := strings.Fields(tt.nodes)
			s := newScene(t, 3*time.Second, 1, names...)
			withHA(s, proxmox.HAArmed, tt.nodes)
			change(s, func(in *checker.Input) { in.Proxmox.View = names[0] })
			split := false
			withDevice(s, func() bool { return tt.votes && (!split || strings.Contains(tt.keeps, names[0])) })
			s.in.Cluster.Quorum.Device.TieBreaker = tt.tie
			s.run(30 * time.Second)
			if q := s.last.Quorum; !q.Quorate || !q.SpareKnown || q.SpareVotes != tt.spare {
				t.Errorf("before the cut: %+v", q)
			}
			cutHalf(s, names[0]+" "+names[1], names[2]+" "+names[3])
			s.run(2 * time.Second)
			o := s.last.Outcome
			if o == nil || o.Happened || o.Toll == nil {
				t.Fatalf("%+v\n%s", o, s.log())
			}
			if refs(o.Keeps) != tt.keeps || refs(o.Toll.Resets) != tt.resets || !strings.Contains(o.Text, tt.text) {
				t.Errorf("keeps %q, resets %q: %s", refs(o.Keeps), refs(o.Toll.Resets), o.Text)
			}
			device := map[bool]string{true: "the quorum device decides", false: "the quorum device's vote is missing"}[tt.votes]
			for _, p := range o.Partitions {
				if !strings.HasSuffix(p.Reason, "; "+device) {
					t.Errorf("%s: %q", refs(p.Nodes), p.Reason)
				}
			}
			split = true
			s.run(20 * time.Second)
			if _, ok := s.finding("fence-countdown:" + names[0]); ok != (tt.counting != "") {
				t.Errorf("a countdown for %s: %v\n%s", names[0], ok, s.log())
			}
		})
	}
}

func refs(of []checker.NodeRef) string {
	var all []string
	for _, n := range of {
		all = append(all, n.Name)
	}
	return strings.Join(all, " ")
}
