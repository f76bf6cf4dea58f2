package checker_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/checker/lint"
	"github.com/quorumwatch/quorumwatch/checker/topology"
	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/probe/stats"
)

// ruleTest disturbs a healthy cluster of five in two sites and tells what must be said after a while.
type ruleTest struct {
	name  string
	links int // default 1
	setup func(*scene)
	edit  func(*checker.Input, time.Duration)
	run   time.Duration // default 15 s
	want  []string      // "key severity"; with a leading ! must not stand; "key severity cause" checks the cause
	worst checker.Severity
	title string // a part of the first wanted finding's title
}

func TestRules(t *testing.T) {
	for _, group := range [][]ruleTest{networkRules(), hostRules(), daemonRules(), quorumRules(), configRules()} {
		for _, tt := range group {
			t.Run(tt.name, func(t *testing.T) { tt.check(t) })
		}
	}
}

func (tt ruleTest) check(t *testing.T) {
	s := newScene(t, 3375*time.Millisecond, max(1, tt.links), stretched...)
	for _, l := range s.lines {
		l.windows = windows(1200, 0)
	}
	if tt.setup != nil {
		tt.setup(s)
	}
	if tt.edit != nil {
		s.edit = func(in *checker.Input) { tt.edit(in, s.now) }
	}
	if tt.run == 0 {
		tt.run = 15 * time.Second
	}
	s.run(tt.run)
	for i, w := range tt.want {
		f := strings.Fields(w)
		key, not := strings.CutPrefix(f[0], "!")
		key = strings.ReplaceAll(key, "~", " ")
		got, ok := s.finding(key)
		switch {
		case not && ok:
			t.Errorf("%s stands: %+v", key, got)
		case not:
		case !ok:
			t.Errorf("%s is missing\n%s", key, s.log())
		case got.Severity.String() != f[1] || got.Clearing:
			t.Errorf("%s is %v (clearing %v), want %s", key, got.Severity, got.Clearing, f[1])
		case len(f) > 2 && got.Cause != f[2]:
			t.Errorf("%s has cause %q, want %q", key, got.Cause, f[2])
		case i == 0 && !strings.Contains(got.Title, tt.title):
			t.Errorf("%s says %q, want %q in it", key, got.Title, tt.title)
		}
	}
	if tt.worst != checker.OK && s.worst(0) != tt.worst {
		t.Errorf("worst %v, want %v\n%s", s.worst(0), tt.worst, s.log())
	}
}

func withWindows(ws func() []stats.Window, links ...int) func(*scene) {
	return func(s *scene) {
		for _, l := range s.linesTo("b1", links) {
			l.windows = ws()
		}
	}
}

