//go:build linux

package main

import (
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/verdict"
)

// checkCase is a path between the sites, and what check has to say of it. The answers were written down before anything was measured.
type checkCase struct {
	Name   string
	Args   []string      // of check
	RTT    time.Duration // between the sites
	There  float64       // loss from the first site to the second, in [0,1]
	Back   float64       // loss the other way
	MTU    int           // larger packets vanish both ways, and nobody is told; 0: none do
	Links  []int         // that lose packets; none: all
	Answer verdict.Answer
	First  string // limit that broke first; "": none
	Change string // what one of the changes that are named must speak of; "": nothing
	Why    string
}

// Round trips of the cases.
const (
	checkHere = 200 * time.Microsecond // one place
	checkNear = 2 * time.Millisecond
	checkFar  = 40 * time.Millisecond
)

// Why a case has its answer, where several share it.
const (
	whyQuiet = "seconds of quiet do not carry a stretched cluster; what is weak beside is known by arithmetic: without the first site nobody has quorum"
	whyFar   = "the same; 40 ms are outside of what Proxmox stands for, and yet no reason for a NO-GO: Corosync lost no token at 50 and 100 ms"
	whyOne   = "1 % costs a lone link a token loss every 80 s at this token, and none with knet's timers set wider: that change is to be named"
	whyGate  = "more than the gate of old, less than 1 % of 10,000 packets; wider timers of knet bear it"
	whyTen   = "4.5 token losses a minute; no setting should be asked to bear that"
	whyHole  = "large messages are lost or wait for knet to find the MTU while every ping passes; a changed MTU cures it"
	whyWay   = "one direction of the only link that loses freezes everybody; that it is one direction tells where to look"
)

// checkCases are the cases of a cluster with so many links.
func checkCases(links int) []checkCase {
	if links > 1 {
		return checkTwo()
	}
	return slices.Concat(checkOne(), checkPlain())
}

// checkOne are bursts over the only link of a cluster.
func checkOne() []checkCase {
	burst := []string{"--burst"}
	return []checkCase{
		{Name: "clean, 2 ms", Args: burst, RTT: checkNear, Answer: verdict.NotEnough, First: verdict.LimitVotes, Why: whyQuiet},
		{Name: "1 %, 2 ms", Args: burst, RTT: checkNear, There: 0.01, Back: 0.01, Answer: verdict.GoWithChanges, First: verdict.LimitLoss, Change: "knet pings",
			Why: whyOne},
		{Name: "10 %, 2 ms", Args: burst, RTT: checkNear, There: 0.1, Back: 0.1, Answer: verdict.NoGo, First: verdict.LimitLoss, Why: whyTen},
		{Name: "clean, 40 ms", Args: burst, RTT: checkFar, Answer: verdict.NotEnough, First: verdict.LimitDelay, Why: whyFar},
		{Name: "1 %, 40 ms", Args: burst, RTT: checkFar, There: 0.01, Back: 0.01, Answer: verdict.GoWithChanges, First: verdict.LimitLoss, Change: "knet pings",
			Why: whyGate},
		{Name: "10 %, 40 ms", Args: burst, RTT: checkFar, There: 0.1, Back: 0.1, Answer: verdict.NoGo, First: verdict.LimitLoss, Why: "ten times the gate of old; no setting should be asked to bear that"},
		{Name: "black hole above 1400, 2 ms", Args: burst, RTT: checkNear, MTU: 1400, Answer: verdict.GoWithChanges, First: verdict.LimitMTU, Change: "MTU", Why: whyHole},
		{Name: "black hole above 1400, 40 ms", Args: burst, RTT: checkFar, MTU: 1400, Answer: verdict.GoWithChanges, First: verdict.LimitMTU, Change: "MTU", Why: whyHole},
		{Name: "black hole above 1400 and 1 %, 2 ms", Args: burst, RTT: checkNear, MTU: 1400, There: 0.01, Back: 0.01, Answer: verdict.GoWithChanges,
			First: verdict.LimitMTU, Change: "MTU", Why: whyHole},
		{Name: "10 % there only, 2 ms", Args: burst, RTT: checkNear, There: 0.1, Answer: verdict.NoGo, First: verdict.LimitOneWay, Why: whyWay},
		{Name: "10 % back only, 2 ms", Args: burst, RTT: checkNear, Back: 0.1, Answer: verdict.NoGo, First: verdict.LimitOneWay, Why: whyWay},
		{Name: "10 % there only, 40 ms", Args: burst, RTT: checkFar, There: 0.1, Answer: verdict.NoGo, First: verdict.LimitOneWay, Why: whyWay},
		{Name: "1 % there only, 2 ms", Args: burst, RTT: checkNear, There: 0.01, Answer: verdict.GoWithChanges, First: verdict.LimitOneWay, Change: "knet pings",
			Why: "as 1 % both ways: wider timers of knet bear it"},
	}
}

