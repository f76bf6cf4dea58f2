package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"

	"github.com/spf13/cobra"

	"github.com/quorumwatch/quorumwatch/checker/replay"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// replayFlags is what the command line of replay says besides settings.
type replayFlags struct {
	agent   string
	compare []string
	passes  int
	seed    uint64
	asJSON  bool
}

func newReplayCommand(p *process) *cobra.Command {
	var f replayFlags
	var asked settingFlags
	cmd := &cobra.Command{
		Use:   "replay [trace]",
		Short: "What a recorded trace would have done to the token, under these settings or others",
		Long: `replay runs a trace - what became of packets on all paths of the cluster, slot by slot - through a model of Corosync's token and
knet's links: under the settings that were in force, and under those that the options give. For each it tells how often the token
would have been lost, when and by which paths, how many times links would have gone down, the longest time without the token and the
longest freeze; beside it, what Corosync itself said while the trace was recorded.

The trace is a file that an agent wrote around an incident (state_dir, folder traces) or that was downloaded from its /api/v1/trace;
without one, the agent of this node is asked for its last hour.

Where in their cycles Corosync's timers were is in no record. So each setting is run many times with other phases, and the answer is a
range. What nobody knew is taken for arrived.

The exit status is 0 if the token was never lost under the settings asked for (those of the options; without any, the recorded ones), 1 if
it was in some pass, 2 if there is no answer: a wrong command line, a bad file, a setting that Corosync would refuse, an output that cannot
be written.`,
		Example: `  quorumwatch replay                                            # the last hour, as this node's agent knows it
  quorumwatch replay incident.trace --token 3s --retransmits 8
  quorumwatch replay incident.trace --compare token=1000 --compare token=3000,retransmits=8 --compare without-link=1
  quorumwatch replay incident.trace --config /etc/pve/corosync.conf.new --json`,
		GroupID: groupAsk,
		Args:    arguments(cobra.MaximumNArgs(1)),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.agent, "agent", "http://127.0.0.1:8412", "`URL` of the agent that is asked when no trace is given")
	asked.register(cmd)
	flags.StringArrayVar(&f.compare, "compare", nil, "one more set of `settings` to put beside: token=1000,retransmits=8; repeat for more")
	flags.IntVar(&f.passes, "passes", 20, "run each setting so `many` times, with other phases")
	flags.Uint64Var(&f.seed, "seed", 1, "`number` that decides the phases")
	flags.BoolVar(&f.asJSON, "json", false, "print JSON (docs/trace.md)")
	_ = cmd.MarkFlagFilename("config", "conf")
	_ = cmd.RegisterFlagCompletionFunc("link-mode", cobra.FixedCompletions([]string{"passive", "active", "rr"}, cobra.ShellCompDirectiveNoFileComp))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		sets, err := asked.sets(f.compare)
		if err != nil {
			return err
		}
		return orNoAnswer(runReplay(cmd.Context(), p, f, sets, args))
	}
	return cmd
}

// orNoAnswer makes status 2 of whatever kept an answer from its reader: status 1 is one, and a disk that is full or a signal must not be taken
// for it.
func orNoAnswer(err error) error {
	if _, answer := errors.AsType[statusError](err); answer || err == nil {
		return err
	}
	return noAnswer(err)
}

func runReplay(ctx context.Context, p *process, f replayFlags, sets []setting, args []string) error {
	if f.passes < 1 || f.passes > 10_000 {
		return usage("20 tell a rough range, 200 a fine one", "--passes: %d is not between 1 and 10000", f.passes)
	}
	t, name, err := replayTrace(ctx, f.agent, args)
	if err != nil {
		return asUsage(err)
	}
	answer := replayed{name: name, trace: t, passes: f.passes}
	for _, s := range sets {
		c, err := s.cluster(t)
		if err != nil {
			return err
		}
		r, err := replay.New(c, t)
		if err != nil {
			return usage("is the corosync.conf of --config that of the trace's cluster?", "%s: %w", s.name(), err)
		}
		answer.runs = append(answer.runs, replayedSet{setting: s, cluster: c, replay: r})
	}
	progress := func(int) {}
	if isTerminal(p.err) {
		progress = func(done int) { fmt.Fprintf(p.err, "\r%d of %d passes \r", done, f.passes*len(sets)) }
	}
	if err := answer.play(ctx, f.seed, progress); err != nil {
		return err
	}
	return answer.tell(p.out, f.asJSON, columns(p))
}

// replayTrace reads the trace that is asked for.
func replayTrace(ctx context.Context, agent string, args []string) (*trace.Trace, string, error) {
	if len(args) == 1 {
		t, err := traceFile(args[0])
		return t, args[0], err
	}
	t, err := traceOfAgent(ctx, agent)
	return t, agent, err
}

// asUsage makes an error one of the question, with its own hint: there is no answer.
func asUsage(err error) error {
	var h hinter
	if errors.As(err, &h) && len(h.Hints()) > 0 {
		return &usageError{err: err, hint: h.Hints()[0]}
	}
	return &usageError{err: err}
}

// replayed is a trace and what it does under each set of settings. The first is as recorded.
type replayed struct {
	name   string
	trace  *trace.Trace
	passes int
	runs   []replayedSet
}

type replayedSet struct {
	setting
	cluster cluster
	replay  *replay.Replay
	passes  []replay.Pass
	outcome replay.Outcome
}

// play runs all passes of all settings, as many at a time as there are processors.
func (a *replayed) play(ctx context.Context, seed uint64, progress func(done int)) error {
	type job struct{ set, pass int }
	jobs := make(chan job)
	results := make([][]replay.Pass, len(a.runs))
	for i := range results {
		results[i] = make([]replay.Pass, a.passes)
	}
	var mu sync.Mutex
	var done int
	var failed error
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for j := range jobs {
				pass, err := a.runs[j.set].replay.Pass(seed + uint64(j.pass))
				mu.Lock()
				results[j.set][j.pass] = pass
				if done++; err != nil {
					failed = err
				}
				progress(done)
				mu.Unlock()
			}
		})
	}
	for i := range a.passes * len(a.runs) {
		if ctx.Err() != nil {
			break
		}
		jobs <- job{i / a.passes, i % a.passes}
	}
	close(jobs)
	wg.Wait()
	for i := range a.runs {
		a.runs[i].passes, a.runs[i].outcome = results[i], a.runs[i].replay.Summarize(results[i])
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return failed
}

// tell writes the answer, and makes it a status.
func (a *replayed) tell(w io.Writer, asJSON bool, columns int) error {
	write := func() error { return a.text(w, columns) }
	if asJSON {
		write = func() error { return a.json(w) }
	}
	if err := write(); err != nil {
		return err
	}
	for _, r := range a.asked() {
		if r.outcome.Lost > 0 {
			return statusError(exitError)
		}
	}
	return nil
}

// asked are the sets of the options; without any, the recorded one.
func (a *replayed) asked() []replayedSet {
	if len(a.runs) == 1 {
		return a.runs
	}
	return a.runs[1:]
}
