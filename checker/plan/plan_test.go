package plan

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
)

// find returns the case of these failures.
func find(t *testing.T, s State, names ...string) Case {
	t.Helper()
	slices.Sort(names)
	for _, c := range s.Cases {
		if caseKey(c.Failures) == strings.Join(names, " + ") {
			return c
		}
	}
	t.Fatalf("no case %q", names)
	return Case{}
}

// TestCases holds outcomes that can be counted by hand.
func TestCases(t *testing.T) {
	ffsplit, on, b := &NewDevice{Host: "w"}, true, "b"
	for _, test := range []struct {
		name     string
		links    int
		sizes    []int
		changes  Changes
		failures []string
		impact   Impact
		keep     string
		reset    string
	}{
		{"the larger site goes", 1, []int{3, 2}, Changes{}, []string{"site a"}, Stopped, "", "b1 b2"},
		{"the smaller site goes", 1, []int{3, 2}, Changes{}, []string{"site b"}, Freeze, "a1 a2 a3", ""},
		{"the path is cut", 1, []int{3, 2}, Changes{}, []string{"path a-b"}, Partial, "a1 a2 a3", "b1 b2"},
		{"the only link dies", 1, []int{2, 1}, Changes{}, []string{"link 0"}, Stopped, "", "a1 a2 b1"},
		{"one of two links dies", 2, []int{2, 1}, Changes{}, []string{"link 0"}, Failover, "a1 a2 b1", ""},
		{"the idle link dies", 2, []int{2, 1}, Changes{}, []string{"link 1"}, Nothing, "a1 a2 b1", ""},
		{"both die", 2, []int{2, 1}, Changes{}, []string{"link 0", "link 1"}, Stopped, "", "a1 a2 b1"},
		{"even split", 2, []int{2, 2}, Changes{}, []string{"path a-b"}, Stopped, "", "a1 a2 b1 b2"},
		{"even split with a qdevice", 2, []int{2, 2}, Changes{Device: ffsplit}, []string{"path a-b"}, Partial, "a1 a2", "b1 b2"},
		{"a site goes, with a qdevice", 2, []int{2, 2}, Changes{Device: ffsplit}, []string{"site a"}, Freeze, "b1 b2", ""},
		{"a site is cut off from the qdevice too", 2, []int{2, 2}, Changes{Device: ffsplit}, []string{"site a cut off"}, Partial, "b1 b2", "a1 a2"},
		{"path and qdevice", 2, []int{2, 2}, Changes{Device: ffsplit}, []string{"path a-b", "qdevice"}, Stopped, "", "a1 a2 b1 b2"},
		{"the qdevice alone", 2, []int{2, 2}, Changes{Device: ffsplit}, []string{"qdevice"}, Nothing, "a1 a2 b1 b2", ""},
		{"a site goes with the qdevice in it", 2, []int{2, 2}, Changes{Device: ffsplit, DeviceSite: &b}, []string{"site b"}, Stopped, "", "a1 a2"},
		{"the path to the qdevice's site is cut", 2, []int{2, 2}, Changes{Device: ffsplit, DeviceSite: &b}, []string{"path a-b"}, Partial, "b1 b2", "a1 a2"},
		{"the larger site goes, lms", 2, []int{3, 2}, Changes{Device: ffsplit}, []string{"site a"}, Freeze, "b1 b2", ""},
		{"the qdevice goes with a node, lms", 2, []int{3, 2}, Changes{Device: ffsplit}, []string{"node a1", "qdevice"}, Stopped, "", "a2 a3 b1 b2"},
		{"one of three sites is cut off", 2, []int{2, 2, 1}, Changes{}, []string{"site a cut off"}, Partial, "b1 b2 c1", "a1 a2"},
		{"two of three don't hear each other", 2, []int{2, 2, 1}, Changes{}, []string{"path a-b"}, Loose, "", ""},
		{"and the third goes", 2, []int{2, 2, 1}, Changes{}, []string{"path a-b", "site c"}, Stopped, "", "a1 a2 b1 b2"},
		{"two_node split", 2, []int{1, 1}, Changes{TwoNode: &on}, []string{"path a-b"}, BothGo, "a1 b1", ""},
		{"two_node, one goes", 2, []int{1, 1}, Changes{TwoNode: &on}, []string{"node b1"}, Freeze, "a1", ""},
		{"auto_tie_breaker", 2, []int{2, 2}, Changes{TieBreaker: &on}, []string{"path a-b"}, Partial, "a1 a2", "b1 b2"},
		{"votes", 2, []int{2, 1}, Changes{Votes: []NodeVotes{{"b1", 3}}}, []string{"path a-b"}, Partial, "b1", "a1 a2"},
	} {
		c := find(t, judged(t, mustApply(t, mustNew(t, test.links, test.sizes...), test.changes)), test.failures...)
		if got, reset := strings.Join(c.Keep, " "), strings.Join(c.Reset, " "); c.Impact != test.impact || got != test.keep || reset != test.reset {
			t.Errorf("%s: %v, keep %q, reset %q; want %v, %q, %q", test.name, c.Impact, got, reset, test.impact, test.keep, test.reset)
		}
	}
}

