package corosync

import (
	"strconv"
	"strings"
	"time"
)

// meaning tells what a message of a subsystem says. The templates are Corosync's and knet's own texts, % for a value.
func meaning(tag, text string) Occurrence {
	switch tag {
	case "TOTEM":
		return meaningTotem(text)
	case "KNET":
		return meaningKnet(text)
	case "QUORUM", "VOTEQ":
		return meaningQuorum(text)
	default:
		return meaningMain(text)
	}
}

// meaningTotem knows exec/totemsrp.c and exec/totemknet.c. For "Members joined: 3 left: 1 2" the parts are optional.
func meaningTotem(text string) Occurrence {
	if v, ok := capture(text, "Token has not been received in % ms"); ok {
		return TokenWarning{ms(v[0])}
	}
	if v, ok := capture(text, "A processor failed, forming new configuration: token timed out (%ms), waiting %ms for consensus"); ok {
		return TokenLost{ms(v[0]), ms(v[1])}
	}
	if strings.HasPrefix(text, "A processor failed, forming new configuration") { // before 3.1.0
		return TokenLost{}
	}
	if v, ok := capture(text, "A new membership (%) was formed. Members%"); ok {
		ring, err := ParseRingID(v[0])
		if err != nil {
			return nil // 2.x: an address and a number
		}
		rest, left, _ := strings.Cut(v[1], " left:")
		return NewMembership{Ring: ring, Joined: ids(strings.TrimPrefix(rest, " joined:")), Left: ids(left)}
	}
	if v, ok := capture(text, "Failed to receive the leave message.%"); ok {
		return LeaveMissing{ids(strings.TrimPrefix(v[0], " failed:"))}
	}
	if v, ok := capture(text, "Process pause detected for % ms"); ok {
		return ProcessPause{ms(v[0])}
	}
	if v, ok := capture(text, "Retransmit List:%"); ok {
		return Retransmits{len(strings.Fields(v[0]))}
	}
	if strings.HasPrefix(text, "FAILED TO RECEIVE") {
		return FailedToReceive{}
	}
	if v, ok := capture(text, "Configured link number %: local addr: %, port=%"); ok {
		return Configured{Link: number32(v[0]), Addr: v[1], Port: number32(v[2])}
	}
	return nil
}

// meaningKnet knows libknet's messages, which Corosync prints as "subsystem: message" (exec/totemknet.c log_deliver_fn).
func meaningKnet(text string) Occurrence {
	sub, text, _ := strings.Cut(text, ": ")
	switch sub {
	case "link", "rx":
		return meaningLink(text)
	case "host":
		return meaningHost(text)
	case "pmtud":
		return meaningMTU(text)
	}
	return nil
}

func meaningLink(text string) Occurrence {
	if v, ok := capture(text, "host: % link: % is down"); ok {
		return LinkDown{id(v[0]), number32(v[1])}
	}
	if v, ok := capture(text, "host: % link: % is up"); ok {
		return LinkUp{id(v[0]), number32(v[1])}
	}
	if v, ok := capture(text, "Resetting MTU for link % because host % joined"); ok {
		return LinkReset{id(v[1]), number32(v[0])}
	}
	if v, ok := capture(text, "Packet rejected from %"); ok {
		return PacketRejected{v[0]}
	}
	if v, ok := capture(text, "Unable to decrypt packet from % (size"); ok {
		return PacketUndecryptable{v[0]}
	}
	return nil
}

func meaningHost(text string) Occurrence {
	if v, ok := capture(text, "host: % (passive) best link: % (pri: %)"); ok {
		return BestLink{id(v[0]), number32(v[1]), number32(v[2])}
	}
	if v, ok := capture(text, "host: % has no active links"); ok {
		return HostNoLinks{id(v[0])}
	}
	if v, ok := capture(text, "host: % has % active links"); ok {
		return ActiveLinks{id(v[0]), number32(v[1])}
	}
	return nil
}

