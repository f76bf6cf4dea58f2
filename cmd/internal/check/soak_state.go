package check

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/verdict"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// The form of a state file: gzip'ed JSON, docs/check.md.
const (
	stateFormat  = "quorumwatch soak"
	stateVersion = 1
)

// Limits of a state file, so that a damaged one costs little.
const (
	maxState   = 256 << 20 // decompressed
	mostSoak   = 366 * 24 * time.Hour
	mostHours  = 2 * 366 * 24
	recentGaps = 100
)

// State is what is known of a soak when it is broken off.
type State struct {
	Format  string          `json:"format"`
	Version int             `json:"version"`
	Of      Fingerprint     `json:"of"`
	Saved   time.Time       `json:"saved"`
	Soak    verdict.Soak    `json:"soak"`
	Pauses  Pauses          `json:"pauses"`
	Paths   []verdict.Path  `json:"paths"`                  // counts of all runs; quantiles of the worst hour
	Record  []byte          `json:"record,omitempty"`       // a trace (docs/trace.md): what the model has not run over yet, and what was before
	Fresh   verdict.Seconds `json:"record_fresh,omitempty"` // the end of Record that the model has not run over
	Worst   verdict.Stretch `json:"worst"`                  // the stretch in which the token fared worst
	Picture []byte          `json:"worst_record,omitempty"` // its trace: what advice rests on
}

// Pauses are verdict.Pauses, in seconds.
type Pauses struct {
	Longest verdict.Seconds `json:"longest"`
	Count   uint64          `json:"count"`
	Total   verdict.Seconds `json:"total"`
}

// Fingerprint tells what a soak is about. Figures of other paths, or of another cluster, are not added up.
type Fingerprint struct {
	Config string   `json:"config"` // SHA-256 of corosync.conf, of the planned one and of the sites
	Paths  []string `json:"paths"`
	Probes string   `json:"probes"`
}

// NewFingerprint is that of a measurement, for a cluster.
func NewFingerprint(c *Config, conf, planned []byte, sites map[string]string) Fingerprint {
	h := sha256.New()
	fmt.Fprintf(h, "%d %s %d %s", len(conf), conf, len(planned), planned)
	for _, node := range slices.Sorted(maps.Keys(sites)) {
		fmt.Fprintf(h, " %q=%q", node, sites[node])
	}
	f := Fingerprint{
		Config: hex.EncodeToString(h.Sum(nil)),
		Probes: fmt.Sprintf("every %v, %d bytes every %v, to UDP %d", c.Interval, c.FullSize, c.FullInterval, c.Port),
	}
	for _, t := range c.Targets {
		f.Paths = append(f.Paths, t.String())
	}
	slices.Sort(f.Paths)
	return f
}

// String names a path with its addresses.
func (t Target) String() string {
	return fmt.Sprintf("%s (%d) link %d: %s > %s", t.Peer, t.Node, t.Link, t.Local, t.Remote)
}

// differs says in what g is about something else; "" if it is not.
func (f *Fingerprint) differs(g *Fingerprint) string {
	switch {
	case f.Config != g.Config:
		return "of another corosync.conf, plan or sites"
	case !slices.Equal(f.Paths, g.Paths):
		return "of other paths"
	case f.Probes != g.Probes:
		return "of other probes (" + g.Probes + ")"
	}
	return ""
}

// Reasons why a state file is not taken.
var (
	ErrDamaged = errors.New("this is no state of 'quorumwatch check --soak', or a damaged one")
	ErrNewer   = errors.New("written by a newer quorumwatch")
	ErrForeign = errors.New("the soak in it is")
)

// encode writes the file's content.
func (s *State) encode(w io.Writer) error {
	z := gzip.NewWriter(w)
	if err := json.NewEncoder(z).Encode(s); err != nil {
		return err
	}
	return z.Close()
}

