package agent

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/corosync/corosynctest"
	"github.com/quorumwatch/quorumwatch/probe/simnet"
	"github.com/quorumwatch/quorumwatch/proxmox"
)

// names resolves what it holds.
type names map[string]string

func (n names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	if a, ok := n[host]; ok {
		return []netip.Addr{netip.MustParseAddr(a)}, nil
	}
	return nil, errors.New("no such host")
}

// TestSamePlan: a name that does not resolve is tried again, and what is in force stays in force until something is different.
func TestSamePlan(t *testing.T) {
	text := strings.Replace(corosynctest.StretchedConf(1), "10.50.2.4", "b2.example", 1)
	host := simnet.New(1).Host("a1")
	own := []netip.Addr{netip.MustParseAddr("10.50.1.1")}
	known := names{}
	a := New(Config{
		Hostname: "a1", Resolver: known, LocalAddrs: func() ([]netip.Addr, error) { return own, nil },
		ReadConf: func() (string, []byte, error) { return "corosync.conf", []byte(text), nil },
		Probe:    Probe{Network: host, NewPacer: host.NewPacer},
	})
	steps := []struct {
		name   string
		change func()
		force  bool
		other  bool // than before
		paths  int
	}{
		{"the first", func() {}, false, true, 3},
		{"again", func() {}, false, false, 3},
		{"an address of no ring", func() { own = append(own, netip.MustParseAddr("192.0.2.77")) }, false, false, 3},
		{"a reload", func() {}, true, true, 3},
		{"the name resolves", func() { known["b2.example"] = "10.50.2.4" }, false, true, 4},
		{"again", func() {}, false, false, 4},
		{"the own address is gone", func() { own = own[1:] }, false, true, 4},
		{"another file", func() { text += "\n# changed\n" }, false, true, 4},
	}
	for _, s := range steps {
		before := a.plan.Load()
		s.change()
		a.loadConfig(t.Context(), s.force)
		if p := a.plan.Load(); p == nil || (p != before) != s.other || len(p.targets) != s.paths {
			t.Errorf("%s: another plan: %v, want %v: %+v", s.name, p != before, s.other, p)
		}
	}
}

// pveHere is a Proxmox VE that says nothing.
type pveHere struct{}

func (pveHere) Run(context.Context) error { return nil }
func (pveHere) Latest() proxmox.Snapshot  { return proxmox.Snapshot{} }

// TestWarningsOfProxmox: what only Proxmox VE's tools cannot read is of no interest elsewhere.
func TestWarningsOfProxmox(t *testing.T) {
	text := corosynctest.StretchedConf(1) + "\nlogging {\n  logger_subsys {\n    subsys: TOTEM\n  }\n  logger_subsys {\n    subsys: KNET\n  }\n}\n"
	for want, pve := range map[int]Proxmox{0: nil, 1: pveHere{}} {
		a := New(Config{Hostname: "a1", Proxmox: pve, LocalAddrs: func() ([]netip.Addr, error) { return nil, nil }})
		p, err := a.makePlan(t.Context(), "corosync.conf", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if len(p.warnings) != want || want > 0 && !strings.Contains(p.warnings[0].Reason, "Proxmox VE's tools") {
			t.Errorf("with Proxmox VE %v: %v", pve != nil, p.warnings)
		}
	}
}

// TestLively: Corosync is asked more often while something changes, not while something stands.
func TestLively(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	found := func(severity checker.Severity, ago time.Duration, clearing bool) checker.Report {
		return checker.Report{Findings: []checker.Finding{{Severity: severity, Since: now.Add(-ago), Clearing: clearing}}}
	}
	gap := func(d time.Duration) checker.Report {
		return checker.Report{Paths: []checker.Path{{}, {Gap: checker.Seconds(d)}}}
	}
	for name, c := range map[string]struct {
		rep  checker.Report
		want bool
	}{
		"nothing":             {gap(0), false},
		"an outage":           {gap(60 * time.Millisecond), true},
		"a path that is dead": {gap(time.Hour), false},
		"a new warning":       {found(checker.Warning, time.Second, false), true},
		"a new notice":        {found(checker.Info, time.Second, false), false},
		"an old warning":      {found(checker.Warning, time.Hour, false), false},
		"one that ends":       {found(checker.Critical, time.Hour, true), true},
	} {
		if got := lively(&c.rep, now); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestLogOf: the file is followed that Corosync writes to.
func TestLogOf(t *testing.T) {
	for word, want := range map[string]string{"yes": "/var/log/c.log", "on": "/var/log/c.log", "no": "", "off": ""} {
		conf := filepath.Join(t.TempDir(), "corosync.conf")
		text := corosynctest.StretchedConf(1) + "\nlogging {\n  to_logfile: " + word + "\n  logfile: /var/log/c.log\n}\n"
		if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := LogOf(conf, ""); got.File != want || err != nil {
			t.Errorf("to_logfile: %s: %q, %v", word, got.File, err)
		}
		if got, err := LogOf(conf, "/named"); got.File != "/named" || err != nil {
			t.Errorf("the operator names a file: %q, %v", got.File, err)
		}
	}
	missing := filepath.Join(t.TempDir(), "corosync.conf")
	if _, err := LogOf(missing, ""); err == nil {
		t.Error("no corosync.conf: no error")
	}
	if _, err := LogOf(missing, "/named"); err != nil {
		t.Errorf("the operator names a file: %v", err)
	}
}

// TestMarksOfSteppedClock: a lost token that the log tells of is recorded when it was, whatever the wall clock has been set to since.
func TestMarksOfSteppedClock(t *testing.T) {
	begin := time.Now()
	for _, c := range []struct {
		step, lag time.Duration
		at        time.Duration // in the record
	}{
		{0, 0, 601 * time.Second}, {0, 900 * time.Millisecond, 601*time.Second - 900*time.Millisecond}, {0, time.Minute, 601 * time.Second},
		{-time.Hour, 0, 601 * time.Second}, {time.Hour, 0, 601 * time.Second},
	} {
		r := newRecorder(begin, Trace{Dir: "x"}, "", leastSlot)
		r.follow(testPlan(t, 2, 1), begin)
		s := corosync.Status{At: begin.Add(600 * time.Second), Daemon: corosync.DaemonRunning}
		s.TokenAt.Lost = begin.Add(-time.Minute).Round(0)
		r.mark(s.At, s, &checker.Report{})
		r.record.Marks = nil
		for range 2 { // the second time it is no news
			s.At = s.At.Add(500 * time.Millisecond)
			s.TokenAt.Lost = begin.Add(601*time.Second + c.step - c.lag).Round(0)
			r.mark(begin.Add(601*time.Second), s, &checker.Report{})
		}
		if m := r.record.Marks; len(m) != 1 || m[0].At != c.at {
			t.Errorf("set by %v, %v late: %v, want one at %v", c.step, c.lag, m, c.at)
		}
	}
}
