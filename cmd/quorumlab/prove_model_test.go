//go:build linux

package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quorumwatch/quorumwatch/corosync/totem"
)

func TestPoissonInterval(t *testing.T) {
	for _, c := range []struct {
		counted   int
		low, high float64 // tables of the exact interval, 90 %
	}{{0, 0, 2.996}, {1, 0.051, 4.744}, {5, 1.970, 10.513}, {20, 13.255, 29.062}, {100, 84.139, 118.079}} {
		low, high := poissonInterval(c.counted)
		if max(low-c.low, c.low-low, high-c.high, c.high-high) > 0.001 {
			t.Errorf("%d: %.3f to %.3f, want %.3f to %.3f", c.counted, low, high, c.low, c.high)
		}
	}
}

func TestJudgeRate(t *testing.T) {
	for _, c := range []struct {
		forecast float64
		counted  int
		minutes  float64
		want     rateVerdict
	}{
		{20, 20, 4, rateWithin},
		{27, 20, 4, rateUnsaid}, // the real one may be 13.3
		{60, 20, 4, rateWrong},
		{5, 20, 4, rateWrong},
		{2, 2, 4, rateUnsaid}, // two events say nothing
		{200, 2, 4, rateWrong},
		{0, 0, 4, rateOutside},
		{100, 100, 4, rateOutside},
	} {
		if got := judgeRate(c.forecast, c.counted, c.minutes); got != c.want {
			t.Errorf("%g against %d in %g min: %v, want %v", c.forecast, c.counted, c.minutes, got, c.want)
		}
	}
}

