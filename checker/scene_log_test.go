package checker_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
)

type event struct {
	at       time.Duration
	key      string
	severity checker.Severity
	clearing bool
	gone     bool
	title    string
}

// note writes down what changed among the findings.
func (s *scene) note(r checker.Report) {
	before := map[string]checker.Finding{}
	for _, f := range s.last.Findings {
		before[f.Key] = f
	}
	for _, f := range r.Findings {
		if most, ok := declared(f.Code); !ok || f.Severity > most || f.Severity == checker.OK {
			s.t.Errorf("at %v: %s is %v; the catalogue says at most %v (declared %v)", s.now, f.Key, f.Severity, most, ok)
		}
		if b, ok := before[f.Key]; !ok || b.Severity != f.Severity || b.Clearing != f.Clearing {
			s.seen = append(s.seen, event{at: s.now, key: f.Key, severity: f.Severity, clearing: f.Clearing, title: f.Title})
		}
		delete(before, f.Key)
	}
	for k := range before {
		s.seen = append(s.seen, event{at: s.now, key: k, gone: true})
	}
}

// declared is the highest severity that the catalogue gives to a code.
func declared(code string) (most checker.Severity, ok bool) {
	for _, e := range checker.Catalogue() {
		if e.Code == code {
			return e.Severity, true
		}
	}
	return checker.OK, false
}

// first returns when a finding with that key first had at least that severity; -1 if never.
func (s *scene) first(key string, least checker.Severity) time.Duration {
	for _, e := range s.seen {
		if e.key == key && !e.gone && !e.clearing && e.severity >= least {
			return e.at
		}
	}
	return -1
}

// worst returns the worst severity of findings since, but for those with these codes.
func (s *scene) worst(since time.Duration, but ...string) checker.Severity {
	w := checker.OK
	for _, e := range s.seen {
		code, _, _ := strings.Cut(e.key, ":")
		if e.at > since && !e.gone && !slices.Contains(but, code) {
			w = max(w, e.severity)
		}
	}
	return w
}

func (s *scene) finding(key string) (checker.Finding, bool) {
	for _, f := range s.last.Findings {
		if f.Key == key {
			return f, true
		}
	}
	return checker.Finding{}, false
}

// log prints what happened, for failures.
func (s *scene) log() string {
	var b strings.Builder
	for _, e := range s.seen {
		fmt.Fprintf(&b, "%8v %-30s %v clearing=%v gone=%v %s\n", e.at, e.key, e.severity, e.clearing, e.gone, e.title)
	}
	return b.String()
}
