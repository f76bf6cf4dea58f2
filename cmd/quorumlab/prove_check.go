//go:build linux

package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/verdict"
	"github.com/quorumwatch/quorumwatch/corosync/lab"
	"github.com/quorumwatch/quorumwatch/corosync/lab/impair"
)

// checkCell is what one run of check said of one case, and what Corosync did meanwhile.
type checkCell struct {
	Ring      ringSpec      `json:"ring"`
	Effective time.Duration `json:"effective"` // token, as the daemon shows it
	Case      string        `json:"case"`
	Args      []string      `json:"args,omitempty"` // of check
	Answering string        `json:"answering"`      // what runs on the other nodes: reflect, agent
	Took      time.Duration `json:"took"`
	Shares    []int         `json:"shares,omitempty"` // of the run, in percent, as the terminal was told one after another
	Status    int           `json:"status"`
	Said      checkSaid     `json:"said"`
	Downs     int           `json:"downs,omitempty"`  // lines "link is down" of all nodes during the run
	Losses    int           `json:"losses,omitempty"` // lines of token losses
	Load      string        `json:"load"`
	Doubts    []string      `json:"doubts,omitempty"`
}

// checkSaid is the part of check's JSON that a proof needs.
type checkSaid struct {
	Software string         `json:"software"`
	Answer   verdict.Answer `json:"verdict"`
	First    string         `json:"first_limit,omitempty"`
	Text     string         `json:"text"`
	Limits   []checkLimit   `json:"limits"`
	Paths    []checkPath    `json:"paths"`
	Changes  []string       `json:"changes,omitempty"`
}

// checkLimit is a limit as check prints it.
type checkLimit struct {
	Name   string         `json:"name"`
	Status verdict.Status `json:"status"`
	Text   string         `json:"text"`
}

// checkPath is the account of a path, as check prints it.
type checkPath struct {
	Peer         string          `json:"peer"`
	Link         int             `json:"link"`
	Sent         uint64          `json:"sent"`
	Received     uint64          `json:"received"`
	Lost         uint64          `json:"lost"`
	LostForward  uint64          `json:"lost_forward"`
	LostBackward uint64          `json:"lost_backward"`
	Excused      uint64          `json:"excused"`
	P50          verdict.Seconds `json:"rtt_p50"`
	P999         verdict.Seconds `json:"rtt_p999"`
	FullSent     uint64          `json:"full_sent"`
	FullReceived uint64          `json:"full_received"`
}

// of says whether the cell is of this case.
func (c checkCell) of(k checkCase) bool { return c.Case == k.Name && slices.Equal(c.Args, k.Args) }

// same: both tried the same thing.
func (c checkCell) same(d checkCell) bool {
	return c.Case == d.Case && fmt.Sprint(c.Ring, c.Args, c.Answering) == fmt.Sprint(d.Ring, d.Args, d.Answering)
}

// checkLasts is how long one run of check may take.
const checkLasts = 2 * time.Minute

// checkLead is how long a path is sick before check begins: as an operator meets it.
const checkLead = 3 * time.Second

// proveCheck runs check on the first node over paths that are ill in known ways, all cases in turns.
func proveCheck(ctx context.Context, b *bench) ([]requirement, error) {
	known, err := readRecord[checkCell](b.o.record, "check")
	if err != nil {
		return nil, err
	}
	done := slices.Clone(known)
	if err := b.answerChecks(ctx); err != nil {
		return nil, err
	}
	for range b.o.runs {
		for _, k := range b.o.checkCases() {
			c := checkCell{Ring: b.o.ring(), Effective: b.token, Case: k.Name, Args: k.Args, Answering: b.o.answering()}
			if i := slices.IndexFunc(known, func(d checkCell) bool { return len(d.Doubts) == 0 && d.same(c) }); i >= 0 {
				known = slices.Delete(known, i, i+1)
				continue
			}
			if err := b.check(ctx, k, &c); err != nil {
				return tabulateChecks(b.w, done), fmt.Errorf("%s: %w", k.title(), err)
			}
			fmt.Fprintf(b.w, "%s: %s\n", k.title(), c)
			if err := appendRecord(b.o.record, "check", c); err != nil {
				return nil, err
			}
			done = append(done, c)
		}
	}
	return tabulateChecks(b.w, done), nil
}

