// Package totem holds what Totem and knet make of their configuration: Params in, Timeouts out, with Corosync's own
// integer arithmetic.
//
// It is a leaf: no clock, no socket, no import outside the standard library. Formulas cite the file and symbol of
// Corosync 3.1 (exec/totemconfig.c unless another file is named).
package totem

import "time"

// Params are the timing keys of a corosync.conf as written. A zero means "not set: Corosync's default", except where a
// field says otherwise. Times are whole milliseconds, as in the file.
type Params struct {
	Nodes                           int  // nodes with an address on link 0: what token_coefficient counts
	HasLink0                        bool // link 0 is configured; without it token_coefficient is not applied
	Token                           time.Duration
	TokenCoefficient                *time.Duration // nil: default; zero is a legal value
	TokenWarning                    *int           // percent; nil: default 75; 0 switches the warning off
	TokenRetransmitsBeforeLossConst int
	TokenRetransmit                 time.Duration
	Hold                            time.Duration
	Join                            time.Duration
	SendJoin                        time.Duration
	Consensus                       time.Duration
	Merge                           time.Duration
	Downcheck                       time.Duration
	FailRecvConst                   int
	SeqnoUnchangedConst             int
	HeartbeatFailuresAllowed        int
	MaxNetworkDelay                 time.Duration
	WindowSize                      int
	MaxMessages                     int
	MissCountConst                  int
}

// LinkParams are the knet keys of one interface{} section as written; zero means default.
type LinkParams struct {
	PingInterval  time.Duration
	PingTimeout   time.Duration
	PingPrecision int // samples, not a time
	PongCount     int
}

// Timeouts are the effective values, as runtime.config.totem.* shows them on a running node.
type Timeouts struct {
	Token                           time.Duration // the effective token: after token_coefficient
	TokenWarning                    time.Duration // when Corosync logs "Token has not been received"; 0: never
	TokenRetransmitsBeforeLossConst int
	TokenRetransmit                 time.Duration
	Hold                            time.Duration
	Join                            time.Duration
	SendJoin                        time.Duration
	Consensus                       time.Duration
	Merge                           time.Duration
	Downcheck                       time.Duration
	FailRecvConst                   int
	SeqnoUnchangedConst             int
	HeartbeatFailuresAllowed        int
	MaxNetworkDelay                 time.Duration
	WindowSize                      int
	MaxMessages                     int
	MissCountConst                  int
}

// Membership is the least time from the last token to a new membership when a node or path dies: Token + Consensus.
func (t Timeouts) Membership() time.Duration { return t.Token + t.Consensus }

// LinkTimeouts are the effective knet timers of one link.
type LinkTimeouts struct {
	PingInterval      time.Duration // as runtime.config.totem.interface.N.knet_ping_interval shows it
	EffectiveInterval time.Duration // as really run: rounded up to knet's 200 ms heartbeat tick
	PingTimeout       time.Duration
	PingPrecision     int
	PongCount         int
}
