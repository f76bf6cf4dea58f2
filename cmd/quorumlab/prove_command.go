//go:build linux

package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/quorumwatch/quorumwatch/corosync/lab"
	"github.com/quorumwatch/quorumwatch/corosync/lab/impair"
)

func newProveCommand() *cobra.Command {
	var o proveOptions
	long := "prove measures on a real Corosync what quorumwatch promises, prints a table in Markdown and says of each requirement whether it is met.\n\n"
	for _, p := range proofs() {
		long += fmt.Sprintf("  %-10s %s\n", p.name, p.about)
	}
	long += "\nProofs of the model hold what package totem forecasts from configuration and path alone against what Corosync does. These, and check, take long:\n" +
		"with --record they go on where they ended, and with --tabulate they print what is recorded.\n"
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
	f.StringVar(&o.nodes, "nodes", "", "two sites and their nodes (default: a:2,b:1 for check, else a:3,b:2)")
	var token, coeff int
	var losses []float64
	f.IntVar(&o.links, "links", 0, "knet links (default: the proof's own number)")
	f.Float64SliceVar(&losses, "losses", []float64{1, 3, 10, 20, 30}, "loss: of the path between the sites, in percent")
	var ping [2]int
	f.IntVar(&ping[0], "ping-interval", 0, "knet_ping_interval in ms (default: Corosync's own)")
	f.IntVar(&ping[1], "ping-timeout", 0, "knet_ping_timeout in ms (default: Corosync's own)")
	f.BoolVar(&o.agents, "agents", false, "proofs of the model: agents beside the daemons all the same; check: agents answer it, not reflectors")
	f.StringArrayVar(&o.cases, "case", nil, "check: only cases with this `text` in them, e.g. '--burst: 10 %'; repeat for more")
	f.StringVar(&o.record, "record", "", "proofs of the model, check: a file to which each cell goes; what it has is not measured again (loss: up to --for in all)")
	f.IntVar(&o.seeds, "seeds", 200, "proofs of the model: runs of it beside each cell")
	f.BoolVar(&o.tabulate, "tabulate", false, "proofs of the model, check: measure nothing, print the table of --record")
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
		for i, ms := range ping {
			o.knet[i] = time.Duration(ms) * time.Millisecond
		}
		o.token, o.coeff = time.Duration(token)*time.Millisecond, time.Duration(coeff)*time.Millisecond
		return nil
	}
	return cmd
}

// spec is the lab in which a proof runs.
func (o proveOptions) spec(p proof) (lab.Spec, error) {
	s := lab.Spec{Name: "prove-" + p.name, Dir: o.dir, Links: o.links, Load: true, NoWait: !o.wait, Seed: o.seed}
	if o.runs < 1 || o.interval <= 0 || o.token < 0 || o.coeff < 0 || o.cut < 0 || o.lasts <= 0 || o.seeds < 1 {
		return s, errors.New("runs, interval, for, seeds: want more than 0; token, cut: 0 or more")
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
	for i, key := range []string{"knet_ping_interval", "knet_ping_timeout"} {
		if o.knet[i] > 0 {
			s.Link = append(s.Link, lab.Option{Key: key, Value: fmt.Sprint(o.knet[i].Milliseconds())})
		}
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
