package lint

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/corosync/totem"
)

// What Proxmox VE's HA gives a node without quorum: its watchdog stops being fed 60 s after the last renewal of its lock, which is up to
// 10 s old when the network goes (pve-ha-manager, src/watchdog-mux.c CLIENT_WATCHDOG_TIMEOUT; src/PVE/HA/LRM.pm). Renewals block
// while there is no membership, in the majority too.
const (
	fenceBudget  = 60 * time.Second
	fenceCertain = 50 * time.Second
)

// Below this a token dies of what switches and hypervisors do on a normal day: Corosync raised its default from 1 to 3 s in 3.1.0.
const shortToken = 2 * time.Second

// proxmoxCoefficient is what pve-cluster 9.1.0 and later write into new clusters.
const proxmoxCoefficient = 125 * time.Millisecond

func timerRules() []Rule {
	return []Rule{
		{
			Code: "fence-budget", check: fenceBudgetRule,
			Says: "token + consensus take more than half of the 60 s that Proxmox VE's HA gives a node",
			Why:  "After a node or a path dies, the cluster is frozen for token + consensus. Locks are not renewed meanwhile, and an armed node resets itself about 60 s after its last renewal, wherever it is.",
			Fix:  "lower token_coefficient (Proxmox VE writes 125 into new clusters), or token; disarm HA while you change it",
		},
		{
			Code: "token-coefficient", check: tokenCoefficient,
			Says: "a cluster of eight nodes or more runs with Corosync's own token_coefficient",
			Why:  "With Corosync's own coefficient of 650 ms the freeze after a failure grows by 1.4 s with each node. A smaller one shortens it, and makes the cluster less patient with its network: look at the margin first.",
			Fix:  "try token_coefficient: 125 in `quorumwatch plan` and `quorumwatch advise`",
		},
		{
			Code: "token-short", check: tokenShort,
			Says: "the effective token timeout is below 2 s",
			Why:  "A token this short dies of a busy hypervisor, a switch that re-learns, or a bond that fails over.",
			Fix:  "remove token from totem{} to get Corosync's 3000 ms",
		},
		{
			Code: "failover-late", check: failoverLate,
			Says: "knet's timers and the token's retransmits add up to more than the token timeout",
			Why:  "When a link dies, knet has to notice, and the token has to be sent again over the other one, before the token timeout. With these timers it does not: a second link does not save the token.",
			Fix:  "remove knet_ping_interval and knet_ping_timeout, or make the timeout shorter than half of the token; `quorumwatch advise` computes it",
		},
		{
			Code: "knet-timers-stale", check: staleTimers,
			Says: "the running ping timeout of a link is not what the running token and the file give",
			Why:  "Corosync before 3.1.10-pve1 gives knet the timers of the token before the last reload. A knet that waits longer than the token fails over too late.",
			Fix:  "reload once more (corosync-cfgtool -R), and look again",
		},
		{
			Code: "corosync-version", check: corosyncVersion,
			Says: "the running Corosync is older than a release that mended something that matters to quorum",
			Why:  "Later versions have mended faults that matter to quorum.",
			Fix:  "update corosync and libknet on all nodes, one after the other, with HA disarmed",
		},
	}
}

func fenceBudgetRule(in *Input) []found {
	if !in.Proxmox || len(in.Config.Nodes) < 2 {
		return nil
	}
	freeze, nodes := membership(in.Config), len(in.Config.Nodes)
	if freeze <= fenceBudget/2 {
		return nil
	}
	return one(true, "totem.token", freezeTitle(freeze, nodes), nil)
}

func freezeTitle(freeze time.Duration, nodes int) string {
	text := fmt.Sprintf("a dead node or path freezes the cluster of %d nodes for %s, of the %s that HA allows", nodes, freeze.Round(100*time.Millisecond), fenceBudget)
	if freeze > fenceCertain {
		text += ": healthy nodes may reset too"
	}
	return text
}

// membership is token + consensus: how long a cluster is frozen after a failure.
func membership(c *corosync.Config) time.Duration {
	t := c.Timeouts()
	return t.Token + t.Consensus
}

