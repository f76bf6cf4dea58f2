//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quorumwatch/quorumwatch/checker/verdict"
	"github.com/quorumwatch/quorumwatch/corosync/lab"
	"github.com/quorumwatch/quorumwatch/corosync/lab/impair"
)

// checked is a run of a case that went as was written down.
func checked(k checkCase, links int) checkCell {
	return checkCell{
		Ring: ringSpec{Sites: []int{2, 1}, Links: links}, Case: k.Name, Args: k.Args, Answering: "reflect", Took: 12 * time.Second,
		Shares: []int{0, 20, 40, 60, 80, 100}, Said: checkSaid{Answer: k.Answer, First: k.First, Changes: []string{"another", "x " + k.Change}},
	}
}

// allChecked are two runs of all cases.
func allChecked() (cells []checkCell) {
	for range 2 {
		for links := 1; links <= 2; links++ {
			for _, k := range checkCases(links) {
				cells = append(cells, checked(k, links))
			}
		}
	}
	return cells
}

// TestCheckRequirements spoils one thing at a time.
func TestCheckRequirements(t *testing.T) {
	ofFirst := func(name string, change func(*checkCell)) func([]checkCell) []checkCell {
		return func(cells []checkCell) []checkCell {
			for i := range cells {
				if cells[i].Case == name {
					change(&cells[i])
					return cells
				}
			}
			panic("no such case: " + name)
		}
	}
	for name, c := range map[string]struct {
		spoil func([]checkCell) []checkCell
		unmet []int // requirements by number: right, first, same, quick, shown
	}{
		"all as written down":     {func(c []checkCell) []checkCell { return c }, nil},
		"a wrong verdict":         {ofFirst("10 %, 2 ms", func(c *checkCell) { c.Said.Answer = verdict.Go }), []int{0, 2}},
		"a wrong limit":           {ofFirst("10 %, 2 ms", func(c *checkCell) { c.Said.First = verdict.LimitMTU }), []int{1, 2}},
		"a slow check":            {ofFirst("one place", func(c *checkCell) { c.Took = 15 * time.Second }), []int{4}},
		"a slow burst":            {ofFirst("1 %, 2 ms", func(c *checkCell) { c.Took = time.Minute }), nil},
		"no progress":             {ofFirst("one place", func(c *checkCell) { c.Shares = nil }), []int{5}},
		"progress that goes back": {ofFirst("one place", func(c *checkCell) { c.Shares = []int{0, 10, 20, 10, 50, 80} }), []int{5}},
		"a change left out":       {ofFirst("1 %, 2 ms", func(c *checkCell) { c.Said.Changes = c.Said.Changes[:1] }), []int{3}},
		"a doubtful run":          {ofFirst("10 %, 2 ms", func(c *checkCell) { c.Said.Answer, c.Doubts = verdict.Go, []string{"stalled"} }), nil},
		"nothing":                 {func([]checkCell) []checkCell { return nil }, []int{0, 1, 2}},
		"one run of each":         {func(c []checkCell) []checkCell { return c[:len(c)/2] }, []int{2}},
		"both runs are wrong": {func(cells []checkCell) []checkCell {
			for i := range cells {
				if cells[i].Case == "clean, 40 ms" {
					cells[i].Said.Answer = verdict.NoGo
				}
			}
			return cells
		}, []int{0}},
	} {
		t.Run(name, func(t *testing.T) {
			var unmet []int
			var out bytes.Buffer
			for i, r := range tabulateChecks(&out, c.spoil(allChecked())) {
				if !r.ok() {
					unmet = append(unmet, i)
				}
			}
			if diff := cmp.Diff(c.unmet, unmet); diff != "" {
				t.Errorf("%s\n%s", diff, out.String())
			}
		})
	}
}