// checkCases are the cases of the cluster, those that are asked for.
func (o proveOptions) checkCases() []checkCase {
	all := checkCases(o.links)
	if len(o.cases) == 0 {
		return all
	}
	return slices.DeleteFunc(all, func(k checkCase) bool {
		return !slices.ContainsFunc(o.cases, func(part string) bool { return strings.Contains(k.title(), part) })
	})
}

// title is the case with the way in which check is run.
func (k checkCase) title() string {
	return strings.Join(append([]string{"check"}, k.Args...), " ") + ": " + k.Name
}

// answering is what answers the probes of check.
func (o proveOptions) answering() string {
	if o.agents {
		return "agent"
	}
	return "reflect"
}

// reflectReady is how long a reflector has to open its sockets.
const reflectReady = time.Second

// answerChecks starts what answers check on the other nodes, unless agents do it: reflectors with the key of the cluster.
func (b *bench) answerChecks(ctx context.Context) error {
	if b.o.agents {
		return nil
	}
	for _, n := range b.lab.Nodes()[1:] {
		_, err := n.Start(lab.Command{Args: []string{b.o.program, "reflect", "--key-file", "/etc/corosync/authkey"}, Nice: agentNice})
		if err != nil {
			return err
		}
	}
	return sleep(ctx, reflectReady)
}

// check makes the path of a case, and runs check over it.
func (b *bench) check(ctx context.Context, k checkCase, c *checkCell) error {
	whole := b.lab.Hub().Rules()
	if err := b.calm(ctx); err != nil {
		return err
	}
	if err := b.lab.Hub().Set(k.rules(b.sites())...); err != nil {
		return err
	}
	if err := sleep(ctx, checkLead); err != nil {
		return err
	}
	b.lab.MarkQuality()
	begin := time.Now()
	if err := b.runCheck(ctx, c); err != nil {
		return err
	}
	for _, l := range b.lab.Lines(begin) {
		switch l.Event {
		case lab.EventLinkDown:
			c.Downs++
		case lab.EventTokenLost:
			c.Losses++
		}
	}
	q := b.lab.Quality()
	c.Doubts, c.Load = q.Doubts, q.Load
	for _, d := range q.Doubts {
		b.odd = append(b.odd, c.Case+": "+d)
	}
	return b.lab.Hub().Set(whole...)
}

// rules are the network of a case. Each line has its own dice.
func (k checkCase) rules(sites []string) []impair.Rule {
	a, z := sites[:1], sites[1:]
	rules := []impair.Rule{{Name: "path", From: a, To: z, Both: true, Delay: k.RTT / 2}}
	for _, s := range sites {
		rules = append(rules, impair.Rule{Name: "inside " + s, From: []string{s}, To: []string{s}, Delay: checkHere / 2})
	}
	if k.There > 0 {
		rules = append(rules, impair.Rule{Name: "loss there", From: a, To: z, Links: k.Links, Loss: k.There})
	}
	if k.Back > 0 {
		rules = append(rules, impair.Rule{Name: "loss back", From: z, To: a, Links: k.Links, Loss: k.Back})
	}
	if k.MTU > 0 {
		rules = append(rules, impair.Rule{Name: "black hole", From: a, To: z, Both: true, Links: k.Links, MTU: k.MTU})
	}
	return rules
}

// runCheck runs check on the first node, with a terminal for its progress.
func (b *bench) runCheck(ctx context.Context, c *checkCell) error {
	ctx, cancel := context.WithTimeout(ctx, checkLasts)
	defer cancel()
	args := append([]string{b.o.program, "check", "--json"}, c.Args...)
	if b.o.agents && len(c.Args) == 0 {
		args = append(args, "--own") // else its agent answers with what it saw of the cases before
	}
	s, err := startScreen()
	if err != nil {
		return err
	}
	defer s.close()
	begin := time.Now()
	p, err := b.lab.Nodes()[0].Start(lab.Command{Args: args, Stdout: &s.out, Stderr: s.inner, Nice: agentNice})
	if err != nil {
		return err
	}
	err = p.Wait(ctx)
	if p.Running() {
		p.Signal(syscall.SIGKILL)
		return err
	}
	c.Took = time.Since(begin)
	seen := s.close()
	if c.Status, err = exitStatus(err); err != nil {
		return err
	}
	c.Shares = shares(seen)
	if err := c.read(s.out.Bytes()); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(args[1:], " "), err, cmp.Or(seen, "it says nothing"))
	}
	return nil
}
