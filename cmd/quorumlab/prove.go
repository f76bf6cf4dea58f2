//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/quorumwatch/quorumwatch/corosync/lab"
	"github.com/quorumwatch/quorumwatch/corosync/lab/impair"
)

// proveOptions are the flags of prove.
type proveOptions struct {
	dir      string
	agent    string        // quorumwatch binary
	runs     int           // 0: the proof's own number
	nodes    string        // sites and their nodes: a:3,b:2
	token    time.Duration // totem.token with no coefficient; 0: what pvecm writes
	coeff    time.Duration // token_coefficient, unless token is set
	interval time.Duration // of the probes
	cut      time.Duration // short: length of a cut; 0: from the token
	lasts    time.Duration // calm; loss, margin, advice, each cell: how long
	seed     uint64        // of the moments of the cuts; 0: another one each time
	details  bool          // one more table, by cut and node
	links    int           // knet links; 0: the proof's own number
	losses   []float64     // loss: of the path between the sites, in [0,1]
	agents   bool          // proofs of the model: agents beside the daemons all the same
	record   string        // file of what proofs of the model measured
	tabulate bool          // proofs of the model: measure nothing, print what is recorded
	keep     bool          // leave the run's directory
	wait     bool          // wait for another lab to end
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
	name   string
	about  string
	links  int
	runs   int // by default
	run    func(context.Context, *bench) ([]requirement, error)
	table  func(io.Writer, proveOptions) ([]requirement, error) // of the model: the table of a record
	agents bool                                                 // of the model, and yet with agents
}

// ofModel: the proof is about the model of package totem, and needs no agents.
func (p proof) ofModel() bool { return p.table != nil }

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
	}
}

