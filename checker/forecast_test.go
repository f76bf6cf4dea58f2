package checker

import (
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/risk"
)

func hourly(rate, low, high float64) risk.Expect {
	return risk.Expect{PerHour: rate, Low: low, High: high, Count: 10}
}

var rarely = risk.Expect{High: 0.5, Rare: true}

func TestForecastWords(t *testing.T) {
	for _, tt := range []struct {
		f    risk.Forecast
		want string
	}{
		{risk.Forecast{Reason: "not enough data: 40s of probes"}, "not enough data: 40s of probes"},
		{
			risk.Forecast{Enough: true, Steady: true, LinkFlap: hourly(15, 12, 20), TokenLoss: hourly(0.5, 0.2, 1), Split: rarely, QuorumLoss: rarely},
			"at this rate a link flap every 4 min (3 min to 5 min), a token loss every 2 h (1 h to 5 h), a split less than once in 2 h",
		},
		{
			risk.Forecast{Enough: true, LinkFlap: rarely, TokenLoss: rarely, Split: rarely, QuorumLoss: rarely},
			"at this rate a link flap less than once in 2 h; the network is changing",
		},
		{
			risk.Forecast{Enough: true, Steady: true, LinkFlap: rarely, TokenLoss: rarely, Probed: 8, Guessed: 10, Blind: 2},
			"at this rate a link flap less than once in 2 h; nothing is known of 12 of 20 paths: 10 are taken to be like others, 2 to lose nothing",
		},
		{
			risk.Forecast{Enough: true, LinkFlap: rarely, TokenLoss: rarely, Probed: 10, Guessed: 10},
			"at this rate a link flap less than once in 2 h; the network is changing; nothing is known of 10 of 20 paths: they are taken to be like others",
		},
		{
			risk.Forecast{Enough: true, Steady: true, LinkFlap: rarely, TokenLoss: rarely, Probed: 14, Blind: 6},
			"at this rate a link flap less than once in 2 h; nothing is known of 6 of 20 paths: they are taken to lose nothing",
		},
		{
			risk.Forecast{Enough: true, Steady: true, LinkFlap: hourly(0.01, 0, 0.02), TokenLoss: rarely},
			"at this rate a link flap every 4.2 days (2.1 days at least), a token loss less than once in 2 h",
		},
	} {
		if got := NewForecast(time.Time{}, tt.f, nil).Text; got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

// A warning takes certainty, and only a fresh forecast with figures counts.
func TestRuleForecast(t *testing.T) {
	now := time.Unix(1e9, 0)
	for _, tt := range []struct {
		name string
		f    risk.Forecast
		age  time.Duration
		want Severity
	}{
		{"soon", risk.Forecast{Enough: true, TokenLoss: hourly(2, 0.5, 4)}, time.Minute, Warning},
		{"soon, but not sure", risk.Forecast{Enough: true, TokenLoss: hourly(2, 0.2, 4)}, time.Minute, Info},
		{"tomorrow", risk.Forecast{Enough: true, TokenLoss: hourly(0.04, 0.03, 0.05)}, time.Minute, Info},
		{"next month", risk.Forecast{Enough: true, TokenLoss: hourly(0.001, 0.0005, 0.002)}, time.Minute, OK},
		{"rare", risk.Forecast{Enough: true, TokenLoss: risk.Expect{PerHour: 1, Low: 1, High: 3, Rare: true}}, time.Minute, OK},
		{"not enough", risk.Forecast{TokenLoss: hourly(2, 1, 4)}, time.Minute, OK},
		{"old", risk.Forecast{Enough: true, TokenLoss: hourly(2, 1, 4)}, 2 * time.Hour, OK},
	} {
		j := &judge{in: &Input{Now: now, Forecast: NewForecast(now.Add(-tt.age), tt.f, nil)}}
		ruleForecast(j)
		got := OK
		for _, d := range j.drafts {
			got = max(got, d.severity)
		}
		if got != tt.want {
			t.Errorf("%s: severity %v, want %v", tt.name, got, tt.want)
		}
	}
}