func networkRules() []ruleTest {
	one := func() []stats.Window { return windows(1200, 12) }
	spread := func(p99 time.Duration) func() []stats.Window {
		return func() []stats.Window {
			ws := windows(1200, 0)
			for i := range ws {
				ws[i].RTT.P99, ws[i].RTT.Max = p99, 2*p99
			}
			return ws
		}
	}
	return []ruleTest{
		{name: "healthy", worst: checker.OK},
		{name: "lint is told as it is", setup: func(s *scene) {
			s.in.Lint = []lint.Finding{{Code: "single-link", Subject: "link0", Title: "t"}, {Code: "bond-mode", Serious: true, Subject: "bond0", Title: "t"}}
		}, want: []string{"single-link:link0 info", "bond-mode:bond0 warning"}, worst: checker.Warning},
		{name: "one percent on the lone link", setup: withWindows(one), want: []string{"path-loss:b1/link0 warning"}, title: "1.0 % of packets"},
		{name: "one percent beside a healthy link", links: 2, setup: withWindows(one, 0), want: []string{"path-loss:b1/link0 info", "!path-loss:b1/link1"}},
		{name: "a little loss", setup: withWindows(func() []stats.Window { return windows(1200, 3) }), want: []string{"path-loss:b1/link0 info"}},
		{name: "a single lost probe says nothing", setup: withWindows(func() []stats.Window { return windows(1200, 1) }), want: []string{"!path-loss:b1/link0"}},
		{name: "one run of losses is an outage, not loss", setup: withWindows(func() []stats.Window {
			ws := windows(1200, 0)
			for i := range ws {
				ws[i].Lost, ws[i].Received = 20, ws[i].Sent-20
				ws[i].Bursts[7] = 1
			}
			return ws
		}), want: []string{"!path-loss:b1/link0"}},
		{name: "several long runs are loss", setup: withWindows(func() []stats.Window {
			ws := windows(1200, 0)
			for i := range ws {
				ws[i].Lost, ws[i].Received = 24, ws[i].Sent-24
				ws[i].Bursts[5] = 4
			}
			return ws
		}), want: []string{"path-loss:b1/link0 warning"}},
		{name: "several cuts are no loss", setup: withWindows(func() []stats.Window {
			ws := windows(1200, 0)
			for i := range ws {
				ws[i].Lost, ws[i].Received, ws[i].WorstGap = 360, ws[i].Sent-min(ws[i].Sent, 360), 6*time.Second
				ws[i].Bursts[7] = 3
			}
			return ws
		}), want: []string{"!path-loss:b1/link0"}},
		{name: "loss beside one outage", setup: withWindows(func() []stats.Window {
			ws := windows(1200, 0)
			ws[2].Lost, ws[2].Received = 203, ws[2].Sent-203
			ws[2].Bursts[7], ws[2].Bursts[0] = 1, 3
			return ws
		}), want: []string{"path-loss:b1/link0 info"}, title: "0.3 % of packets"},
		{name: "heavy loss of late", setup: withWindows(func() []stats.Window {
			ws := windows(1200, 0)
			ws[1].Lost, ws[1].Received, ws[1].Bursts[0] = 14, ws[1].Sent-14, 14
			return ws
		}), want: []string{"path-loss:b1/link0 warning"}, title: "7.0 % of packets (over 10"},
		{name: "uneven", setup: withWindows(spread(250 * time.Millisecond)), want: []string{"path-delay:b1/link0 info"}},
		{name: "very uneven", setup: withWindows(spread(600 * time.Millisecond)), want: []string{"path-delay:b1/link0 warning"}},
		{name: "as slow as the retransmit timer", setup: withWindows(spread(900 * time.Millisecond)), want: []string{"path-delay:b1/link0 warning"}, title: "retransmit timer (803 ms)"},
		{name: "slow, as Proxmox sees it", setup: withWindows(func() []stats.Window {
			ws := windows(1200, 0)
			ws[2].RTT.P50, ws[2].RTT.P99 = 12*time.Millisecond, 13*time.Millisecond
			return ws
		}), want: []string{"path-delay:link0 info", "!path-delay:b1/link0"}, title: "Proxmox documents 5 ms"},
		{name: "mtu black hole", setup: func(s *scene) {
			s.linesTo("b1", nil)[0].full = stats.Full{Size: 1472, Sent: 20}
			s.linesTo("b2", nil)[0].full = stats.Full{Size: 1472, Sent: 20, Received: 20}
		}, want: []string{"mtu-black-hole:b1/link0 warning", "!mtu-black-hole:b2/link0"}, title: "1472 bytes die"},
		{name: "one long gap", setup: withWindows(func() []stats.Window {
			ws := windows(1200, 0)
			ws[3].WorstGap = 700 * time.Millisecond
			return ws
		}), want: []string{"low-margin:b1 info"}, title: "700 ms in the last 10 min: 21 %"},
		{name: "the other link had none", links: 2, setup: withWindows(func() []stats.Window {
			ws := windows(1200, 0)
			ws[3].WorstGap = 700 * time.Millisecond
			return ws
		}, 0), want: []string{"!low-margin:b1"}},
		{name: "cannot send on the lone link", setup: func(s *scene) {
			for _, l := range s.lines {
				l.err = "no such address"
			}
			s.cut("a2 a3 b1 b2")
		}, run: 5 * time.Second, want: []string{"local-link:link0 warning", "isolated:a1 critical local-link:link0", "path-gap:b1/link0 warning local-link:link0"}, title: "no such address"},
		{name: "cannot send on one of two", links: 2, setup: func(s *scene) {
			for _, l := range s.linesTo("a2 a3 b1 b2", []int{1}) {
				l.err = "network is unreachable"
			}
			s.cut("a2 a3 b1 b2", 1)
		}, want: []string{"local-link:link1 warning", "link-down:link1 warning local-link:link1"}, worst: checker.Warning},
	}
}

