package plan

import "slices"

// Advice is a change that helps: made, judged as everything else, and found to remove weak points. What it brings at most is a milder form
// of what it removes: a link whose death may cost the token where it left nobody with quorum.
type Advice struct {
	Flags  string   `json:"flags"`  // what to say to try it
	Text   string   `json:"text"`   // what it is
	Cures  []string `json:"cures"`  // keys of weak points that go away
	Leaves []string `json:"leaves"` // keys of those that stay
	Brings []string `json:"brings"` // keys of milder forms of those that go away
}

// advise tries what usually helps. Of several changes that cure the same the first is named; at the end all together.
func advise(d *Design, s *State, o Options) ([]Advice, error) {
	out := []Advice{}
	if len(s.Weak) == 0 {
		return out, nil
	}
	var together candidate
	for _, c := range d.candidates(s) {
		a, err := try(d, s, c, o)
		if err != nil || len(a.Cures) == 0 {
			continue // a change that cannot be made, or does not help
		}
		out = append(out, a)
		if !overlaps(together.change, c.change) {
			together = join(together, c)
		}
	}
	if len(out) > 1 && !slices.ContainsFunc(out, func(a Advice) bool { return len(a.Leaves)+len(a.Brings) == 0 }) {
		if a, err := try(d, s, together, o); err == nil && len(a.Cures) > len(out[0].Cures) {
			out = append(out, a)
		}
	}
	return out, nil
}

// try judges a change. Cures stays empty if it makes anything worse.
func try(d *Design, s *State, c candidate, o Options) (Advice, error) {
	a := Advice{Flags: c.flags, Text: c.text, Cures: []string{}, Leaves: []string{}, Brings: []string{}}
	changed, _, err := c.change.Apply(*d)
	if err != nil {
		return a, err
	}
	if c.change.Device != nil && changed.VotesByHand {
		a.Text += "; " + changed.handNote()
	}
	known := s // other links and timers change what the model says of weak points, other nodes and votes hardly
	if c.change.Links != nil || c.change.Coefficient != nil || c.change.Token != nil {
		known = nil
	}
	brief := Options{LossSaid: o.LossSaid, brief: true}
	t, err := judgeDesign(&changed, brief, effortFor(&changed, brief, false), known)
	if err != nil {
		return a, err
	}
	a.compare(s.Weak, t.Weak)
	return a, nil
}

// compare fills in what became of weak points.
func (a *Advice) compare(before, after []Weak) {
	harm := map[string]int{} // of what fails
	for _, w := range before {
		for _, f := range w.of {
			harm[f] = max(harm[f], w.harm)
		}
	}
	for _, w := range after {
		switch i := slices.IndexFunc(before, func(b Weak) bool { return b.Key == w.Key }); {
		case i >= 0 && w.harm <= before[i].harm:
			a.Leaves = append(a.Leaves, w.Key)
		case i < 0 && !slices.ContainsFunc(w.of, func(f string) bool { old, known := harm[f]; return !known || w.harm >= old }):
			a.Brings = append(a.Brings, w.Key)
		default:
			return // worse
		}
	}
	for _, w := range before {
		if !slices.ContainsFunc(after, func(t Weak) bool { return t.Key == w.Key }) {
			a.Cures = append(a.Cures, w.Key)
		}
	}
}
