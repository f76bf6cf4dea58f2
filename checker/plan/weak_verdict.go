package plan

import (
	"strings"

	"github.com/quorumwatch/quorumwatch/checker/units"
)

// verdict is the first sentence.
func verdict(s *State) string {
	if len(s.Weak) > 0 {
		var keys []string
		for _, w := range s.Weak {
			keys = append(keys, w.Key)
		}
		return plural(len(s.Weak), "weak point") + ": " + strings.Join(keys, ", ")
	}
	text := "no failure of one " + s.fallible() + " costs more than its own nodes and " + units.Time(s.Timers.Membership.Duration())
	for _, g := range s.Singles {
		if g.Impact == Loose {
			return text + "; but no path between two sites may fail on all links"
		}
	}
	return text
}

// fallible names what was let fail, one at a time.
func (s *State) fallible() string {
	what := []string{"node"}
	if len(s.Sites) > 1 {
		what = append(what, "site")
	}
	what = append(what, "link")
	if s.Quorum.Device != nil {
		what = append(what, "qdevice")
	}
	last := len(what) - 1
	return strings.Join(what[:last], ", ") + " or " + what[last]
}
