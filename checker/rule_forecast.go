package checker

import (
	"time"

	"github.com/quorumwatch/quorumwatch/checker/units"
)

// A token loss that is to be expected within hours is a warning, if the whole interval says so; within a week it is worth a word. A forecast
// that nobody renews any more is none.
const (
	lossSoon     = 4 * time.Hour
	lossSomeTime = 7 * 24 * time.Hour
	forecastAge  = time.Hour // in a large and sick cluster one takes half of that
)

// ruleForecast tells of token losses that are to be expected from what the probes see.
func ruleForecast(j *judge) {
	f := j.in.Forecast
	if f == nil || !f.Enough || j.ago(f.At) > forecastAge {
		return
	}
	loss := f.TokenLoss
	if loss.Rare || loss.Every == 0 || loss.Every.Duration() > lossSomeTime {
		return
	}
	d := draft{code: CodeLossForecast, severity: Info, subject: "cluster"}
	if loss.Most > 0 && loss.Most.Duration() < lossSoon {
		d.severity = Warning
	}
	d.title = "as the network is, a token loss is to be expected " + loss.words()
	d.evidence = map[string]string{
		"link_flap": f.LinkFlap.words(), "token_loss": loss.words(), "split": f.Split.words(), "quorum_loss": f.QuorumLoss.words(),
		"rests_on": rough(f.Window.Duration()) + " of probes" + f.gaps(),
	}
	if len(f.Network) > 0 {
		d.evidence["worst"] = f.Network[0].words()
	}
	j.add(d)
}

// words is what the line does to packets.
func (l *ForecastLine) words() string {
	text := l.Name + ":"
	if l.Loss > 0 {
		text += " loses " + units.Percent(l.Loss)
	}
	for _, b := range l.Bursts {
		text += " out for " + units.Time(b.Mean.Duration()) + " every " + rough(b.Every.Duration())
		if b.Loss < 0.9 {
			text += " (" + units.Percent(b.Loss) + ")"
		}
	}
	return text
}
