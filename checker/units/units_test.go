package units_test

import (
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/units"
)

func TestTimes(t *testing.T) {
	for _, test := range []struct {
		d           time.Duration
		time, round string
	}{
		{0, "0 s", "0 s"},
		{-350 * time.Millisecond, "-350 ms", "0 s"},
		{12 * time.Microsecond, "12 µs", "12 µs"},
		{1250 * time.Microsecond, "1.2 ms", "1.2 ms"},
		{350 * time.Millisecond, "350 ms", "350 ms"},
		{1250 * time.Millisecond, "1.25 s", "1.25 s"},
		{12400 * time.Millisecond, "12.4 s", "12 s"},
		{200 * time.Second, "3 min 20 s", "3 min"},
		{90 * time.Minute, "1 h 30 min", "90 min"},
		{26 * time.Hour, "26 h 0 min", "26 h"},
		{72 * time.Hour, "3 days", "72 h"},
	} {
		if got := units.Time(test.d); got != test.time {
			t.Errorf("Time(%v) = %q, want %q", test.d, got, test.time)
		}
		if got := units.Round(test.d); got != test.round {
			t.Errorf("Round(%v) = %q, want %q", test.d, got, test.round)
		}
	}
}

func TestPercent(t *testing.T) {
	for ratio, want := range map[float64]string{
		0: "0 %", 0.0000017: "0.00017 %", 0.0000117: "0.0012 %", 0.00006: "0.0060 %", 0.0003: "0.03 %", 0.015: "1.5 %", 0.42: "42 %", 1: "100 %", -0.021: "-2.1 %",
		5e-324: "0.00000000 %",
	} {
		if got := units.Percent(ratio); got != want {
			t.Errorf("Percent(%v) = %q, want %q", ratio, got, want)
		}
	}
}