func hostRules() []ruleTest {
	pause := func(d time.Duration) func(*checker.Input, time.Duration) {
		return func(in *checker.Input, _ time.Duration) {
			in.Host = checker.HostPauses{Pause: d, At: in.Now.Add(-time.Second), Worst: d}
		}
	}
	return []ruleTest{
		{name: "short stall", edit: pause(200 * time.Millisecond), want: []string{"host-pause:a1 info"}},
		{name: "long stall", edit: pause(800 * time.Millisecond), want: []string{"host-pause:a1 warning"}, title: "800 ms, 24 %"},
		{name: "every scheduler is a little late", edit: pause(20 * time.Millisecond), want: []string{"!host-pause:a1"}},
		{name: "an outage that this host slept through", edit: func(in *checker.Input, _ time.Duration) {
			for i := range in.Paths {
				in.Paths[i].Summary.Unanswered = 30
				in.Paths[i].Summary.Outage = stats.Outage{Since: in.Now.Add(-1500 * time.Millisecond), For: 1500 * time.Millisecond, HostPaused: true}
			}
		}, want: []string{"host-pause:a1 info", "!path-gap:b1/link0", "!isolated:a1"}, worst: checker.Info},
		{name: "a peer stalled", setup: func(s *scene) { s.node("b1").pause = 900 * time.Millisecond }, want: []string{"peer-pause:b1 info"}, worst: checker.Info},
	}
}

// daemon replaces the status by one of a daemon in that state from the tenth second on.
func daemon(state corosync.Daemon) func(*checker.Input, time.Duration) {
	return func(in *checker.Input, now time.Duration) {
		if now > 10*time.Second {
			in.Status.Daemon, in.Status.Stale, in.Status.Reason = state, true, "as the tool said"
		}
	}
}

func daemonRules() []ruleTest {
	return []ruleTest{
		{name: "stopped", edit: daemon(corosync.DaemonStopped), want: []string{"corosync-stopped:a1 warning"}, title: "as the tool said"},
		{name: "stopped for long", edit: daemon(corosync.DaemonStopped), run: 25 * time.Second, want: []string{"corosync-stopped:a1 critical"}},
		{name: "hanging", edit: daemon(corosync.DaemonHanging), run: 25 * time.Second, want: []string{"corosync-hanging:a1 critical"}},
		{name: "starting", edit: daemon(corosync.DaemonStarting), want: []string{"corosync-starting:a1 info"}},
		{name: "absent", edit: daemon(corosync.DaemonAbsent), want: []string{"corosync-absent:a1 info"}},
		{name: "denied", edit: daemon(corosync.DaemonDenied), want: []string{"corosync-denied:a1 warning"}},
		{name: "stale", edit: func(in *checker.Input, now time.Duration) { in.Status.Stale = now > 10*time.Second }, want: []string{"corosync-stale:a1 warning"}},
		{name: "restarted", edit: func(in *checker.Input, now time.Duration) {
			if now > 8*time.Second && now < 11*time.Second {
				in.Status.Daemon = corosync.DaemonStopped
			}
		}, want: []string{"corosync-restarted:a1 info"}},
		{name: "a peer's is down", setup: func(s *scene) { s.node("b1").noCorosync = true }, want: []string{"peer-corosync:b1 warning"}},
		{name: "token lost", edit: func(in *checker.Input, now time.Duration) {
			if now > 10*time.Second {
				in.Status.SRP.OperationalTokenLost = 1
			}
		}, want: []string{"token-lost:ring warning"}, title: "nobody has left"},
		{name: "token late, says the log", edit: func(in *checker.Input, now time.Duration) {
			if now > 10*time.Second {
				in.Status.TokenAt.Warned = time.Date(2026, 11, 20, 12, 0, 10, 0, time.UTC)
			}
		}, want: []string{"token-warning:ring warning"}},
		{name: "a log whose clock is an hour ahead", edit: func(in *checker.Input, now time.Duration) {
			if now > 10*time.Second {
				in.Status.TokenAt.Lost = time.Date(2026, 11, 20, 13, 0, 10, 0, time.UTC)
			}
		}, run: 25 * time.Second, want: []string{"!token-lost:ring"}},
		{name: "joins without end", edit: joins(150, time.Hour), run: 25 * time.Second, want: []string{"join-storm:ring warning"}, title: "sending 150 join messages a second"},
		{name: "joins of one ring that forms", edit: joins(20, time.Hour), run: 25 * time.Second, want: []string{"!join-storm:ring"}},
		{name: "a burst of joins", edit: joins(150, 14*time.Second), run: 25 * time.Second, want: []string{"!join-storm:ring"}},
		{name: "a burst of many joins, after a long calm", edit: joins(500, 12*time.Second), run: 14 * time.Second, want: []string{"!join-storm:ring"}},
		{name: "knet has given up a link that works", links: 2, edit: knetDown(1), want: []string{"knet-down:b1/link1 warning"}, worst: checker.Warning},
		{name: "knet has given up the lone link", edit: knetDown(0), want: []string{"knet-down:b1 critical"}, title: "Corosync's packets to it are not sent"},
		{name: "a flap of the lone link", edit: func(in *checker.Input, now time.Duration) {
			if now > 10*time.Second && now < 12*time.Second {
				knetDown(0)(in, now)
			}
		}, worst: checker.Warning},
	}
}