// decodeState reads what encode wrote. It takes any input.
func decodeState(r io.Reader) (*State, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	text, err := io.ReadAll(io.LimitReader(z, maxState)) // to the end, where the checksum is
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	var head struct {
		Format  string `json:"format"`
		Version int    `json:"version"`
	}
	switch err := json.Unmarshal(text, &head); {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	case head.Format != stateFormat:
		return nil, ErrDamaged
	case head.Version > stateVersion:
		return nil, fmt.Errorf("%w: version %d of the form, this one knows %d", ErrNewer, head.Version, stateVersion)
	}
	s := &State{}
	if err := json.Unmarshal(text, s); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return s, nil
}

// check refuses what no run would have written.
func (s *State) check() error {
	x := &s.Soak
	switch {
	case s.Version < 1, x.Started.IsZero(), s.Saved.IsZero(), x.Runs < 1:
		return errors.New("version, beginning or runs are missing")
	case x.Measured < 0 || x.Measured.Duration() > mostSoak || x.Down < 0:
		return fmt.Errorf("%v measured", x.Measured)
	case len(x.Hours) > mostHours || len(x.Gaps) > recentGaps:
		return errors.New("too many hours or gaps")
	case !slices.IsSortedFunc(x.Hours, func(a, b verdict.Hour) int { return a.Begin.Compare(b.Begin) }):
		return errors.New("hours are not in order")
	case x.Model.Length < 0 || x.Model.Losses < 0 || s.Fresh < 0 || s.Fresh.Duration() > mostSoak:
		return errors.New("a negative time")
	case len(s.Paths) > len(s.Of.Paths):
		return fmt.Errorf("%d paths, %d figures", len(s.Of.Paths), len(s.Paths))
	}
	for _, record := range [][]byte{s.Record, s.Picture} {
		if _, err := decodeTrace(record); err != nil {
			return err
		}
	}
	return nil
}

// decodeTrace reads a trace within a state; nil for none.
func decodeTrace(data []byte) (*trace.Trace, error) {
	if len(data) == 0 {
		return nil, nil
	}
	return trace.Decode(bytes.NewReader(data))
}

// encodeTrace writes a trace; nil for none.
func encodeTrace(t *trace.Trace) []byte {
	if t == nil {
		return nil
	}
	var b bytes.Buffer
	_ = trace.Encode(&b, t) // a Buffer takes all
	return b.Bytes()
}

// clone copies what is changed later.
func (s *State) clone() *State {
	out := *s
	out.Soak.Hours, out.Soak.Gaps, out.Paths = slices.Clone(s.Soak.Hours), slices.Clone(s.Soak.Gaps), slices.Clone(s.Paths)
	return &out
}

// hour is the one in which an instant lies.
func (s *State) hour(at time.Time) *verdict.Hour {
	begin := at.Truncate(time.Hour)
	hours := &s.Soak.Hours
	i, found := slices.BinarySearchFunc(*hours, begin, func(h verdict.Hour, t time.Time) int { return cmp.Compare(h.Begin.Unix(), t.Unix()) })
	if !found {
		*hours = slices.Insert(*hours, i, verdict.Hour{Minute: verdict.Minute{Begin: begin}})
	}
	return &(*hours)[i]
}

// path are the figures of a path; zero if it has none.
func (s *State) path(t Target) *verdict.Path {
	for i := range s.Paths {
		p := &s.Paths[i]
		if p.Peer == t.Peer && p.Node == t.Node && p.Link == t.Link && p.Local == t.Local && p.Remote == t.Remote {
			return p
		}
	}
	return &verdict.Path{}
}

// resume begins another run, after a time in which nothing was measured.
func (s *State) resume(now time.Time) {
	x := &s.Soak
	if x.Runs++; x.Runs == 1 {
		x.Started = now
		return
	}
	down := max(now.Sub(s.Saved), 0) // the clock may have been set back
	x.Down += verdict.Seconds(down)
	x.Gaps = append(x.Gaps, verdict.Gap{From: s.Saved, To: s.Saved.Add(down)})
	x.Gaps = x.Gaps[max(0, len(x.Gaps)-recentGaps):]
}
