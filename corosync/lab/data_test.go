//go:build linux

package lab

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quorumwatch/quorumwatch/corosync/lab/impair"
)

func TestDueQueue(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var q dueQueue
	var want []parcel
	for i := range 1000 {
		p := parcel{due: impair.Instant(rng.IntN(50)), seq: uint64(i)}
		q.push(p)
		want = append(want, p)
	}
	slices.SortFunc(want, func(a, b parcel) int {
		if a.due != b.due {
			return int(a.due - b.due)
		}
		return int(a.seq) - int(b.seq)
	})
	for i, w := range want {
		if got := q.pop(); got.due != w.due || got.seq != w.seq {
			t.Fatalf("parcel %d: due %d seq %d, want %d %d", i, got.due, got.seq, w.due, w.seq)
		}
	}
	if len(q) != 0 {
		t.Errorf("%d left", len(q))
	}
}

func TestHistogram(t *testing.T) {
	last := time.Duration(-1)
	for i := range 150 {
		if b := bound(i); b < last {
			t.Fatalf("bound(%d) = %d < bound(%d)", i, b, i-1)
		} else {
			last = b
		}
	}
	for _, d := range []time.Duration{0, 1, 3, 4, 7, 8, 100, 12345, time.Millisecond, time.Hour} {
		i := bucket(d)
		if d > bound(i) || i > 8 && float64(bound(i)) > 1.25*float64(d) {
			t.Errorf("%d is in bucket %d, up to %d", d, i, bound(i))
		}
	}
	var h histogram
	for range 990 {
		h.add(10 * time.Microsecond)
	}
	before := h.read()
	for range 10 {
		h.add(time.Millisecond)
	}
	l := h.read()
	if p := l.Quantile(0.5); p < 10*time.Microsecond || p > 13*time.Microsecond {
		t.Errorf("p50 %v", p)
	}
	if p := l.Quantile(0.995); p < time.Millisecond || p > 1250*time.Microsecond {
		t.Errorf("p99.5 %v", p)
	}
	if d := l.Since(before); d.Count() != 10 || d.Quantile(0) < time.Millisecond {
		t.Errorf("since: %d values, least %v", d.Count(), d.Quantile(0))
	}
	if (Lateness{}).Quantile(1) != 0 {
		t.Error("quantile of nothing")
	}
}

func TestParseLine(t *testing.T) {
	now := time.Date(2027, 1, 1, 0, 0, 5, 0, time.UTC)
	tests := []struct {
		text string
		want Line
	}{
		{"Dec 31 23:59:58.475 notice  [TOTEM ] Token has not been received in 844 ms ",
			Line{Event: EventTokenWarning, For: 844 * time.Millisecond}},
		{"Dec 31 23:59:58.475 [9] x corosync notice  [TOTEM ] A processor failed, forming new configuration: token timed out (1125ms), waiting 1350ms for consensus.",
			Line{Event: EventTokenLost, For: 1125 * time.Millisecond}},
		{"Dec 31 23:59:58.475 notice  [TOTEM ] A new membership (1.1d) was formed. Members joined: 4 5 left: 2",
			Line{Event: EventMembership, Ring: "1.1d", Join: []uint32{4, 5}, Left: []uint32{2}}},
		{"Dec 31 23:59:58.475 notice  [TOTEM ] A new membership (3.d) was formed. Members left: 1 2",
			Line{Event: EventMembership, Ring: "3.d", Left: []uint32{1, 2}}},
		{"Dec 31 23:59:58.475 notice  [TOTEM ] A new membership (1.15) was formed. Members",
			Line{Event: EventMembership, Ring: "1.15"}},
		{"Dec 31 23:59:58.475 info    [KNET  ] link: host: 5 link: 1 is down", Line{Event: EventLinkDown, Peer: 5, Link: 1}},
		{"Dec 31 23:59:58.475 info    [KNET  ] rx: host: 5 link: 1 is up", Line{Event: EventLinkUp, Peer: 5, Link: 1}},
		{"Dec 31 23:59:58.475 warning [KNET  ] host: host: 5 has no active links", Line{Event: EventNoLinks, Peer: 5}},
		{"Dec 31 23:59:58.475 notice  [QUORUM] This node is within the non-primary component and will NOT provide any services.",
			Line{Event: EventInquorate}},
		{"Dec 31 23:59:58.475 warning [MAIN  ] Corosync main process was not scheduled (@1795236309123) for 2511.5000 ms (threshold is 900.0000 ms). Consider token timeout increase.",
			Line{Event: EventNotScheduled, For: 2511500 * time.Microsecond}},
		{"Dec 31 23:59:58.475 notice  [TOTEM ] Process pause detected for 1234 ms, flushing membership messages.",
			Line{Event: EventPause, For: 1234 * time.Millisecond}},
		{"Dec 31 23:59:58.475 notice  [MAIN  ] Corosync Cluster Engine 3.1.7 starting up", Line{Event: EventStarted}},
		{"Dec 31 23:59:58.475 notice  [SERV  ] Service engine unloaded: x", Line{}},
	}
	for _, tt := range tests {
		got, ok := parseLine(tt.text, now)
		if !ok {
			t.Errorf("%q: not understood", tt.text)
			continue
		}
		if at := time.Date(2026, 12, 31, 23, 59, 58, 475e6, time.UTC); !got.At.Equal(at) {
			t.Errorf("%q: at %v, want %v", tt.text, got.At, at)
		}
		got.At, got.Seen, got.Level, got.Tag, got.Text = time.Time{}, time.Time{}, "", "", ""
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%q: %s", tt.text, diff)
		}
	}
	for _, text := range []string{"", "x", "Dec 31 23:59:58 notice [MAIN ] without milliseconds", "Foo 31 23:59:58.475 notice  [MAIN  ] x"} {
		if _, ok := parseLine(text, now); ok {
			t.Errorf("%q is understood", text)
		}
	}
}