// TestArmed: only nodes whose watchdog is active reset; the others stop.
func TestArmed(t *testing.T) {
	d := mustNew(t, 2, 2, 2)
	d.Armed = map[string]bool{"a1": true}
	c := find(t, judged(t, d), "path a-b")
	if strings.Join(c.Reset, " ") != "a1" || strings.Join(c.Blocked, " ") != "a2 b1 b2" {
		t.Errorf("%+v", c)
	}
}

// TestLastManStanding: one after the other, more may be lost than at once.
func TestLastManStanding(t *testing.T) {
	on := true
	c := find(t, judged(t, mustApply(t, mustNew(t, 2, 4), Changes{LastManStands: &on})), "node a1", "node a2")
	if c.Impact != Stopped || c.Later == nil || *c.Later != Freeze {
		t.Errorf("%+v", c)
	}
}

// TestTimers: figures of corosync's own arithmetic, and the fence budget that 32 nodes break.
func TestTimers(t *testing.T) {
	old := 650 * time.Millisecond
	for _, test := range []struct {
		sizes       []int
		coefficient *time.Duration
		token, both time.Duration
		exceeds     bool
	}{
		{[]int{3, 2}, nil, 3375 * time.Millisecond, 7425 * time.Millisecond, false},
		{[]int{3, 2}, &old, 4950 * time.Millisecond, 10890 * time.Millisecond, false},
		{[]int{16, 16}, nil, 6750 * time.Millisecond, 14850 * time.Millisecond, false},
		{[]int{16, 16}, &old, 22500 * time.Millisecond, 49500 * time.Millisecond, true},
	} {
		s := judged(t, mustApply(t, mustNew(t, 2, test.sizes...), Changes{Coefficient: test.coefficient}))
		if s.Timers.Token.Duration() != test.token || s.Timers.Membership.Duration() != test.both || s.Fence.Exceeds != test.exceeds {
			t.Errorf("%v %v: %+v %+v", test.sizes, test.coefficient, s.Timers, s.Fence)
		}
	}
}

// TestDevice: a quorum device is set up as pvecm does, and anew when nodes come.
func TestDevice(t *testing.T) {
	for _, test := range []struct {
		sizes     []int
		changes   Changes
		algorithm string
		votes     int
	}{
		{[]int{2, 2}, Changes{}, "ffsplit", 1},
		{[]int{3, 2}, Changes{}, "lms", 4},
		{[]int{2, 2}, Changes{Add: []NewNode{{"b3", "b"}}}, "lms", 4},
		{[]int{3, 2}, Changes{Remove: []string{"a1"}}, "ffsplit", 1},
	} {
		d := mustApply(t, mustNew(t, 1, test.sizes...), Changes{Device: &NewDevice{Host: "w"}})
		q := mustApply(t, d, test.changes).Cluster.Quorum
		if q.Device.Algorithm != test.algorithm || q.DeviceVotes() != test.votes {
			t.Errorf("%v %+v: %+v with %d votes", test.sizes, test.changes, q.Device, q.DeviceVotes())
		}
	}
}

