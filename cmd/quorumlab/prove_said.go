//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
)

// saying is one line of an agent's log about one of its findings: it began, changed its severity, or was cleared.
type saying struct {
	Node     string           `json:"node"`
	At       time.Time        `json:"time"` // all clocks of a lab are one
	Code     string           `json:"code"`
	Subject  string           `json:"subject"`
	Severity checker.Severity `json:"severity"`
	Clearing bool             `json:"clearing"` // its condition is gone; it stands until the stable period is over
	Text     string           `json:"message"`
	Cleared  bool             `json:"-"`
}

// clearedPrefix is how lines begin that tell of a finding that is no more (cmd/internal/agent logFindings).
const clearedPrefix = "cleared: "

// parseSayings reads the lines of a log that are about findings, and leaves out all others.
func parseSayings(data []byte) []saying {
	var list []saying
	for line := range bytes.Lines(data) {
		var s saying
		if json.Unmarshal(line, &s) != nil || s.Code == "" || s.At.IsZero() {
			continue
		}
		s.Cleared = strings.HasPrefix(s.Text, clearedPrefix)
		list = append(list, s)
	}
	return list
}

// live: the line says that something is wrong now.
func (s saying) live() bool { return !s.Cleared && !s.Clearing }

// Codes by what they tell of.
var (
	cutCodes  = []string{checker.CodePeerCut, checker.CodeGroupCut, checker.CodeSiteCut, checker.CodeIsolated}
	goneCodes = []string{
		checker.CodeRemoteCut, checker.CodeKnetDown, checker.CodeNotQuorate, checker.CodeMemberMissing, checker.CodeAgentSilent,
		checker.CodeCorosyncStarting, checker.CodeCorosyncStale, checker.CodePeerCorosync,
	}
	hostCodes = []string{checker.CodeHostPause, checker.CodePeerPause}
)

func isCut(code string) bool { return slices.Contains(cutCodes, code) }

// isOutage: the finding says that something does not arrive.
func isOutage(code string) bool {
	return isCut(code) || code == checker.CodePathGap || code == checker.CodeLinkDown
}

// unsettled: while a finding of this code stands, a cluster is not yet as it was before a cut.
func unsettled(code string) bool { return isOutage(code) || slices.Contains(goneCodes, code) }

// about: the line tells of an outage towards one of the far nodes.
func (s saying) about(far []string) bool {
	switch {
	case s.Code == checker.CodePathGap:
		peer, _, _ := strings.Cut(s.Subject, "/")
		return slices.Contains(far, peer)
	case s.Code == checker.CodePeerCut:
		return slices.Contains(far, s.Subject)
	}
	return isOutage(s.Code)
}

// firstOf returns the first line for which match reports true.
func firstOf(list []saying, match func(saying) bool) (saying, bool) {
	i := slices.IndexFunc(list, match)
	if i < 0 {
		return saying{}, false
	}
	return list[i], true
}
