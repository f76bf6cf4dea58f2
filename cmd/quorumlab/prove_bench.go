//go:build linux

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/corosync/lab"
	"github.com/quorumwatch/quorumwatch/corosync/lab/impair"
)

const (
	calmTimeout = 4 * time.Minute        // for a cluster to heal and its agents to forget a cut
	calmPoll    = time.Second            // of all reports meanwhile
	cutLead     = 200 * time.Millisecond // from the order of a cut to its beginning, so that all rules are in place
	spread      = 3 * time.Second        // over which the moments of cuts are spread: more than a token's and any heartbeat's period
	namedPoll   = 100 * time.Millisecond // of the reports during a cut
	quietStart  = 500 * time.Millisecond // of a cut, in which the reports are left alone: asking takes time from the agents
)

// bench is a running lab in which something is proved.
type bench struct {
	w      io.Writer
	lab    *lab.Lab
	cast   *agents
	o      proveOptions
	rng    *rand.Rand
	token  time.Duration // effective
	links  int
	tapped uint64 // tokens that the hub was asked for
	names  map[uint32]string
	begun  lab.HubStats
	since  time.Time
	odd    []string // doubts of all runs
}

func newBench(ctx context.Context, w io.Writer, l *lab.Lab, o proveOptions) (*bench, error) {
	b := &bench{w: w, lab: l, o: o, links: o.links, rng: rand.New(rand.NewPCG(o.seed, 0x70726f7665)), names: map[uint32]string{}}
	for _, n := range l.Nodes() {
		b.names[n.ID()] = n.Name()
	}
	if err := l.Start(ctx); err != nil {
		return nil, err
	}
	var err error
	b.cast, err = startAgents(ctx, l, upOptions{
		agent: o.agent, noAgent: o.agent == "", listen: "127.0.0.1:8412", basePort: 8421, args: []string{"--probe-interval", o.interval.String()},
	})
	if err != nil {
		return nil, err
	}
	if err := b.ready(ctx); err != nil {
		return nil, errors.Join(err, b.cast.close())
	}
	return b, nil
}

// ready waits for the first membership and the first calm.
func (b *bench) ready(ctx context.Context) error {
	forming, cancel := context.WithTimeout(ctx, formTimeout)
	defer cancel()
	if err := b.lab.WaitFormed(forming); err != nil {
		return err
	}
	var err error
	if b.token, err = b.effectiveToken(ctx); err != nil {
		return err
	}
	if err := b.calm(ctx); err != nil {
		return err
	}
	b.since = time.Now()
	b.begun, err = b.lab.Hub().Stats()
	return err
}

func (b *bench) close() error { return b.cast.close() }

var cmapValue = regexp.MustCompile(`= (\d+)\s*$`)

func (b *bench) effectiveToken(ctx context.Context) (time.Duration, error) {
	out, err := b.lab.Nodes()[0].Run(ctx, "corosync-cmapctl", "-g", "runtime.config.totem.token")
	if err != nil {
		return 0, err
	}
	m := cmapValue.FindSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("corosync-cmapctl: no token in %q", out)
	}
	ms, err := strconv.Atoi(string(m[1]))
	return time.Duration(ms) * time.Millisecond, err
}

// look is the part of a report that a proof needs.
type look struct {
	At       time.Time         `json:"at"`
	Outcome  *checker.Outcome  `json:"outcome"`
	Margin   checker.Margin    `json:"margin"`
	Findings []checker.Finding `json:"findings"`
	Paths    []struct {
		Peer checker.NodeRef `json:"peer"`
		RTT  checker.RTT     `json:"rtt"`
	} `json:"paths"`
}

// look asks an agent for its report.
func (a *agent) look(ctx context.Context) (look, error) {
	var l look
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.report, nil)
	if err != nil {
		return l, err
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return l, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return l, fmt.Errorf("%s: %s", a.report, resp.Status)
	}
	err = json.NewDecoder(io.LimitReader(resp.Body, maxReport)).Decode(&l)
	return l, err
}

// calm waits until the cluster is whole, knet is as quick as it will be, and no agent has anything left to say of a cut.
func (b *bench) calm(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, calmTimeout)
	defer cancel()
	for {
		if err := b.lab.WaitSettled(ctx); err != nil {
			return err
		}
		unrest := b.unrest(ctx)
		if len(unrest) == 0 {
			return nil
		}
		if err := sleep(ctx, calmPoll); err != nil {
			return fmt.Errorf("no calm within %v: %s: %w", calmTimeout, strings.Join(unrest, "; "), err)
		}
	}
}

