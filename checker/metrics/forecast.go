package metrics

import (
	"github.com/quorumwatch/quorumwatch/checker"
)

// forecastOf sends what is to be expected; nothing without a forecast, and no rate without figures.
func (s *sender) forecastOf(f *checker.Forecast) {
	if f == nil {
		return
	}
	s.bool(s.forecastEnough, f.Enough)
	s.seconds(s.forecastWindow, f.Window)
	s.gauge(s.forecastTime, float64(f.At.UnixMilli())/1000)
	if !f.Enough {
		return
	}
	for _, e := range []struct {
		name string
		checker.Expect
	}{{"link-flap", f.LinkFlap}, {"token-loss", f.TokenLoss}, {"split", f.Split}, {"quorum-loss", f.QuorumLoss}} {
		if e.Every > 0 {
			s.seconds(s.forecastEvery, e.Every, e.name)
		}
		if e.Least > 0 {
			s.seconds(s.forecastLeast, e.Least, e.name)
		}
		if e.Most > 0 {
			s.seconds(s.forecastMost, e.Most, e.name)
		}
	}
}