func meaningMTU(text string) Occurrence {
	if v, ok := capture(text, "PMTUD link change for host: % link: % from % to %"); ok {
		return LinkMTU{id(v[0]), number32(v[1]), number32(v[2]), number32(v[3])}
	}
	if v, ok := capture(text, "Global data MTU changed to: %"); ok {
		return DataMTU{number32(v[0])}
	}
	if strings.HasPrefix(text, "possible MTU misconfiguration detected") {
		return MTUSuspect{}
	}
	return nil
}

// meaningQuorum knows exec/vsf_quorum.c and exec/votequorum.c.
func meaningQuorum(text string) Occurrence {
	switch {
	case strings.HasPrefix(text, "This node is within the primary component"):
		return PrimaryComponent{true}
	case strings.HasPrefix(text, "This node is within the non-primary component"):
		return PrimaryComponent{false}
	}
	if v, ok := capture(text, "Members[%]:%"); ok {
		return QuorumMembers{ids(strings.TrimSuffix(v[1], "\\"))}
	}
	if v, ok := capture(text, "Waiting for all cluster members. Current votes: % expected_votes: %"); ok {
		return WaitingForAll{number32(v[0]), number32(v[1])}
	}
	if v, ok := capture(text, "waiting for quorum device % poll (but maximum for % ms)"); ok {
		return WaitingQdevice{v[0], ms(v[1])}
	}
	if v, ok := capture(text, "lost contact with quorum device %"); ok {
		return QdeviceLost{v[0]}
	}
	return nil
}

// meaningMain knows exec/main.c, cfg.c, cmap.c, util.c and ipc_glue.c.
func meaningMain(text string) Occurrence {
	if v, ok := capture(text, "Corosync main process was not scheduled (@%) for % ms (threshold is % ms)"); ok {
		at := time.Time{}
		if n, err := strconv.ParseInt(v[0], 10, 53); err == nil {
			at = time.UnixMilli(n)
		}
		return NotScheduled{at, ms(v[1]), ms(v[2])}
	}
	if v, ok := capture(text, "Corosync main process was not scheduled for % ms (threshold is % ms)"); ok { // before 3.0.4
		return NotScheduled{For: ms(v[0]), Threshold: ms(v[1])}
	}
	if v, ok := capture(text, "Totem is unable to form a cluster because of an operating system or network fault (reason: %)"); ok {
		return CannotForm{v[0]}
	}
	if v, ok := capture(text, "Config reload requested by node %"); ok {
		return ConfigReload{id(v[0])}
	}
	if v, ok := capture(text, "Node % was shut down by sysadmin"); ok {
		return NodeShutdown{id(v[0])}
	}
	if v, ok := capture(text, "Received config version (%) is different than my config version (%)! Exiting"); ok {
		return ConfigVersionMismatch{uint64(number53(v[0])), uint64(number53(v[1]))}
	}
	if v, ok := capture(text, "Corosync Cluster Engine % starting up"); ok {
		return DaemonStart{strings.Trim(v[0], "()' ")}
	}
	switch {
	case strings.HasPrefix(text, "Completed service synchronization"):
		return SyncDone{}
	case strings.HasPrefix(text, "*** cs_ipcs_msg_process()"):
		return ClientBlocked{}
	case strings.HasPrefix(text, "Corosync Cluster Engine exiting"):
		return DaemonExit{Normal: strings.HasPrefix(text, "Corosync Cluster Engine exiting normally")}
	}
	return nil
}

// ms reads milliseconds, with or without decimals; what is no number is zero.
func ms(s string) time.Duration {
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || !(f >= 0 && f < 1<<32) {
		return 0
	}
	return time.Duration(f * float64(time.Millisecond))
}

func id(s string) uint32 {
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 32)
	if err != nil {
		return 0
	}
	return uint32(n)
}

func ids(s string) []uint32 {
	var list []uint32
	for _, f := range strings.Fields(s) {
		if n := id(f); n != 0 {
			list = append(list, n)
		}
	}
	return list
}

func number32(s string) int { return int(id(s)) }

func number53(s string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 53)
	if err != nil {
		return 0
	}
	return n
}
