package agent

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/checker/risk"
)

// How often forecasts are made and what they may cost: on average less than three thousandths of a processor. The work is done in
// pieces with a rest after each, so that it never keeps probes from a processor for long. A lower priority for its thread would be worse than
// none: the runtime's collector would wait for it on a busy host, and the probes for the collector.
const (
	forecastEvery = 2 * time.Minute
	forecastSoon  = 30 * time.Second // until there is one, and in a cut
	forecastWork  = 250 * time.Millisecond
	forecastLeast = 4 // rounds, in a large cluster
	forecastMost  = 40
	forecastRest  = 4    // times as long as the piece of work before
	forecastShare = 2e-3 // of a processor
	// settled is how old a slot must be to be final: the record waits for bulletins, and for knet's word on silence.
	settled = mostPatience + giveUp
)

// foretell makes forecasts.
func (a *Agent) foretell(ctx context.Context, ready func()) error {
	ready()
	f := foreteller{agent: a, digest: risk.NewDigest()}
	timer := time.NewTimer(forecastSoon)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
			timer.Reset(f.step(ctx))
		}
	}
}

// foreteller is what the task remembers.
type foreteller struct {
	agent  *Agent
	digest *risk.Digest
	model  risk.Forecaster
	rng    *rand.Rand
	spent  time.Duration // of work, in this step
}

// step takes in what the record has gained and makes a forecast of it, if nothing more urgent goes on. It returns how long to wait.
func (f *foreteller) step(ctx context.Context) time.Duration {
	a := f.agent
	cluster, rep := a.modelled.Load(), a.report.Load()
	t := a.snapshot(ctx)
	if cluster == nil || rep == nil || t == nil {
		return forecastSoon
	}
	if f.rng == nil {
		f.rng = rand.New(rand.NewPCG(uint64(rep.Node.ID), uint64(t.Start.UnixNano())))
	}
	f.spent = 0
	var fit risk.Fitted
	c := withSites(*cluster, rep)
	f.work(ctx, func() {
		_, next := t.Span()
		f.digest.Add(t, next-int(settled/t.Slot))
	})
	if rep.Outcome != nil { // a cut is going on: there is better to do, and no use for what is expected otherwise
		return forecastSoon
	}
	f.work(ctx, func() { fit = f.digest.Fit(c) })
	out := f.predict(ctx, c, fit)
	if ctx.Err() != nil {
		return forecastSoon
	}
	a.forecast.Store(checker.NewForecast(time.Now(), out, fit.Lines))
	if !out.Enough {
		return forecastSoon
	}
	return max(forecastEvery, time.Duration(float64(f.spent)/forecastShare))
}

// predict lets the model run for a while, with rests.
func (f *foreteller) predict(ctx context.Context, c risk.Cluster, fit risk.Fitted) risk.Forecast {
	began, rounds, model := time.Now(), 0, time.Duration(0)
	return f.model.Predict(c, fit, f.rng, func() bool {
		rounds++
		piece := time.Since(began)
		model += piece
		f.rest(ctx, piece)
		began = time.Now()
		return ctx.Err() == nil && rounds < forecastMost && (model < forecastWork || rounds < forecastLeast)
	})
}

// work does a piece of work, and rests.
func (f *foreteller) work(ctx context.Context, piece func()) {
	began := time.Now()
	piece()
	f.rest(ctx, time.Since(began))
}

func (f *foreteller) rest(ctx context.Context, after time.Duration) {
	f.spent += after
	timer := time.NewTimer(min(forecastRest*after, 2*time.Second))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// withSites tells the model where the nodes are.
func withSites(c risk.Cluster, rep *checker.Report) risk.Cluster {
	c.Nodes = slices.Clone(c.Nodes)
	for i := range c.Nodes {
		for _, n := range rep.Cluster.Nodes {
			if n.ID == c.Nodes[i].ID {
				c.Nodes[i].Site = n.Site
			}
		}
	}
	return c
}