// checkPlain are checks without a flag, which see 200 probes: enough for what is plain, too few for 1 %.
func checkPlain() []checkCase {
	return []checkCase{
		{Name: "one place", RTT: checkHere, Answer: verdict.GoWithChanges, First: verdict.LimitLinks, Change: "second link",
			Why: "nothing is wrong but that the only link is the only one"},
		{Name: "clean, 2 ms", RTT: checkNear, Answer: verdict.NotEnough, First: verdict.LimitVotes, Why: whyQuiet},
		{Name: "10 %, 2 ms", RTT: checkNear, There: 0.1, Back: 0.1, Answer: verdict.NoGo, First: verdict.LimitLoss, Why: whyTen},
		{Name: "black hole above 1400, 2 ms", RTT: checkNear, MTU: 1400, Answer: verdict.GoWithChanges, First: verdict.LimitMTU, Change: "MTU", Why: whyHole},
		{Name: "10 % there only, 2 ms", RTT: checkNear, There: 0.1, Answer: verdict.NoGo, First: verdict.LimitOneWay, Why: whyWay},
	}
}

// checkTwo are checks of a cluster with two links.
func checkTwo() []checkCase {
	burst := []string{"--burst"}
	return []checkCase{
		{Name: "one place", RTT: checkHere, Answer: verdict.Go, Why: "two links, an odd number of votes, nothing lost: what Proxmox asks for"},
		{Name: "one place", Args: burst, RTT: checkHere, Answer: verdict.Go, Why: "the same"},
		{Name: "clean, 2 ms", Args: burst, RTT: checkNear, Answer: verdict.NotEnough, First: verdict.LimitVotes, Why: whyQuiet},
		{Name: "1 % on both links, 2 ms", Args: burst, RTT: checkNear, There: 0.01, Back: 0.01, Answer: verdict.GoWithChanges, First: verdict.LimitLoss,
			Why: "no link is within the gate of old; another link, or a repair, changes that"},
		{Name: "10 % on both links, 2 ms", Args: burst, RTT: checkNear, There: 0.1, Back: 0.1, Answer: verdict.NoGo, First: verdict.LimitLoss,
			Why: "no setting should be asked to bear that on every link"},
		{Name: "10 % on link 0, 2 ms", Args: burst, RTT: checkNear, There: 0.1, Back: 0.1, Links: []int{0}, Answer: verdict.GoWithChanges,
			First: verdict.LimitLoss, Change: "link 1 preferred",
			Why: "link 1 carries the token whenever knet has given up link 0; until then it is lost once an hour in the model: another order of the links, or a repair, cures that"},
		{Name: "black hole above 1400 on link 1, 2 ms", Args: burst, RTT: checkNear, MTU: 1400, Links: []int{1}, Answer: verdict.GoWithChanges,
			First: verdict.LimitMTU, Change: "MTU", Why: whyHole},
	}
}
