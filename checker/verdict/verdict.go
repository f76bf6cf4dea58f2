package verdict

import "time"

// Schema is the version of the JSON form. It grows only when a field changes its meaning or goes away.
const Schema = 1

// Answer is what a verdict comes to.
type Answer string

// The answers.
const (
	Go            Answer = "GO"
	GoWithChanges Answer = "GO WITH CHANGES"
	NoGo          Answer = "NO-GO"
	NotEnough     Answer = "NOT ENOUGH DATA"
)

// Status is the exit status and the state of a monitoring plug-in: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.
func (a Answer) Status() int {
	switch a {
	case Go:
		return 0
	case GoWithChanges:
		return 1
	case NoGo:
		return 2
	}
	return 3
}

// Verdict is the answer with all that it rests on.
type Verdict struct {
	Schema     int       `json:"schema"`
	Answer     Answer    `json:"verdict"`
	Text       string    `json:"text"`
	At         time.Time `json:"at"`
	Software   string    `json:"software"`
	Confidence string    `json:"confidence"`            // high, medium, low, none
	Rests      []string  `json:"rests_on"`              // in sentences
	First      string    `json:"first_limit,omitempty"` // name of the limit that broke first
	Basis      Basis     `json:"basis"`
	Soak       *Soak     `json:"soak,omitempty"` // of a long run that is kept in a file
	Cluster    Cluster   `json:"cluster"`
	Headroom   Headroom  `json:"headroom"`
	Limits     []Limit   `json:"limits"`
	Paths      []Path    `json:"paths"`
	Ring       Ring      `json:"ring"`
	WhatIf     []string  `json:"what_if"`
	SamePath   []Proof   `json:"same_path"`
	Load       []Task    `json:"load"`
	Ranges     []Range   `json:"ranges"`
	Findings   []Finding `json:"findings"`
	Changes    []string  `json:"changes"`
	Edited     []byte    `json:"-"` // the configuration as proposed; nil: as it is
	Original   []byte    `json:"-"` // what Edited is to be compared with
	Diff       string    `json:"diff,omitempty"`
	Steps      []string  `json:"steps,omitempty"`
	Instead    []string  `json:"alternatives,omitempty"`
	Next       []string  `json:"next"`
}

// Basis is what was measured, and for how long.
type Basis struct {
	Source  string   `json:"source"`
	Length  Seconds  `json:"length"`
	Need    Seconds  `json:"needed_for_go"` // a GO takes so long a measurement
	Probes  uint64   `json:"probes"`        // whose fate is known
	Paths   int      `json:"paths"`         // that answered
	Silent  int      `json:"silent"`        // that did not
	Assumed int      `json:"assumed"`       // directions between other nodes that nobody measured: taken to be as those next to them
	Busy    int      `json:"busy_periods"`
	Stopped bool     `json:"stopped,omitempty"` // broken off
	Missing []string `json:"missing,omitempty"`
}

// Cluster is what was judged.
type Cluster struct {
	Name         string   `json:"name,omitempty"`
	Nodes        []Member `json:"nodes"` // with those that are planned
	Links        []int    `json:"links"`
	Token        Seconds  `json:"token"` // effective, now
	TokenThen    Seconds  `json:"token_planned"`
	Membership   Seconds  `json:"membership"` // token + consensus, as planned
	Coefficient  Seconds  `json:"token_coefficient"`
	Stretched    bool     `json:"stretched"`
	StretchedWhy string   `json:"stretched_why,omitempty"`
	HA           HA       `json:"ha"`
}

// Member is a node.
type Member struct {
	Name    string `json:"name"`
	ID      uint32 `json:"nodeid"`
	Site    string `json:"site,omitempty"`
	Planned bool   `json:"planned,omitempty"`
}

// Headroom is how close the run came to the token timeout.
type Headroom struct {
	Known    bool    `json:"known"`
	Token    Seconds `json:"token"`    // effective, as planned
	Gap      Seconds `json:"gap"`      // the worse of the two
	Share    float64 `json:"share"`    // of Token; 1: the token would be lost
	Delivery Seconds `json:"delivery"` // longest time in which nothing got through on a path
	Where    string  `json:"where,omitempty"`
	Virtual  Seconds `json:"virtual"` // longest time without the token in the model run over the record
	Losses   float64 `json:"token_losses_per_hour"`
	Lost     int     `json:"passes_lost"` // of Passes of the model, in how many the token was lost
	Passes   int     `json:"passes"`
}

// Status of a limit.
type Status string

// The states of a limit.
const (
	Pass    Status = "pass"
	Warn    Status = "warn"
	Fail    Status = "fail"
	Unknown Status = "unknown"
)

// Limit is one thing that can break.
type Limit struct {
	Name   string `json:"name"`
	Status Status `json:"status"`
	Text   string `json:"text"`
	Cure   string `json:"cure,omitempty"` // what would make it pass; "" with Fail: nothing that can be configured

	measured bool // it rests on the run, not on arithmetic
}

// Names of limits, in the order in which they are looked at.
const (
	LimitPause  = "host pause"
	LimitMTU    = "MTU"
	LimitOneWay = "asymmetry"
	LimitLoss   = "loss burst"
	LimitDelay  = "tail RTT"
	LimitLinks  = "links"
	LimitVotes  = "vote layout"
	LimitFence  = "fence arithmetic"
	LimitConfig = "configuration"
)

// Ring is what the token pays once around, beside the single round trips that rules of thumb speak of.
type Ring struct {
	Nodes      int     `json:"nodes"`
	Pair       Seconds `json:"worst_pair"` // round trip, median
	PairTail   Seconds `json:"worst_pair_p999"`
	Crossings  int     `json:"crossings"`  // hops between sites
	Processing Seconds `json:"processing"` // a node, assumed
	Round      Seconds `json:"round"`      // half a round trip for each hop, and processing
	RoundTail  Seconds `json:"round_p999"`
	Retransmit Seconds `json:"retransmit"` // a token that takes longer than this is sent again
	Share      float64 `json:"share"`      // Round of Retransmit
}

// Proof says which way the probes took.
type Proof struct {
	Link      int    `json:"link"`
	Address   string `json:"address"`
	Interface string `json:"interface,omitempty"`
	Kind      string `json:"kind,omitempty"`
	MTU       int    `json:"mtu,omitempty"`
	Marking   string `json:"marking,omitempty"`
	Port      uint16 `json:"port"`
	Same      bool   `json:"same"` // as Corosync's packets go, as far as can be told
	Text      string `json:"text"`
}

// Range is what somebody publishes, and where the measured value lies.
type Range struct {
	Who   string `json:"who"`
	Says  string `json:"says"`
	Lies  string `json:"lies"` // within, outside, unknown
	About string `json:"about"`
}

// Finding is a weak point of the configuration or of this host.
type Finding struct {
	Code    string `json:"code"`
	Serious bool   `json:"serious"`
	Subject string `json:"subject"`
	Title   string `json:"title"`
	Fix     string `json:"fix"`
}
