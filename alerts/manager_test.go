package alerts

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quorumwatch/quorumwatch/checker"
)

// finding reads a finding, written as "code subject severity[@since][<cause code subject]", since in seconds.
func finding(t *testing.T, s string) checker.Finding {
	t.Helper()
	s, cause, _ := strings.Cut(s, "<")
	s, since, hasSince := strings.Cut(s, "@")
	words := strings.Fields(s)
	f := checker.Finding{
		Code: words[0], Subject: words[1], Key: words[0] + " " + words[1],
		Cause: cause, Title: words[0] + " " + words[1],
	}
	if err := f.Severity.UnmarshalText([]byte(words[2])); err != nil {
		t.Fatal(err)
	}
	if hasSince {
		seconds, err := strconv.Atoi(since)
		if err != nil {
			t.Fatal(err)
		}
		f.Since = start().Add(time.Duration(seconds) * time.Second)
	}
	return f
}

func start() time.Time { return time.Unix(1e9, 0) }

// step is one Report and what has to be said about it: "key status reason severity/worst cause +symptoms".
type step struct {
	after    time.Duration
	findings []string
	want     []string
}

func say(n Notification) string {
	s := fmt.Sprintf("%s %v %v %v/%v %s", n.Key, n.Status, n.Reason, n.Severity, n.Worst, n.Cause.Key)
	for _, f := range n.Symptoms {
		s += " +" + f.Key
	}
	if n.MergedInto != "" {
		s += " into " + n.MergedInto
	}
	return s
}

