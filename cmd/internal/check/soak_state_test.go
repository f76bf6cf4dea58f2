package check

import (
	"bytes"
	"compress/gzip"
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/verdict"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

func aState() *State {
	at := time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)
	record := &trace.Trace{Start: at, Slot: 50 * time.Millisecond, Paths: map[trace.Path]*trace.Series{}}
	series := &trace.Series{}
	series.Append(200, trace.Sample{State: trace.Arrived, Delay: time.Millisecond})
	record.Paths[trace.Path{From: 1, To: 2}] = series
	s := newState(Fingerprint{Config: "c0ffee", Paths: []string{"b (2) link 0: 10.0.0.1 > 10.0.0.2"}, Probes: "every 50ms"})
	s.resume(at)
	s.Saved = at.Add(time.Hour)
	s.Soak.Measured = verdict.Seconds(time.Hour)
	s.resume(at.Add(3 * time.Hour))
	s.hour(at).Lost = 7
	s.Paths = []verdict.Path{{Peer: "b", Node: 2, Local: netip.MustParseAddr("10.0.0.1"), Remote: netip.MustParseAddr("10.0.0.2"), Figures: verdict.Figures{Sent: 10, Received: 3, Lost: 7}}}
	s.Record, s.Fresh, s.Picture = encodeTrace(record), verdict.Seconds(5*time.Second), encodeTrace(record)
	return s
}

func encoded(t testing.TB, s *State) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := s.encode(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestStateRoundTrip(t *testing.T) {
	want := aState()
	got, err := decodeState(bytes.NewReader(encoded(t, want)))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\n%+v\n%+v", err, got, want)
	}
	if x := got.Soak; x.Down != verdict.Seconds(2*time.Hour) || len(x.Gaps) != 1 || x.Runs != 2 {
		t.Errorf("%+v", x)
	}
}

// TestStateRefused: what is cut short, damaged, of something else or of a newer version is told apart, and never half believed.
func TestStateRefused(t *testing.T) {
	good := encoded(t, aState())
	for n := range good {
		if _, err := decodeState(bytes.NewReader(good[:n])); !errors.Is(err, ErrDamaged) {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
	}
	for i := 10; i < len(good); i++ { // behind gzip's own header, in which some bits mean nothing
		bad := bytes.Clone(good)
		bad[i] ^= 0x10
		if _, err := decodeState(bytes.NewReader(bad)); !errors.Is(err, ErrDamaged) {
			t.Fatalf("byte %d damaged: %v", i, err)
		}
	}
	for name, c := range map[string]struct {
		change func(*State)
		want   error
	}{
		"newer":          {func(s *State) { s.Version = 2 }, ErrNewer},
		"foreign":        {func(s *State) { s.Format = "something" }, ErrDamaged},
		"no version":     {func(s *State) { s.Version = 0 }, ErrDamaged},
		"negative":       {func(s *State) { s.Soak.Measured = -1e9 }, ErrDamaged},
		"two years":      {func(s *State) { s.Soak.Measured = verdict.Seconds(2 * mostSoak) }, ErrDamaged},
		"never begun":    {func(s *State) { s.Soak.Started = time.Time{} }, ErrDamaged},
		"a bad record":   {func(s *State) { s.Record = []byte("x") }, ErrDamaged},
		"a bad picture":  {func(s *State) { s.Picture = s.Picture[:20] }, ErrDamaged},
		"too many paths": {func(s *State) { s.Paths = append(s.Paths, s.Paths...) }, ErrDamaged},
		"hours in disorder": {func(s *State) {
			s.hour(s.Saved).Lost = 1
			s.Soak.Hours[0], s.Soak.Hours[1] = s.Soak.Hours[1], s.Soak.Hours[0]
		}, ErrDamaged},
	} {
		s := aState()
		c.change(s)
		if _, err := decodeState(bytes.NewReader(encoded(t, s))); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFingerprint(t *testing.T) {
	c := Config{Targets: []Target{{Peer: "b", Node: 2}, {Peer: "c", Node: 3}}, Interval: time.Second}
	f := NewFingerprint(&c, []byte("a"), nil, nil)
	c.Targets[0], c.Targets[1] = c.Targets[1], c.Targets[0]
	if g := NewFingerprint(&c, []byte("a"), nil, nil); f.differs(&g) != "" {
		t.Error("the order of paths does not matter")
	}
	slow, fewer := c, c
	slow.Interval = time.Minute
	fewer.Targets = fewer.Targets[:1]
	for word, g := range map[string]Fingerprint{
		"corosync.conf": NewFingerprint(&c, []byte("b"), nil, nil), "plan": NewFingerprint(&c, nil, []byte("a"), nil),
		"sites": NewFingerprint(&c, []byte("a"), nil, map[string]string{"b": "x"}), "paths": NewFingerprint(&fewer, []byte("a"), nil, nil),
		"probes": NewFingerprint(&slow, []byte("a"), nil, nil),
	} {
		if why := f.differs(&g); !strings.Contains(why, word) {
			t.Errorf("%s: %q", word, why)
		}
	}
}

func FuzzState(f *testing.F) {
	plain := func(data []byte) []byte {
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			f.Fatal(err)
		}
		var b bytes.Buffer
		if _, err := b.ReadFrom(z); err != nil {
			f.Fatal(err)
		}
		return b.Bytes()
	}
	f.Add(plain(encoded(f, aState())))
	f.Add([]byte(`{"format":"quorumwatch soak","version":9}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if _, err := z.Write(text); err != nil || z.Close() != nil {
			t.Fatal(err)
		}
		s, err := decodeState(&b)
		if err != nil {
			return
		}
		s.clone().resume(time.Unix(1e9, 0))
		again, err := decodeState(bytes.NewReader(encoded(t, s)))
		if err != nil || !bytes.Equal(encoded(t, again), encoded(t, s)) {
			t.Errorf("%v: what was written is not what was read", err)
		}
		if _, err := s.measurement(time.Hour); err != nil {
			t.Error(err)
		}
	})
}
