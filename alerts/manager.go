package alerts

import (
	"maps"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
)

// settle is how long news of another cause waits after the last word: while a cut is being understood (a node, several nodes, a
// site) its name may change several times in a fraction of a second.
const settle = 2 * time.Second

// Config says when a Manager speaks.
type Config struct {
	RepeatInterval time.Duration // say again what still stands after this time; 0: never
}

// Manager decides what has to be said. It has no clock, goroutine or I/O; it is not for concurrent use.
type Manager struct {
	config    Config
	incidents map[string]*incident // by key
	member    map[string]string    // finding key: key of its incident
}

// incident is what is remembered of one between Steps.
type incident struct {
	key      string
	since    time.Time
	cause    checker.Finding // as last seen
	findings map[string]bool // finding keys that have belonged to it, up to the last Step
	told     string          // key of the cause that was last told
	recause  bool            // the cause has changed to one that was not known, and nobody was told yet
	worst    checker.Severity
	severity checker.Severity            // at the last Step
	codes    map[string]checker.Severity // codes at the last Step, as held
	held     map[string]time.Time        // by code: when it last stood at the severity in codes
	said     time.Time                   // when something was last said
}

// NewManager returns a Manager that knows of nothing.
func NewManager(c Config) *Manager {
	return &Manager{config: c, incidents: map[string]*incident{}, member: map[string]string{}}
}

// Step compares a Report with what was said before and returns what has to be said now, worst first. No report (nil) is no
// news: it ends nothing.
func (m *Manager) Step(now time.Time, r *checker.Report) []Notification {
	if r == nil {
		return nil
	}
	standing := m.assign(now, r)
	var out []Notification
	for key, findings := range standing {
		if n, ok := m.speak(now, m.incidents[key], findings, holdFor(r)); ok {
			n.Report = r
			out = append(out, n)
		}
	}
	for key, in := range m.incidents {
		if standing[key] == nil {
			out = append(out, m.end(now, in, r))
		}
	}
	slices.SortFunc(out, inOrder)
	return out
}

// inOrder puts what stands before what is over, the worst first, then by age and key.
func inOrder(a, b Notification) int {
	if a.Status != b.Status {
		return int(a.Status) - int(b.Status)
	}
	if a.Severity != b.Severity {
		return int(b.Severity) - int(a.Severity)
	}
	if c := a.Since.Compare(b.Since); c != 0 {
		return c
	}
	if a.Key < b.Key {
		return -1
	}
	return 1
}

// assign gives every finding its incident, opening new ones, and returns the findings that stand, by incident.
func (m *Manager) assign(now time.Time, r *checker.Report) map[string][]checker.Finding {
	byKey := map[string]checker.Finding{}
	for _, f := range r.Findings {
		if f.Severity > checker.OK && f.Key != "" {
			byKey[f.Key] = f
		}
	}
	groups := map[string][]checker.Finding{} // by key of their root
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		root := rootOf(byKey, key)
		groups[root] = append(groups[root], byKey[key])
	}
	standing := map[string][]checker.Finding{}
	for _, root := range slices.Sorted(maps.Keys(groups)) {
		in := m.incidentOf(groups[root], byKey[root], byKey)
		if in == nil {
			in = m.open(now, r.Cluster.Name, byKey[root])
		}
		for _, f := range groups[root] {
			m.member[f.Key] = in.key
		}
		standing[in.key] = append(standing[in.key], groups[root]...)
	}
	return standing
}

// rootOf follows the causes of a finding as far as they stand themselves. In a circle, which no checker should make, the least
// key is the root.
func rootOf(byKey map[string]checker.Finding, key string) string {
	seen := []string{key}
	for {
		next, ok := byKey[byKey[key].Cause]
		if !ok {
			return key
		}
		if i := slices.Index(seen, next.Key); i >= 0 {
			return slices.Min(seen[i:])
		}
		key = next.Key
		seen = append(seen, key)
	}
}

// incidentOf finds the incident that a group of findings belongs to: the root's own, else the oldest of its members', else the one
// whose cause has just given way to the root.
func (m *Manager) incidentOf(group []checker.Finding, root checker.Finding, standing map[string]checker.Finding) *incident {
	if in := m.incidents[m.member[root.Key]]; in != nil {
		return in
	}
	var oldest *incident
	for _, f := range group {
		in := m.incidents[m.member[f.Key]]
		if in != nil && (oldest == nil || in.since.Before(oldest.since) || in.since.Equal(oldest.since) && in.key < oldest.key) {
			oldest = in
		}
	}
	if oldest != nil {
		return oldest
	}
	for _, key := range slices.Sorted(maps.Keys(m.incidents)) {
		if in := m.incidents[key]; in.succeeds(root, standing) {
			return in
		}
	}
	return nil
}

// succeeds tells whether a finding stands for the same trouble as the incident's cause did, under another name: the one goes as the
// other comes, and the checker says that it began when the other did.
func (in *incident) succeeds(f checker.Finding, standing map[string]checker.Finding) bool {
	_, stands := standing[in.cause.Key]
	return !stands && !f.Since.IsZero() && f.Since.Equal(in.cause.Since)
}

func (m *Manager) open(now time.Time, cluster string, root checker.Finding) *incident {
	key := cluster + "/" + root.Key
	if in := m.incidents[key]; in != nil {
		return in // its first finding had moved to another incident, and is back
	}
	in := &incident{
		key:      key,
		since:    now,
		findings: map[string]bool{},
	}
	m.incidents[key] = in
	return in
}

