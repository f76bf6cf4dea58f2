package plan

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/quorumwatch/quorumwatch/corosync"
)

func readDesign(t *testing.T, name string) Design {
	t.Helper()
	file, err := os.Open("../../corosync/testdata/conf/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	c, err := corosync.Parse(name, file)
	if err != nil {
		t.Fatal(err)
	}
	d, err := FromConfig(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestVotesByHand: where pvecm's quorum device would keep Corosync from starting for want of votes, plan says which to write, and judges
// them as written.
func TestVotesByHand(t *testing.T) {
	device := Changes{Device: &NewDevice{Host: "w"}}
	for name, test := range map[string]struct {
		d    Design
		want string
	}{
		"uneven votes":   {readDesign(t, "node-votes.conf"), "`votes: 3` must be written by hand"},
		"expected_votes": {readDesign(t, "quorum-expected-votes.conf"), "`votes: 2` must be written by hand"},
		"derived":        {mustNew(t, 1, 3), ""},
		"ffsplit":        {mustNew(t, 1, 4), ""},
	} {
		d := mustApply(t, test.d, device)
		s, err := judgeDesign(&d, Options{}, effort{trials: 1}, nil)
		if err != nil {
			t.Fatal(err)
		}
		said := slices.ContainsFunc(s.Notes, func(n string) bool { return strings.Contains(n, "by hand") })
		if right := slices.ContainsFunc(s.Notes, func(n string) bool { return test.want != "" && strings.HasPrefix(n, test.want) }); said != right || said != (test.want != "") {
			t.Errorf("%s: %q", name, s.Notes)
		}
		if without := mustApply(t, d, Changes{NoDevice: true}); without.VotesByHand {
			t.Errorf("%s: votes for a device that is gone", name)
		}
	}
	r, err := Make(readDesign(t, "node-votes.conf"), Changes{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range r.Advice {
		if by := strings.Contains(a.Text, "`votes: 3` must be written by hand"); by != strings.Contains(a.Flags, "--qdevice") {
			t.Errorf("%s: %s", a.Flags, a.Text)
		}
	}
}

// TestQuorumHints: what votequorum refuses comes with a hint that helps.
func TestQuorumHints(t *testing.T) {
	on := true
	device := &NewDevice{Host: "w"}
	one := mustNew(t, 1, 3)
	one.Cluster.Quorum.ExpectedVotes = 3
	for hint, test := range map[string]struct {
		d Design
		c Changes
	}{
		"leave one of the two out":                        {mustNew(t, 1, 1, 1), Changes{Device: device, TwoNode: &on}},
		"add wait_for_all":                                {mustNew(t, 1, 3), Changes{TieBreaker: &on, LastManStands: &on}},
		"write quorum.device.votes; in a plan, --qdevice": {mustApply(t, mustNew(t, 1, 3), Changes{Device: device}), Changes{Votes: []NodeVotes{{"a1", 2}}}},
		"or make it 5: all votes":                         {one, Changes{Device: device}},
	} {
		_, _, err := test.c.Apply(test.d)
		if e, ok := errors.AsType[*InputError](err); !ok || !strings.Contains(e.Hint, hint) {
			t.Errorf("%v, want the hint %q", err, hint)
		}
	}
}

// TestInstead: what is switched off for a quorum device is named once.
func TestInstead(t *testing.T) {
	on := true
	d := mustApply(t, mustNew(t, 1, 1, 1), Changes{TwoNode: &on, WaitForAll: &on, TieBreaker: &on})
	c := d.without(candidate{flags: "--qdevice HOST", text: "a qdevice"})
	if c.text != "a qdevice instead of two_node and auto_tie_breaker" || c.flags != "--auto-tie-breaker=false --two-node=false --qdevice HOST" {
		t.Errorf("%q: %s", c.flags, c.text)
	}
}
