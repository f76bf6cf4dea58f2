package stamp

import (
	"math/rand/v2"
	"testing"
	"time"
)

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		panic(err)
	}
	return t
}

func TestTimestamp(t *testing.T) {
	for _, tt := range []struct {
		at   string
		f    Format
		want Timestamp
	}{
		{"1900-01-01T00:00:01Z", NTP, 1 << 32},
		{"1970-01-01T00:00:00.5Z", NTP, 2208988800<<32 | 1<<31},
		{"2036-02-07T06:28:15.999999999Z", NTP, 0xffffffff_fffffffc}, // the last nanosecond of era 0
		{"2036-02-07T06:28:16Z", NTP, 1},                             // the wrap itself: zero means "none", so one unit late
		{"2036-02-07T06:28:17Z", NTP, 1 << 32},
		{"1970-01-01T00:00:01.000000007Z", PTP, 1<<32 | 7},
		{"2106-02-07T06:28:15Z", PTP, 0xffffffff << 32},
		{"2106-02-07T06:28:16Z", PTP, 1},
	} {
		if got := NewTimestamp(at(tt.at), tt.f); got != tt.want {
			t.Errorf("%s: %#x, want %#x", tt.at, got, tt.want)
		}
	}
}

// Times go through a packet unchanged to the nanosecond, on both sides of the wraps.
func TestTimestampRoundTrip(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for _, f := range []Format{NTP, PTP} {
		for _, s := range []string{"2026-11-21T04:00:00Z", "2036-02-07T06:28:16Z", "2106-02-07T06:28:16Z", "2172-03-15T12:56:32Z"} {
			for range 2000 {
				a := at(s).Add(time.Duration(rnd.Int64N(int64(20*time.Second))) - 10*time.Second)
				near := a.Add(time.Duration(rnd.Int64N(int64(20*365*24*time.Hour))) - 10*365*24*time.Hour)
				ts := NewTimestamp(a, f)
				if got := ts.Time(f, near); !got.Equal(a) && ts != 1 {
					t.Fatalf("%v: %#x, read near %v as %v", a, ts, near, got)
				}
				d := time.Duration(rnd.Int64N(int64(20*time.Second))) - 10*time.Second
				if got := NewTimestamp(a.Add(d), f).Sub(ts, f); (got - d).Abs() > 1 {
					t.Fatalf("%v + %v: difference %v", a, d, got)
				}
			}
		}
	}
}

func TestSubIsExactForPTP(t *testing.T) {
	a, b := NewTimestamp(at("2106-02-07T06:28:15.9Z"), PTP), NewTimestamp(at("2106-02-07T06:28:16.1Z"), PTP)
	if d := b.Sub(a, PTP); d != 200*time.Millisecond {
		t.Error(d)
	}
	if d := a.Sub(b, PTP); d != -200*time.Millisecond {
		t.Error(d)
	}
}

func TestErrorEstimate(t *testing.T) {
	for _, tt := range []struct {
		synced bool
		f      Format
		bound  time.Duration
	}{
		{true, NTP, 0}, {false, PTP, 1}, {true, PTP, time.Microsecond}, {false, NTP, time.Millisecond}, {true, NTP, time.Second},
		{true, NTP, time.Hour}, {false, NTP, 100 * 365 * 24 * time.Hour}, {false, NTP, -1},
	} {
		e := NewErrorEstimate(tt.synced, tt.f, tt.bound)
		if e.Synced() != tt.synced || e.Format() != tt.f || !e.Valid() {
			t.Errorf("%v: %#x", tt, e)
		}
		// Rounded up, by at most 1 in 128.
		if b, want := e.Bound(), max(tt.bound, 0); b < want-1 || b-want > want/64+1 {
			t.Errorf("%v: bound %v", tt, b)
		}
	}
	if (ErrorEstimate)(0).Valid() {
		t.Error("zero is valid")
	}
	for e := range 1 << 16 {
		if ErrorEstimate(e).Bound() < 0 {
			t.Fatalf("%#x: bound %v", e, ErrorEstimate(e).Bound())
		}
	}
	// What twampy sends: no multiplier of zero, the largest scale.
	if b := ErrorEstimate(0x3fff).Bound(); b != 1<<63-1 {
		t.Error(b)
	}
}
