//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/advice"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// adviceCell is what became of a cluster that took quorumwatch's advice.
type adviceCell struct {
	Before   lossCell      `json:"before"`
	Verdict  string        `json:"verdict"`
	Why      []string      `json:"why,omitempty"`
	Proposed string        `json:"proposed,omitempty"`
	Edits    []string      `json:"edits,omitempty"`
	Token    time.Duration `json:"token,omitempty"` // effective, afterwards
	After    *lossCell     `json:"after,omitempty"` // nil: nothing was proposed
	Model    [2]float64    `json:"model,omitempty"` // token losses a minute by the advice: before, after
	Cut      *trialCell    `json:"cut,omitempty"`   // the path dies
	Dies     *trialCell    `json:"dies,omitempty"`  // link 0 of two dies
	Doubts   []string      `json:"doubts,omitempty"`
}

// libknet is the version that the lab's Debian brings: its links come up by pongs alone.
const libknet = "1.25"

// proveAdvice lets the path lose packets, asks quorumwatch what to change, changes it and looks again.
func proveAdvice(ctx context.Context, b *bench) ([]requirement, error) {
	known, err := readRecord[adviceCell](b.o.record, "advice")
	if err != nil {
		return nil, err
	}
	for _, loss := range b.o.losses {
		c := adviceCell{Before: lossCell{Ring: b.o.ring(), Effective: b.token, Loss: loss, For: b.o.lasts}}
		if err := b.advise(ctx, &c); err != nil {
			return nil, fmt.Errorf("loss %g %%: %w", 100*loss, err)
		}
		fmt.Fprintln(b.w, c)
		if err := appendRecord(b.o.record, "advice", c); err != nil {
			return nil, err
		}
		known = append(known, c)
		if err := b.configure(ctx, []byte(b.lab.Conf())); err != nil {
			return nil, err
		}
	}
	return tabulateAdvice(b.w, known), nil
}

func (b *bench) advise(ctx context.Context, c *adviceCell) error {
	if err := b.calm(ctx); err != nil {
		return err
	}
	if err := b.lose(ctx, &c.Before); err != nil {
		return err
	}
	t, err := b.cast.list[0].trace(ctx, c.Before.For+marginPoll)
	if err != nil {
		return err
	}
	a, err := advice.Advise(advice.Input{Name: "corosync.conf", Conf: []byte(b.lab.Conf()), Trace: t, Libknet: libknet, Seed: b.o.seed})
	if err != nil {
		return err
	}
	c.Verdict, c.Why = string(a.Verdict), a.Why
	if a.Proposed == nil {
		return nil
	}
	c.Proposed = a.Proposed.Name
	for _, e := range a.Proposed.Edits {
		c.Edits = append(c.Edits, e.Key+": "+e.Value)
	}
	c.Model = [2]float64{a.Before.Figures.TokenLosses.PerHour / 60, a.Proposed.Figures.TokenLosses.PerHour / 60}
	if err := b.configure(ctx, a.Text); err != nil {
		return err
	}
	return b.afterAdvice(ctx, c)
}

// afterAdvice measures the cluster as it is now: the same loss, the path's death, and of two links the first one's.
func (b *bench) afterAdvice(ctx context.Context, c *adviceCell) error {
	var err error
	if c.Token, err = b.effectiveToken(ctx); err != nil {
		return err
	}
	after := lossCell{Ring: c.Before.Ring, Effective: c.Token, Loss: c.Before.Loss, For: c.Before.For}
	if err := b.lose(ctx, &after); err != nil {
		return err
	}
	c.After = &after
	dead := 3*c.Token + c.Token/2
	cut := trialCell{Ring: c.Before.Ring, Effective: c.Token, Case: "the path dies", Cuts: []cutOf{{For: dead}}}
	if err := b.trial(ctx, &cut); err != nil {
		return err
	}
	c.Cut = &cut
	if b.links > 1 {
		dies := trialCell{Ring: c.Before.Ring, Effective: c.Token, Case: "link 0 dies", Cuts: []cutOf{{Links: []int{0}, For: dead}}}
		if err := b.trial(ctx, &dies); err != nil {
			return err
		}
		c.Dies = &dies
	}
	return nil
}

