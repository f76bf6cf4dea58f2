package demo

import (
	"time"

	"github.com/quorumwatch/quorumwatch/probe/simnet"
)

// scene is one part of the script. What a scene does to a link lasts until a later one undoes it.
type scene struct {
	after time.Duration // since the beginning
	text  string
	links [2]simnet.Link // what site b's uplinks do on top of their delay
	until float64        // the second one's loss grows to this until the next scene; zero: it does not
}

// lap is how long the script takes; then it begins again.
const lap = 180 * time.Second

// scenes are the script, in order.
func scenes() []scene {
	healthy, dead := simnet.Link{}, simnet.Link{Down: true}
	sick := simnet.Link{Loss: 0.02, Jitter: 12 * time.Millisecond}
	return []scene{
		{0, "all is well: two links between three sites", [2]simnet.Link{healthy, healthy}, 0},
		{20 * time.Second, "site b's first link sickens: 2 % loss, 12 ms of jitter", [2]simnet.Link{sick, healthy}, 0},
		{45 * time.Second, "site b's first link dies; the second one carries Corosync", [2]simnet.Link{dead, healthy}, 0},
		{65 * time.Second, "the second link sickens slowly, and nothing is left to fall back to: the margin goes", [2]simnet.Link{dead, healthy}, 0.04},
		{120 * time.Second, "the second link dies: site b is cut off", [2]simnet.Link{dead, dead}, 0},
		{140 * time.Second, "the second link is back", [2]simnet.Link{dead, healthy}, 0},
		{155 * time.Second, "the first link is back", [2]simnet.Link{healthy, healthy}, 0},
	}
}

// at returns the scene that plays at a time since the beginning, and when the next one begins.
func at(since time.Duration) (now scene, next time.Duration) {
	all := scenes()
	in := since % lap
	next = lap
	for _, s := range all {
		if s.after > in {
			next = s.after
			break
		}
		now = s
	}
	return now, since - in + next
}

// siteB is the site whose uplinks the script plays with.
const siteB = 2

// rules are what a link does to a packet between two sites at a time since the beginning.
func rules(from, to, link int, since time.Duration) simnet.Link {
	if from == to {
		return simnet.Link{Delay: 100 * time.Microsecond}
	}
	scene, next := at(since)
	var l simnet.Link
	if from == siteB || to == siteB {
		l = scene.links[link]
		if whole := next - since + since%lap - scene.after; link == 1 && scene.until > 0 {
			l.Loss = scene.until * float64(since%lap-scene.after) / float64(whole)
		}
	}
	l.Delay = delays(from, to) + time.Duration(link)*time.Millisecond // the second link takes a longer way
	return l
}

// delays are those of one way between two sites: a and b are two metropolitan data centers, c is a small room further away.
func delays(from, to int) time.Duration {
	if from+to == 1+siteB {
		return time.Millisecond
	}
	return 3 * time.Millisecond
}