func TestManager(t *testing.T) {
	tests := map[string][]step{
		"said once": {
			{0, []string{"cut s critical"}, []string{"c/cut s firing new critical/critical cut s"}},
			{time.Second, []string{"cut s critical"}, nil},
			{time.Second, nil, []string{"c/cut s resolved over ok/critical cut s"}},
			{time.Second, nil, nil},
			{time.Second, []string{"cut s critical"}, []string{"c/cut s firing new critical/critical cut s"}},
		},
		"nothing is wrong": {{0, []string{"fine x ok"}, nil}},
		"repeat": {
			{0, []string{"cut s warning"}, []string{"c/cut s firing new warning/warning cut s"}},
			{time.Hour - 1, []string{"cut s warning"}, nil},
			{1, []string{"cut s warning"}, []string{"c/cut s firing repeat warning/warning cut s"}},
			{time.Hour - 1, []string{"cut s warning"}, nil},
			{1, []string{"cut s warning"}, []string{"c/cut s firing repeat warning/warning cut s"}},
		},
		"one incident for a cause and its symptoms": {
			{0, []string{"path a-s critical<cut s", "path b-s critical<cut s", "cut s critical", "pause a info"}, []string{
				"c/cut s firing new critical/critical cut s +path a-s +path b-s",
				"c/pause a firing new info/info pause a",
			}},
			{time.Second, []string{"path a-s critical<cut s", "path b-s critical<cut s", "path d-s critical<cut s", "cut s critical", "pause a info"}, nil},
		},
		"a chain of causes": {
			{0, []string{"cut s critical<link 0", "path a-s warning<cut s", "link 0 warning"}, []string{
				"c/link 0 firing new critical/critical link 0 +cut s +path a-s"}},
		},
		"worse, better, worse": {
			{0, []string{"loss p warning"}, []string{"c/loss p firing new warning/warning loss p"}},
			{1, []string{"loss p critical"}, []string{"c/loss p firing worse critical/critical loss p"}},
			{1, []string{"loss p warning"}, nil},
			{time.Second, []string{"loss p critical"}, nil}, // it was told a moment ago
			{time.Second, []string{"loss p warning"}, nil},
			{9 * time.Second, []string{"loss p warning"}, nil},
			{time.Second, []string{"loss p critical"}, []string{"c/loss p firing worse critical/critical loss p"}},
		},
		"a flapping path": {
			{0, []string{"cut b critical@0"}, []string{"c/cut b firing new critical/critical cut b"}},
			{time.Second, []string{"cut b warning@0"}, nil},
			{1800 * time.Millisecond, []string{"cut b critical@0"}, nil},
			{time.Second, []string{"cut b warning@0"}, nil},
			{1800 * time.Millisecond, []string{"cut b critical@0"}, nil},
			{time.Second, []string{"cut b warning@0"}, nil},
			{1800 * time.Millisecond, []string{"cut b critical@0"}, nil},
		},
		"another kind of critical finding joins": {
			{0, []string{"cut s critical"}, []string{"c/cut s firing new critical/critical cut s"}},
			{1, []string{"cut s critical", "quorum c critical<cut s"}, []string{"c/cut s firing worse critical/critical cut s +quorum c"}},
			{1, []string{"cut s critical", "quorum c critical<cut s", "path a-s warning<cut s"}, nil},
		},
		"the cause turns up late": {
			{0, []string{"path a-s warning"}, []string{"c/path a-s firing new warning/warning path a-s"}},
			{time.Second, []string{"path a-s warning<link 0", "link 0 warning"}, nil}, // it may change again
			{time.Second, []string{"path a-s warning<link 0", "link 0 warning"}, []string{"c/path a-s firing cause warning/warning link 0 +path a-s"}},
			{time.Minute, []string{"path a-s warning"}, nil},
			{time.Minute, []string{"path a-s warning<link 0", "link 0 warning"}, nil},
			{1, nil, []string{"c/path a-s resolved over ok/warning link 0"}},
		},
		"symptoms that outlive their cause stay in its incident": {
			{0, []string{"cut s critical", "path a-s warning<cut s", "path b-s warning<cut s"}, []string{
				"c/cut s firing new critical/critical cut s +path a-s +path b-s"}},
			{1, []string{"path a-s warning", "path b-s warning"}, nil}, // now two findings without a cause
			{1, []string{"path b-s warning"}, nil},
			{1, nil, []string{"c/cut s resolved over ok/critical path b-s"}},
		},
		"two incidents turn out to be one": {
			{0, []string{"path a-s warning", "link 0 warning"}, []string{
				"c/link 0 firing new warning/warning link 0", "c/path a-s firing new warning/warning path a-s"}},
			{1, []string{"path a-s warning<link 0", "link 0 warning"}, []string{
				"c/path a-s resolved over ok/warning path a-s into c/link 0"}},
			{1, []string{"path a-s warning"}, nil},
			{1, nil, []string{"c/link 0 resolved over ok/warning path a-s"}},
		},
		"a cut is understood step by step": {
			{0, []string{"peer b1 critical@0", "path a-b1 warning<peer b1"}, []string{
				"c/peer b1 firing new critical/critical peer b1 +path a-b1"}},
			{20 * time.Millisecond, []string{"group b1,b2 critical@0", "path a-b1 warning<group b1,b2"}, nil},
			{20 * time.Millisecond, []string{"site b critical@0", "path a-b1 warning<site b"}, nil},
			{2 * time.Second, []string{"site b critical@0", "path a-b1 warning<site b"}, []string{
				"c/peer b1 firing cause critical/critical site b +path a-b1"}},
			{time.Minute, []string{"site b critical@0", "quorum c critical<site b"}, []string{
				"c/peer b1 firing worse critical/critical site b +quorum c"}},
			{1, nil, []string{"c/peer b1 resolved over ok/critical site b"}},
		},
		"a cut under another name, without symptoms": {
			{0, []string{"peer b1 critical@0"}, []string{"c/peer b1 firing new critical/critical peer b1"}},
			{time.Second, []string{"site b critical@0"}, nil},
			{time.Second, []string{"peer b1 critical@0"}, nil}, // and back: nothing to tell
			{time.Minute, []string{"peer b1 critical@0"}, nil},
		},
		"another cut is another incident": {
			{0, []string{"peer b1 critical@0"}, []string{"c/peer b1 firing new critical/critical peer b1"}},
			{time.Second, []string{"peer b2 critical@1"}, []string{
				"c/peer b2 firing new critical/critical peer b2", "c/peer b1 resolved over ok/critical peer b1"}},
		},
		"a clearing cut comes back worse": {
			{0, []string{"peer b1 critical@0"}, []string{"c/peer b1 firing new critical/critical peer b1"}},
			{time.Second, []string{"peer b1 warning@0"}, nil},
			{time.Second, []string{"site b critical@0"}, []string{"c/peer b1 firing cause critical/critical site b"}},
		},
		"causes in a circle": {
			{0, []string{"a x warning<b x", "b x warning<a x"}, []string{"c/a x firing new warning/warning a x +b x"}},
		},
		"a cause that does not stand": {
			{0, []string{"a x warning<gone x"}, []string{"c/a x firing new warning/warning a x"}},
		},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			m := NewManager(Config{RepeatInterval: time.Hour})
			now := start()
			for i, s := range steps {
				now = now.Add(s.after)
				r := &checker.Report{Cluster: checker.Cluster{Name: "c"}}
				for _, f := range s.findings {
					r.Findings = append(r.Findings, finding(t, f))
				}
				var got []string
				for _, n := range m.Step(now, r) {
					got = append(got, say(n))
				}
				if d := cmp.Diff(s.want, got); d != "" {
					t.Errorf("step %d (-want +got):\n%s", i, d)
				}
			}
		})
	}
}