// configure gives all nodes a corosync.conf and starts all daemons anew: a reload would leave knet's timers one behind (upstream up to 3.1.10).
func (b *bench) configure(ctx context.Context, conf []byte) error {
	var errs []error
	for _, n := range b.lab.Nodes() {
		errs = append(errs, os.WriteFile(filepath.Join(n.Dir(), "etc", "corosync.conf"), conf, 0o644), n.Corosync().Stop())
	}
	for _, n := range b.lab.Nodes() {
		errs = append(errs, n.Corosync().Start(ctx))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return b.calm(ctx)
}

// trace downloads the end of an agent's record of the paths.
func (a *agent) trace(ctx context.Context, last time.Duration) (*trace.Trace, error) {
	url := strings.TrimSuffix(a.report, reportPath) + "/api/v1/trace?last=" + last.String()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", url, resp.Status)
	}
	return trace.Decode(resp.Body)
}

// String is a cell while it is measured.
func (c adviceCell) String() string {
	text := fmt.Sprintf("loss %g %%: %d token losses; %s %v %s %v", 100*c.Before.Loss, len(c.Before.Breaks), c.Verdict, c.Why, c.Proposed, c.Edits)
	if c.After == nil || c.Cut == nil {
		return text
	}
	return text + fmt.Sprintf("; then %d; cut: lost %s, formed %s, split %v", len(c.After.Breaks), orDash(c.Cut.Lost), orDash(c.Cut.Formed), c.Cut.Split)
}

func tableAdvice(w io.Writer, o proveOptions) ([]requirement, error) {
	cells, err := readRecord[adviceCell](o.record, "advice")
	if err != nil {
		return nil, err
	}
	return tabulateAdvice(w, cells), nil
}

// tenfold: token losses fell to a tenth or less, by the time in which they were counted.
func (c adviceCell) tenfold() bool {
	if c.After == nil {
		return false
	}
	before, after := float64(len(c.Before.Breaks))/c.Before.For.Minutes(), float64(len(c.After.Breaks))/c.After.For.Minutes()
	return len(c.Before.Breaks) > 0 && after*10 <= before
}

// declareLate is how long after token and consensus a membership may come: the last token was a little before the cut, and the ring has to recover.
const declareLate = time.Second

// declared: when the path dies, somebody leaves, no later than token, consensus and a little after the cut.
func (c adviceCell) declared() bool {
	return c.Cut != nil && c.Cut.Split && c.Cut.Formed > 0 && c.Cut.Formed <= c.Token*22/10+declareLate
}

// failsOver: link 0 of two dies, and the token survives.
func (c adviceCell) failsOver() bool { return c.Dies != nil && c.Dies.Lost == 0 }

func (c adviceCell) doubtful() bool {
	n := len(c.Before.Doubts)
	if c.After != nil {
		n += len(c.After.Doubts)
	}
	return n > 0
}

func tabulateAdvice(w io.Writer, cells []adviceCell) []requirement {
	fmt.Fprint(w, "Token losses counted, and per minute; by the advice's own forecast in brackets. Times in ms from the death of the path.\n\n")
	head(w, "loss", "nodes", "links", "token", "s", "before", "proposed", "token then", "after", "tenfold", "the path dies: token lost", "first membership", "link 0 of two dies")
	for _, c := range cells {
		c.print(w)
	}
	two := slices.DeleteFunc(slices.Clone(cells), func(c adviceCell) bool { return c.Dies == nil })
	failsOver := require("where there is a second link, it takes over in time", two, adviceCell.failsOver)
	failsOver.Idle = len(two) == 0
	return []requirement{
		require("the proposed settings cut token losses at least tenfold", cells, adviceCell.tenfold),
		require("the death of the path is still declared, within token and consensus", cells, adviceCell.declared),
		failsOver,
	}
}

func (c adviceCell) print(w io.Writer) {
	after, token, lost, formed, dies := "-", "-", "-", "-", "-"
	if c.After != nil && c.Cut != nil {
		after = rateText(*c.After, c.Model[1])
		token, lost, formed = cell(c.Token), orDash(c.Cut.Lost), orDash(c.Cut.Formed)
	}
	if c.Dies != nil {
		dies = map[bool]string{true: "takes over", false: "**token lost**"}[c.failsOver()]
	}
	proposed := strings.Join(c.Edits, ", ")
	if proposed == "" {
		proposed = c.Verdict + ": " + strings.Join(c.Why, " ")
	}
	line(w, fmt.Sprintf("%g %%", 100*c.Before.Loss), c.Before.Ring.sites(), fmt.Sprint(c.Before.Ring.Links), cell(c.Before.Effective),
		fmt.Sprint(c.Before.For.Seconds()), rateText(c.Before, c.Model[0]), proposed, token, after, yes(c.tenfold())+doubt(c.doubtful()), lost, formed, dies)
}

func rateText(c lossCell, forecast float64) string {
	return fmt.Sprintf("%d, %.2f (%.2f)", len(c.Breaks), float64(len(c.Breaks))/c.For.Minutes(), forecast)
}
