package totem

import (
	"fmt"
	"time"
)

// The least values that totem_volatile_config_validate of exec/totemconfig.c accepts.
const (
	minimumTimeout = 30 * time.Millisecond // MINIMUM_TIMEOUT: (int)(1000/HZ)*3
	minimumHold    = 14 * time.Millisecond // MINIMUM_TIMEOUT_HOLD: (int)(MINIMUM_TIMEOUT*0.8 - 1000/HZ)

	maxWarningPercent = 100
	maxPongCount      = 255 // knet_link_set_pong_count takes a uint8_t
)

// LimitError is one effective value outside the bounds that Corosync or knet accepts.
type LimitError struct {
	Key    string // the key without its section: "token", "hold", "knet_ping_timeout"
	Reason string
}

// Error implements error.
func (e *LimitError) Error() string { return e.Key + ": " + e.Reason }

// Check returns what totem_volatile_config_validate refuses, in Corosync's order (it stops at the first). Every element
// is a *LimitError.
func (p Params) Check() []error {
	t := p.Timeouts()
	var errs []error
	atLeast := func(key string, v, least time.Duration) {
		if v < least {
			errs = append(errs, &LimitError{key, fmt.Sprintf("%d ms is less than %d ms", v.Milliseconds(), least.Milliseconds())})
		}
	}
	atLeast("max_network_delay", t.MaxNetworkDelay, minimumTimeout)
	atLeast("token", t.Token, minimumTimeout)
	if pct := p.TokenWarningPercent(); pct > maxWarningPercent {
		errs = append(errs, &LimitError{"token_warning", fmt.Sprintf("%d %% is not between 0 and %d", pct, maxWarningPercent)})
	}
	errs = append(errs, p.checkRetransmit(t)...)
	atLeast("hold", t.Hold, minimumHold)
	atLeast("join", t.Join, minimumTimeout)
	atLeast("consensus", t.Consensus, minimumTimeout)
	if t.Consensus < t.Join {
		errs = append(errs, &LimitError{"consensus", fmt.Sprintf("%d ms is less than join, %d ms", t.Consensus.Milliseconds(), t.Join.Milliseconds())})
	}
	atLeast("merge", t.Merge, minimumTimeout)
	atLeast("downcheck", t.Downcheck, minimumTimeout)
	return errs
}

// checkRetransmit blames token_retransmit only if it was written; else the token is too short for the number of
// retransmits.
func (p Params) checkRetransmit(t Timeouts) []error {
	switch {
	case t.TokenRetransmit >= minimumTimeout:
		return nil
	case p.TokenRetransmit != 0:
		return []error{&LimitError{"token_retransmit", fmt.Sprintf("%d ms is less than %d ms", t.TokenRetransmit.Milliseconds(), minimumTimeout.Milliseconds())}}
	}
	return []error{&LimitError{"token", fmt.Sprintf("%d ms leaves %d ms between its %d retransmits, less than %d ms",
		t.Token.Milliseconds(), t.TokenRetransmit.Milliseconds(), t.TokenRetransmitsBeforeLossConst, minimumTimeout.Milliseconds())}}
}

// Check returns what knet refuses of a link's timers when the link is configured (libknet/links.c,
// knet_link_set_ping_timers and knet_link_set_pong_count). `corosync -t` does not look at these. The timeout limit is
// libknet 1.27's; older ones take any timeout above zero. Every element is a *LimitError.
func (p LinkParams) Check(token time.Duration) []error {
	t := p.Timeouts(token)
	var errs []error
	if t.PingInterval <= 0 {
		errs = append(errs, &LimitError{"knet_ping_interval", "0 ms: knet refuses the link"})
	}
	if t.PingTimeout < HeartbeatTick {
		errs = append(errs, &LimitError{"knet_ping_timeout", fmt.Sprintf("%d ms is less than knet's heartbeat tick of %d ms: libknet 1.27 and later refuse the link",
			t.PingTimeout.Milliseconds(), HeartbeatTick.Milliseconds())})
	}
	if t.PongCount > maxPongCount {
		errs = append(errs, &LimitError{"knet_pong_count", fmt.Sprintf("%d does not fit knet's 8 bits", t.PongCount)})
	}
	return errs
}