func TestManagerNoReportIsNoNews(t *testing.T) {
	m := NewManager(Config{})
	now := start()
	m.Step(now, &checker.Report{Findings: []checker.Finding{finding(t, "cut s critical")}})
	if got := m.Step(now, nil); got != nil {
		t.Errorf("without a report: %v", got)
	}
}

func TestManagerSince(t *testing.T) {
	now := start()
	f := finding(t, "cut s critical")
	f.Since = now.Add(-time.Minute)
	n := NewManager(Config{}).Step(now, &checker.Report{Findings: []checker.Finding{f}})
	if !n[0].Since.Equal(f.Since) || !n[0].At.Equal(now) {
		t.Errorf("since %v, at %v; want the finding's own since", n[0].Since, n[0].At)
	}
}

// TestManagerInvariants feeds random findings: what is said to begin ends, nothing ends twice, a key names one incident at a
// time, no memory is kept when nothing stands, and whatever is critical in a Report belongs to an incident told as critical.
func TestManagerInvariants(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		m := NewManager(Config{RepeatInterval: 20 * time.Second})
		open := map[string]checker.Severity{} // as told
		now := start()
		for range 60 {
			now = now.Add(time.Second)
			r := randomReport(random)
			for _, n := range m.Step(now, r) {
				_, known := open[n.Key]
				if known != (n.Reason != New) {
					t.Fatalf("%s: known %v", say(n), known)
				}
				open[n.Key] = n.Worst
				if n.Status == Resolved {
					delete(open, n.Key)
				}
			}
			for _, f := range r.Findings {
				key := m.member[f.Key]
				if worst, told := open[key]; !told || worst < f.Severity {
					t.Fatalf("%s stands in %q, told as %v", f.Key, key, worst)
				}
			}
		}
		for _, n := range m.Step(now, &checker.Report{}) {
			delete(open, n.Key)
		}
		if len(open)+len(m.incidents)+len(m.member) > 0 {
			t.Fatalf("left behind: told %v, incidents %v, members %v", open, m.incidents, m.member)
		}
	}
}

func randomReport(random *rand.Rand) *checker.Report {
	r := &checker.Report{}
	for i := range 6 {
		if random.IntN(2) == 0 {
			continue
		}
		f := checker.Finding{
			Code: fmt.Sprint("code", i%3), Key: fmt.Sprint("f", i),
			Severity: checker.Severity(1 + random.IntN(3)),
		}
		if random.IntN(2) == 0 {
			f.Cause = fmt.Sprint("f", random.IntN(6))
		}
		r.Findings = append(r.Findings, f)
	}
	return r
}
