package verdict

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

const coefficient = "  token_coefficient: 125\n"

func TestJudge(t *testing.T) {
	const day, burst = 25 * time.Hour, 10 * time.Second
	for name, c := range map[string]struct {
		world
		answer Answer
		first  string
	}{
		"local, clean, ten seconds":              {world{here: 3, links: 2, totem: coefficient, ha: HAArmed}, Go, ""},
		"stretched, clean, ten seconds":          {world{here: 2, away: 2, device: true, links: 2, totem: coefficient, ha: HAArmed}, NotEnough, ""},
		"stretched, ten idle minutes":            {world{here: 2, away: 2, device: true, links: 2, totem: coefficient, ha: HAArmed, length: 10 * time.Minute}, NotEnough, ""},
		"stretched, ten minutes, HA unknown":     {world{here: 2, away: 2, device: true, links: 2, totem: coefficient, length: 10 * time.Minute}, NotEnough, ""},
		"stretched, a day, idle":                 {world{here: 2, away: 2, device: true, links: 2, totem: coefficient, ha: HAArmed, length: day, interval: time.Second}, NotEnough, ""},
		"stretched, a day with a backup":         {world{here: 2, away: 2, device: true, links: 2, totem: coefficient, ha: HAArmed, length: day, interval: time.Second, busy: 1}, Go, ""},
		"stretched without HA, two hours":        {world{here: 2, away: 2, device: true, links: 2, totem: coefficient, ha: HAOff, length: 2 * time.Hour, interval: time.Second}, Go, ""},
		"burst, 1 % loss":                        {world{here: 2, away: 2, device: true, links: 1, totem: coefficient, ha: HAArmed, length: burst, interval: time.Millisecond, out: 0.005, back: 0.005}, GoWithChanges, LimitLoss},
		"burst, 10 % loss":                       {world{here: 2, away: 2, device: true, links: 1, totem: coefficient, ha: HAArmed, length: burst, interval: time.Millisecond, out: 0.05, back: 0.05}, NoGo, LimitLoss},
		"burst, 10 % loss on one of two links":   {world{here: 2, away: 2, device: true, links: 2, totem: coefficient, ha: HAArmed, length: burst, interval: time.Millisecond, out: 0.05, back: 0.05}, GoWithChanges, LimitLoss},
		"burst, 10 % loss on both links":         {world{here: 2, away: 2, device: true, links: 2, totem: coefficient, ha: HAArmed, length: burst, interval: time.Millisecond, out: 0.05, back: 0.05, all: true}, NoGo, LimitLoss},
		"burst, 2 ms":                            {world{here: 2, away: 2, device: true, links: 2, totem: coefficient, ha: HAArmed, interval: time.Millisecond, rtt: 2 * time.Millisecond}, NotEnough, ""},
		"burst, 40 ms":                           {world{here: 3, away: 3, device: true, links: 2, totem: coefficient, ha: HANone, length: 2 * time.Hour, interval: time.Second, rtt: 40 * time.Millisecond}, GoWithChanges, LimitDelay},
		"burst, 40 ms, ten seconds":              {world{here: 3, away: 3, device: true, links: 2, totem: coefficient, ha: HAArmed, interval: time.Millisecond, rtt: 40 * time.Millisecond}, NotEnough, LimitDelay},
		"black hole at 1400":                     {world{here: 2, away: 2, device: true, links: 1, totem: coefficient, ha: HAArmed, hole: true}, GoWithChanges, LimitMTU},
		"one direction loses":                    {world{here: 2, away: 2, device: true, links: 1, totem: coefficient, ha: HAArmed, length: burst, interval: time.Millisecond, out: 0.02}, GoWithChanges, LimitOneWay},
		"one direction loses much":               {world{here: 2, away: 2, device: true, links: 1, totem: coefficient, ha: HAArmed, length: burst, interval: time.Millisecond, back: 0.1}, NoGo, LimitOneWay},
		"host pauses for 3 s":                    {world{here: 3, links: 2, totem: coefficient, ha: HAArmed, pause: 3 * time.Second}, NoGo, LimitPause},
		"host pauses for 1 s":                    {world{here: 3, links: 2, totem: coefficient, ha: HAArmed, pause: time.Second}, GoWithChanges, LimitPause},
		"host stalls all the time":               {world{here: 3, links: 2, totem: coefficient, ha: HAArmed, pause: 100 * time.Millisecond, excused: 0.3}, NotEnough, ""},
		"one link":                               {world{here: 3, links: 1, totem: coefficient, ha: HAArmed}, GoWithChanges, LimitLinks},
		"even votes at two places":               {world{here: 2, away: 2, links: 2, totem: coefficient, ha: HAOff, length: 2 * time.Hour, interval: time.Second}, GoWithChanges, LimitVotes},
		"even votes, little measured":            {world{here: 2, away: 2, links: 2, totem: coefficient, ha: HAArmed}, NotEnough, LimitVotes},
		"32 nodes of before":                     {world{here: 32, links: 2, ha: HAArmed}, GoWithChanges, LimitFence},
		"nobody answers":                         {world{here: 2, away: 2, device: true, links: 2, totem: coefficient, ha: HAArmed, silent: true}, NotEnough, ""},
		"a site to come, clean":                  {world{here: 3, away: 3, device: true, links: 2, totem: coefficient, ha: HAOff, length: 2 * time.Hour, interval: time.Second, planned: true}, Go, ""},
		"a site to come, too little measured":    {world{here: 3, away: 3, device: true, links: 2, totem: coefficient, ha: HAArmed, planned: true}, NotEnough, ""},
		"a blackout of two seconds in two hours": {world{here: 2, away: 2, device: true, links: 2, totem: coefficient, ha: HAOff, length: 2 * time.Hour, interval: 100 * time.Millisecond, blackout: 2 * time.Second}, GoWithChanges, LimitLoss},
	} {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && c.length > time.Hour {
				t.Skip("the model takes seconds for hours of record")
			}
			begin := time.Now()
			v, err := Judge(c.input(t, 1))
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%v: %s (%s): %s", time.Since(begin).Round(time.Millisecond), v.Answer, v.Confidence, v.Text)
			if v.Answer != c.answer || v.First != c.first {
				t.Errorf("%s, first %q; want %s, %q\n%+v", v.Answer, v.First, c.answer, c.first, v.Limits)
			}
			if c.out+c.back == 0 {
				return
			}
			if other, err := Judge(c.input(t, 2)); err != nil || other.Answer != v.Answer || other.First != v.First {
				t.Errorf("another run of the same network: %s, first %q (%v)", other.Answer, other.First, err)
			}
		})
	}
}

