//go:build linux

package lab_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/lab"
)

// everyEnv asks for every partition instead of a selection. The whole takes most of an hour, each subtest less than 5 minutes.
const everyEnv = "QUORUMLAB_EVERY_PARTITION"

// TestVotequorum holds corosync/votequorum, which reads the same corosync.conf, against the real votequorum and the real qnetd: what each
// node shows after each split and after each healing. See corosync/votequorum/DESIGN.md.
func TestVotequorum(t *testing.T) {
	lab.Require(t)
	every := os.Getenv(everyEnv) != ""
	if testing.Short() {
		t.Skip("SKIPPED: takes minutes")
	}
	device := lab.CheckQdevice()
	if device != nil && os.Getenv("CI") == "true" {
		t.Fatalf("CI=true, so the quorum device must run: %v", device)
	}
	var sum score
	began := time.Now()
	for _, p := range plays(every) {
		t.Run(p.name, func(t *testing.T) {
			if p.device != nil && device != nil {
				t.Skipf("SKIPPED: no quorum device here: %v", errors.Join(device))
			}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
			defer cancel()
			s := p.run(ctx, t)
			t.Logf("%+v", s)
			sum.add(s)
		})
	}
	t.Logf("%d memberships in %v: %d answers of nodes are equal; %d left to chance, %d memberships with a detour",
		sum.cases, time.Since(began).Round(time.Second), sum.equal, sum.chance, sum.detours)
}

// options makes corosync.conf's from key, value, key, value.
func options(words ...string) []lab.Option {
	var out []lab.Option
	for i := 0; i < len(words); i += 2 {
		out = append(out, lab.Option{Key: words[i], Value: words[i+1]})
	}
	return out
}

// qdevice is a quorum device with timers as short as its server takes (QNETD_DEFAULT_HEARTBEAT_INTERVAL_MIN is 1 s, of 0.8 of timeout).
func qdevice(algorithm string, votes int, more ...string) *lab.Qdevice {
	return &lab.Qdevice{
		Votes: votes, Options: options("timeout", "2000", "sync_timeout", "6000"),
		Net: append(options("algorithm", algorithm), options(more...)...),
	}
}

// some are all ways, or one of each n.
func some(every bool, n int, ways []partitions) []partitions {
	if every {
		return ways
	}
	return everyNth(n, ways)
}

func plays(every bool) []play {
	all := append(majorities(every), features(every)...)
	all = append(all, lastMen(every)...)
	all = append(all, devices(every)...)
	for _, p := range all {
		if p.rest {
			all = append(all, p.others()...)
		}
	}
	return slices.DeleteFunc(all, func(p play) bool { return p.long && !every })
}

// majorities are plain votes.
func majorities(every bool) []play {
	return []play{
		{name: "plain-2", nodes: 2, acts: each(2, everyPartition(2))},
		{name: "plain-3", nodes: 3, acts: each(3, everyPartition(3))},
		{name: "plain-4", nodes: 4, acts: each(4, some(every, 7, everyPartition(4)))},
		{name: "plain-5", long: true, rest: true, nodes: 5, acts: each(5, some(every, 11, everyPartition(5)))},
		{name: "plain-6", rest: true, nodes: 6, acts: each(6, some(every, 41, everyPartition(6)))},
		{name: "votes-3", nodes: 3, votes: []int{2, 1, 1}, acts: each(3, some(every, 2, everyPartition(3)))},
		{name: "votes-4", long: true, nodes: 4, votes: []int{3, 1, 1, 0}, acts: each(4, some(every, 7, everyPartition(4)))},
		{name: "expected", nodes: 3, quorum: options("expected_votes", "5"), acts: each(3, everyPartition(3)[:1])},
	}
}

