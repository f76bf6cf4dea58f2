package report_test

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/checker/report"
	"github.com/quorumwatch/quorumwatch/checker/verdict"
)

func aVerdict() *verdict.Verdict {
	ms := func(n float64) verdict.Seconds { return verdict.Seconds(n * float64(time.Millisecond)) }
	return &verdict.Verdict{
		Schema: verdict.Schema, Answer: verdict.GoWithChanges, Confidence: "medium", First: verdict.LimitLoss, Software: "0.1.0",
		Text: "not as it is: loss burst: 19 of 1800000 probes lost on link 0 to d | <b>", At: time.Date(2026, 4, 12, 8, 0, 0, 0, time.UTC),
		Rests: []string{"26 h of own probes, 1800000 probes on 1 paths, 1 busy period"},
		Basis: verdict.Basis{Source: "own probes", Length: verdict.Seconds(26 * time.Hour), Probes: 1_800_000, Paths: 1, Silent: 1, Busy: 1},
		Cluster: verdict.Cluster{
			Name: "dc", Nodes: []verdict.Member{{Name: "a", ID: 1, Site: "dc1"}, {Name: "b", ID: 2, Site: "dc1"}, {Name: "d", ID: 3, Site: "dc2", Planned: true}},
			Links: []int{0, 1}, Token: ms(3000), TokenThen: ms(3125), Membership: ms(6875), Coefficient: ms(125), Stretched: true, HA: verdict.HAArmed,
		},
		Headroom: verdict.Headroom{Known: true, Token: ms(3125), Gap: ms(1900), Share: 0.608, Delivery: ms(1900), Where: "link 0 to d"},
		Limits: []verdict.Limit{
			{Name: verdict.LimitLoss, Status: verdict.Fail, Text: "longest gap 1.90 s (61 % of the token)", Cure: "token 5000"},
			{Name: verdict.LimitFence, Status: verdict.Pass, Text: "token + consensus + synchronization take 8.48 s of the 50 s that a watchdog leaves"},
			{Name: verdict.LimitMTU, Status: verdict.Unknown, Text: "no full-size probes were answered or lost"},
		},
		Paths: []verdict.Path{
			{
				Peer: "d", Node: 3, Local: netip.MustParseAddr("10.0.0.1"), Remote: netip.MustParseAddr("10.0.0.3"),
				Figures: verdict.Figures{
					Sent: 1_800_000, Received: 1_799_979, Lost: 21, LostBackward: 19, P50: ms(6.1), P99: ms(9), P999: ms(22), Max: ms(410),
					WorstGap: ms(1900), WorstGapBackward: ms(1900), Burst: 10, LossRatio: 21.0 / 1.8e6, GapShare: 0.608,
				},
				FullSize: 1472, FullSent: 64, FullReceived: 64,
			},
			{Peer: "d", Node: 3, Link: 1, Local: netip.MustParseAddr("10.1.0.1"), Remote: netip.MustParseAddr("10.1.0.3"), Note: "no answer"},
		},
		Ring:     verdict.Ring{Nodes: 3, Pair: ms(6.1), PairTail: ms(22), Crossings: 2, Round: ms(6.5), RoundTail: ms(22.4), Retransmit: ms(744), Share: 0.0087},
		WhatIf:   []string{"site dc1 lost: NOBODY keeps quorum"},
		SamePath: []verdict.Proof{{Link: 0, Address: "10.0.0.1", Interface: "eno1", Kind: "device", MTU: 1500, Marking: "TOS 0x10, priority 6", Port: 5412, Same: true, Text: "from Corosync's own address"}},
		Load:     []verdict.Task{{Node: "b", Load: "backup", Object: "100"}},
		Ranges:   []verdict.Range{{Who: "Proxmox VE (pvecm)", Says: "below 5 ms between all nodes", Lies: "outside", About: "supported range"}},
		Findings: []verdict.Finding{{Code: "links-shared", Serious: true, Subject: "eno1", Title: "both links leave through eno1", Fix: "another NIC"}},
		Changes:  []string{"corosync.conf: token 5000"}, Diff: "--- a/corosync.conf\n+++ b/corosync.conf\n@@ -1 +1 @@\n-  token: 3000\n+  token: 5000\n",
		Steps: []string{"disarm HA"}, Next: []string{"make the changes and check again"},
	}
}

// aSoak is one of seven hours that was broken off once.
func aSoak() *verdict.Soak {
	begin := time.Date(2026, 4, 11, 22, 30, 0, 0, time.UTC)
	s := &verdict.Soak{
		Asked: verdict.Seconds(24 * time.Hour), Measured: verdict.Seconds(6*time.Hour + 27*time.Minute), Started: begin, Runs: 2, Down: verdict.Seconds(33 * time.Minute),
		Gaps:  []verdict.Gap{{From: begin.Add(2 * time.Hour), To: begin.Add(2*time.Hour + 33*time.Minute)}},
		Worst: verdict.Minute{Begin: begin.Add(3*time.Hour + 43*time.Minute), Probes: 2400, Lost: 23, Gap: verdict.Seconds(640 * time.Millisecond), Where: "link 0 to d"},
	}
	for i := range 7 {
		h := verdict.Hour{Minute: verdict.Minute{Begin: begin.Add(time.Duration(i) * time.Hour).Truncate(time.Hour), Probes: 144_000}, Measured: verdict.Seconds(time.Hour), Margin: 0.81}
		h.Virtual = verdict.Seconds(590 * time.Millisecond)
		if i > 3 {
			h.Lost, h.Gap, h.Where, h.Margin = uint64(40-i), verdict.Seconds(time.Duration(i)*160*time.Millisecond), "link 0 to d", 0.8-float64(i)/20
		}
		s.Hours = append(s.Hours, h)
	}
	return s
}

