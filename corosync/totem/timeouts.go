package totem

import (
	"math"
	"time"
)

// Defaults of Corosync 3.1, exec/totemconfig.c (the C symbol beside each). Times are milliseconds.
const (
	defaultToken               = 3000 // TOKEN_TIMEOUT; 1000 before Corosync 3.1.0
	defaultTokenCoefficient    = 650  // TOKEN_COEFFICIENT
	defaultTokenWarning        = 75   // TOKEN_WARNING, percent
	defaultTokenRetransmits    = 4    // TOKEN_RETRANSMITS_BEFORE_LOSS_CONST
	defaultJoin                = 50   // JOIN_TIMEOUT
	defaultMerge               = 200  // MERGE_TIMEOUT
	defaultDowncheck           = 1000 // DOWNCHECK_TIMEOUT
	defaultFailRecvConst       = 2500 // FAIL_TO_RECV_CONST
	defaultSeqnoUnchangedConst = 30   // SEQNO_UNCHANGED_CONST
	defaultMaxNetworkDelay     = 50   // MAX_NETWORK_DELAY
	defaultWindowSize          = 50   // WINDOW_SIZE
	defaultMaxMessages         = 17   // MAX_MESSAGES
	defaultMissCountConst      = 5    // MISS_COUNT_CONST
	defaultPingPrecision       = 2048 // KNET_PING_PRECISION, samples
	defaultPongCount           = 2    // KNET_PONG_COUNT

	tickMS = 10 // 1000/HZ: HZ is a compile-time constant of 100
)

// HeartbeatTick is how often knet looks at its links; ping intervals are rounded up to it (libknet/threads_common.h,
// KNET_THREADS_TIMERES).
const HeartbeatTick = 200 * time.Millisecond

// coefficientFrom is the member count of link 0 above which token_coefficient counts (totem_volatile_config_read).
const coefficientFrom = 2

// Timeouts computes the effective values as totem_volatile_config_read of exec/totemconfig.c does: in unsigned 32-bit
// milliseconds, with every conversion where C has it. It never fails; Check says what Corosync would refuse.
func (p Params) Timeouts() Timeouts {
	n := orDefault(count(p.TokenRetransmitsBeforeLossConst), defaultTokenRetransmits)
	token := p.effectiveToken()
	rtx := orDefault(millis(p.TokenRetransmit), retransmitOf(token, n))
	return Timeouts{
		Token:                           duration(token),
		TokenWarning:                    duration(p.TokenWarningPercent() * token / 100), // totemsrp.c reset_token_warning
		TokenRetransmitsBeforeLossConst: int(n),
		TokenRetransmit:                 duration(rtx),
		Hold:                            duration(orDefault(millis(p.Hold), holdOf(rtx))),
		Join:                            duration(orDefault(millis(p.Join), defaultJoin)),
		SendJoin:                        duration(millis(p.SendJoin)),
		Consensus:                       duration(orDefault(millis(p.Consensus), consensusOf(token))),
		Merge:                           duration(orDefault(millis(p.Merge), defaultMerge)),
		Downcheck:                       duration(orDefault(millis(p.Downcheck), defaultDowncheck)),
		FailRecvConst:                   int(orDefault(count(p.FailRecvConst), defaultFailRecvConst)),
		SeqnoUnchangedConst:             int(orDefault(count(p.SeqnoUnchangedConst), defaultSeqnoUnchangedConst)),
		HeartbeatFailuresAllowed:        int(count(p.HeartbeatFailuresAllowed)),
		MaxNetworkDelay:                 duration(orDefault(millis(p.MaxNetworkDelay), defaultMaxNetworkDelay)),
		WindowSize:                      int(orDefault(count(p.WindowSize), defaultWindowSize)),
		MaxMessages:                     int(orDefault(count(p.MaxMessages), defaultMaxMessages)),
		MissCountConst:                  int(orDefault(count(p.MissCountConst), defaultMissCountConst)),
	}
}

// TokenWarningPercent is totem.token_warning with its default: the share of the token, in percent, after which Corosync
// logs that the token is late. 0 switches the warning off.
func (p Params) TokenWarningPercent() uint32 {
	if p.TokenWarning == nil {
		return defaultTokenWarning
	}
	return count(*p.TokenWarning)
}

// effectiveToken is token + (members of link 0 - 2) * token_coefficient for more than two members.
func (p Params) effectiveToken() uint32 {
	token := orDefault(millis(p.Token), defaultToken)
	if !p.HasLink0 || p.Nodes <= coefficientFrom {
		return token
	}
	coefficient := uint32(defaultTokenCoefficient)
	if p.TokenCoefficient != nil {
		coefficient = millis(*p.TokenCoefficient)
	}
	return token + count(p.Nodes-coefficientFrom)*coefficient
}

func retransmitOf(token, n uint32) uint32 { return cInt(float64(token) / (float64(n) + 0.2)) }

// The inner conversion forbids a fused multiply-add, which would change the truncation.
func holdOf(rtx uint32) uint32 { return cInt(float64(float64(rtx)*0.8) - tickMS) }

func consensusOf(token uint32) uint32 { return cInt(float64(float32(1.2 * float64(token)))) }

// Timeouts computes the effective knet timers of a link under an effective token, as totem_calc_knet_ping_timers of
// exec/totemconfig.c does.
func (p LinkParams) Timeouts(token time.Duration) LinkTimeouts {
	t := millis(token)
	pongs := orDefault(count(p.PongCount), defaultPongCount)
	interval := millis(p.PingInterval)
	if interval == 0 && pongs*2 != 0 { // C would divide by zero; the parser never lets such a count through
		interval = t / (pongs * 2)
	}
	return LinkTimeouts{
		PingInterval:      duration(interval),
		EffectiveInterval: roundUpToTick(duration(interval)),
		PingTimeout:       duration(orDefault(millis(p.PingTimeout), t/pongs)),
		PingPrecision:     int(orDefault(count(p.PingPrecision), defaultPingPrecision)),
		PongCount:         int(pongs),
	}
}

// roundUpToTick gives the interval at which pings really leave: knet looks once a tick (libknet/threads_heartbeat.c).
func roundUpToTick(d time.Duration) time.Duration {
	ticks := (d + HeartbeatTick - 1) / HeartbeatTick
	return max(ticks, 1) * HeartbeatTick
}

// orDefault is Corosync's rule for most keys: absent and zero both mean the default.
func orDefault(v, def uint32) uint32 {
	if v == 0 {
		return def
	}
	return v
}

// millis gives the whole milliseconds of d within Corosync's unsigned 32 bits.
func millis(d time.Duration) uint32 {
	return uint32(min(max(d.Milliseconds(), 0), math.MaxUint32))
}

func count(n int) uint32 { return uint32(min(max(int64(n), 0), math.MaxUint32)) }

func duration(ms uint32) time.Duration { return time.Duration(ms) * time.Millisecond }

// cInt is C's (int) of a double, read back as unsigned: what x86-64 gives outside the range is INT_MIN.
func cInt(f float64) uint32 {
	if f >= math.MaxInt32+1.0 || f <= math.MinInt32-1.0 {
		return 1 << 31
	}
	return uint32(int32(f))
}