// speak updates an incident with the findings that stand and tells whether that is worth a word.
func (m *Manager) speak(now time.Time, in *incident, findings []checker.Finding, hold time.Duration) (Notification, bool) {
	cause, symptoms := in.sort(findings)
	in.noteCause(cause, findings)
	codes := map[string]checker.Severity{}
	severity := checker.OK
	for _, f := range findings {
		codes[f.Code] = max(codes[f.Code], f.Severity)
		severity = max(severity, f.Severity)
		in.findings[f.Key] = true
		if !f.Since.IsZero() && f.Since.Before(in.since) {
			in.since = f.Since
		}
	}
	reason, speak := m.reason(now, in, codes)
	in.hold(now, codes, hold)
	in.cause, in.severity = cause, severity
	in.worst = max(in.worst, severity)
	if !speak {
		return Notification{}, false
	}
	in.said, in.told, in.recause = now, cause.Key, false
	return Notification{
		Key: in.key, Status: Firing, Reason: reason, Severity: severity, Worst: in.worst,
		Since: in.since, At: now, Cause: cause, Symptoms: symptoms,
	}, true
}

// holdFor is how long a severity counts as told after it was last seen: the stable period of the checker (max(5 s, 3 T)), twice,
// as a finding is seen to clear for one of them.
func holdFor(r *checker.Report) time.Duration {
	return 2 * max(5*time.Second, 3*r.Timeouts.Token.Duration())
}

// hold takes over what stands now. A code that was worse a moment ago keeps that severity for a while: trouble that comes and
// goes is one news.
func (in *incident) hold(now time.Time, codes map[string]checker.Severity, length time.Duration) {
	next, held := map[string]checker.Severity{}, map[string]time.Time{}
	for code, severity := range codes {
		next[code], held[code] = severity, now
	}
	for code, severity := range in.codes {
		at, ok := in.held[code]
		if !ok {
			at = now // taken over from a predecessor in this Step
		}
		if severity > next[code] && now.Sub(at) < length {
			next[code], held[code] = severity, at
		}
	}
	in.codes, in.held = next, held
}

// heldWorst is the worst severity that was told, or seen under another, a moment ago.
func (in *incident) heldWorst() checker.Severity {
	worst := checker.OK
	for _, severity := range in.codes {
		worst = max(worst, severity)
	}
	return worst
}

// noteCause compares the cause with the one of the last Step. A successor takes over its severity: a new name is nothing worse.
func (in *incident) noteCause(cause checker.Finding, findings []checker.Finding) {
	if in.said.IsZero() {
		return
	}
	standing := map[string]checker.Finding{}
	for _, f := range findings {
		standing[f.Key] = f
	}
	if in.succeeds(cause, standing) {
		in.codes[cause.Code] = max(in.codes[cause.Code], in.codes[in.cause.Code])
	}
	if !in.findings[cause.Key] {
		in.recause = true
	}
	if cause.Key == in.told {
		in.recause = false
	}
}

// reason tells whether there is one to speak, against what was so at the last Step.
func (m *Manager) reason(now time.Time, in *incident, codes map[string]checker.Severity) (Reason, bool) {
	if in.said.IsZero() {
		return New, true
	}
	for code, severity := range codes {
		if severity > max(in.severity, in.heldWorst()) || severity == checker.Critical && in.codes[code] < checker.Critical {
			return Worse, true
		}
	}
	quiet := now.Sub(in.said)
	if in.recause && quiet >= settle {
		return Recause, true
	}
	if m.config.RepeatInterval > 0 && quiet >= m.config.RepeatInterval {
		return Repeat, true
	}
	return 0, false
}

// sort returns the finding that explains the others, and the others, worst first. Of several findings without a cause it is the
// one that was taken for the cause before, so that an incident does not change its name without need, else the worst.
func (in *incident) sort(findings []checker.Finding) (cause checker.Finding, symptoms []checker.Finding) {
	here := map[string]bool{}
	for _, f := range findings {
		here[f.Key] = true
	}
	rank := func(f checker.Finding) int {
		switch {
		case here[f.Cause]:
			return 2
		case f.Key == in.cause.Key:
			return 0
		default:
			return 1
		}
	}
	sorted := slices.SortedStableFunc(slices.Values(findings), func(a, b checker.Finding) int {
		if ra, rb := rank(a), rank(b); ra != rb {
			return ra - rb
		}
		if a.Severity != b.Severity {
			return int(b.Severity) - int(a.Severity)
		}
		return a.Since.Compare(b.Since)
	})
	return sorted[0], sorted[1:]
}

// end forgets an incident and says that it is over, or that it goes on as part of another.
func (m *Manager) end(now time.Time, in *incident, r *checker.Report) Notification {
	delete(m.incidents, in.key)
	into := ""
	for _, f := range slices.Sorted(maps.Keys(in.findings)) {
		switch owner := m.member[f]; {
		case owner == in.key:
			delete(m.member, f)
		case owner != "" && into == "":
			into = owner
		}
	}
	return Notification{
		Key: in.key, Status: Resolved, Reason: Over, Severity: checker.OK, Worst: in.worst,
		Since: in.since, At: now, Cause: in.cause, MergedInto: into, Report: r,
	}
}
