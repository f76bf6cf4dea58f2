package checker

import "time"

// SchemaVersion is the version of the JSON form of a Report. It grows when a field changes meaning or goes away; new fields do
// not raise it.
const SchemaVersion = 1

// Report is one immutable judgement of the cluster as one node sees it. Durations are seconds in JSON, ratios are in [0,1].
type Report struct {
	Schema   int       `json:"schema"`
	At       time.Time `json:"at"`
	Software string    `json:"software"` // quorumwatch version
	Node     NodeRef   `json:"node"`     // who reports
	Cluster  Cluster   `json:"cluster"`
	Corosync Corosync  `json:"corosync"`
	Timeouts Timeouts  `json:"timeouts"`
	Quorum   Quorum    `json:"quorum"`
	Host     Host      `json:"host"`
	Paths    []Path    `json:"paths"`             // this node's own, by peer and link
	Mesh     []MeshRow `json:"mesh,omitempty"`    // what peers said of theirs
	Outcome  *Outcome  `json:"outcome,omitempty"` // what the present cut, if any, would do or did
	Margin   Margin    `json:"margin"`
	Findings []Finding `json:"findings"` // worst first
	Severity Severity  `json:"severity"` // of the worst finding
}

// Seconds is a duration that is a number of seconds in JSON.
type Seconds time.Duration

// NodeRef names a node.
type NodeRef struct {
	ID   uint32 `json:"id"`
	Name string `json:"name"`
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

// Finding is one judgement: code, severity, subject, evidence, cause, advice.
type Finding struct {
	Code     string            `json:"code"` // from the catalogue, stable
	Severity Severity          `json:"severity"`
	Subject  string            `json:"subject"` // what it is about: a path, link, node or the cluster
	Title    string            `json:"title"`   // one line for people
	Since    time.Time         `json:"since"`   // first seen
	Evidence map[string]string `json:"evidence,omitempty"`
	Cause    string            `json:"cause,omitempty"`    // Key of the finding that explains this one
	Advice   string            `json:"advice,omitempty"`   // what to do next
	Key      string            `json:"key"`                // stable identity: code and subject
	Clearing bool              `json:"clearing,omitempty"` // the condition is gone; stands until the stable period is over
	Runbook  string            `json:"runbook,omitempty"`
}
