//go:build linux

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/lab"
)

// proveOptions are the flags of prove.
type proveOptions struct {
	dir      string
	agent    string           // quorumwatch binary
	runs     int              // 0: the proof's own number
	nodes    string           // sites and their nodes: a:3,b:2; "": the proof's own
	token    time.Duration    // totem.token with no coefficient; 0: what pvecm writes
	coeff    time.Duration    // token_coefficient, unless token is set
	interval time.Duration    // of the probes
	cut      time.Duration    // short: length of a cut; 0: from the token
	lasts    time.Duration    // calm; loss, margin, advice, each cell: how long
	seed     uint64           // of the moments of the cuts; 0: another one each time
	details  bool             // one more table, by cut and node
	links    int              // knet links; 0: the proof's own number
	losses   []float64        // loss: of the path between the sites, in [0,1]
	knet     [2]time.Duration // knet_ping_interval and knet_ping_timeout; zero: Corosync's own
	agents   bool             // proofs of the model: agents beside the daemons all the same
	cases    []string         // check: parts of the names of those that are wanted; none: all
	program  string           // quorumwatch binary of a proof that runs it itself
	record   string           // file of what proofs of the model and of check measured
	seeds    int              // runs of the model beside each cell
	tabulate bool             // of a record: measure nothing, print what is recorded
	keep     bool             // leave the run's directory
	wait     bool             // wait for another lab to end
}

// proven is what a proof gave.
type proven struct {
	List   []requirement
	Doubts []string // why its figures are not to be trusted; none: they are
}

// unmetError says that what was measured is not what was promised.
type unmetError struct {
	proof string
	texts []string
}

func (e *unmetError) Error() string {
	return fmt.Sprintf("prove %s: not met: %s", e.proof, strings.Join(e.texts, "; "))
}

// proof is one promise that is measured.
type proof struct {
	name    string
	about   string
	links   int
	runs    int // by default
	nodes   string
	run     func(context.Context, *bench) ([]requirement, error)
	table   func(io.Writer, proveOptions) ([]requirement, error) // of a record; nil: it keeps none
	agents  bool                                                 // of the model, and yet with agents
	program bool                                                 // it runs quorumwatch itself, where no agent is
}

// defaultNodes are the sites of proofs that name none of their own.
const defaultNodes = "a:3,b:2"

// ofModel: the proof is about the model of package totem, and needs no agents.
func (p proof) ofModel() bool { return p.table != nil && !p.program }

func proofs() []proof {
	return []proof{
		{name: "blackouts", about: "the path between the sites goes dark until the cluster splits", links: 1, runs: 20, run: proveBlackouts},
		{name: "short", about: "cuts so short that Corosync survives them", links: 1, runs: 20, run: proveShort},
		{name: "links", about: "two links: link 0 is cut, then both", links: 2, runs: 5, run: proveLinks},
		{name: "calm", about: "a healthy cluster with busy cores, a reload and an agent's restart", links: 1, runs: 1, run: proveCalm},
		{name: "loss", about: "the model: a path that loses packets", links: 1, runs: 1, run: proveLoss, table: tableLoss},
		{name: "outages", about: "the model: blackouts from a fifth of the token to one and a half", links: 1, runs: 10, run: proveOutages, table: tableOutages},
		{name: "failover", about: "the model: two links, of which one, the other or both fail", links: 2, runs: 3, run: proveFailover, table: tableFailover},
		{name: "margin", about: "the model and agents: the worst token gap that they tell beside the one that the hub saw", links: 1, runs: 1,
			run: proveMargin, table: tableMargin, agents: true},
		{name: "advice", about: "the model and agents: the settings that quorumwatch proposes for a path that loses packets", links: 1, runs: 1,
			run: proveAdvice, table: tableAdvice, agents: true},
		{name: "check", about: "the verdicts of quorumwatch check over paths that are ill in known ways", links: 1, runs: 2, nodes: "a:2,b:1",
			run: proveCheck, table: tableCheck, program: true},
	}
}

// prove runs one proof in a lab of its own and prints what it gave.
func prove(ctx context.Context, w io.Writer, name string, o proveOptions) (*proven, error) {
	i := slices.IndexFunc(proofs(), func(p proof) bool { return p.name == name })
	if i < 0 {
		return nil, &usageError{fmt.Errorf("prove: nothing named %q", name), "'quorumlab prove --help' lists them"}
	}
	p := proofs()[i]
	if o.tabulate {
		return p.tabulate(w, o)
	}
	if o.runs == 0 {
		o.runs = p.runs
	}
	if o.links == 0 {
		o.links = p.links
	}
	o.nodes = cmp.Or(o.nodes, p.nodes, defaultNodes)
	if o.seed == 0 {
		o.seed = rand.Uint64()
	}
	spec, err := o.spec(p)
	if err != nil {
		return nil, &usageError{err, "'quorumlab prove --help' lists the flags"}
	}
	if p.ofModel() && !o.agents && !p.agents {
		o.agent = ""
	} else if o.agent, err = findAgent(o.agent); err != nil {
		return nil, err
	}
	if p.program {
		if o.program = o.agent; !o.agents {
			o.agent = ""
		}
	}
	if err := lab.Check(); err != nil {
		return nil, fmt.Errorf("%w (see quorumlab doctor)", err)
	}
	if err := sweep(w, o.dir, spec.Name); err != nil {
		return nil, err
	}
	return p.inLab(ctx, w, spec, o)
}

// tabulate prints what is recorded beside what the model says of it.
func (p proof) tabulate(w io.Writer, o proveOptions) (*proven, error) {
	if p.table == nil || o.record == "" {
		return nil, &usageError{fmt.Errorf("prove %s: nothing to tabulate", p.name), "--tabulate goes with --record and a proof of the model, or check"}
	}
	list, err := p.table(w, o)
	return &proven{List: list}, errors.Join(err, verdicts(w, p, list))
}

// inLab makes the lab, runs the proof and ends the lab.
func (p proof) inLab(ctx context.Context, w io.Writer, spec lab.Spec, o proveOptions) (found *proven, err error) {
	l, err := lab.New(ctx, spec)
	if err != nil {
		return nil, err
	}
	defer func() {
		if o.keep {
			err = errors.Join(err, l.CloseKeep())
			fmt.Fprintf(w, "\nlogs are in %s; quorumlab clean removes them\n", l.Dir())
			return
		}
		err = errors.Join(err, l.Close())
	}()
	b, err := newBench(ctx, w, l, o)
	if err != nil {
		return nil, err
	}
	defer b.close()
	b.introduce(p)
	list, err := p.run(ctx, b)
	return &proven{list, b.odd}, errors.Join(err, b.conclude(p, list))
}