// TestSame: the same measurement gives the same verdict, to the last word.
func TestSame(t *testing.T) {
	w := world{here: 2, away: 1, links: 1, totem: coefficient, ha: HAArmed, out: 0.02, back: 0.02}
	a, err := Judge(w.input(t, 7))
	if err != nil {
		t.Fatal(err)
	}
	b, err := Judge(w.input(t, 7))
	if err != nil || text(t, a) != text(t, b) {
		t.Errorf("another verdict (%v)", err)
	}
}

func text(t *testing.T, v Verdict) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestBothSizes: a verdict rests on the worse one of two sizes, and says which that was.
func TestBothSizes(t *testing.T) {
	const few, many = 20, 1000
	for name, c := range map[string]struct {
		lost, forward uint64
		answer        Answer
		first, says   string
	}{
		"as small ones":  {0, 0, NotEnough, "", "none of 60000 probes"},
		"a tenth":        {many, many / 2, NoGo, LimitLoss, "1000 of 10000 full-size probes lost on link 0 to b1"},
		"one direction":  {many, many, NoGo, LimitOneWay, "10 % of the full-size probes from here to b1 are lost"},
		"two in a 1000":  {few, few / 2, NotEnough, "", "20 of 10000 full-size probes"},
		"nearly all":     {9990, 9990, GoWithChanges, LimitMTU, "packets of 1500 bytes are lost (9990 of 10000)"},
		"all, of a hole": {10_000, 0, GoWithChanges, LimitMTU, "packets of 1500 bytes are lost (10000 of 10000)"},
	} {
		w := world{here: 2, away: 2, device: true, links: 1, totem: coefficient, ha: HAArmed, interval: time.Millisecond}
		in := w.input(t, 1)
		for i := range in.Paths {
			full := in.Paths[i].Figures
			if in.Paths[i].Peer == "b1" {
				full.Received, full.Lost, full.LostForward, full.LostBackward, full.Burst = full.Received-c.lost, c.lost, c.forward, min(c.lost-c.forward, many), 3
			}
			in.Paths[i].Full = &full
		}
		v, err := Judge(in)
		if err != nil {
			t.Fatal(err)
		}
		said := text(t, v)
		if v.Answer != c.answer || v.First != c.first && c.first != "" || !strings.Contains(said, c.says) || strings.Contains(said, "far more often than small ones") != (c.first == LimitLoss || c.first == LimitOneWay || c.lost == few) {
			t.Errorf("%s: %s, first %q: %+v", name, v.Answer, v.First, v.Limits[:4])
		}
	}
}
