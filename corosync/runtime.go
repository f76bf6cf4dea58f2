package corosync

import (
	"fmt"
	"strconv"
	"time"
)

const runtimePrefix = "runtime.config.totem."

// longestModel is CONFIG_STRING_LEN_MAX of include/corosync/totem/totem.h: longer words are cut.
const longestModel = 128

// RuntimeValues are the runtime.config.totem.* keys that a daemon started with this file shows, types included
// (totem_volatile_config_read and totem_calc_knet_ping_timers of exec/totemconfig.c). interface.N.mcastport is shown by
// Corosync 3.1.10 and later only.
func (c *Config) RuntimeValues() Map {
	m := Map{}
	t := c.Timeouts()
	for name, d := range map[string]time.Duration{
		"token": t.Token, "token_retransmit": t.TokenRetransmit, "hold": t.Hold, "join": t.Join, "send_join": t.SendJoin,
		"consensus": t.Consensus, "merge": t.Merge, "downcheck": t.Downcheck, "max_network_delay": t.MaxNetworkDelay,
	} {
		m.setU32(name, uint64(d.Milliseconds()))
	}
	for name, n := range map[string]int{
		"token_retransmits_before_loss_const": t.TokenRetransmitsBeforeLossConst, "fail_recv_const": t.FailRecvConst,
		"seqno_unchanged_const": t.SeqnoUnchangedConst, "heartbeat_failures_allowed": t.HeartbeatFailuresAllowed,
		"window_size": t.WindowSize, "max_messages": t.MaxMessages, "miss_count_const": t.MissCountConst,
		"token_warning": int(c.Totem.TokenWarningPercent()), "knet_mtu": c.NetMTU,
	} {
		m.setU32(name, uint64(n))
	}
	m.setU32("knet_pmtud_interval", uint64(nonZero(c.Values.u32Or("totem.knet_pmtud_interval", 0), 30)))
	m.setU32("knet_compression_threshold", uint64(c.Values.u32Or("totem.knet_compression_threshold", 0)))
	m.setU32("block_unlisted_ips", c.yesNo("totem.block_unlisted_ips", 1))
	m.setU32("cancel_token_hold_on_retransmit", c.yesNo("totem.cancel_token_hold_on_retransmit", 0))
	level := Value{typeI32, "0"}
	if v, ok := c.Values["totem.knet_compression_level"]; ok && v.Type == typeI32 {
		level = v
	}
	m[runtimePrefix+"knet_compression_level"] = level
	model := stringOr(c.Values, "totem.knet_compression_model", "none")
	m[runtimePrefix+"knet_compression_model"] = Value{typeString, model[:min(len(model), longestModel)]}
	for _, l := range c.Links {
		lt := l.Params.Timeouts(t.Token)
		m.setU32(fmt.Sprintf("interface.%d.knet_ping_timeout", l.Number), uint64(lt.PingTimeout.Milliseconds()))
		m.setU32(fmt.Sprintf("interface.%d.knet_ping_interval", l.Number), uint64(lt.PingInterval.Milliseconds()))
		if c.Transport == "knet" {
			port := Value{typeU16, strconv.Itoa(int(l.Port))}
			if v, ok := c.Values[fmt.Sprintf("totem.interface.%d.mcastport", l.Number)]; ok {
				port = v // a written 0 is shown, although the default is used
			}
			m[fmt.Sprintf("%sinterface.%d.mcastport", runtimePrefix, l.Number)] = port
		}
	}
	return m
}

func (m Map) setU32(name string, n uint64) {
	m[runtimePrefix+name] = Value{typeU32, strconv.FormatUint(n, 10)}
}

func nonZero(n, def uint32) uint32 {
	if n == 0 {
		return def
	}
	return n
}

// yesNo is totem_volatile_config_set_boolean_value: other words mean the default.
func (c *Config) yesNo(key string, def uint64) uint64 {
	switch s, _ := c.Values.str(key); s {
	case "yes":
		return 1
	case "no":
		return 0
	}
	return def
}