// manyNodes is from where on 650 ms a node are worth a word.
const manyNodes = 8

func tokenCoefficient(in *Input) []found {
	c := in.Config
	if !in.Proxmox || c.Totem.TokenCoefficient != nil || c.Totem.Token != 0 || len(c.Nodes) < manyNodes || !c.Totem.HasLink0 {
		return nil
	}
	p, less := c.Totem, proxmoxCoefficient
	p.TokenCoefficient = &less
	t := p.Timeouts()
	return one(false, "totem.token_coefficient", fmt.Sprintf("%d nodes with Corosync's own token_coefficient: %s of freeze after a failure; with %d ms it would be %s",
		len(c.Nodes), membership(c).Round(100*time.Millisecond), less.Milliseconds(), (t.Token+t.Consensus).Round(100*time.Millisecond)), nil)
}

func tokenShort(in *Input) []found {
	t := in.Config.Timeouts().Token
	if t >= shortToken || len(in.Config.Nodes) < 2 {
		return nil
	}
	return one(true, "totem.token", fmt.Sprintf("the token timeout is %s", t), nil)
}

// failoverLate computes what facts of libknet say: a dead link is noticed at the first tick at or after the ping timeout; then the token
// has to wait for the next retransmit; and it may have been held when the link died.
func failoverLate(in *Input) []found {
	if len(in.Config.Links) < 2 {
		return nil
	}
	var out []found
	t := in.Config.Timeouts()
	for _, l := range in.Config.Links {
		noticed := roundUp(l.Params.Timeouts(t.Token).PingTimeout, totem.HeartbeatTick)
		if worst := noticed + t.TokenRetransmit + t.Hold; worst > t.Token {
			out = append(out, found{
				serious: true, subject: linkName(l.Number),
				title: fmt.Sprintf("the token may need %s to get from link %d to another when link %d dies, and the token timeout is %s", worst, l.Number, l.Number, t.Token),
				evidence: map[string]string{
					"knet_ping_timeout": noticed.String(), "token_retransmit": t.TokenRetransmit.String(), "hold": t.Hold.String(),
				},
			})
		}
	}
	return out
}

func roundUp(d, step time.Duration) time.Duration { return (d + step - 1) / step * step }

func staleTimers(in *Input) []found {
	run := in.Status.Runtime
	if !run.Known {
		return nil
	}
	var out []found
	for _, l := range in.Config.Links {
		have, ok := run.Links[l.Number]
		if want := l.Params.Timeouts(run.Timeouts.Token); ok && have.PingTimeout > 0 && have.PingTimeout != want.PingTimeout {
			out = append(out, found{
				serious: true, subject: linkName(l.Number),
				title: fmt.Sprintf("knet waits %s for a pong on link %d, and should wait %s at a token timeout of %s", have.PingTimeout, l.Number, want.PingTimeout, run.Timeouts.Token),
			})
		}
	}
	return out
}

// faulty are releases with faults that matter to quorum; each holds for versions before its own.
func faulty() []struct{ before, fault string } {
	return []struct{ before, fault string }{
		{"3.1.0", "its default token is 1000 ms, not 3000, and nodes that were cut off may not come back (corosync issue 506)"},
		{"3.1.6", "the restart of one daemon can stall the synchronization of all (corosync issue 660)"},
		{"3.1.10", "after a reload knet runs with the timers of the reload before"},
	}
}

func corosyncVersion(in *Input) []found {
	version := in.Status.Software
	for _, f := range faulty() {
		if version != "" && older(version, f.before) {
			return one(f.before != "3.1.10", "corosync "+version, "Corosync "+version+": "+f.fault, nil)
		}
	}
	return nil
}

// older says whether version a (3.1.7, 3.1.10-pve2) comes before b. What is no number ends the comparison.
func older(a, b string) bool {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(as), len(bs)) {
		digits, _, _ := strings.Cut(as[i], "-")
		x, errX := strconv.Atoi(digits)
		y, errY := strconv.Atoi(bs[i])
		if errX != nil || errY != nil {
			return false
		}
		if x != y {
			return x < y
		}
	}
	return len(as) < len(bs)
}
