package checker_test

import (
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/checker/risk"
	"github.com/quorumwatch/quorumwatch/corosync/totem"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// forecastScene is what an agent foretells on a lossy line between two sites.
func forecastScene(at time.Time) *checker.Forecast {
	return checker.NewForecast(at, risk.Forecast{
		Enough: true, Steady: true, Window: 6 * time.Hour, Simulated: 4 * time.Hour, Probed: 18, Blind: 2,
		LinkFlap:   risk.Expect{PerHour: 22, Low: 15, High: 30, Count: 88},
		TokenLoss:  risk.Expect{PerHour: 0.6, Low: 0.3, High: 1.1, Count: 12},
		Split:      risk.Expect{PerHour: 0.01, Low: 0, High: 0.5, Count: 1, Rare: true},
		QuorumLoss: risk.Expect{High: 0.5, Rare: true},
	}, risk.Lines{
		{Name: "b to a, link 0", Paths: make([]trace.Path, 6), Process: risk.Process{Loss: 0.0004}},
		{
			Name: "a - b, link 0", Paths: make([]trace.Path, 12),
			Process: risk.Process{Bursts: []totem.Burst{
				{Every: 7 * time.Minute, Mean: 320 * time.Millisecond, Loss: 0.98}, {Every: 3 * time.Hour, Mean: 4 * time.Second, Loss: 1},
			}},
			Seen: risk.Seen{Bursts: []float64{51, 2}, Longest: []time.Duration{1250 * time.Millisecond, 5 * time.Second}},
		},
	})
}