func TestRequireRate(t *testing.T) {
	row := func(forecast float64, counted int) lossRow {
		c := lossCell{For: 4 * time.Minute, Breaks: make([]time.Duration, counted)}
		return lossRuns{c}.row(lossModel{Breaks: spreadOf{Mean: forecast}})
	}
	of := func(r lossRow) (rateVerdict, float64, int) {
		return r.Breaks, r.Model.Breaks.Mean, r.breaks()
	}
	doubtful := row(21, 20)
	doubtful.lossRuns[0].Doubts = []string{"the hub stood still"}
	got := requireRate("x", []lossRow{row(20, 20), row(60, 20), row(3, 2), row(9, 2), row(0, 0), doubtful}, of)
	want := requirement{Met: 1, Of: 2, Idle: true, Text: got.Text, Note: "2 cells have too few events to say: in 1 of these the count itself is inside, together they have 4, forecast 12.0; 1 are doubtful, inside in 1; 1 have another rate"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestRingWatch: what belongs to one disruption is counted once.
func TestRingWatch(t *testing.T) {
	w := &ringWatch{rings: []string{"4", "4", "4"}}
	w.lost(0, 1)
	w.lost(1, 2)
	w.show(0, "8", 5)
	w.show(1, "8", 6)
	w.lost(0, 7) // before all were in the new ring
	for node := range 3 {
		w.show(node, "c", time.Duration(10+node))
	}
	w.show(2, "10", 20) // the third leaves, with nobody's token lost
	for node := range 3 {
		w.show(node, "14", time.Duration(30+node))
	}
	w.lost(2, 40)
	want := ringWatch{
		rings: []string{"14", "14", ""}, broken: true,
		Breaks: []time.Duration{1, 20, 40}, Formed: []time.Duration{5, 20, 0}, Healed: []time.Duration{12, 32},
	}
	if diff := cmp.Diff(want, *w, cmp.AllowUnexported(ringWatch{})); diff != "" {
		t.Error(diff)
	}
	if first, end := w.between(2, 40); first != 1 || end != 2 {
		t.Errorf("between 2 and 40: %d to %d", first, end)
	}
}

// TestWatchEventsAgreesWithStats: the count from events that daemons would log is the ring's own.
func TestWatchEventsAgreesWithStats(t *testing.T) {
	s := ringSpec{Sites: []int{2, 1}, Links: 1, Token: time.Second, Delay: modelDelay}
	for seed := range uint64(20) {
		r, net, err := s.ringOf(seed)
		if err != nil {
			t.Fatal(err)
		}
		s.between(net, func(l *totem.Line) { l.Loss = 0.05 })
		got := len(watchEvents(3, r.Run(2*time.Minute), 0).Breaks)
		if want := int(r.Stats().Disruptions); got < want-1 || got > want+1 {
			t.Errorf("seed %d: %d disruptions, the ring counted %d", seed, got, want)
		}
	}
}

// outages are trials of one kind, of which some were lost.
func outages(share float64, trials, losses int) []trialCell {
	ring := ringSpec{Sites: []int{2, 1}, Links: 1, Token: time.Second, Delay: modelDelay}
	var list []trialCell
	for i := range trials {
		c := trialCell{Ring: ring, Effective: time.Second, Case: fmt.Sprint(share), Cuts: []cutOf{{For: time.Duration(share * float64(time.Second))}}}
		if i < losses {
			c.Lost, c.Formed, c.Healed = time.Second, 1800*time.Millisecond, 1810*time.Millisecond
		}
		list = append(list, c)
	}
	return list
}

// TestTrials runs the model too: 0.6 T are certain, 0.1 T are not, and none are nothing.
func TestTrials(t *testing.T) {
	doubtful := outages(0.6, 3, 0)
	for i := range doubtful {
		doubtful[i].Doubts = []string{"the hub stood still"}
	}
	rows, err := gatherTrials(slices.Concat(outages(0.6, 10, 9), doubtful, outages(0.1, 4, 2)), 200)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 2 || rows[0].Trials != 10 || rows[0].Losses != 9 || rows[0].Doubtful != 3 || rows[1].Trials != 4 {
		t.Fatalf("rows %+v", rows)
	}
	if !rows[0].Model.certainty() || !rows[0].Model.says() || rows[0].right() != 9 {
		t.Errorf("0.6 T: the model says %.2f", rows[0].Model.Lost)
	}
	if rows[1].Model.certainty() {
		t.Errorf("0.1 T: the model says %.2f", rows[1].Model.Lost)
	}
	list := requireTrials(rows, true)
	if sure := list[0]; sure.ok() || sure.Met != 9 || sure.Of != 10 || sure.Least != 10 {
		t.Errorf("9 of 10 are not 95 %%: %+v", sure)
	}
	if times := list[2]; times.Of != 1 || times.Met != 1 {
		t.Errorf("times: %+v", times)
	}
}

func TestCalibration(t *testing.T) {
	row := func(p float64, trials, losses int) *trialRow {
		return &trialRow{Model: trialModel{Lost: p}, Trials: trials, Losses: losses}
	}
	for _, c := range []struct {
		name string
		rows []*trialRow
		ok   bool
	}{
		{"as often as it says", []*trialRow{row(0.5, 10, 5), row(0.2, 10, 2)}, true},
		{"within chance", []*trialRow{row(0.5, 10, 7), row(0.2, 10, 3)}, true},
		{"far too often", []*trialRow{row(0.2, 20, 15)}, false},
		{"nothing uncertain", []*trialRow{row(1, 10, 10)}, true},
	} {
		if got := requireCalibration(c.rows); got.ok() != c.ok {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestMarginKept(t *testing.T) {
	r := marginRow{Ring: ringSpec{Sites: []int{2, 1}, Links: 1, Token: time.Second}, Token: time.Second, Real: 500 * time.Millisecond}
	for _, c := range []struct {
		real, told time.Duration
		want       bool
	}{
		{500, 500, true}, {500, 730, true}, {500, 745, false}, {500, 270, true}, {500, 250, false},
		{1900, 1000, true}, // beyond the token there is no margin
		{1900, 700, false},
	} {
		r.Real = c.real * time.Millisecond
		if got := r.kept(c.told * time.Millisecond); got != c.want {
			t.Errorf("real %d, told %d: %v", c.real, c.told, got)
		}
	}
}

func TestRequirementOK(t *testing.T) {
	for _, c := range []struct {
		r    requirement
		want bool
	}{
		{requirement{Met: 2, Of: 2}, true}, {requirement{Met: 1, Of: 2}, false}, {requirement{}, false},
		{requirement{Idle: true}, true}, {requirement{Idle: true, Met: 1, Of: 2}, false},
		{requirement{Met: 19, Of: 20, Least: 19}, true}, {requirement{Met: 18, Of: 20, Least: 19}, false},
	} {
		if got := c.r.ok(); got != c.want {
			t.Errorf("%+v: %v", c.r, got)
		}
	}
}

func TestMarginBounded(t *testing.T) {
	r := marginRow{Ring: ringSpec{Sites: []int{2, 1}, Links: 1, Token: time.Second}, Token: time.Second, Real: 800 * time.Millisecond}
	for worst, want := range map[time.Duration]bool{2000: true, 800: true, 570: true, 550: false} {
		if got := r.bounded(marginSaid{Worst: worst * time.Millisecond}); got != want {
			t.Errorf("worst ring %d: %v", worst, got)
		}
	}
}

func TestAdviceJudged(t *testing.T) {
	good := func() adviceCell {
		before, after := lossCell{For: time.Minute, Breaks: make([]time.Duration, 20)}, lossCell{For: time.Minute, Breaks: make([]time.Duration, 2)}
		return adviceCell{Before: before, After: &after, Token: time.Second, Cut: &trialCell{Lost: 900, Formed: 2300 * time.Millisecond, Split: true}}
	}
	for _, c := range []struct {
		name              string
		spoil             func(*adviceCell)
		tenfold, declared bool
	}{
		{"good", func(*adviceCell) {}, true, true},
		{"too many left", func(c *adviceCell) { c.After.Breaks = make([]time.Duration, 3) }, false, true},
		{"nothing proposed", func(c *adviceCell) { c.After = nil }, false, true},
		{"there was nothing to cut", func(c *adviceCell) { c.Before.Breaks, c.After.Breaks = nil, nil }, false, true},
		{"nobody left", func(c *adviceCell) { c.Cut.Split = false }, true, false},
		{"declared late", func(c *adviceCell) { c.Cut.Formed = 4 * time.Second }, true, false},
	} {
		cell := good()
		c.spoil(&cell)
		if cell.tenfold() != c.tenfold || cell.declared() != c.declared {
			t.Errorf("%s: tenfold %v, declared %v", c.name, cell.tenfold(), cell.declared())
		}
	}
}

// TestRecord: cells come back as they were, those of other proofs do not.
func TestRecord(t *testing.T) {
	file := filepath.Join(t.TempDir(), "record")
	if list, err := readRecord[lossCell](file, "loss"); err != nil || list != nil {
		t.Fatalf("no file: %v, %v", list, err)
	}
	want := lossCell{Ring: ringSpec{Sites: []int{3, 2}, Links: 2}, Loss: 0.1, For: time.Minute, Breaks: []time.Duration{time.Second}, Gaps: []time.Duration{5}}
	for _, err := range []error{appendRecord(file, "loss", want), appendRecord(file, "outages", outages(0.2, 1, 0)[0])} {
		if err != nil {
			t.Fatal(err)
		}
	}
	list, err := readRecord[lossCell](file, "loss")
	if diff := cmp.Diff([]lossCell{want}, list); err != nil || diff != "" {
		t.Error(err, diff)
	}
	doubtful := want
	doubtful.Doubts = []string{"the hub stood still"}
	if soundly(list, want) != want.For || soundly([]lossCell{doubtful, want, want}, want) != 2*want.For {
		t.Error("a doubtful run is measured again, a sound one is not")
	}
}

// TestPool: sound runs of a cell are one count; doubtful ones give way.
func TestPool(t *testing.T) {
	run := func(loss float64, downs int, doubts ...string) lossCell {
		return lossCell{Ring: ringSpec{Sites: []int{3, 2}, Links: 1}, Loss: loss, For: time.Minute, Downs: downs, Breaks: make([]time.Duration, downs), Heal: time.Second, Doubts: doubts}
	}
	cells := pool([]lossCell{run(0.2, 1, "late"), run(0.2, 2, "late"), run(0.1, 4, "late"), run(0.1, 8), run(0.1, 16, "late"), run(0.1, 32)})
	if len(cells) != 2 || cells[0].lasted() != 2*time.Minute || cells[0].downs() != 40 || cells[0].breaks() != 40 || cells[0].doubtful() || cells[0].heal() != "1.0, 1.0" ||
		cells[1].downs() != 2 || !cells[1].doubtful() {
		t.Errorf("%+v", cells)
	}
}

// TestLossTimes: what is left is measured in runs of a minute and a half.
func TestLossTimes(t *testing.T) {
	for _, c := range []struct {
		lasts, before time.Duration
		want          []time.Duration
	}{
		{0, 0, nil},
		{90 * time.Second, 0, []time.Duration{90 * time.Second}},
		{10 * time.Second, 0, []time.Duration{10 * time.Second}},
		{100 * time.Second, 90 * time.Second, nil},
		{90 * time.Second, 2 * time.Minute, nil},
		{4 * time.Minute, 90 * time.Second, []time.Duration{75 * time.Second, 75 * time.Second}},
	} {
		if got := lossTimes(c.lasts, c.before); !slices.Equal(got, c.want) {
			t.Errorf("%v of %v: %v, want %v", c.before, c.lasts, got, c.want)
		}
	}
}

// TestPooledForecast: the forecast of two runs is of both.
func TestPooledForecast(t *testing.T) {
	one := lossCell{Ring: ringSpec{Sites: []int{2, 1}, Links: 1, Token: time.Second}, Loss: 0.1, For: time.Minute}
	single, err1 := lossRuns{one}.forecast(20)
	double, err2 := lossRuns{one, one}.forecast(20)
	if ratio := double.Downs.Mean / single.Downs.Mean; err1 != nil || err2 != nil || ratio < 1.8 || ratio > 2.2 || double.Stuck > 0.2 {
		t.Errorf("%v %v: %+v, %+v", err1, err2, single, double)
	}
}

// TestModelAgainstRecord holds the model against what a real Corosync did, as it was recorded in the lab: the tables of package totem's
// DESIGN.md. There it says how to make the record.
func TestModelAgainstRecord(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the model for some seconds")
	}
	for _, p := range proofs() {
		if p.ofModel() && !p.agents {
			t.Run(p.name, func(t *testing.T) {
				found, err := p.tabulate(t.Output(), proveOptions{record: filepath.Join("testdata", "model.jsonl"), seeds: 40})
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range found.List {
					if !r.ok() {
						t.Error(r)
					}
				}
			})
		}
	}
}
