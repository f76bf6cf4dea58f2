package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/checker/lint"
	"github.com/quorumwatch/quorumwatch/checker/report"
	"github.com/quorumwatch/quorumwatch/checker/verdict"
	"github.com/quorumwatch/quorumwatch/cmd/internal/check"
	"github.com/quorumwatch/quorumwatch/corosync"
)

// Bounds of asking an agent.
const (
	reportWait = 3 * time.Second
	maxReport  = 64 << 20
	reportAge  = 5 * time.Second // an agent makes several a second
)

// reportOf asks an agent for its report.
func reportOf(ctx context.Context, agent string) (*checker.Report, error) {
	ctx, cancel := context.WithTimeout(ctx, reportWait)
	defer cancel()
	url := strings.TrimSuffix(agent, "/") + "/api/v1/report"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, &usageError{fmt.Errorf("--agent: %w", err), "write it as http://HOST:PORT"}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, &hinted{err, "is the agent running, and does it listen there (web.listen)?"}
	}
	defer func() { _ = resp.Body.Close() }() // only read
	if resp.StatusCode != http.StatusOK {
		return nil, &hinted{fmt.Errorf("%s: %s", url, resp.Status), "is this a quorumwatch agent of the same version?"}
	}
	r := &checker.Report{}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxReport)).Decode(r); err != nil {
		return nil, fmt.Errorf("%s: %w", url, err)
	}
	return r, nil
}

// nagiosOfAgent answers from a report alone. An agent that does not answer is critical: the watch is gone.
func nagiosOfAgent(ctx context.Context, p *process, agent string) error {
	r, err := reportOf(ctx, agent)
	if err != nil {
		if _, ok := err.(*usageError); ok { //nolint:errorlint // made above
			return err
		}
		fmt.Fprintf(p.out, "CRITICAL - the agent does not answer\n%v\n", err)
		return statusError(2)
	}
	status, err := report.Nagios(p.out, r, time.Now(), reportAge)
	if err == nil && status != 0 {
		return statusError(status)
	}
	return err
}

// ofAgent judges what an agent has measured: the report's longest window, and its record of the same time.
func (f *checkFlags) ofAgent(ctx context.Context, h *checkHost, agent string) (verdict.Input, error) {
	r, err := reportOf(ctx, agent)
	if err != nil {
		return verdict.Input{}, err
	}
	t, err := traceOfAgent(ctx, agent)
	if err != nil {
		return verdict.Input{}, err
	}
	if len(t.Config) == 0 {
		return verdict.Input{}, &hinted{fmt.Errorf("%s: the agent knows no corosync.conf", agent), "its log says why"}
	}
	in := f.measured(h, check.FromAgent(r, t))
	in.Source = "the agent at " + agent
	in.DSCP = "marked as the agent does"
	if f.agent == "" { // this node's own
		h.facts(&in, corosync.Status{})
	}
	in.Software, in.Conf, in.Local, in.Planned, in.Libknet = readVersion().Version, t.Config, r.Node.ID, h.planned, t.Libknet
	in.Name = "corosync.conf"
	in.Lint = lintOfReport(r)
	in.Proxmox, in.HA = haOfReport(r, in.HA, in.Proxmox)
	if len(in.Sites) == 0 {
		in.Sites = map[string]string{}
		for _, n := range r.Cluster.Nodes {
			if n.Site != "" {
				in.Sites[n.Name] = n.Site
			}
		}
	}
	if _, err := corosync.Parse("corosync.conf", bytes.NewReader(in.Conf)); err != nil {
		return verdict.Input{}, noAnswer(err)
	}
	return in, nil
}

// lintOfReport are the weak points that the agent found: it has looked at the running Corosync, too.
func lintOfReport(r *checker.Report) (out []lint.Finding) {
	codes := map[string]bool{}
	for _, rule := range lint.Rules() {
		codes[rule.Code] = true
	}
	for i := range r.Findings {
		if f := &r.Findings[i]; codes[f.Code] {
			out = append(out, lint.Finding{
				Code: f.Code, Serious: f.Severity >= checker.Warning, Subject: f.Subject, Title: f.Title, Fix: f.Advice, Evidence: f.Evidence,
			})
		}
	}
	return out
}

// haOfReport is what an agent knows of Proxmox VE's HA, if this host does not.
func haOfReport(r *checker.Report, ha verdict.HA, pve bool) (bool, verdict.HA) {
	if pve {
		return true, ha
	}
	if r.HA == nil {
		return false, verdict.HAUnknown
	}
	for _, known := range []verdict.HA{verdict.HAArmed, verdict.HAStandby, verdict.HAOff} {
		if r.HA.State == string(known) {
			return true, known
		}
	}
	return true, verdict.HAUnknown
}
