package checker

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/risk"
)

// Forecast is how often Corosync will be in trouble if the network stays as the probes saw it.
type Forecast struct {
	At         time.Time      `json:"at"`               // when it was made
	Enough     bool           `json:"enough"`           // false: there are no figures, for Reason
	Reason     string         `json:"reason,omitempty"` // in a sentence
	Wait       Seconds        `json:"wait,omitempty"`   // about how much longer to probe for a first figure
	Window     Seconds        `json:"window"`           // of the record behind it
	Steady     bool           `json:"steady"`           // its first half is like its second
	Simulated  Seconds        `json:"simulated"`        // how long the model ran
	LinkFlap   Expect         `json:"link_flap"`
	TokenLoss  Expect         `json:"token_loss"`
	Split      Expect         `json:"split"`
	QuorumLoss Expect         `json:"quorum_loss"`
	Paths      int            `json:"paths"`             // directed, all of the cluster's
	Guessed    int            `json:"guessed_paths"`     // of which nothing is known: taken to be like others between the same sites, or the other way
	Blind      int            `json:"unknown_paths"`     // of which nothing is known, and nothing like them: taken to lose nothing
	Network    []ForecastLine `json:"network,omitempty"` // what loses packets, worst first
	Text       string         `json:"text"`
}

// Expect is the expected time from one event to the next; most chances (9 of 10) are between Least and Most.
type Expect struct {
	PerHour float64 `json:"per_hour"`
	Every   Seconds `json:"every"` // 0: no figure
	Least   Seconds `json:"least"`
	Most    Seconds `json:"most"` // 0: without bound
	Rare    bool    `json:"rare"` // only Least tells something
}

// ForecastLine is a part of the network that loses packets.
type ForecastLine struct {
	Name   string          `json:"name"`
	Paths  int             `json:"paths"` // that share it
	Loss   float64         `json:"loss_ratio"`
	Bursts []ForecastBurst `json:"bursts,omitempty"`
}

// ForecastBurst is a kind of bursts of a line.
type ForecastBurst struct {
	Every   Seconds `json:"every"`      // from the end of one to the begin of the next, mean
	Mean    Seconds `json:"mean"`       // length
	Loss    float64 `json:"loss_ratio"` // within
	Seen    int     `json:"seen"`       // about how many the figures rest on
	Longest Seconds `json:"longest"`    // seen; 0: they were not told apart
}

// mostLines is how many lines of the network a forecast names.
const mostLines = 8

// NewForecast makes the report's form of a forecast and of the network behind it.
func NewForecast(at time.Time, f risk.Forecast, network risk.Lines) *Forecast {
	out := &Forecast{
		At: at, Enough: f.Enough, Reason: f.Reason, Wait: Seconds(f.Wait), Window: Seconds(f.Window), Steady: f.Steady,
		Simulated: Seconds(f.Simulated), Paths: f.Probed + f.Guessed + f.Blind, Guessed: f.Guessed, Blind: f.Blind, Network: forecastLines(network),
	}
	if f.Enough {
		out.LinkFlap, out.TokenLoss = expect(f.LinkFlap), expect(f.TokenLoss)
		out.Split, out.QuorumLoss = expect(f.Split), expect(f.QuorumLoss)
	}
	out.Text = out.words()
	return out
}

func expect(e risk.Expect) Expect {
	mean, least, most := e.Every()
	out := Expect{PerHour: e.PerHour, Every: Seconds(mean), Least: Seconds(least), Most: Seconds(most), Rare: e.Rare}
	if out.Rare {
		out.Every, out.Most = 0, 0
	}
	return out
}

func forecastLines(network risk.Lines) []ForecastLine {
	var out []ForecastLine
	for _, l := range network {
		line := ForecastLine{Name: l.Name, Paths: len(l.Paths), Loss: l.Process.Loss}
		for i, b := range l.Process.Bursts {
			burst := ForecastBurst{Every: Seconds(b.Every), Mean: Seconds(b.Mean), Loss: cmp.Or(b.Loss, 1)}
			if i < len(l.Seen.Bursts) {
				burst.Seen, burst.Longest = int(l.Seen.Bursts[i]+0.5), Seconds(l.Seen.Longest[i])
			}
			line.Bursts = append(line.Bursts, burst)
		}
		if line.total() > 0 {
			out = append(out, line)
		}
	}
	slices.SortStableFunc(out, func(a, b ForecastLine) int { return cmp.Compare(b.total(), a.total()) })
	return out[:min(len(out), mostLines)]
}

// total is the share of packets that the line loses.
func (l *ForecastLine) total() float64 {
	sum := l.Loss
	for _, b := range l.Bursts {
		sum += b.Loss * ratio(b.Mean.Duration(), (b.Mean+b.Every).Duration())
	}
	return sum
}

// words is the forecast in a sentence.
func (f *Forecast) words() string {
	if !f.Enough {
		return f.Reason
	}
	var parts []string
	for _, e := range []struct {
		what string
		Expect
	}{{"a link flap", f.LinkFlap}, {"a token loss", f.TokenLoss}, {"a split", f.Split}, {"a loss of quorum", f.QuorumLoss}} {
		parts = append(parts, e.what+" "+e.words())
		if e.Rare {
			break // what follows from it is rarer still
		}
	}
	text := "at this rate " + strings.Join(parts, ", ")
	if !f.Steady {
		text += "; the network is changing"
	}
	return text + f.gaps()
}

// gaps says what was taken for granted; nothing, if all paths are probed.
func (f *Forecast) gaps() string {
	if f.Guessed+f.Blind == 0 {
		return ""
	}
	text := fmt.Sprintf("; nothing is known of %d of %d paths: ", f.Guessed+f.Blind, f.Paths)
	switch {
	case f.Blind == 0:
		return text + "they are taken to be like others"
	case f.Guessed == 0:
		return text + "they are taken to lose nothing"
	}
	return text + fmt.Sprintf("%d are taken to be like others, %d to lose nothing", f.Guessed, f.Blind)
}

// words is the expectation with its interval.
func (e Expect) words() string {
	switch {
	case e.Rare && e.Least == 0:
		return "hardly ever"
	case e.Rare:
		return "less than once in " + rough(e.Least.Duration())
	case e.Most == 0:
		return fmt.Sprintf("every %s (%s at least)", rough(e.Every.Duration()), rough(e.Least.Duration()))
	}
	return fmt.Sprintf("every %s (%s to %s)", rough(e.Every.Duration()), rough(e.Least.Duration()), rough(e.Most.Duration()))
}

// rough is a duration with the two digits that a forecast deserves at most.
func rough(d time.Duration) string {
	for _, u := range []struct {
		unit time.Duration
		name string
	}{{24 * time.Hour, "days"}, {time.Hour, "h"}, {time.Minute, "min"}} {
		if n := float64(d) / float64(u.unit); n >= 2 || u.unit <= time.Hour && n >= 1 {
			if n < 10 {
				return strings.TrimSuffix(fmt.Sprintf("%.1f", n), ".0") + " " + u.name
			}
			return fmt.Sprintf("%.0f %s", n, u.name)
		}
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}
