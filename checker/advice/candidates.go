package advice

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/corosync/totem"
)

// candidate is a set of edits with a name.
type candidate struct {
	name  string
	edits []corosync.Edit
}

func (c candidate) and(d candidate) candidate {
	return candidate{c.name + ", " + d.name, slices.Concat(c.edits, d.edits)}
}

// knobs are the settings of one cluster that advice turns.
type knobs struct {
	conf  *corosync.Config
	now   totem.Timeouts
	least time.Duration // token that the measured stalls ask for
	most  time.Duration // longest token that the fence budget allows
	worse map[int]bool  // links that lose more than another one with a lower priority
}

// candidates are what is tried, in the order of preference: what changes least comes first. knet's heartbeat costs a few small
// packets and, with the same timeout, no time when something dies; retransmits cost nothing else; a longer token delays every
// verdict, the longer the more.
func (k knobs) candidates() []candidate {
	var out []candidate
	fast, patient := k.pings(totem.HeartbeatTick, 0), []candidate{}
	for _, t := range k.timeouts() {
		patient = append(patient, k.pings(totem.HeartbeatTick, t))
	}
	out = append(append(append(out, k.priorities()...), fast), patient...)
	out = append(out, k.retransmits()...)
	out = append(append(out, crossed([]candidate{fast}, k.retransmits())...), crossed(patient, k.retransmits())...)
	tokens := append(k.shorterTokens(), k.longerTokens()...)
	for _, t := range tokens {
		out = append(append(out, t, fast.and(t)), crossed([]candidate{fast.and(t)}, k.retransmits())...)
	}
	return slices.DeleteFunc(out, func(c candidate) bool { return len(c.edits) == 0 })
}

// crossed are all pairs.
func crossed(a, b []candidate) (out []candidate) {
	for _, y := range b {
		for _, x := range a {
			out = append(out, x.and(y))
		}
	}
	return out
}