// knetDown: the local knet has no link of that number to b1 from the tenth second on.
func knetDown(link int) func(*checker.Input, time.Duration) {
	return func(in *checker.Input, now time.Duration) {
		if now <= 10*time.Second {
			return
		}
		links := append([]corosync.LinkStatus(nil), in.Status.Links...)
		for i := range links {
			if links[i].Node == 4 && links[i].Link == link {
				links[i].Connected = false
			}
		}
		in.Status.Links, in.Status.LinksAt = links, in.Now
	}
}

// joins: Corosync sends that many joins a second from the tenth second until another; its counter is read every two seconds.
func joins(rate uint64, until time.Duration) func(*checker.Input, time.Duration) {
	return func(in *checker.Input, now time.Duration) {
		read := min(now, until).Truncate(2*time.Second) - 10*time.Second
		in.Status.SRP.JoinsSent = 7 + uint64(max(read, 0)/time.Second)*rate
		in.Status.At = in.Now.Add(-(now - now.Truncate(2*time.Second)))
	}
}

func quorumRules() []ruleTest {
	votes := func(quorate bool, total int) func(*checker.Input, time.Duration) {
		return func(in *checker.Input, now time.Duration) {
			if now > 10*time.Second {
				in.Status.Quorum.Quorate, in.Status.Quorum.Total = quorate, total
			}
		}
	}
	return []ruleTest{
		{name: "quorum lost pages at once", edit: votes(false, 2), run: 10*time.Second + frame, want: []string{"not-quorate:a1 critical"}, title: "2 of 5 votes, 3 needed"},
		{name: "just started, not quorate yet", edit: func(in *checker.Input, _ time.Duration) {
			in.Status.Quorum.Quorate, in.Status.Quorum.Total = false, 1
		}, want: []string{"not-quorate:a1 warning"}},
		{name: "never quorate since its start", edit: func(in *checker.Input, _ time.Duration) {
			in.Status.Quorum.Quorate, in.Status.Quorum.Total = false, 1
		}, run: 40 * time.Second, want: []string{"not-quorate:a1 critical"}},
		{name: "waits for all", edit: func(in *checker.Input, now time.Duration) {
			q := &in.Status.Quorum
			q.Quorate, q.Total, q.Flags = false, 4, []string{"WaitForAll"}
		}, want: []string{"wait-for-all:quorum warning", "not-quorate:a1 warning wait-for-all:quorum"}},
		{name: "two members gone: nothing may be lost any more", setup: func(s *scene) {
			s.node("b1").left, s.node("b2").left = true, true
		}, want: []string{"no-spare-votes:quorum warning member-missing:b2", "member-missing:b1 info"}, title: "no node may be lost any more: 3 of 5 votes, 3 needed"},
		{name: "membership is ahead of the votes", edit: func(in *checker.Input, now time.Duration) {
			if now > 10*time.Second {
				in.Status.Members = []corosync.Member{{ID: 1, Joined: true}, {ID: 2, Joined: true}, {ID: 3, Joined: true}, {ID: 4}, {ID: 5}}
			}
		}, want: []string{"!no-spare-votes:quorum"}},
		{name: "no votequorum, no finding", setup: func(s *scene) { s.in.Cluster.Quorum.Provider = "" }, edit: func(in *checker.Input, now time.Duration) {
			in.Status.Quorum.Provider, in.Status.Quorum.Quorate = "", false
		}, want: []string{"!not-quorate:a1"}},
	}
}

