//go:build linux

package scenario

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/quorumwatch/quorumwatch/corosync/lab"
	"github.com/quorumwatch/quorumwatch/corosync/lab/impair"
)

// maxFile is more than any sensible scenario has.
const maxFile = 1 << 20

// maxRepeat bounds a repeated step.
const maxRepeat = 1000

// file is the YAML form.
type file struct {
	Name      string            `yaml:"name"`
	About     string            `yaml:"about"`
	Sites     []site            `yaml:"sites"`
	Links     int               `yaml:"links"`
	IPv6      bool              `yaml:"ipv6"`
	MTU       int               `yaml:"mtu"`
	Load      bool              `yaml:"load"`
	Seed      uint64            `yaml:"seed"`
	Totem     map[string]string `yaml:"totem"`
	Interface map[string]string `yaml:"interface"`
	Quorum    map[string]string `yaml:"quorum"`
	Network   []impair.Rule     `yaml:"network"`
	Timeline  []step            `yaml:"timeline"`
	Duration  time.Duration     `yaml:"duration"`
}

type site struct {
	Name  string `yaml:"name"`
	Nodes int    `yaml:"nodes"`
}

// step is one entry of the timeline, with the line on which it stands.
type step struct {
	line      int
	At        time.Duration `yaml:"at"`
	What      string        `yaml:"what"`
	For       time.Duration `yaml:"for"`
	Repeat    int           `yaml:"repeat"`
	Every     time.Duration `yaml:"every"`
	Random    time.Duration `yaml:"random"`
	Impair    *impair.Rule  `yaml:"impair"`
	Corosync  *daemon       `yaml:"corosync"`
	Agent     *daemon       `yaml:"agent"`
	Interface *device       `yaml:"interface"`
	Run       *command      `yaml:"run"`
}

type daemon struct {
	Node string `yaml:"node"`
	Do   Verb   `yaml:"do"`
}

type device struct {
	Node string `yaml:"node"`
	Link int    `yaml:"link"`
	Do   string `yaml:"do"` // up or down
}

type command struct {
	Node    string   `yaml:"node"`
	Command []string `yaml:"command"`
}

// Parse reads a scenario. The name of the file is for messages only.
func Parse(name string, r io.Reader) (*Scenario, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(b) > maxFile {
		return nil, fmt.Errorf("%s: larger than %d bytes: not a scenario", name, maxFile)
	}
	var f file
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	if err := dec.Decode(&f); err != nil {
		return nil, yamlError(name, err)
	}
	lines(b, f.Timeline)
	s, err := f.scenario(name)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// lines notes the line of each timeline entry. A decoder with KnownFields does not hand that strictness on to an UnmarshalYAML, so the
// lines come from a second look at the document.
func lines(b []byte, steps []step) {
	var doc struct {
		Timeline []yaml.Node `yaml:"timeline"`
	}
	if yaml.Unmarshal(b, &doc) != nil {
		return
	}
	for i := range min(len(steps), len(doc.Timeline)) {
		steps[i].line = doc.Timeline[i].Line
	}
}

func (f *file) scenario(name string) (*Scenario, error) {
	s := &Scenario{Name: f.Name, About: strings.TrimSpace(f.About), Duration: f.Duration}
	s.Spec = lab.Spec{
		Name: f.Name, Links: f.Links, IPv6: f.IPv6, MTU: f.MTU, Load: f.Load, Seed: f.Seed, Rules: f.Network,
		Totem: options(f.Totem), Link: options(f.Interface), Quorum: options(f.Quorum),
	}
	for _, site := range f.Sites {
		s.Spec.Sites = append(s.Spec.Sites, lab.Site{Name: site.Name, Nodes: site.Nodes})
	}
	var errs []error
	if f.Name == "" || strings.ContainsAny(f.Name, "/ \t") || strings.HasPrefix(f.Name, ".") {
		errs = append(errs, fmt.Errorf("%s: name: %q: want one word", name, f.Name))
	}
	top, err := s.Spec.Topology()
	if err != nil {
		return nil, errors.Join(append(errs, fmt.Errorf("%s: %w", name, err))...)
	}
	if _, err := impair.Compile(top, 1, s.Spec.Rules, nil); err != nil {
		errs = append(errs, fmt.Errorf("%s: network: %w", name, err))
	}
	rng := rand.New(rand.NewPCG(f.Seed, 0x7363656e6172696f))
	for i := range f.Timeline {
		steps, err := f.Timeline[i].expand(top, rng)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s:%d: timeline: %w", name, f.Timeline[i].line, err))
		}
		s.Steps = append(s.Steps, steps...)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	s.order()
	return s, nil
}

// order sorts the steps and gives each a name of its own.
func (s *Scenario) order() {
	slices.SortStableFunc(s.Steps, func(a, b Step) int { return cmp.Compare(a.At, b.At) })
	total, seen := map[string]int{}, map[string]int{}
	for _, step := range s.Steps {
		total[step.Name]++
	}
	for i := range s.Steps {
		name := s.Steps[i].Name
		if seen[name]++; total[name] > 1 {
			s.Steps[i].Name = fmt.Sprintf("%s #%d", name, seen[name])
		}
		s.Duration = max(s.Duration, s.Steps[i].At+s.Steps[i].For)
	}
}

func options(m map[string]string) []lab.Option {
	var list []lab.Option
	for _, k := range slices.Sorted(maps.Keys(m)) {
		list = append(list, lab.Option{Key: k, Value: m[k]})
	}
	return list
}

var (
	yamlLine    = regexp.MustCompile(`^line (\d+): (.*)$`)
	yamlUnknown = regexp.MustCompile(`^field (\S+) not found in type (\S+)$`)
)

// yamlError turns what the YAML package says into "file:line: reason" lines, with the keys that would be known.
func yamlError(name string, err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: empty", name)
	}
	wrong, ok := errors.AsType[*yaml.TypeError](err)
	if !ok {
		return fmt.Errorf("%s: %w", name, err)
	}
	var errs []error
	for _, text := range wrong.Errors {
		m := yamlLine.FindStringSubmatch(text)
		if m == nil {
			errs = append(errs, fmt.Errorf("%s: %s", name, text))
			continue
		}
		reason := m[2]
		if u := yamlUnknown.FindStringSubmatch(reason); u != nil {
			reason = fmt.Sprintf("unknown key %s: known here are %s", strconv.Quote(u[1]), strings.Join(known(u[2]), ", "))
		}
		errs = append(errs, fmt.Errorf("%s:%s: %s", name, m[1], reason))
	}
	return errors.Join(errs...)
}