func TestVerdictGoldens(t *testing.T) {
	for name, write := range map[string]func(*bytes.Buffer, *verdict.Verdict) error{
		"verdict.txt":  func(b *bytes.Buffer, v *verdict.Verdict) error { return report.Verdict(b, v, 110) },
		"verdict.json": func(b *bytes.Buffer, v *verdict.Verdict) error { return report.VerdictJSON(b, v) },
		"verdict-burst.txt": func(b *bytes.Buffer, v *verdict.Verdict) error {
			x := &v.Paths[0]
			x.Sent, x.Received, x.LossRatio = 10_000, 10_000-x.Lost, float64(x.Lost)/10_000
			full := x.Figures
			full.Received, full.Lost, full.LostForward, full.LossRatio, full.Burst = 9088, 912, 893, 0.0912, 23
			x.Full = &full
			return report.Verdict(b, v, 110)
		},
		"verdict-soak.txt": func(b *bytes.Buffer, v *verdict.Verdict) error {
			v.Soak = aSoak()
			return report.Verdict(b, v, 110)
		},
		"verdict-soak.html": func(b *bytes.Buffer, v *verdict.Verdict) error {
			v.Soak = aSoak()
			return report.VerdictHTML(b, v)
		},
		"verdict.yaml":   func(b *bytes.Buffer, v *verdict.Verdict) error { return report.VerdictYAML(b, v) },
		"verdict.nagios": func(b *bytes.Buffer, v *verdict.Verdict) error { return report.VerdictNagios(b, v) },
		"verdict.html":   func(b *bytes.Buffer, v *verdict.Verdict) error { return report.VerdictHTML(b, v) },
		"verdict.diff": func(b *bytes.Buffer, v *verdict.Verdict) error {
			old := aVerdict()
			old.Answer, old.Paths, old.Headroom.Gap, old.Headroom.Share = verdict.Go, nil, 0, 0
			old.Limits[0].Status = verdict.Pass
			worse, err := report.VerdictDiff(b, old, v)
			if !worse {
				t.Error("a limit broke, and the run is no worse")
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := write(&b, aVerdict()); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", name)
			if *update {
				if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(b.Bytes(), want) {
				t.Errorf("%s is not as it was (-update writes it anew):\n%s", file, b.String())
			}
		})
	}
}

// TestVerdictRead: what JSON says can be compared later.
func TestVerdictRead(t *testing.T) {
	var b bytes.Buffer
	if err := report.VerdictJSON(&b, aVerdict()); err != nil {
		t.Fatal(err)
	}
	v, err := report.ReadVerdict(&b)
	if err != nil {
		t.Fatal(err)
	}
	var again bytes.Buffer
	if worse, err := report.VerdictDiff(&again, aVerdict(), v); err != nil || worse || strings.Contains(again.String(), "->") {
		t.Errorf("it differs from itself (%v):\n%s", err, again.String())
	}
	if _, err := report.ReadVerdict(strings.NewReader(`{"schema": 9}`)); err == nil {
		t.Error("another schema is read")
	}
}

// TestNagios: an agent's report as a plug-in.
func TestNagios(t *testing.T) {
	now := time.Date(2026, 4, 12, 8, 0, 0, 0, time.UTC)
	good := checker.Report{At: now, Quorum: checker.Quorum{Known: true, Quorate: true, SpareKnown: true, SpareVotes: 2}}
	good.Margin = checker.Margin{Known: true, TenMin: 0.8, WorstGap: checker.Seconds(600 * time.Millisecond)}
	good.Timeouts.Token = checker.Seconds(3 * time.Second)
	bad, old, unknown := good, good, good
	bad.Severity = checker.Critical
	bad.Findings = []checker.Finding{{Code: "peer-cut", Severity: checker.Critical, Title: strings.Repeat("link 0 | ", 20)}}
	old.At = now.Add(-time.Minute)
	unknown.Quorum = checker.Quorum{}
	for name, c := range map[string]struct {
		r      checker.Report
		status int
		first  string
	}{
		"good":    {good, 0, "OK - quorate, 2 votes to spare, worst gap 20 % of the token"},
		"bad":     {bad, 2, "CRITICAL - link 0 / link 0 /"},
		"old":     {old, 3, "UNKNOWN - the agent's report is"},
		"unknown": {unknown, 3, "UNKNOWN - nothing is known of quorum"},
	} {
		var b bytes.Buffer
		status, err := report.Nagios(&b, &c.r, now, 5*time.Second)
		first, _, _ := strings.Cut(b.String(), "\n")
		if err != nil || status != c.status || !strings.HasPrefix(first, c.first) || utf8.RuneCountInString(first) >= 80 {
			t.Errorf("%s: status %d (%v):\n%s", name, status, err, b.String())
		}
		if strings.Count(b.String(), "|") != 1 || !strings.Contains(b.String(), "'token'=3s") {
			t.Errorf("%s: performance data:\n%s", name, b.String())
		}
	}
}