// TestCheckRow: what differs between two runs is seen in the table.
func TestCheckRow(t *testing.T) {
	k := checkOne()[2]
	a, b := checked(k, 1), checked(k, 1)
	a.Said.Paths = []checkPath{
		{Peer: "a2", Sent: 10000, Received: 10000, FullSent: 500, FullReceived: 500},
		{Peer: "b1", Sent: 10000, Received: 8100, Lost: 1900, FullSent: 500, FullReceived: 410},
	}
	b.Said.Answer, b.Downs, b.Losses = verdict.GoWithChanges, 3, 1
	var out bytes.Buffer
	checkRow{checkCase: k, Cells: []checkCell{a, b}, Odd: 1}.print(&out)
	want := "| `check --burst` | 10 %, 2 ms | NO-GO, loss burst | " + whyTen + " | NO-GO, loss burst; GO WITH CHANGES, loss burst | 12.0, 12.0 | " +
		"1900 of 10000, full-size 90 of 500; - | 3 link downs, 1 token losses | **1 of 2**, 1 doubtful |\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

// TestCheckCases: names are unique, answers are sound in themselves, and the network of each can be made.
func TestCheckCases(t *testing.T) {
	for links := 1; links <= 2; links++ {
		top, err := lab.Spec{Sites: []lab.Site{{Name: "a", Nodes: 2}, {Name: "b", Nodes: 1}}, Links: links}.Topology()
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, k := range checkCases(links) {
			if seen[k.title()] || k.Why == "" {
				t.Errorf("%s: named twice, or for no reason", k.title())
			}
			seen[k.title()] = true
			if (k.First == "") != (k.Answer == verdict.Go) {
				t.Errorf("%s: %s, first limit %q", k.title(), k.Answer, k.First)
			}
			if _, err := impair.Compile(top, 1, k.rules([]string{"a", "b"}), nil); err != nil {
				t.Errorf("%s: %v", k.title(), err)
			}
		}
	}
	o := proveOptions{links: 1, cases: []string{"--burst: 10 %", "nonsense"}}
	var got []string
	for _, k := range o.checkCases() {
		got = append(got, k.Name)
	}
	if diff := cmp.Diff([]string{"10 %, 2 ms", "10 %, 40 ms", "10 % there only, 2 ms", "10 % back only, 2 ms", "10 % there only, 40 ms"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestCheckRules: what one direction loses, the other does not.
func TestCheckRules(t *testing.T) {
	top, err := lab.Spec{Sites: []lab.Site{{Name: "a", Nodes: 2}, {Name: "b", Nodes: 1}}, Links: 2}.Topology()
	if err != nil {
		t.Fatal(err)
	}
	k := checkCase{RTT: checkFar, There: 1, MTU: 1400, Links: []int{1}}
	set, err := impair.Compile(top, 1, k.rules([]string{"a", "b"}), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name           string
		from, to, link int
		size           int
		drop           bool
		delay          time.Duration
	}{
		{"there", 0, 2, 1, 100, true, 0},
		{"back", 2, 0, 1, 100, false, checkFar / 2},
		{"back, full-size", 2, 0, 1, 1500, true, 0},
		{"there on the other link, full-size", 1, 2, 0, 1500, false, checkFar / 2},
		{"inside, full-size", 0, 1, 1, 1500, false, checkHere / 2},
	} {
		v := set.Judge(1, &impair.Packet{From: c.from, To: c.to, Link: c.link, Size: c.size, Head: 20})
		if v.Drop != c.drop || !v.Drop && v.Due-1 != impair.Instant(c.delay) {
			t.Errorf("%s: %+v", c.name, v)
		}
	}
}

// ended is what a process that ended with a status gives.
type ended int

func (e ended) Error() string { return fmt.Sprintf("exit status %d", int(e)) }
func (e ended) ExitCode() int { return int(e) }

func TestCheckRead(t *testing.T) {
	if status, err := exitStatus(fmt.Errorf("check: %w", ended(3))); status != 3 || err != nil {
		t.Errorf("status %d, %v", status, err)
	}
	for _, err := range []error{errors.New("not found"), ended(-1)} { // killed
		if _, got := exitStatus(err); got == nil {
			t.Errorf("%v is a status", err)
		}
	}
	const text = `{"schema":1,"software":"1","verdict":"NO-GO","first_limit":"MTU","ring":{"nodes":3},"load":[],"limits":[{"name":"MTU","status":"fail","text":"x"}],
		"paths":[{"peer":"b1","lost":7,"received":3,"rtt_p50":0.002}]}`
	c := checkCell{Case: "x", Status: 2}
	if err := c.read([]byte(text)); err != nil {
		t.Fatal(err)
	}
	want := checkCell{Case: "x", Status: 2, Said: checkSaid{
		Software: "1", Answer: verdict.NoGo, First: verdict.LimitMTU, Limits: []checkLimit{{"MTU", verdict.Fail, "x"}},
		Paths: []checkPath{{Peer: "b1", Lost: 7, Received: 3, P50: verdict.Seconds(2 * time.Millisecond)}},
	}}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Error(diff)
	}
	c.Status = 1
	if err := c.read([]byte(text)); err == nil {
		t.Error("a verdict and the status of another one")
	}
	if diff := cmp.Diff([]int{0, 50, 100}, shares("x 7 %\r\x1b[K[....]   0 %, 10 s left, 1 % lost\r\x1b[K[##..]  50 %, 5 s left\r100 %  0s left\r\x1b[K")); diff != "" {
		t.Error(diff)
	}
}

// TestScreen: a program's terminal is read to its end.
func TestScreen(t *testing.T) {
	s, err := startScreen()
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	long := strings.Repeat("x", 1000)
	if _, err := s.inner.WriteString("\r 10 %" + long); err != nil {
		t.Fatal(err)
	}
	if got := s.close(); got != "\r 10 %"+long || s.close() != got {
		t.Errorf("%d bytes: %q", len(got), got)
	}
}
