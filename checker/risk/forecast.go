package risk

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Forecast is how often Corosync will be in trouble if the network stays as it was, for the whole cluster.
type Forecast struct {
	Enough bool          // false: there is no figure yet, for Reason
	Reason string        // in a sentence
	Wait   time.Duration // about how much longer to probe until there is one; zero: not a question of time

	LinkFlap   Expect // a link goes down, at one end: two ends that see the same are two
	TokenLoss  Expect // the ring re-forms, whoever is in it then
	Split      Expect // nodes leave the membership
	QuorumLoss Expect // nodes that had quorum have none
	Simulated  time.Duration
	Window     time.Duration // of the record behind it
	Steady     bool          // the record's first half is like its second
	Probed     int           // paths of which something is known
	Guessed    int           // paths that are taken to be like these
	Blind      int           // all others, which are taken to lose nothing
}

// Expect is a rate per hour with the interval in which it lies with nine chances of ten: the fit's sampling error, the unknown phases
// of Corosync's timers and the model's own error are in it.
type Expect struct {
	PerHour, Low, High float64
	Count              int  // how often it happened in Forecast.Simulated, or somewhat longer ago
	Rare               bool // only High tells something: the record, or the simulation, is too short to say how often, but not more often
}

// Every is the expected time from one to the next, and its interval. Zero: without bound. With Rare only least is meant.
func (e Expect) Every() (mean, least, most time.Duration) {
	return timeAt(e.PerHour), timeAt(e.High), timeAt(e.Low)
}

// timeAt is the mean time between events at a rate per hour; zero for less than one in ten years.
func timeAt(perHour float64) time.Duration {
	if perHour < 1e-5 {
		return 0
	}
	return time.Duration(float64(time.Hour) / perHour)
}

// What a forecast takes: ten minutes of probes, or two with many losses, and half of the packets known.
const (
	enoughTime  = 10 * time.Minute
	enoughSoon  = 2 * time.Minute
	enoughLost  = 200
	enoughKnown = 0.5
)

// Forecaster makes one forecast after another. It remembers what the model did for the last ones as long as cluster and network stay as they were when
// the memory began, so that figures for what is rare get better with time. The zero value remembers nothing; it is not for concurrent use.
type Forecaster struct {
	ensemble *ensemble
}

// Predict runs the ring of c over networks as f leaves them open, for as long as more says so: it is asked after each round of a few
// simulated minutes; one is done at least. Equal calls, more's answers among them, give equal forecasts.
func (p *Forecaster) Predict(c Cluster, f Fitted, rng *rand.Rand, more func() bool) Forecast {
	out := Forecast{Window: f.Window, Steady: f.Steady, Probed: f.Probed, Guessed: len(f.Guessed), Blind: len(f.Blind)}
	if out.Reason, out.Wait = f.lacks(); out.Reason != "" {
		return out
	}
	e := newEnsemble(c, f, rng)
	if p.ensemble != nil {
		e.inherit(p.ensemble)
	}
	for e.round() && more() {
	}
	if e.err != nil {
		out.Reason = "no model of this cluster: " + e.err.Error()
		return out
	}
	p.ensemble = e
	out.Enough, out.Simulated = true, e.simulated
	for i, x := range []*Expect{&out.LinkFlap, &out.TokenLoss, &out.Split, &out.QuorumLoss} {
		*x = e.expect(i)
		x.bound(time.Duration(f.Known * float64(f.Window)))
	}
	return out
}

// Predict makes a single forecast.
func Predict(c Cluster, f Fitted, rng *rand.Rand, more func() bool) Forecast {
	return new(Forecaster).Predict(c, f, rng, more)
}

// lacks tells what is missing for a forecast, and how long it takes until it is there.
func (f Fitted) lacks() (reason string, wait time.Duration) {
	switch {
	case f.Known == 0:
		return "not enough data: nothing is known of any path", 0
	case f.Known < enoughKnown:
		reason = fmt.Sprintf("not enough data: the fate of %.0f %% of the packets is unknown", 100*(1-f.Known))
		if n := len(f.Blind); n > 0 {
			reason += fmt.Sprintf("; nothing is known of %d of %d paths", n+len(f.Guessed), n+len(f.Guessed)+f.Probed)
		}
		return reason, 0
	case f.Window >= enoughTime, f.Window >= enoughSoon && f.Lost >= enoughLost:
		return "", 0
	}
	return fmt.Sprintf("not enough data: %v of probes; a first figure after %v", f.Window.Round(time.Second), enoughTime), enoughTime - f.Window
}

// bound keeps a forecast from claiming what its record can't show: of trouble that did not happen in three units of time that are known, no more
// can be said than that it is rarer than once in one unit (19 chances of 20).
func (e *Expect) bound(known time.Duration) {
	least := 3 / known.Hours()
	if e.High < least {
		e.High = least
	}
	e.Rare = e.Count == 0 || e.PerHour < least/10
}
