package demo

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
)

// TestStory: what the script does to the network is what the shown node says of it, in a bubble's time.
func TestStory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		d, err := New(Config{Software: "test"})
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		ended := make(chan error, 1)
		go func() { ended <- d.Show(ctx, &out, nil) }()
		for _, step := range []struct {
			at   time.Duration
			want checker.Severity
			code string
		}{
			{19 * time.Second, checker.OK, ""},
			{60 * time.Second, checker.Warning, checker.CodeLinkDown},
			{119 * time.Second, checker.Warning, checker.CodeLowMargin},
			{125 * time.Second, checker.Critical, checker.CodeSiteCut},
			{135 * time.Second, checker.Critical, checker.CodeSiteCut},
		} {
			time.Sleep(step.at - time.Since(d.begin))
			r := d.Report()
			if max(r.Severity, checker.Info) != max(step.want, checker.Info) || step.code != "" && !strings.Contains(codes(r), step.code) {
				t.Errorf("at %v: %s (%s), want %s with %s", step.at, r.Severity, codes(r), step.want, step.code)
			}
		}
		if r := d.Report(); len(r.Corosync.Members) != 3 || r.Outcome == nil || !r.Outcome.Happened {
			t.Errorf("after 15 s of a cut the members are %v, outcome %+v", r.Corosync.Members, r.Outcome)
		}
		o, fences := d.Report().Outcome, codes(d.Report())
		if o == nil || o.Toll == nil || len(o.Toll.Resets) != 2 || o.Toll.Guests != 14 || o.Toll.Restarts != 10 || o.Toll.Stuck != 0 {
			t.Errorf("the toll of the cut is %+v", o)
		}
		if left := o.Toll.In.Likely.Duration(); !strings.Contains(fences, checker.CodeFence) || left < 40*time.Second || left > 60*time.Second {
			t.Errorf("15 s after the cut: %s, reset in %v", fences, left)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		for _, want := range []string{"-------- site b's first link dies", "critical", "site b", "b1 resets in", "14 guests go down, 10 start again elsewhere"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("the lines lack %q:\n%s", want, out.String())
			}
		}
	})
}

func codes(r *checker.Report) string {
	var list []string
	for _, f := range r.Findings {
		list = append(list, f.Code)
	}
	return strings.Join(list, " ")
}

// TestScript: scenes follow each other without a hole, and the lap begins again.
func TestScript(t *testing.T) {
	for _, since := range []time.Duration{0, 20 * time.Second, lap - 1, lap, lap + 50*time.Second} {
		s, next := at(since)
		if s.text == "" || next <= since || next-since > lap {
			t.Errorf("at %v: scene %q, next at %v", since, s.text, next)
		}
	}
	first, _ := at(0)
	again, _ := at(lap)
	if first.text != again.text {
		t.Errorf("the second lap begins with %q, the first with %q", again.text, first.text)
	}
}

func TestUnknownNode(t *testing.T) {
	if _, err := New(Config{Node: "z1"}); err == nil || !strings.Contains(err.Error(), "b2") {
		t.Errorf("error %v does not name the nodes there are", err)
	}
}

// TestFit: a report that is longer than the screen loses its end, and says so.
func TestFit(t *testing.T) {
	text := []byte("CRITICAL one\n" + strings.Repeat("more\n", 30))
	frame := string(fit(text, 12))
	if got := strings.Count(frame, "\n"); got != 10 {
		t.Errorf("%d lines on a screen of 12:\n%s", got, frame)
	}
	if !strings.Contains(frame, "21 more lines") || !strings.Contains(frame, "CRITICAL\x1b[0m one") {
		t.Errorf("frame:\n%q", frame)
	}
	if frame := string(fit(text, 60)); strings.Contains(frame, "more lines") {
		t.Errorf("a screen with room for all leaves something out:\n%s", frame)
	}
}