func TestConf(t *testing.T) {
	l, err := Spec{
		Sites: []Site{{Name: "a", Nodes: 1}, {Name: "b", Nodes: 1}}, Links: 2,
		Totem: []Option{{"token", "1000"}, {"token_coefficient", ""}, {"consensus", "1300"}}, Link: []Option{{"knet_ping_interval", "200"}},
		Quorum: []Option{{"two_node", "1"}},
	}.layout()
	if err != nil {
		t.Fatal(err)
	}
	want := `logging {
  debug: off
  logfile: /var/log/corosync/corosync.log
  timestamp: hires
  to_logfile: yes
  to_syslog: no
}

nodelist {
  node {
    name: a1
    nodeid: 1
    quorum_votes: 1
    ring0_addr: 10.50.1.1
    ring1_addr: 10.51.1.1
  }
  node {
    name: b1
    nodeid: 2
    quorum_votes: 1
    ring0_addr: 10.50.2.1
    ring1_addr: 10.51.2.1
  }
}

quorum {
  provider: corosync_votequorum
  two_node: 1
}

system {
  priority: max
  sched_rr: no
}

totem {
  cluster_name: lab
  config_version: 1
  consensus: 1300
  interface {
    knet_ping_interval: 200
    linknumber: 0
  }
  interface {
    knet_ping_interval: 200
    linknumber: 1
  }
  ip_version: ipv4-6
  link_mode: passive
  secauth: on
  token: 1000
  version: 2
}
`
	if diff := cmp.Diff(want, l.conf()); diff != "" {
		t.Error(diff)
	}
}

func TestSpecErrors(t *testing.T) {
	for _, tt := range []struct {
		spec Spec
		want string
	}{
		{Spec{}, "want at least one"},
		{Spec{Sites: []Site{{"a", 1}, {"a", 1}}}, "named twice"},
		{Spec{Sites: []Site{{"A1", 1}}}, "lower-case letters"},
		{Spec{Sites: []Site{{"a", 0}}}, "want at least 1"},
		{Spec{Sites: []Site{{"a", 20}}}, "want at most 16"},
		{Spec{Sites: []Site{{"a", 1}}, Links: 9}, "want 1 to 8"},
		{Spec{Sites: []Site{{"a", 1}}, MTU: 100}, "want 1280 to 9000"},
	} {
		if _, err := tt.spec.layout(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v, want %q", tt.spec, err, tt.want)
		}
	}
}

func TestParseQuorum(t *testing.T) {
	m, err := parseQuorum("Ring ID:          1.1d\nQuorate:          No\n\nMembership information\n----------------------\n" +
		"    Nodeid      Votes Name\n         4          1 b1 (local)\n        12          1 b2\n         0          1 Qdevice\n")
	if diff := cmp.Diff(Membership{RingID: "1.1d", Members: []uint32{4, 12}}, m); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if _, err := parseQuorum("Cannot initialize QUORUM service"); err == nil {
		t.Error("nonsense passes")
	}
}

func TestProcessID(t *testing.T) {
	id, err := processID(1)
	if err != nil || !id.Alive() {
		t.Errorf("init: %+v, %v", id, err)
	}
	id.Start++
	if id.Alive() || (ProcessID{}).Alive() {
		t.Error("another process of the same pid is taken for it")
	}
}
