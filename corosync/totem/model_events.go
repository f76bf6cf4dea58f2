package totem

import (
	"fmt"
	"time"
)

// EventKind says what an Event is.
type EventKind uint8

// The kinds of events.
const (
	TokenReceived    EventKind = iota // accepted a token; Gap since the one before. Only with Config.Tokens
	TokenWarning                      // the token is overdue by token_warning; Gap
	TokenLost                         // the token timer expired in State; Gap
	Gather                            // entered gather, for Cause; Members: with whom it seeks a ring
	Membership                        // is in service in a new ring: Members, Joined, Left, Failed; Gap: the freeze so far
	Synchronized                      // services answer again
	LinkDown                          // knet took Link to Peer down
	LinkUp                            // knet took Link to Peer up; Forced: because data came
	FailedToReceive                   // gave itself up: it holds all others back
	ProcessorStopped                  // left or was killed
	ProcessorStarted                  // started
)

// Event is something that happened at one processor.
type Event struct {
	At      time.Duration
	Kind    EventKind
	Node    int // where
	Peer    int // links: the other end
	Link    int
	Forced  bool
	Cause   Cause
	State   State
	Ring    RingID
	Members Set
	Joined  Set
	Left    Set           // no longer members
	Failed  Set           // of those, the ones that did not say goodbye
	Gap     time.Duration // since the last token; Membership: since the last token before service stopped
}

// Describe is the event in a line for a person. Names are the processors'; nil numbers them from 1.
func (e Event) Describe(names []string) string {
	n := nameOf(names, e.Node)
	switch e.Kind {
	case TokenReceived:
		return fmt.Sprintf("%s token after %s", n, shortDuration(e.Gap))
	case TokenWarning:
		return fmt.Sprintf("%s token has not been received in %s", n, shortDuration(e.Gap))
	case TokenLost:
		return fmt.Sprintf("%s token lost in %s state, %s after the last", n, e.State, shortDuration(e.Gap))
	case Gather:
		return fmt.Sprintf("%s gather with %s: %s", n, setNames(names, e.Members), e.Cause)
	case Membership:
		return fmt.Sprintf("%s new membership %s of %s%s%s%s, frozen for %s", n, e.Ring, setNames(names, e.Members),
			listed(" joined ", names, e.Joined), listed(" left ", names, e.Left), listed(" failed ", names, e.Failed), shortDuration(e.Gap))
	case Synchronized:
		return fmt.Sprintf("%s in service", n)
	case LinkDown:
		return fmt.Sprintf("%s link %d to %s down", n, e.Link, nameOf(names, e.Peer))
	case LinkUp:
		forced := ""
		if e.Forced {
			forced = ", forced by data"
		}
		return fmt.Sprintf("%s link %d to %s up%s", n, e.Link, nameOf(names, e.Peer), forced)
	case FailedToReceive:
		return fmt.Sprintf("%s failed to receive", n)
	case ProcessorStopped:
		return fmt.Sprintf("%s stopped", n)
	case ProcessorStarted:
		return fmt.Sprintf("%s started", n)
	}
	return fmt.Sprintf("%s event %d", n, e.Kind)
}

func nameOf(names []string, i int) string {
	if names == nil {
		return fmt.Sprint(i + 1)
	}
	return names[i]
}

func setNames(names []string, s Set) string {
	out := "{"
	for i := range s.All() {
		if out != "{" {
			out += ","
		}
		out += nameOf(names, i)
	}
	return out + "}"
}

func listed(word string, names []string, s Set) string {
	if s == 0 {
		return ""
	}
	return word + setNames(names, s)
}

// shortDuration is d to a tenth of a millisecond.
func shortDuration(d time.Duration) string { return d.Round(100 * time.Microsecond).String() }