func newProveCommand() *cobra.Command {
	var o proveOptions
	long := "prove measures on a real Corosync what quorumwatch promises, prints a table in Markdown and says of each requirement whether it is met.\n\n"
	for _, p := range proofs() {
		long += fmt.Sprintf("  %-10s %s\n", p.name, p.about)
	}
	long += "\nProofs of the model hold what package totem forecasts from configuration and path alone against what Corosync does. They take long: with\n" +
		"--record they go on where they ended, and with --tabulate they print what is recorded.\n"
	long += "\nIt ends with status 1 when a requirement is not met. A run in which the machine itself stalled is called doubtful: its figures say\n" +
		"something of the machine, so repeat it on a quiet one."
	cmd := &cobra.Command{
		Use:   "prove NAME",
		Short: "Measure on a real Corosync what quorumwatch promises",
		Long:  long,
		Args:  arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.dir = dirOf(cmd)
			_, err := prove(cmd.Context(), cmd.OutOrStdout(), args[0], o)
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.agent, "agent", "", "quorumwatch binary (default: beside quorumlab, then in PATH)")
	f.IntVar(&o.runs, "runs", 0, "how many cuts, or rounds of the proof (default: the proof's own number)")
	f.StringVar(&o.nodes, "nodes", "a:3,b:2", "two sites and their nodes")
	var token, coeff int
	var losses []float64
	f.IntVar(&o.links, "links", 0, "knet links (default: the proof's own number)")
	f.Float64SliceVar(&losses, "losses", []float64{1, 3, 10, 20, 30}, "loss: of the path between the sites, in percent")
	f.BoolVar(&o.agents, "agents", false, "proofs of the model: agents beside the daemons all the same")
	f.StringVar(&o.record, "record", "", "proofs of the model: a file to which each cell goes; what it has is not measured again")
	f.BoolVar(&o.tabulate, "tabulate", false, "proofs of the model: measure nothing, print the table of --record beside the model")
	f.IntVar(&token, "token", 0, "token in ms, with token_coefficient 0 (default: Corosync's own 3000)")
	f.IntVar(&coeff, "token-coefficient", 125, "token_coefficient in ms, as pvecm writes it; not with --token")
	f.DurationVar(&o.interval, "interval", 50*time.Millisecond, "probe interval of the agents")
	f.DurationVar(&o.cut, "cut", 0, "short: length of a cut (default: 0.03 of the token, and no less than 2.4 probe intervals)")
	f.DurationVar(&o.lasts, "for", 10*time.Minute, "calm, loss, margin, advice: how long")
	f.Uint64Var(&o.seed, "seed", 0, "of the random moments (default: another one each time)")
	f.BoolVar(&o.details, "details", false, "a second table, by cut and node")
	f.BoolVar(&o.keep, "keep", false, "leave the directory with all logs")
	f.BoolVar(&o.wait, "wait", false, "wait for another lab of this machine to end instead of refusing")
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		if cmd.Flags().Changed("token") && cmd.Flags().Changed("token-coefficient") {
			return &usageError{errors.New("--token and --token-coefficient exclude each other"), "--token sets the coefficient to 0"}
		}
		for _, percent := range losses {
			o.losses = append(o.losses, percent/100)
		}
		o.token, o.coeff = time.Duration(token)*time.Millisecond, time.Duration(coeff)*time.Millisecond
		return nil
	}
	return cmd
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
	if !p.ofModel() || o.record == "" {
		return nil, &usageError{fmt.Errorf("prove %s: nothing to tabulate", p.name), "--tabulate goes with --record and a proof of the model"}
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

// spec is the lab in which a proof runs.
func (o proveOptions) spec(p proof) (lab.Spec, error) {
	s := lab.Spec{Name: "prove-" + p.name, Dir: o.dir, Links: o.links, Load: true, NoWait: !o.wait, Seed: o.seed}
	if o.runs < 1 || o.interval <= 0 || o.token < 0 || o.coeff < 0 || o.cut < 0 || o.lasts <= 0 {
		return s, errors.New("runs, interval, for: want more than 0; token, cut: 0 or more")
	}
	for field := range strings.SplitSeq(o.nodes, ",") {
		name, count, _ := strings.Cut(field, ":")
		n, err := strconv.Atoi(count)
		if err != nil {
			return s, fmt.Errorf("nodes: %q: want SITE:COUNT,SITE:COUNT", o.nodes)
		}
		s.Sites = append(s.Sites, lab.Site{Name: name, Nodes: n})
	}
	if len(s.Sites) != 2 {
		return s, fmt.Errorf("nodes: %q: want two sites: the path between them is what is cut", o.nodes)
	}
	s.Totem = []lab.Option{{Key: "token_coefficient", Value: fmt.Sprint(o.coeff.Milliseconds())}}
	if o.token > 0 {
		s.Totem = []lab.Option{{Key: "token_coefficient", Value: "0"}, {Key: "token", Value: fmt.Sprint(o.token.Milliseconds())}}
	}
	if p.ofModel() {
		s.Totem = append(s.Totem, lab.Option{Key: "secauth", Value: "off"}) // so that the hub sees the tokens
	}
	a, b := s.Sites[0].Name, s.Sites[1].Name
	s.Rules = []impair.Rule{
		{Name: "first link", From: []string{a}, To: []string{b}, Both: true, Links: []int{0}, Delay: 5 * time.Millisecond, Jitter: time.Millisecond},
		{Name: "inside " + a, From: []string{a}, To: []string{a}, Delay: 100 * time.Microsecond},
		{Name: "inside " + b, From: []string{b}, To: []string{b}, Delay: 100 * time.Microsecond},
	}
	if p.ofModel() { // what the model is told of the path, and nothing else
		s.Rules[0].Links, s.Rules[0].Jitter, s.Rules[0].Delay = nil, 0, modelDelay
	} else if o.links > 1 {
		s.Rules = append(s.Rules, impair.Rule{Name: "second link", From: []string{a}, To: []string{b}, Both: true, Links: []int{1},
			Delay: 12 * time.Millisecond, Jitter: 4 * time.Millisecond})
	}
	_, err := s.Topology()
	return s, err
}
