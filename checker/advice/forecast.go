package advice

import (
	"fmt"
	"math/rand/v2"

	"github.com/quorumwatch/quorumwatch/checker/risk"
)

// fit finds the processes behind the record, outages left out.
func (r record) fit(c risk.Cluster) risk.Fitted {
	d := risk.NewDigest()
	d.Add(r.trace, r.slots.end)
	return d.Fit(c)
}

// forecast tries a configuration on networks as the record leaves them open: what the record happens to show is only one of them.
func (s *search) forecast(t *trial) {
	rounds := max(leastRounds, forecastRounds*usualNodes/max(len(s.cluster.Nodes), usualNodes))
	f := risk.Predict(t.cluster, s.fitted, rand.New(rand.NewPCG(s.in.Seed, 0x666f7265)), func() bool { rounds--; return rounds > 0 })
	s.ringing += f.Simulated
	t.Forecast = &f
}

// expected says whether the forecast sees token losses that the record happened not to show.
func expected(t *trial) bool {
	f := t.Forecast
	return f != nil && f.Enough && !f.TokenLoss.Rare && f.TokenLoss.PerHour*24 >= 1
}

// confirmed asks the forecast whether the change helps there too, and refuses it if not.
func (s *search) confirmed(now, t *trial) bool {
	s.forecast(t)
	before, after := now.Forecast, t.Forecast
	if !before.Enough || !after.Enough || s.heavy {
		return true
	}
	least := cutPartly * after.TokenLoss.PerHour
	if now.tally.losses == 0 && !expected(now) { // the change is for the bounds
		least = after.TokenLoss.Low
	}
	if least <= before.TokenLoss.PerHour || after.TokenLoss.Rare {
		return true
	}
	t.Refused = fmt.Sprintf("on other networks like this one it would lose the token %s times an hour, %s as it is", figure(after.TokenLoss.PerHour),
		figure(before.TokenLoss.PerHour))
	return false
}
