package corosync_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/corosync/corosynctest"
	"github.com/quorumwatch/quorumwatch/corosync/totem"
)

func TestParseQuorumTool(t *testing.T) {
	row := func(id uint32, name string) corosync.MemberVotes {
		return corosync.MemberVotes{ID: id, Votes: 1, Name: name}
	}
	voteq := corosync.QuorumStatus{
		Known: true, Provider: "corosync_votequorum", Quorate: true, Expected: 3, HighestExpected: 3, Total: 3, Quorum: 2,
		Flags: []string{"Quorate"},
		Votes: []corosync.MemberVotes{row(1, "10.77.0.1"), row(2, "10.77.0.2"), row(3, "10.77.0.3")},
	}
	with := func(change func(q *corosync.QuorumStatus)) corosync.QuorumStatus {
		q := voteq
		change(&q)
		return q
	}
	device := func(id uint32, name, flags string) corosync.MemberVotes {
		return corosync.MemberVotes{ID: id, Votes: 1, Qdevice: flags, Name: name}
	}
	tests := []struct {
		state string
		want  corosync.QuorumReport
	}{
		{"healthy3", corosync.QuorumReport{Local: 1, Ring: corosync.RingID{Rep: 1, Seq: 9}, Quorum: voteq}},
		{"majority", corosync.QuorumReport{Local: 1, Ring: corosync.RingID{Rep: 1, Seq: 17}, Quorum: with(func(q *corosync.QuorumStatus) {
			q.Total, q.Votes = 2, voteq.Votes[:2]
		})}},
		{"isolated", corosync.QuorumReport{Local: 3, Ring: corosync.RingID{Rep: 3, Seq: 17}, Quorum: with(func(q *corosync.QuorumStatus) {
			q.Quorate, q.Total, q.Votes, q.Flags = false, 1, voteq.Votes[2:], []string{}
		})}},
		{"qdevice", corosync.QuorumReport{Local: 1, Ring: corosync.RingID{Rep: 1, Seq: 9}, Quorum: with(func(q *corosync.QuorumStatus) {
			q.Flags = []string{"Quorate", "Qdevice"}
			q.Votes = []corosync.MemberVotes{
				device(1, "10.77.0.1", "A,V,NMW"), device(2, "10.77.0.2", "A,V,NMW"), {ID: 0, Votes: 1, Name: "Qdevice"},
			}
		})}},
		{"qdevicelost", corosync.QuorumReport{Local: 1, Ring: corosync.RingID{Rep: 1, Seq: 9}, Quorum: with(func(q *corosync.QuorumStatus) {
			q.Flags, q.Total = []string{"Quorate", "Qdevice"}, 2
			q.Votes = []corosync.MemberVotes{
				device(1, "10.77.0.1", "A,NV,NMW"), device(2, "10.77.0.2", "A,NV,NMW"), {ID: 0, Votes: 0, Name: "Qdevice"},
			}
		})}},
	}
	for _, tt := range tests {
		t.Run(tt.state, func(t *testing.T) {
			got, err := corosync.ParseQuorumTool(corosynctest.Recorded(tt.state).Output("corosync-quorumtool").Stdout)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// The forms that were not recorded, from tools/corosync-quorumtool.c.
func TestParseQuorumToolForms(t *testing.T) {
	const hex = `Quorum information
Quorum provider:  corosync_votequorum
Nodes:            1
Node ID:          0x0000000a
Ring ID:          a.1f
Quorate:          Yes

Votequorum information
Quorum:           1
Flags:            2Node Quorate WaitForAll

Membership information
----------------------
    Nodeid      Votes Name
0x0000000a          1 pve1 (local)
`
	got, err := corosync.ParseQuorumTool([]byte(hex))
	if err != nil || got.Local != 10 || got.Ring != (corosync.RingID{Rep: 10, Seq: 31}) || got.Quorum.Votes[0].ID != 10 || got.Quorum.Votes[0].Name != "pve1" {
		t.Errorf("quorumtool -H: %+v, %v", got, err)
	}
	const plain = `Quorum provider:  Not configured
Nodes:            2
Node ID:          1
Ring ID:          1f
Quorate:          Yes

Membership information
----------------------
    Nodeid Name
         1 pve1 (local)
         2 pve2
`
	got, err = corosync.ParseQuorumTool([]byte(plain))
	want := corosync.QuorumReport{Local: 1, Ring: corosync.RingID{Seq: 31}, Quorum: corosync.QuorumStatus{
		Known: true, Quorate: true, Votes: []corosync.MemberVotes{{ID: 1, Name: "pve1"}, {ID: 2, Name: "pve2"}},
	}}
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("without votequorum: %v\n%s", err, d)
	}
	for _, bad := range []string{"", "Cannot initialize CMAP service\n", "Quorate: Yes\nNode ID: one\n", "Ring ID: 1.xyz\nQuorate: Yes\n", "Quorate: Yes\nTotal votes: many\n"} {
		if _, err := corosync.ParseQuorumTool([]byte(bad)); err == nil {
			t.Errorf("ParseQuorumTool(%q) gave no error", bad)
		}
	}
}

func TestParseCfgTool(t *testing.T) {
	links, err := corosync.ParseCfgTool(corosynctest.Recorded("link0down").Output("corosync-cfgtool", "-s").Stdout)
	if err != nil {
		t.Fatal(err)
	}
	if len(links.Links) != 6 || links.Local != 1 || links.Transport != "knet" {
		t.Fatalf("-s: %+v", links)
	}
	for _, l := range links.Links {
		if up := l.Node != 3 || l.Link != 0; l.Connected != up || l.Local != (l.Node == 1) || l.From != "10.77."+string('0'+rune(l.Link))+".1" {
			t.Errorf("-s: %+v", l)
		}
	}
	nodes, err := corosync.ParseCfgTool(corosynctest.Recorded("link0down").Output("corosync-cfgtool", "-n").Stdout)
	want := corosync.CfgReport{Local: 1, Transport: "knet", Links: []corosync.CfgLink{
		{Node: 2, Link: 0, Transport: "udp", From: "10.77.0.1", To: "10.77.0.2", Enabled: true, Connected: true, MTU: 1397},
		{Node: 2, Link: 1, Transport: "udp", From: "10.77.1.1", To: "10.77.1.2", Enabled: true, Connected: true, MTU: 1397},
		{Node: 3, Link: 0, Transport: "udp", From: "10.77.0.1", To: "10.77.0.3", Enabled: true, MTU: 1397},
		{Node: 3, Link: 1, Transport: "udp", From: "10.77.1.1", To: "10.77.1.3", Enabled: true, Connected: true, MTU: 1397},
	}}
	if d := cmp.Diff(want, nodes); err != nil || d != "" {
		t.Errorf("-n: %v\n%s", err, d)
	}
}

// The forms of other versions, from their tools/corosync-cfgtool.c.
func TestParseCfgToolForms(t *testing.T) {
	tests := []struct{ version, out string }{
		{"3.0.4 -s", "Printing link status.\nLocal node ID 1\nLINK ID 0\n\taddr\t= 10.0.0.1\n\tstatus:\n\t\tnodeid  1:\tlocalhost\n\t\tnodeid  2:\tconnected (not enabled)\n"},
		{"after 3.1.10 -n", "Local node ID 1, transport knet\nnodeid: 2 reachable   onwire (min/max/cur): 0, 1, 1\n   LINK: 0 udp (10.0.0.1->10.0.0.2) connected mtu: 1397\n"},
	}
	for _, tt := range tests {
		got, err := corosync.ParseCfgTool([]byte(tt.out))
		if err != nil || len(got.Links) == 0 {
			t.Errorf("%s: %+v, %v", tt.version, got, err)
			continue
		}
		l := got.Links[len(got.Links)-1]
		if l.Node != 2 || l.Link != 0 || !l.Connected || l.Enabled || l.From != "10.0.0.1" {
			t.Errorf("%s: %+v", tt.version, l)
		}
	}
	if _, err := corosync.ParseCfgTool([]byte("Could not initialize\n")); err == nil {
		t.Error("no local node id: no error")
	}
}

func TestFault(t *testing.T) {
	tests := []struct {
		stderr string
		want   corosync.Daemon
	}{
		{"Could not initialize corosync configuration API error 2\n", corosync.DaemonStopped},
		{"Could not initialize corosync configuration API error 6\n", corosync.DaemonStarting},
		{"Could not initialize corosync configuration API error 11\n", corosync.DaemonDenied},
		{"Could not initialize corosync configuration API error 29\n", corosync.DaemonDenied},
		{"Failed to initialize the cmap API. Error CS_ERR_LIBRARY\n", corosync.DaemonStopped},
		{"Failed to initialize the cmap API. Error CS_ERR_ACCESS\n", corosync.DaemonDenied},
		{"Dispatch error CS_ERR_LIBRARY\n", corosync.DaemonStopped},
		{"Unable to get node info: CS_ERR_TRY_AGAIN\n", corosync.DaemonStarting},
		{"Cannot initialize CMAP service\n", corosync.DaemonUnknown},
		{"", corosync.DaemonUnknown},
	}
	for _, tt := range tests {
		if got := corosync.Fault(tt.stderr); got != tt.want {
			t.Errorf("Fault(%q) = %v, want %v", tt.stderr, got, tt.want)
		}
	}
}

func TestParseVersion(t *testing.T) {
	if got := corosync.ParseVersion(corosynctest.Recorded("healthy3").Output("corosync", "-v").Stdout); got != "3.1.7" {
		t.Errorf("version %q", got)
	}
}

func recordedMap(t *testing.T, state string, args ...string) corosync.Map {
	t.Helper()
	m, err := corosync.ParseMap(corosynctest.Recorded(state).Output("corosync-cmapctl", args...).Stdout)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMapValues(t *testing.T) {
	m := recordedMap(t, "majority")
	members := m.Members()
	if len(members) != 3 || !members[0].Joined || members[2].Joined || members[2].ID != 3 || members[2].JoinCount != 1 || members[1].ConfigVersion != 3 {
		t.Errorf("members %+v", members)
	}
	if members[1].IP != "r(0) ip(10.77.0.2) r(1) ip(10.77.1.2)" {
		t.Errorf("ip %q", members[1].IP)
	}
	if d := cmp.Diff(map[uint32]string{1: "pve1", 2: "pve2", 3: "pve3"}, m.NodeNames()); d != "" {
		t.Error(d)
	}
	r := m.Runtime()
	coefficient := 125 * time.Millisecond
	want := totem.Params{Nodes: 3, HasLink0: true, TokenCoefficient: &coefficient}.Timeouts()
	if d := cmp.Diff(want, r.Timeouts); !r.Known || d != "" {
		t.Errorf("effective values (- computed, + read): %s", d)
	}
	for n := range 2 {
		if d := cmp.Diff(totem.LinkParams{}.Timeouts(want.Token), r.Links[n]); d != "" {
			t.Errorf("link %d: %s", n, d)
		}
	}
}

func TestMapStats(t *testing.T) {
	m := recordedMap(t, "link0down", "-m", "stats")
	links := m.KnetLinks(1)
	if len(links) != 4 {
		t.Fatalf("links %+v", links)
	}
	l := links[2]
	if l.Node != 3 || l.Link != 0 || l.Connected || !l.Enabled || l.DownCount != 2 || l.UpCount != 1 || l.MTU != 1397 || l.TxPing <= l.RxPong || l.LatencyAvg <= 0 {
		t.Errorf("dead link %+v", l)
	}
	if l := links[3]; !l.Connected || l.DownCount != 1 || l.TxPing == 0 {
		t.Errorf("good link %+v", l)
	}
	srp := m.SRP()
	if !srp.Known || srp.OperationalTokenLost != 1 || srp.GatherEntered < 4 || srp.MeanTokenInterval <= 0 {
		t.Errorf("srp %+v", srp)
	}
	if s := m.Stalls(); len(s) != 0 {
		t.Errorf("stalls %+v", s)
	}
	some := []string{"-m", "stats", "-g"}
	for _, name := range corosync.KnetLinkKeys() {
		some = append(some, "stats.knet.node3.link0."+name)
	}
	if d := cmp.Diff(links[2:3], recordedMap(t, "link0down", some...).KnetLinks(1)); d != "" {
		t.Errorf("by key: %s", d)
	}
}

func TestStalls(t *testing.T) {
	m, _ := corosync.ParseMap([]byte(`stats.schedmiss.0.delay (flt) = 5995.917480
stats.schedmiss.0.timestamp (u64) = 1795236296199
stats.schedmiss.1.delay (flt) = 3506.958008
stats.schedmiss.1.timestamp (u64) = 1795236289163
`))
	got := m.Stalls()
	if len(got) != 2 || got[0].At.UnixMilli() != 1795236296199 || got[1].For.Round(time.Millisecond) != 3507*time.Millisecond {
		t.Errorf("%+v", got)
	}
}

func TestParseChange(t *testing.T) {
	tests := []struct {
		line string
		want corosync.Change
	}{
		{"modify> runtime.members.3.status (str) = left", corosync.Change{Op: "modify", Key: "runtime.members.3.status", Value: corosync.Value{Type: "str", Text: "left"}}},
		{"create> config.reload_in_progress (u8) = 1\r", corosync.Change{Op: "create", Key: "config.reload_in_progress", Value: corosync.Value{Type: "u8", Text: "1"}}},
		{"delete> nodelist.local_node_pos (u32) = 0", corosync.Change{Op: "delete", Key: "nodelist.local_node_pos", Value: corosync.Value{Type: "u32", Text: "0"}}},
	}
	for _, tt := range tests {
		if got, ok := corosync.ParseChange(tt.line); !ok || got != tt.want {
			t.Errorf("ParseChange(%q) = %+v, %v", tt.line, got, ok)
		}
	}
	for _, line := range []string{"", `Type "q" to finish`, "modify> ", "unknown change> a (u8) = 1", "modify> a b (u8) = 1"} {
		if got, ok := corosync.ParseChange(line); ok {
			t.Errorf("ParseChange(%q) = %+v", line, got)
		}
	}
}

func FuzzParseMap(f *testing.F) {
	f.Add([]byte("a.b (u32) = 1\nb (bin)\nc (str) = x (y) = z\n"))
	f.Add(corosynctest.Recorded("majority").Output("corosync-cmapctl").Stdout)
	f.Add([]byte("stats.schedmiss.0.delay (flt) = 1e300\nstats.schedmiss.0.timestamp (u64) = 18446744073709551615\nruntime.config.totem.token (u32) = 99999999999999\nruntime.config.totem.interface.0.knet_ping_timeout (u32) = 1\ntotem.interface.0.knet_pong_count (u32) = 2147483648\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := corosync.ParseMap(b)
		if err == nil && len(m) > strings.Count(string(b), "\n")+1 {
			t.Errorf("%d entries of %d lines", len(m), strings.Count(string(b), "\n")+1)
		}
		ascending := slices.IsSortedFunc(m.Members(), func(a, b corosync.Member) int { return int(int64(a.ID) - int64(b.ID)) })
		if !ascending {
			t.Error("members are not in order")
		}
		m.KnetLinks(1)
		m.SRP()
		m.NodeNames()
		if r := m.Runtime(); r.Timeouts.TokenWarning > r.Timeouts.Token || r.Timeouts.Token < 0 {
			t.Errorf("timeouts %+v", r.Timeouts)
		}
		for _, s := range m.Stalls() {
			if s.For < 0 {
				t.Errorf("stall %+v", s)
			}
		}
		for line := range strings.Lines(string(b)) {
			if c, ok := corosync.ParseChange("modify> " + line); ok {
				c.Apply(m)
			}
		}
	})
}

func FuzzParseQuorumTool(f *testing.F) {
	for _, state := range []string{"healthy3", "isolated", "qdevice", "qdevicelost"} {
		f.Add(corosynctest.Recorded(state).Output("corosync-quorumtool").Stdout)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := corosync.ParseQuorumTool(b)
		if (err == nil) != r.Quorum.Known {
			t.Errorf("known %v, error %v", r.Quorum.Known, err)
		}
		if again, err := corosync.ParseRingID(r.Ring.String()); err != nil || again != r.Ring {
			t.Errorf("ring id %v became %v, %v", r.Ring, again, err)
		}
	})
}

func FuzzParseCfgTool(f *testing.F) {
	f.Add(corosynctest.Recorded("link0down").Output("corosync-cfgtool", "-s").Stdout)
	f.Add(corosynctest.Recorded("link0down").Output("corosync-cfgtool", "-n").Stdout)
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := corosync.ParseCfgTool(b)
		if err != nil && len(r.Links) > 0 {
			t.Error("links and an error")
		}
		corosync.Fault(string(b))
		corosync.ParseVersion(b)
	})
}

func TestParseLibknet(t *testing.T) {
	for text, want := range map[string]string{
		string(corosynctest.Recorded("healthy3").Output("dpkg-query").Stdout): "1.25-1",
		"":                            "",
		"\n1.32-1~bpo12+1\n":          "1.32-1~bpo12+1",
		"dpkg-query: no such thing\n": "",
	} {
		if got := corosync.ParseLibknet([]byte(text)); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
