package risk

import "time"

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
}

// Expect is a rate per hour with the interval in which it lies with nine chances of ten: the fit's sampling error and the
// unknown phases of Corosync's timers are in it.
type Expect struct {
	PerHour, Low, High float64
	Count              int  // how often it happened in Forecast.Simulated
	Rare               bool // the record, or the simulation, is too short to see any: only High tells something
}

// Every is the expected time from one to the next, and its interval. With Rare only least is meant: it is less often than that.
// Zero: no bound.
func (e Expect) Every() (mean, least, most time.Duration) {
	return every(e.PerHour), every(e.High), every(e.Low)
}

// every is the mean time between events at a rate per hour; zero for a rate too low for a time.Duration of years.
func every(perHour float64) time.Duration {
	if perHour < 1e-5 {
		return 0
	}
	return time.Duration(float64(time.Hour) / perHour)
}