// unrest lists what agents still say of a cut.
func (b *bench) unrest(ctx context.Context) []string {
	var list []string
	for _, a := range b.cast.list {
		r, err := a.look(ctx)
		if err != nil {
			list = append(list, fmt.Sprintf("%s: %v", a.node.Name(), err))
			continue
		}
		for _, f := range r.Findings {
			if unsettled(f.Code) {
				list = append(list, fmt.Sprintf("%s: %s: %s", a.node.Name(), f.Code, f.Title))
			}
		}
	}
	return list
}

// somewhen waits for a random part of spread, so that cuts meet all phases of token and heartbeats.
func (b *bench) somewhen(ctx context.Context) error {
	return sleep(ctx, time.Duration(b.rng.Int64N(int64(spread))))
}

// sleep waits, or returns the error of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// cut takes the path between the sites away from a moment a little later on, for a while (for good when 0).
func (b *bench) cut(name string, lasts time.Duration, links ...int) (time.Time, error) {
	sites := b.sites()
	r := impair.Rule{Name: name, From: sites[:1], To: sites[1:], Both: true, Links: links, Blackout: true}
	r.Start = b.lab.Hub().Now() + impair.Instant(cutLead)
	if lasts > 0 {
		r.End = r.Start + impair.Instant(lasts)
	}
	return b.lab.Hub().Time(r.Start), b.lab.Hub().Add(r)
}

// sites are the names of the sites, in order.
func (b *bench) sites() []string {
	var list []string
	for _, n := range b.lab.Nodes() {
		if !slices.Contains(list, n.Site()) {
			list = append(list, n.Site())
		}
	}
	return list
}

// far are the nodes of the other site.
func (b *bench) far(n *lab.Node) []string {
	var list []string
	for _, other := range b.lab.Nodes() {
		if other.Site() != n.Site() {
			list = append(list, other.Name())
		}
	}
	return list
}

// said returns what the agent of a node logged of its findings from t on.
func (b *bench) said(node *lab.Node, t time.Time) ([]saying, error) {
	data, err := os.ReadFile(filepath.Join(node.Dir(), filepath.Base(b.o.agent)+".log"))
	if err != nil {
		return nil, err
	}
	list := parseSayings(data)
	return slices.DeleteFunc(list, func(s saying) bool { return s.At.Before(t.Truncate(time.Millisecond)) }), nil
}

// doubt takes the quality of a run to the records.
func (b *bench) doubt(run string) []string {
	q := b.lab.Quality()
	for _, d := range q.Doubts {
		b.odd = append(b.odd, run+": "+d)
	}
	return q.Doubts
}

func (b *bench) introduce(p proof) {
	version, _ := lab.Version()
	fmt.Fprintf(b.w, "## %s: %s\n\n", p.name, p.about)
	fmt.Fprintf(b.w, "%s; nodes %s, %d link(s), effective token %d ms, probes every %v, load: %s, %d cores, seed %d\n\n",
		cmp.Or(version, "Corosync"), b.o.nodes, b.links, b.token.Milliseconds(), b.o.interval, b.lab.Load(), runtime.NumCPU(), b.o.seed)
}

// conclude says what was met, and how far the run can be trusted.
func (b *bench) conclude(p proof, list []requirement) error {
	err := verdicts(b.w, p, list)
	b.trust()
	return err
}

// verdicts prints what was met. The error names what was not.
func verdicts(w io.Writer, p proof, list []requirement) error {
	fmt.Fprintln(w)
	var failed []string
	for _, r := range list {
		fmt.Fprintln(w, r)
		if !r.ok() {
			failed = append(failed, r.Text)
		}
	}
	if len(failed) > 0 {
		return &unmetError{p.name, failed}
	}
	return nil
}

// trust prints the hub's lateness, and all doubts.
func (b *bench) trust() {
	stalls := 0
	for _, l := range b.lab.Lines(b.since) {
		if l.Event == lab.EventNotScheduled || l.Event == lab.EventPause {
			stalls++
		}
	}
	now, err := b.lab.Hub().Stats()
	if err != nil {
		fmt.Fprintf(b.w, "\nthe hub does not answer: %v\n", err)
		return
	}
	late := now.Packets.Since(b.begun.Packets)
	fmt.Fprintf(b.w, "\nhub late by p50 %v, p99 %v, max %v over %d packets; lines \"not scheduled\" and \"Process pause\": %d\n",
		late.Quantile(0.5), late.Quantile(0.99), late.Quantile(1), late.Count(), stalls)
	if len(b.odd) == 0 {
		fmt.Fprintln(b.w, "sound: while it was measured, the machine did what was asked of it and nothing else")
		return
	}
	fmt.Fprintf(b.w, "DOUBTFUL: the machine itself stalled; repeat on a quiet one:\n")
	for _, d := range b.odd {
		fmt.Fprintf(b.w, "- %s\n", d)
	}
}
