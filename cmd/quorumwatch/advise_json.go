package main

import (
	"encoding/json"
	"io"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/advice"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// adviceJSON is the answer for machines; docs/advice.md describes it. Times are seconds, ratios between 0 and 1. Every key is always there: what
// does not apply is an empty list or text, or null.
type adviceJSON struct {
	Verdict  advice.Verdict `json:"verdict"`
	Why      []string       `json:"why"`
	Limit    string         `json:"limit"`
	Partly   bool           `json:"partly"`
	Evidence evidenceJSON   `json:"evidence"`
	Before   trialJSON      `json:"before"`
	Proposed *trialJSON     `json:"proposed"`
	Tried    []trialJSON    `json:"tried"`
	Diff     string         `json:"diff"`
	Steps    []string       `json:"steps"`
	Remarks  []remarkJSON   `json:"remarks"`
}

type evidenceJSON struct {
	Length    float64     `json:"length"`
	Known     float64     `json:"known"`
	Loss      []lossJSON  `json:"worst_loss"`
	Stall     *stallJSON  `json:"longest_stall"`
	Outages   []stallJSON `json:"outages"`
	Simulated float64     `json:"simulated"`
}

type lossJSON struct {
	From uint32  `json:"from"`
	To   uint32  `json:"to"`
	Link int     `json:"link"`
	Loss float64 `json:"loss"`
}

type stallJSON struct {
	From   uint32  `json:"from"`
	To     uint32  `json:"to"`
	At     float64 `json:"at"`
	Length float64 `json:"length"`
}

type trialJSON struct {
	Name     string       `json:"name"`
	Edits    []editJSON   `json:"edits"`
	Refused  string       `json:"refused"`
	Bounds   *boundsJSON  `json:"bounds"`
	Figures  *figuresJSON `json:"figures"`
	Expected *rateJSON    `json:"expected_token_losses_per_hour"`
	Drill    *drillJSON   `json:"drill"`
}

type editJSON struct {
	Key   string `json:"key"`
	Value string `json:"value"` // "": removed
}

type boundsJSON struct {
	Token      float64 `json:"token"`
	Least      float64 `json:"least"`
	Membership float64 `json:"membership"`
	Most       float64 `json:"most"`
}

type figuresJSON struct {
	TokenLosses rateJSON `json:"token_losses_per_hour"`
	Splits      rateJSON `json:"splits_per_hour"`
	LinkDowns   rateJSON `json:"link_downs_per_hour"`
	WorstGap    float64  `json:"worst_token_gap"`
	Broken      float64  `json:"broken"`
	Simulated   float64  `json:"simulated"`
}

type rateJSON struct {
	Mean float64 `json:"mean"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

type drillJSON struct {
	Failover     *float64 `json:"failover"`
	Lost         *float64 `json:"failover_loses_token"`
	LostBackedUp *float64 `json:"failover_after_flap_loses_token"`
	DeadNode     float64  `json:"dead_node"`
	Declared     bool     `json:"dead_node_declared"`
}

type remarkJSON struct {
	About  string       `json:"about"`
	Text   string       `json:"text"`
	Before *figuresJSON `json:"before"`
	After  *figuresJSON `json:"after"`
}

func writeAdviceJSON(w io.Writer, a advice.Advice, diff []byte) error {
	out := adviceJSON{
		Verdict: a.Verdict, Why: list(a.Why), Limit: a.Limit, Partly: a.Partly, Evidence: evidenceOf(a.Evidence), Before: trialOf(a.Before),
		Tried: []trialJSON{}, Diff: string(diff), Steps: list(a.Steps), Remarks: []remarkJSON{},
	}
	if a.Proposed != nil {
		t := trialOf(*a.Proposed)
		out.Proposed = &t
	}
	for _, t := range a.Tried {
		out.Tried = append(out.Tried, trialOf(t))
	}
	for _, r := range a.Remarks {
		out.Remarks = append(out.Remarks, remarkJSON{r.About, r.Text, figuresOf(r.Before), figuresOf(r.After)})
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(out)
}

// list is never null.
func list(s []string) []string { return append([]string{}, s...) }

func evidenceOf(e advice.Evidence) evidenceJSON {
	out := evidenceJSON{Length: e.Length.Seconds(), Known: e.Known, Loss: []lossJSON{}, Outages: []stallJSON{}, Simulated: e.Model.Seconds()}
	for _, l := range e.Loss {
		if l.Path != (trace.Path{}) {
			out.Loss = append(out.Loss, lossJSON{l.Path.From, l.Path.To, l.Path.Link, l.Loss})
		}
	}
	stall := func(s advice.Stall) stallJSON { return stallJSON{s.From, s.To, s.At.Seconds(), s.Length.Seconds()} }
	if e.Stall.Length > 0 {
		s := stall(e.Stall)
		out.Stall = &s
	}
	for _, o := range e.Outages {
		out.Outages = append(out.Outages, stall(o))
	}
	return out
}

func trialOf(t advice.Trial) trialJSON {
	out := trialJSON{Name: t.Name, Edits: []editJSON{}, Refused: t.Refused}
	for _, e := range t.Edits {
		out.Edits = append(out.Edits, editJSON(e))
	}
	if b := t.Bounds; b.Token > 0 {
		out.Bounds = &boundsJSON{b.Token.Seconds(), b.Least.Seconds(), b.Membership.Seconds(), b.Most.Seconds()}
	}
	if t.Tested {
		out.Figures = figuresOf(&t.Figures)
	}
	if f := t.Forecast; f != nil && f.Enough {
		out.Expected = &rateJSON{f.TokenLoss.PerHour, f.TokenLoss.Low, f.TokenLoss.High}
	}
	if d := t.Drill; d != nil {
		out.Drill = &drillJSON{DeadNode: d.DeadNode.Seconds(), Declared: d.Declared}
		if d.Links > 1 {
			out.Drill.Failover, out.Drill.Lost, out.Drill.LostBackedUp = secondsOf(d.Failover), &d.Lost, &d.LostBackedUp
		}
	}
	return out
}

func secondsOf(d time.Duration) *float64 {
	s := d.Seconds()
	return &s
}

func figuresOf(f *advice.Figures) *figuresJSON {
	if f == nil {
		return nil
	}
	rate := func(r advice.Rate) rateJSON { return rateJSON{r.PerHour, r.Low, r.High} }
	return &figuresJSON{rate(f.TokenLosses), rate(f.Splits), rate(f.LinkDowns), f.WorstGap.Seconds(), f.Broken, f.Simulated.Seconds()}
}
