package webhook

import (
	"time"

	"github.com/quorumwatch/quorumwatch/alerts"
	"github.com/quorumwatch/quorumwatch/checker"
)

// BodyVersion is the version of Body.
const BodyVersion = 1

// Body is what a receiver gets. Durations are seconds, shares are in [0,1], times are RFC 3339. Values that are not known are
// null, never zero.
type Body struct {
	Version  int               `json:"version"`
	Key      string            `json:"key"`    // of the incident, the same from its start to its end
	Status   alerts.Status     `json:"status"` // firing or resolved
	Reason   alerts.Reason     `json:"reason"` // why now: new, worse, cause, repeat or over
	Severity checker.Severity  `json:"severity"`
	Worst    checker.Severity  `json:"worst"` // the highest severity that the incident has had
	Code     string            `json:"code"`  // of the finding that explains the incident
	Subject  string            `json:"subject"`
	Title    string            `json:"title"` // what, in one line
	Text     string            `json:"text"`  // all of it for people, in several lines
	Since    time.Time         `json:"since"`
	At       time.Time         `json:"at"`
	Evidence map[string]string `json:"evidence"`
	Advice   string            `json:"advice"`
	Runbook  string            `json:"runbook"`
	Symptoms []Symptom         `json:"symptoms"` // what the cause explains, worst first

	MergedInto string `json:"merged_into"` // with resolved: the incident that goes on

	Cluster  string          `json:"cluster"`
	Reporter checker.NodeRef `json:"reporter"` // the node that tells
	Token    Token           `json:"token"`
	Votes    Votes           `json:"votes"`
	Outcome  *Outcome        `json:"outcome"` // of the present cut; null without one
}

// Symptom is a finding that the cause explains.
type Symptom struct {
	Code     string           `json:"code"`
	Severity checker.Severity `json:"severity"`
	Subject  string           `json:"subject"`
	Title    string           `json:"title"`
}

// Token tells how much of the token timeout the network has used.
type Token struct {
	Timeout  *checker.Seconds `json:"timeout"`   // the effective token timeout
	WorstGap *checker.Seconds `json:"worst_gap"` // worst delivery gap of the last 10 min
	Share    *float64         `json:"share"`     // worst_gap of timeout
}

// Votes tells how far quorum is. Without knowledge every value is null.
type Votes struct {
	Quorate *bool `json:"quorate"`
	Total   *int  `json:"total"`
	Needed  *int  `json:"needed"`
	Spare   *int  `json:"spare"` // votes that may still be lost
}

// Outcome tells what the present cut does if it lasts, or did.
type Outcome struct {
	Happened     bool            `json:"happened"`
	Text         string          `json:"text"`
	Keeps        []string        `json:"keeps"` // nodes that keep quorum
	Loses        []string        `json:"loses"`
	TokenLossIn  checker.Seconds `json:"token_loss_in"`
	MembershipIn checker.Seconds `json:"membership_in"`
}

// NewBody renders a notification.
func NewBody(n alerts.Notification) Body {
	b := Body{
		Version: BodyVersion, Key: n.Key, Status: n.Status, Reason: n.Reason, Severity: n.Severity, Worst: n.Worst,
		Code: n.Cause.Code, Subject: n.Cause.Subject, Title: n.Cause.Title, Since: n.Since.UTC(), At: n.At.UTC(),
		Evidence: n.Cause.Evidence, Advice: n.Cause.Advice, Runbook: n.Cause.Runbook, Symptoms: []Symptom{},
		MergedInto: n.MergedInto,
	}
	for _, f := range n.Symptoms {
		b.Symptoms = append(b.Symptoms, Symptom{Code: f.Code, Severity: f.Severity, Subject: f.Subject, Title: f.Title})
	}
	if b.Evidence == nil {
		b.Evidence = map[string]string{}
	}
	if n.Report != nil {
		b.addReport(n.Report)
	}
	b.Text = b.text()
	return b
}

func (b *Body) addReport(r *checker.Report) {
	b.Cluster, b.Reporter = r.Cluster.Name, r.Node
	if r.Timeouts.Token > 0 {
		b.Token.Timeout = new(r.Timeouts.Token)
	}
	if r.Margin.Known {
		b.Token.WorstGap = new(r.Margin.WorstGap)
		if r.Timeouts.Token > 0 {
			b.Token.Share = new(r.Margin.WorstGap.Duration().Seconds() / r.Timeouts.Token.Duration().Seconds())
		}
	}
	if q := r.Quorum; q.Known {
		b.Votes = Votes{Quorate: &q.Quorate, Total: &q.Total, Needed: &q.Needed}
		if q.SpareKnown {
			b.Votes.Spare = &q.SpareVotes
		}
	}
	if o := r.Outcome; o != nil {
		b.Outcome = &Outcome{
			Happened: o.Happened, Text: o.Text, Keeps: names(o.Keeps), Loses: names(o.Loses),
			TokenLossIn: o.TokenLossIn, MembershipIn: o.MembershipIn,
		}
	}
}

func names(nodes []checker.NodeRef) []string {
	out := []string{}
	for _, n := range nodes {
		out = append(out, n.Name)
	}
	return out
}