// features are two_node, wait_for_all, auto_tie_breaker and allow_downscale.
func features(every bool) []play {
	wfa := options("wait_for_all", "1")
	tie := func(node string, more ...string) []lab.Option {
		return append(options("auto_tie_breaker", "1", "auto_tie_breaker_node", node), options(more...)...)
	}
	return []play{
		{name: "two-node", nodes: 2, quorum: options("two_node", "1"), acts: append(each(2, everyPartition(2)), kill(1), start(1), kill(2), start(2))},
		{name: "two-node-no-wfa", nodes: 2, quorum: options("two_node", "1", "wait_for_all", "0"), acts: append(each(2, everyPartition(2)), kill(1), start(1))},
		{name: "wfa-3", nodes: 3, quorum: wfa, acts: append(each(3, some(every, 2, everyPartition(3))), kill(1), kill(2), start(2), start(1))},
		{name: "wfa-4", nodes: 4, quorum: wfa, acts: each(4, some(every, 7, everyPartition(4)))},
		{name: "tie-lowest-4", nodes: 4, quorum: tie("lowest"), acts: each(4, some(every, 6, everyPartition(4)))},
		{name: "tie-highest-4", long: true, nodes: 4, quorum: tie("highest"), acts: each(4, some(every, 14, everyPartition(4)))},
		{name: "tie-list-4", nodes: 4, quorum: tie("3 2"), acts: each(4, some(every, 7, everyPartition(4)))},
		{name: "tie-wfa-5", rest: true, nodes: 5, quorum: tie("lowest", "wait_for_all", "1"), acts: each(5, some(every, 21, everyPartition(5)))},
		{name: "tie-6", long: true, rest: true, nodes: 6, quorum: tie("highest"), acts: each(6, some(every, 41, everyPartition(6)))},
		{name: "tie-regroup", nodes: 4, quorum: tie("lowest"), acts: []act{
			split([]uint32{1}, []uint32{2}, []uint32{3, 4}), split([]uint32{1, 2}, []uint32{3, 4}), split(upTo(4)), kill(1), kill(4), start(1), start(4),
		}},
		{name: "downscale", nodes: 4, quorum: options("allow_downscale", "1"), acts: append(each(4, some(every, 14, everyPartition(4))),
			leave(4), start(4), kill(2), start(2), leave(4), leave(3))},
		{name: "tracking", nodes: 3, quorum: options("expected_votes_tracking", "1"), acts: []act{kill(3), kill(2), start(2), start(3), leave(1), start(1)}},
	}
}

// lastMen are last_man_standing with its window.
func lastMen(every bool) []play {
	lms := func(more ...string) []lab.Option {
		return append(options("last_man_standing", "1", "last_man_standing_window", strconv.Itoa(int(lmsWindow/time.Millisecond))), options(more...)...)
	}
	falling := []act{kill(5), window(), kill(4), window(), start(4), start(5)}
	tie := []act{split([]uint32{1, 2}, []uint32{3, 4}), window(), split([]uint32{1}, []uint32{2}, []uint32{3, 4}), window(), split(upTo(4))}
	if !every {
		return []play{
			{name: "lms-5", nodes: 5, quorum: lms(), acts: falling},
			{name: "lms-tie-4", nodes: 4, quorum: lms("auto_tie_breaker", "1"), acts: tie},
		}
	}
	return []play{
		{name: "lms-5", nodes: 5, quorum: lms(), acts: append(falling,
			kill(5), window(), kill(4), window(), kill(3), window(), start(3), start(4), start(5),
			split([]uint32{1, 2, 3}, []uint32{4, 5}), window(), split([]uint32{1}, []uint32{2, 3}, []uint32{4, 5}), window(), split(upTo(5)),
		)},
		{name: "lms-wfa-4", nodes: 4, quorum: lms("wait_for_all", "1"), acts: []act{
			split([]uint32{1, 2, 3}, []uint32{4}), window(), split([]uint32{1, 2}, []uint32{3}, []uint32{4}), window(), split(upTo(4)),
		}},
		{name: "lms-tie-4", nodes: 4, quorum: lms("auto_tie_breaker", "1"), acts: append(tie,
			kill(4), window(), kill(3), window(), kill(2), window(), start(2), start(3), start(4),
		)},
	}
}

