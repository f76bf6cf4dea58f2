package proxmox

import (
	"slices"
	"time"
)

// HA is what the HA stack's own files say. Stamps are on the clock of the node that wrote them.
type HA struct {
	State      HAState
	DisarmMode string    // "freeze" or "ignore" while disarming or disarmed
	Master     string    // the node whose CRM is or was manager; "": there has been none
	CRMStamp   time.Time // when the manager last wrote its status; every 10 s
	LRMs       []LRM     // ascending by Node
}

// HAState is whether the cluster's HA fences.
type HAState string

// The states of HA.
const (
	HAUnknown   HAState = ""
	HAStandby   HAState = "standby"   // no node holds its watchdog for services
	HAArmed     HAState = "armed"     // at least one node resets itself when it loses quorum
	HADisarming HAState = "disarming" // asked for, not yet reached
	HADisarmed  HAState = "disarmed"  // nothing is fenced, nothing recovered, until it is armed again
)

// LRM is what a node's local resource manager last wrote. It writes only with quorum, so without quorum this is the past.
type LRM struct {
	Node   string
	State  string    // wait_for_agent_lock, active, lost_agent_lock, maintenance; "" if unknown
	Mode   string    // active, reboot, shutdown, restart, maintenance, disarm; "" if unknown
	Stamp  time.Time // when it wrote this; zero if unknown
	Lock   time.Time // last renewal of its agent lock, whole seconds (mtime of the lock, for root on a node only); zero if unknown or not held
	Active int       // services on the node that keep its watchdog busy (HA/Tools.pm count_active_services)
}

// Service is one HA service.
type Service struct {
	SID         string // such as "vm:100"
	Node        string
	Target      string // where it is being moved to
	State       string // the manager's: started, stopped, freeze, fence, recovery, error, ...; "" if it has not seen it
	Request     string // what is configured: started, stopped, disabled, ignored; "" if unknown
	Group       string // HA group (before Proxmox VE 9)
	Running     Tri
	MaxRestart  int
	MaxRelocate int
	Failback    Tri
}

// Rule says where services may run: a rule of Proxmox VE 9, or a group of before.
type Rule struct {
	ID       string
	Kind     RuleKind
	Services []string       // SIDs
	Nodes    map[string]int // node affinity: priority by node, higher is preferred
	Strict   bool           // node affinity: on no other node
	Together bool           // resource affinity: on one node (positive); else apart (negative)
	Disabled bool
}

// RuleKind is the kind of a rule.
type RuleKind string

// The kinds of rules.
const (
	NodeAffinity     RuleKind = "node-affinity"
	ResourceAffinity RuleKind = "resource-affinity"
)

// staleStamp is how old a status may be for its writer to be alive (API2/HA/Status.pm, timestamp_to_status), and futureStamp how far
// in the future before it is clock drift.
const (
	staleStamp  = 30 * time.Second
	futureStamp = 2 * time.Second
)

// Age tells how long ago a stamp was made, and what that says of its writer. now is the writer's time; a drifting clock is
// Unknown, as is no stamp.
func Age(now, stamp time.Time) (time.Duration, Tri) {
	if stamp.IsZero() {
		return 0, Unknown
	}
	age := now.Sub(stamp)
	switch {
	case age < -futureStamp:
		return age, Unknown
	case age > staleStamp:
		return age, No
	}
	return age, Yes
}

// CRM tells how old the manager's status is, and whether its CRM lives. now is the manager's time.
func (h *HA) CRM(now time.Time) (age time.Duration, alive Tri) { return Age(now, h.CRMStamp) }

// LRM returns a node's LRM.
func (h *HA) LRM(node string) (LRM, bool) {
	i := slices.IndexFunc(h.LRMs, func(l LRM) bool { return l.Node == node })
	if i < 0 {
		return LRM{}, false
	}
	return h.LRMs[i], true
}

// HoldsWatchdog tells whether an LRM that last wrote this has its watchdog open (HA/LRM.pm). In maintenance it keeps it as long
// as services are left.
func (l LRM) HoldsWatchdog() Tri {
	switch l.State {
	case "active", "lost_agent_lock":
		return Yes
	case "maintenance":
		return TriOf(l.Active > 0)
	case "wait_for_agent_lock":
		return No
	}
	return Unknown
}

// Countable tells whether a service keeps the watchdog of its node busy, and would be recovered elsewhere (HA/Tools.pm
// count_active_services).
func (v Service) Countable() bool {
	switch v.State {
	case "", "stopped", "freeze", "error", "request_start", "ignored":
		return false
	}
	return true
}

// fencing tells from the LRMs whether any node fences itself. The API's own word "standby" means nothing where there is no quorum,
// and is not used.
func (h *HA) fencing() HAState {
	state := HAStandby
	for _, l := range h.LRMs {
		switch l.HoldsWatchdog() {
		case Yes:
			return HAArmed
		case Unknown:
			state = HAUnknown
		}
	}
	return state
}