// TestAdviceIsComputed: what is recommended, applied, really leaves just what it says.
func TestAdviceIsComputed(t *testing.T) {
	r, err := Make(mustNew(t, 1, 3, 2), Changes{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r.OK || len(r.Advice) != 4 {
		t.Fatalf("%v, %d times advice: %+v", r.OK, len(r.Advice), r.Advice)
	}
	two := 2
	both, err := Make(mustNew(t, 1, 3, 2), Changes{Device: &NewDevice{Host: "HOST"}, Links: &two}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if last := r.Advice[3]; !both.OK || len(last.Leaves) > 0 || last.Flags != "--qdevice HOST --links 2" {
		t.Errorf("%+v, tried: %v", last, both.Verdict)
	}
	for _, a := range r.Advice {
		if len(a.Cures) == 0 || len(a.Cures)+len(a.Leaves) != len(r.Now.Weak) {
			t.Errorf("%+v of %+v", a, r.Now.Weak)
		}
	}
	good, err := Make(mustNew(t, 2, 2, 2), Changes{Device: &NewDevice{Host: "w"}}, Options{})
	if err != nil || !good.OK || len(good.Advice) > 0 || len(good.Now.Weak) == 0 {
		t.Errorf("%v %+v", err, good)
	}
}

// TestTokenHelps: a token too short to outlive the death of a link is cured by a longer one, judged with its own timers.
func TestTokenHelps(t *testing.T) {
	short, none := 400*time.Millisecond, time.Duration(0)
	r, err := Make(mustNew(t, 2, 3), Changes{Token: &short, Coefficient: &none}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(keysOf(r.Then), []string{"link 0 dies"}) || len(r.Advice) != 1 || r.Advice[0].Flags != "--token 3000" || len(r.Advice[0].Leaves) > 0 {
		t.Errorf("%v %v", r.Then.Weak, r.Advice)
	}
}

// TestWaitForAll: two_node brings wait_for_all and takes it away again, unless it is written or asked for (votequorum_readconfig,
// wait_for_all_autoset).
func TestWaitForAll(t *testing.T) {
	const text = "totem {\nversion: 2\n}\nnodelist {\nnode {\nnodeid: 1\nring0_addr: 192.0.2.1\n}\nnode {\nnodeid: 2\nring0_addr: 192.0.2.2\n}\n}\n" +
		"quorum {\nprovider: corosync_votequorum\n%s}\n"
	on, off, device := true, false, &NewDevice{Host: "w"}
	for _, test := range []struct {
		name, written string
		changes       []Changes // one after the other
		want          bool
	}{
		{"two_node goes", "two_node: 1\n", []Changes{{TwoNode: &off}}, false},
		{"two_node goes, wait_for_all is written", "two_node: 1\nwait_for_all: 1\n", []Changes{{TwoNode: &off}}, true},
		{"the same for a qdevice", "two_node: 1\nwait_for_all: 1\n", []Changes{{TwoNode: &off, Device: device}}, true},
		{"it is switched off with two_node", "two_node: 1\nwait_for_all: 1\n", []Changes{{TwoNode: &off, WaitForAll: &off}}, false},
		{"two_node comes", "", []Changes{{TwoNode: &on}}, true},
		{"two_node comes, wait_for_all is off", "wait_for_all: 0\n", []Changes{{TwoNode: &on}}, false},
		{"two_node stays, wait_for_all is off", "two_node: 1\nwait_for_all: 0\n", []Changes{{TwoNode: &on}}, false},
		{"two_node comes and goes", "", []Changes{{TwoNode: &on}, {TwoNode: &off}}, false},
		{"it was asked for before two_node goes", "two_node: 1\n", []Changes{{WaitForAll: &on, LastManStands: &on}, {TwoNode: &off}}, true},
	} {
		c, err := corosync.Parse("corosync.conf", strings.NewReader(fmt.Sprintf(text, test.written)))
		if err != nil {
			t.Fatal(err)
		}
		d, err := FromConfig(c, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, change := range test.changes {
			d = mustApply(t, d, change)
		}
		if options := judged(t, d).Quorum.Options; slices.Contains(options, "wait_for_all") != test.want {
			t.Errorf("%s: %q, want wait_for_all: %v", test.name, options, test.want)
		}
	}
}

// TestFromConfig leaves what it is given as it was.
func TestFromConfig(t *testing.T) {
	const text = "totem {\nversion: 2\n}\nnodelist {\nnode {\nnodeid: 1\nring0_addr: 192.0.2.1\n}\nnode {\nnodeid: 2\nring0_addr: 192.0.2.2\n}\n}\n"
	c, err := corosync.Parse("corosync.conf", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	d, err := FromConfig(c, nil)
	if err != nil || d.Cluster.Nodes[1].Name != "node2" || c.Nodes[1].Name != "" {
		t.Errorf("%v: %v, %q", err, d.Cluster.Nodes, c.Nodes[1].Name)
	}
}

// TestNotes: what no failure shows is told.
func TestNotes(t *testing.T) {
	old, on, b := 650*time.Millisecond, true, "b"
	for want, d := range map[string]Design{
		"pvecm sets it up only when forced":             mustApply(t, mustNew(t, 2, 3, 2), Changes{Device: &NewDevice{Host: "w"}}),
		"the qdevice stands in site b":                  mustApply(t, mustNew(t, 2, 2, 2), Changes{Device: &NewDevice{Host: "w"}, DeviceSite: &b}),
		"may wait 30.0 s for it":                        mustApply(t, mustNew(t, 2, 8, 8), Changes{Device: &NewDevice{Host: "w"}, Coefficient: &old}),
		"fence budget: a failure stops all writes":      mustApply(t, mustNew(t, 2, 8, 8), Changes{Coefficient: &old}),
		"a round trip of 7.0 ms: Proxmox asks for less": withRTT(mustNew(t, 2, 2, 2), 7*time.Millisecond),
		"a round trip of 12 ms: Proxmox calls more":     withRTT(mustNew(t, 2, 3, 2), 12*time.Millisecond),
		"let the links take different routes":           mustNew(t, 2, 1, 1, 1),
		"last_man_standing: ":                           mustApply(t, mustNew(t, 2, 4), Changes{LastManStands: &on}),
		"auto_tie_breaker is ignored: an odd sum of ":   mustApply(t, mustNew(t, 2, 3, 2), Changes{TieBreaker: &on}),
	} {
		w, err := newWorld(&d)
		if err != nil {
			t.Fatal(err)
		}
		s := w.describe()
		w.enumerate(&s, false)
		w.remark(&s)
		if !slices.ContainsFunc(s.Notes, func(n string) bool { return strings.Contains(n, want) }) {
			t.Errorf("no %q in %q", want, s.Notes)
		}
	}
}

func withRTT(d Design, rtt time.Duration) Design {
	d.Network.Between.RTT = rtt
	return d
}

// TestRepeatable: a plan is the same each time.
func TestRepeatable(t *testing.T) {
	make2 := func() *Report {
		r, err := Make(mustNew(t, 2, 2, 2, 1), Changes{}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	a, b := make2(), make2()
	if a.Verdict != b.Verdict || !slices.Equal(a.Now.Switches, b.Now.Switches) || a.Now.Losses[0] != b.Now.Losses[0] || !slices.Equal(a.Now.Livelocks, b.Now.Livelocks) {
		t.Errorf("%+v\n%+v", a.Now, b.Now)
	}
}

// TestModel: with a second link the death of the first does not cost the token, loss on a lone link does.
func TestModel(t *testing.T) {
	one, err := Make(mustNew(t, 1, 3, 2), Changes{}, Options{NoAdvice: true})
	if err != nil {
		t.Fatal(err)
	}
	if l := one.Now.Losses; len(one.Now.Switches) != 0 || len(l) != 1 || l[0].Count == 0 || l[0].Least >= l[0].PerHour || l[0].Most <= l[0].PerHour {
		t.Errorf("one link: %+v %+v", one.Now.Switches, l)
	}
	two, err := Make(mustNew(t, 2, 3, 2), Changes{}, Options{NoAdvice: true})
	if err != nil {
		t.Fatal(err)
	}
	if s := two.Now.Switches; len(s) != 1 || s[0].Lost > 0 || s[0].Share < 0.4 || s[0].Share > 1 {
		t.Errorf("two links: %+v", s)
	}
	if l := two.Now.Losses; len(l) != 2 || l[0].PerHour >= l[1].PerHour || l[1].Without == nil {
		t.Errorf("two links: %+v", l)
	}
}

// TestHopeless: under heavy loss the ring is never whole for long; that few losses are counted then must not look good.
func TestHopeless(t *testing.T) {
	for _, loss := range []float64{0.5, 0.9} {
		d := mustNew(t, 1, 3, 2)
		d.Network.Between.Loss = loss
		r, err := Make(d, Changes{}, Options{LossSaid: true, NoAdvice: true})
		if err != nil {
			t.Fatal(err)
		}
		if l := r.Now.Losses; len(l) != 1 || !l[0].Hopeless() || !slices.ContainsFunc(r.Now.Weak, func(w Weak) bool { return w.Key == "token losses" }) {
			t.Errorf("%+v %+v", l, r.Now.Weak)
		}
	}
}

func TestPoissonInterval(t *testing.T) {
	for _, test := range []struct {
		n         int
		low, high float64
	}{{0, 0, 3.689}, {1, 0.0253, 5.572}, {10, 4.795, 18.39}, {100, 81.36, 121.63}} {
		low, high := poissonInterval(test.n)
		if math.Abs(low-test.low) > 0.001*(1+test.low) || math.Abs(high-test.high) > 0.001*(1+test.high) {
			t.Errorf("%d: %.4f to %.4f, want %.4f to %.4f", test.n, low, high, test.low, test.high)
		}
	}
}

const udpu = `totem {
  version: 2
  transport: udpu
  cluster_name: x
}
nodelist {
  node {
    ring0_addr: 192.0.2.1
    nodeid: 1
  }
}
`

// TestRefused: what makes no sense is refused with the place and what to do.
func TestRefused(t *testing.T) {
	five := func() (Design, error) { return New(sitesOf(3, 2), 2) }
	on, far, three := true, 3*time.Second, 3
	change := func(c Changes) func() error {
		return func() error {
			d, err := five()
			if err != nil {
				return err
			}
			_, err = Make(d, c, Options{})
			return err
		}
	}
	for want, f := range map[string]func() error{
		"neither a configuration nor sites": func() error { _, err := New(nil, 1); return err },
		"site a has no nodes":               func() error { _, err := New([]Site{{Name: "a"}}, 1); return err },
		"65 nodes":                          func() error { _, err := New(sitesOf(65), 1); return err },
		"9 sites":                           func() error { _, err := New(sitesOf(1, 1, 1, 1, 1, 1, 1, 1, 1), 1); return err },
		"9 links":                           func() error { _, err := New(sitesOf(2), 9); return err },
		"totem.transport is udpu":           func() error { return refusedConfig(t, udpu) },
		"nothing to plan": func() error {
			d, _ := New(sitesOf(1), 1)
			_, err := Make(d, Changes{}, Options{})
			return err
		},
		"9 sites: at most 8": func() error { // by a new one
			d, err := New(sitesOf(1, 1, 1, 1, 1, 1, 1, 1), 1)
			if err != nil {
				return err
			}
			_, err = Make(d, Changes{Add: []NewNode{{"x", "i"}}}, Options{})
			return err
		},
		`no node is named "x"`:                change(Changes{Remove: []string{"x"}}),
		"no nodes are left":                   change(Changes{Remove: []string{"a1", "a2", "a3", "b1", "b2"}}),
		"there is a node a1 already":          change(Changes{Add: []NewNode{{"a1", "a"}}}),
		"so the node needs one":               change(Changes{Add: []NewNode{{Name: "n"}}}),
		"--votes a1=0":                        change(Changes{Votes: []NodeVotes{{"a1", 0}}}),
		"--two-node with 5 nodes":             change(Changes{TwoNode: &on}),
		"quorum.device and last_man_standing": change(Changes{Device: &NewDevice{Host: "w"}, LastManStands: &on}),
		"unknown algorithm":                   change(Changes{Device: &NewDevice{Host: "w", Algorithm: "best"}}),
		"there is none":                       change(Changes{NoDevice: true}),
		"need wait_for_all":                   change(Changes{TieBreaker: &on, LastManStands: &on}),
		"ffsplit needs one vote":              change(Changes{Votes: []NodeVotes{{"a1", 2}}, Device: &NewDevice{Host: "w", Algorithm: "ffsplit"}}),
		"a loss of NaN % is no network": func() error {
			d, _ := five()
			d.Network.Between.Loss = math.NaN()
			_, err := Make(d, Changes{}, Options{})
			return err
		},
		"beyond any network": func() error {
			d, _ := five()
			d.Network.Between.RTT = far
			_, err := Make(d, Changes{}, Options{})
			return err
		},
		"link 3, which the cluster does not have": func() error {
			d, _ := five()
			d.Network.Rules = []Rule{{Link: three, RTT: &d.Network.Within.RTT}}
			_, err := Make(d, Changes{}, Options{})
			return err
		},
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		} else if _, ok := errors.AsType[*InputError](err); !ok {
			t.Errorf("%v is no InputError", err)
		}
	}
}

func refusedConfig(t *testing.T, text string) error {
	t.Helper()
	c, err := corosync.Parse("corosync.conf", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	_, err = FromConfig(c, nil)
	return err
}

// BenchmarkPlan32 is a plan of 32 nodes over three sites: it must stay under a second of one core, the model included.
func BenchmarkPlan32(b *testing.B) {
	d := mustNew(b, 2, 12, 12, 8)
	for b.Loop() {
		if _, err := Make(d, Changes{}, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPlan32Changed is the same, now and then beside each other.
func BenchmarkPlan32Changed(b *testing.B) {
	old := 650 * time.Millisecond
	for b.Loop() {
		if _, err := Make(mustNew(b, 2, 12, 12, 8), Changes{Coefficient: &old, Add: []NewNode{{"c9", "c"}}}, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEnumerate is the arithmetic alone, at the limits.
func BenchmarkEnumerate(b *testing.B) {
	d := mustNew(b, 8, 8, 8, 8, 8, 8, 8, 8, 8)
	for b.Loop() {
		w, err := newWorld(&d)
		if err != nil {
			b.Fatal(err)
		}
		s := w.describe()
		w.enumerate(&s, false)
	}
}
