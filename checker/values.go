package checker

import (
	"fmt"
	"strconv"
	"time"
)

// Seconds is a duration that is a number of seconds in JSON.
type Seconds time.Duration

// Duration returns s as a time.Duration.
func (s Seconds) Duration() time.Duration { return time.Duration(s) }

// String prints s as time.Duration does.
func (s Seconds) String() string { return time.Duration(s).String() }

// MarshalJSON writes s as a number of seconds, exact to the nanosecond.
func (s Seconds) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, time.Duration(s).Seconds(), 'f', -1, 64), nil
}

// UnmarshalJSON reads a number of seconds.
func (s *Seconds) UnmarshalJSON(b []byte) error {
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil {
		return fmt.Errorf("seconds: %q: not a number", b)
	}
	if f > 9e9 || f < -9e9 {
		return fmt.Errorf("seconds: %q: out of range", b)
	}
	whole := time.Duration(f) * time.Second
	rest := (f - float64(time.Duration(f))) * 1e9
	if rest < 0 {
		rest -= 0.5
	} else {
		rest += 0.5
	}
	*s = Seconds(whole + time.Duration(rest))
	return nil
}

// Severity orders findings.
type Severity int

// Severities. Critical pages, Warning is for working hours, Info is lint or context.
const (
	OK Severity = iota
	Info
	Warning
	Critical
)

// Tri is a value that may be unknown. Unknown is never shown as yes or as no.
type Tri int

// The values of a Tri.
const (
	Unknown Tri = iota
	Yes
	No
)

// Reach is what the probes say of a peer as a whole.
type Reach int

// The values of a Reach.
const (
	ReachUnknown  Reach = iota // nothing was ever heard of it, or it cannot be told
	ReachUp                    // a round trip works on at least one link
	ReachDegraded              // works, but a link is out or sick
	ReachDown                  // no link works
	ReachLocal                 // the local node itself
)

// Agent is what is known of a peer's agent.
type Agent int

// The values of an Agent.
const (
	AgentUnknown Agent = iota // never heard
	AgentHeard
	AgentStopped // said that it was being stopped, and has been silent since
	AgentSilent  // silent although the node lives
)

// PathState is the judgement of one path.
type PathState int

// The states of a path.
const (
	PathUnknown PathState = iota // never heard, or silent while knet says that the link lives
	PathUp
	PathDegraded // works, with loss, jitter or a present gap too short to matter
	PathDown
)

// KnetState is what the local knet says of a link.
type KnetState int

// The states of a knet link.
const (
	KnetUnknown KnetState = iota
	KnetConnected
	KnetDisconnected
)

// Which names a direction of a path as seen from here.
type Which int

// The directions.
const (
	WhichNone     Which = iota // no gap
	WhichUnknown               // there is a gap; it cannot be told where
	WhichForward               // towards the peer only
	WhichBackward              // from the peer only
	WhichBoth
)

var (
	severityNames  = []string{"ok", "info", "warning", "critical"}
	triNames       = []string{"unknown", "yes", "no"}
	reachNames     = []string{"unknown", "up", "degraded", "down", "local"}
	agentNames     = []string{"unknown", "heard", "stopped", "silent"}
	pathStateNames = []string{"unknown", "up", "degraded", "down"}
	knetNames      = []string{"unknown", "connected", "disconnected"}
	whichNames     = []string{"none", "unknown", "forward", "backward", "both"}
)

func name(names []string, i int) string {
	if i < 0 || i >= len(names) {
		return "invalid(" + strconv.Itoa(i) + ")"
	}
	return names[i]
}

func value(what string, names []string, text []byte) (int, error) {
	for i, n := range names {
		if n == string(text) {
			return i, nil
		}
	}
	return 0, fmt.Errorf("%s: %q: not one of %q", what, text, names)
}

// String returns ok, info, warning or critical.
func (s Severity) String() string { return name(severityNames, int(s)) }

// MarshalText writes String.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (s *Severity) UnmarshalText(b []byte) error {
	i, err := value("severity", severityNames, b)
	*s = Severity(i)
	return err
}

// String returns unknown, yes or no.
func (t Tri) String() string { return name(triNames, int(t)) }

// MarshalText writes String.
func (t Tri) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (t *Tri) UnmarshalText(b []byte) error {
	i, err := value("tri", triNames, b)
	*t = Tri(i)
	return err
}

// String returns unknown, up, degraded, down or local.
func (r Reach) String() string { return name(reachNames, int(r)) }

// MarshalText writes String.
func (r Reach) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (r *Reach) UnmarshalText(b []byte) error {
	i, err := value("reach", reachNames, b)
	*r = Reach(i)
	return err
}

// String returns unknown, heard, stopped or silent.
func (a Agent) String() string { return name(agentNames, int(a)) }

// MarshalText writes String.
func (a Agent) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (a *Agent) UnmarshalText(b []byte) error {
	i, err := value("agent", agentNames, b)
	*a = Agent(i)
	return err
}

// String returns unknown, up, degraded or down.
func (p PathState) String() string { return name(pathStateNames, int(p)) }

// MarshalText writes String.
func (p PathState) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (p *PathState) UnmarshalText(b []byte) error {
	i, err := value("path state", pathStateNames, b)
	*p = PathState(i)
	return err
}

// String returns unknown, connected or disconnected.
func (k KnetState) String() string { return name(knetNames, int(k)) }

// MarshalText writes String.
func (k KnetState) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (k *KnetState) UnmarshalText(b []byte) error {
	i, err := value("knet state", knetNames, b)
	*k = KnetState(i)
	return err
}

// String returns none, unknown, forward, backward or both.
func (w Which) String() string { return name(whichNames, int(w)) }

// MarshalText writes String.
func (w Which) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (w *Which) UnmarshalText(b []byte) error {
	i, err := value("direction", whichNames, b)
	*w = Which(i)
	return err
}