// devices are ffsplit and lms, with each tie-breaker, and a server that some do not reach.
func devices(every bool) []play {
	return append([]play{
		{name: "ffsplit-2", nodes: 2, device: qdevice("ffsplit", 1), acts: each(2, everyPartition(2))},
		{name: "ffsplit-2-highest", long: true, nodes: 2, device: qdevice("ffsplit", 1, "tie_breaker", "highest"), acts: each(2, everyPartition(2))},
		{name: "ffsplit-4", nodes: 4, device: qdevice("ffsplit", 1), acts: each(4, some(every, 7, everyPartition(4)))},
		{name: "ffsplit-4-highest", nodes: 4, device: qdevice("ffsplit", 1, "tie_breaker", "highest"), acts: each(4, some(every, 14, everyPartition(4)))},
		{name: "ffsplit-4-node", long: true, nodes: 4, device: qdevice("ffsplit", 1, "tie_breaker", "3"), acts: each(4, some(every, 14, everyPartition(4)))},
		{name: "ffsplit-6", long: true, rest: true, nodes: 6, device: qdevice("ffsplit", 1), acts: each(6, some(every, 41, everyPartition(6)))},
		{name: "lms-device-3", nodes: 3, device: qdevice("lms", 0), acts: each(3, some(every, 2, everyPartition(3)))},
		{name: "lms-device-3-highest", long: true, nodes: 3, device: qdevice("lms", 2, "tie_breaker", "highest"), acts: each(3, some(every, 4, everyPartition(3)))},
		{name: "lms-device-3-node", long: true, nodes: 3, device: qdevice("lms", 0, "tie_breaker", "2"), acts: each(3, some(every, 4, everyPartition(3)))},
		{name: "lms-device-4-node", nodes: 4, device: qdevice("lms", 0, "tie_breaker", "2"), acts: each(4, []partitions{{{1, 2}, {3, 4}}})},
		{name: "lms-device-5", long: true, rest: true, nodes: 5, device: qdevice("lms", 0), acts: each(5, some(every, 21, everyPartition(5)))},
		{name: "two-node-lms", nodes: 2, device: qdevice("2nodelms", 1), acts: each(2, everyPartition(2))},
	}, reaches(every)...)
}

// reaches are servers that some nodes do not reach, and draws that stay where the vote was.
func reaches(every bool) []play {
	acts := func(n int, all ...act) []act { // the first n, or every
		if every {
			return all
		}
		return all[:n]
	}
	a, b := []uint32{1, 2}, []uint32{3, 4}
	stay := []act{split([]uint32{1, 2, 3}, []uint32{4}), split(a, []uint32{3}, []uint32{4}), split(a, b), split(upTo(4))}
	return []play{
		{name: "ffsplit-keep", nodes: 4, device: qdevice("ffsplit", 1, "tie_breaker", "highest"), acts: stay},
		{name: "ffsplit-forget", long: true, nodes: 4, device: qdevice("ffsplit", 1, "tie_breaker", "highest", "keep_active_partition_tie_breaker", "off"), acts: stay},
		{name: "ffsplit-reach", nodes: 4, device: qdevice("ffsplit", 1), acts: acts(8,
			reach(3, 4), split(a, b), split(upTo(4)), reach(1, 3, 4), split(a, b), reach(3), reach(), split(upTo(4)), split([]uint32{1, 2, 3}, []uint32{4}),
			split(upTo(4)), reach(1, 2, 3, 4), split(a, b), reach(3, 4), split(upTo(4)),
		)},
		{name: "lms-device-reach", nodes: 3, device: qdevice("lms", 0), acts: acts(5,
			reach(3), split(a, []uint32{3}), split(upTo(3)), reach(), split(a, []uint32{3}), split(upTo(3)), reach(1, 2, 3), split([]uint32{1}, []uint32{2, 3}),
			split(upTo(3)),
		)},
		{name: "lms-device-wfa", long: true, nodes: 3, device: qdevice("lms", 0), quorum: options("wait_for_all", "1"), acts: []act{
			reach(), split(a, []uint32{3}), reach(1, 2, 3), split(upTo(3)), split(a, []uint32{3}), split(upTo(3)),
		}},
	}
}