func configRules() []ruleTest {
	return []ruleTest{
		{name: "unusable file", edit: func(in *checker.Input, _ time.Duration) { in.ConfigErr = "corosync.conf:3: no" }, want: []string{"config-error:corosync.conf warning"}, title: "corosync.conf:3: no"},
		{name: "warning", edit: func(in *checker.Input, _ time.Duration) {
			in.Warnings = []corosync.Problem{{File: "c", Line: 3, Key: "totem.tokn", Reason: "unknown key", Hint: "token?"}}
		}, want: []string{"config-warning:totem.tokn info"}, title: "unknown key"},
		{name: "disagreement that lasts", edit: func(in *checker.Input, _ time.Duration) {
			in.Disagreements = []topology.Disagreement{{Code: topology.ConfigVersion, Subject: "b1", Text: "b1 has 4", Serious: true}}
		}, want: []string{"config-version:b1 warning"}},
		{name: "disagreement of a reload", edit: func(in *checker.Input, now time.Duration) {
			if now > 10*time.Second {
				in.Disagreements = []topology.Disagreement{{Code: topology.ConfigVersion, Subject: "b1", Text: "b1 has 4", Serious: true}}
			}
		}, want: []string{"!config-version:b1"}},
		{name: "unauthenticated", edit: func(in *checker.Input, _ time.Duration) { in.Probing.Unauthenticated = true }, want: []string{"unauthenticated:a1 info"}},
		{name: "a stray packet", edit: func(in *checker.Input, now time.Duration) {
			in.Probing.Drops = []checker.Drop{{Reason: "unlisted", Count: 7}}
			if now > 10*time.Second {
				in.Probing.Drops[0].Count = 8
			}
		}, want: []string{"probe-drops:unlisted info"}},
		{name: "an attack", edit: func(in *checker.Input, now time.Duration) {
			in.Probing.Drops = []checker.Drop{{Reason: "bad hmac", Count: uint64(now / frame)}}
		}, want: []string{"probe-drops:bad~hmac warning"}},
	}
}

// TestCatalogue: every finding that a rule can draft is declared, and every disagreement of topology.
func TestCatalogue(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range checker.Catalogue() {
		if seen[e.Code] || e.Title == "" || e.Advice == "" || e.Severity == checker.OK {
			t.Errorf("%s: declared twice or incomplete", e.Code)
		}
		seen[e.Code] = true
	}
	for _, c := range []topology.Code{
		topology.LocalUnknown, topology.MemberUnknown, topology.RuntimeDrift, topology.ConfigVersion, topology.TokenDiffers,
		topology.ExpectedVotes, topology.NodeVotes, topology.QuorumOptions, topology.AddressUnresolved, topology.AddressDuplicate, topology.AddressNotLocal,
	} {
		if !seen[string(c)] {
			t.Errorf("%s of package topology is not in the catalogue", c)
		}
	}
	for i := range 3 {
		if got := fmt.Sprint(checker.Severity(i + 1)); strings.Contains(got, "invalid") {
			t.Error(got)
		}
	}
}