func ms(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// pings sets knet's heartbeat on all links. A zero timeout leaves it as it is.
func (k knobs) pings(interval, timeout time.Duration) candidate {
	c := candidate{name: "knet pings every " + ms(interval) + " ms"}
	if timeout > 0 {
		c.name += ", timeout " + ms(timeout) + " ms"
	}
	for _, l := range k.conf.Links {
		lt := l.Params.Timeouts(k.now.Token)
		if lt.EffectiveInterval != interval {
			c.edits = append(c.edits, corosync.Edit{Key: linkKey(l.Number, "knet_ping_interval"), Value: ms(interval)})
		}
		if timeout > 0 && lt.PingTimeout != timeout {
			c.edits = append(c.edits, corosync.Edit{Key: linkKey(l.Number, "knet_ping_timeout"), Value: ms(timeout)})
		}
	}
	return c
}

func linkKey(link int, key string) string { return fmt.Sprintf("totem.interface.%d.%s", link, key) }

// timeouts are other knet timeouts: shorter ones let a link that flaps fail over in time in spite of knet's back-off, longer ones bear
// more lost pings.
func (k knobs) timeouts() (out []time.Duration) {
	for _, share := range []float64{0.33, 1, 2, 4} {
		t := time.Duration(share * float64(k.now.Token)).Round(totem.HeartbeatTick)
		if t >= 3*totem.HeartbeatTick {
			out = append(out, t)
		}
	}
	return out
}

func (k knobs) retransmits() (out []candidate) {
	const key = "token_retransmits_before_loss_const"
	for _, n := range []int{8, 14} {
		if n > k.now.TokenRetransmitsBeforeLossConst && k.conf.Totem.TokenRetransmit == 0 {
			out = append(out, candidate{fmt.Sprintf("%d token retransmits", n), []corosync.Edit{{Key: "totem." + key, Value: strconv.Itoa(n)}}})
		}
	}
	return out
}

// longerTokens are up to what the fence budget allows.
func (k knobs) longerTokens() (out []candidate) {
	seen := map[time.Duration]bool{}
	wants := []time.Duration{k.least + 1, 3000 * time.Millisecond, k.now.Token * 3 / 2, k.now.Token * 2, k.now.Token * 3, k.most}
	slices.Sort(wants)
	for _, want := range wants {
		base := max(want-k.extra(), 0)
		base = (base + 499*time.Millisecond) / (500 * time.Millisecond) * (500 * time.Millisecond)
		if base+k.extra() > k.most {
			base = (k.most - k.extra()) / (500 * time.Millisecond) * (500 * time.Millisecond)
		}
		if base+k.extra() <= k.now.Token || base <= 0 || seen[base] {
			continue
		}
		seen[base] = true
		out = append(out, k.token(fmt.Sprintf("token %s ms", ms(base+k.extra())), corosync.Edit{Key: "totem.token", Value: ms(base)}))
	}
	return out
}

// shorterTokens bring a membership that takes too much of the fence budget below it: first what was written by hand goes, then
// Proxmox's newer coefficient, then a shorter token.
func (k knobs) shorterTokens() (out []candidate) {
	if k.now.Membership() <= k.most+k.most*6/5 {
		return nil
	}
	if k.conf.Totem.Consensus > 0 {
		out = append(out, candidate{"default consensus", []corosync.Edit{{Key: "totem.consensus"}}})
	}
	if k.conf.Totem.HasLink0 && k.conf.Totem.Nodes > 2 {
		for _, coefficient := range []time.Duration{125 * time.Millisecond, 50 * time.Millisecond} {
			p := k.conf.Totem
			p.TokenCoefficient = &coefficient
			if t := p.Timeouts().Token; t < k.now.Token {
				out = append(out, k.token(fmt.Sprintf("token_coefficient %s ms (token %s ms)", ms(coefficient), ms(t)),
					corosync.Edit{Key: "totem.token_coefficient", Value: ms(coefficient)}))
			}
		}
	}
	for _, base := range []time.Duration{10 * time.Second, 5 * time.Second, 3 * time.Second} {
		if t := base + k.extra(); t <= k.most && t < k.now.Token {
			out = append(out, k.token(fmt.Sprintf("token %s ms", ms(t)), corosync.Edit{Key: "totem.token", Value: ms(base)}))
		}
	}
	return out
}

// token is an edit that alters the effective token; timers that were written by hand and would contradict it go back to their
// defaults.
func (k knobs) token(name string, e corosync.Edit) candidate {
	c := candidate{name, []corosync.Edit{e}}
	for key, written := range map[string]time.Duration{"consensus": k.conf.Totem.Consensus, "hold": k.conf.Totem.Hold, "token_retransmit": k.conf.Totem.TokenRetransmit} {
		if written != 0 {
			c.edits = append(c.edits, corosync.Edit{Key: "totem." + key})
		}
	}
	slices.SortFunc(c.edits[1:], func(a, b corosync.Edit) int {
		if a.Key < b.Key {
			return -1
		}
		return 1
	})
	return c
}

// extra is what the coefficient adds to the token.
func (k knobs) extra() time.Duration {
	p := k.conf.Totem
	base := p.Token
	if base == 0 {
		p.Nodes = 0 // then Timeouts gives the token as written, or its default
		base = p.Timeouts().Token
	}
	return k.now.Token - base
}

// priorities prefer a link that loses less than the one that carries the traffic.
func (k knobs) priorities() (out []candidate) {
	most := 0
	for _, l := range k.conf.Links {
		most = max(most, l.Priority)
	}
	for _, l := range k.conf.Links {
		if k.worse[l.Number] || len(k.worse) == 0 || l.Priority == 255 || most == 255 {
			continue
		}
		out = append(out, candidate{fmt.Sprintf("link %d preferred", l.Number),
			[]corosync.Edit{{Key: linkKey(l.Number, "knet_link_priority"), Value: strconv.Itoa(most + 1)}}})
	}
	return out
}
