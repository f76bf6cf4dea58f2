//go:build linux

package lab_test

import (
	"fmt"
	"slices"
	"testing"
)

// partitions are memberships, each with the numbers of its nodes.
type partitions [][]uint32

// setPartitions are all ways to divide nodes 1 to n into two parts or more.
func setPartitions(n int) []partitions {
	all := []partitions{{}}
	for node := uint32(1); node <= uint32(n); node++ {
		var next []partitions
		for _, p := range all {
			for i := range len(p) + 1 {
				q := clonePartitions(p)
				if i == len(q) {
					q = append(q, nil)
				}
				q[i] = append(q[i], node)
				next = append(next, q)
			}
		}
		all = next
	}
	return slices.DeleteFunc(all, func(p partitions) bool { return len(p) < 2 })
}

func clonePartitions(p partitions) partitions {
	q := make(partitions, len(p))
	for i := range p {
		q[i] = slices.Clone(p[i])
	}
	return q
}

// twoWays are all ways to divide nodes 1 to n into two parts.
func twoWays(n int) []partitions {
	return slices.DeleteFunc(setPartitions(n), func(p partitions) bool { return len(p) != 2 })
}

// threeWays are the ways to divide nodes 1 to n into three parts of which each is one stretch of node numbers, as sites are:
// 1|23|45. In five nodes that is 6 of 25, in six 10 of 90; the others are among the rest.
func threeWays(n int) []partitions {
	return slices.DeleteFunc(setPartitions(n), func(p partitions) bool {
		return len(p) != 3 || slices.ContainsFunc(p, func(part []uint32) bool { return int(part[len(part)-1]-part[0]) != len(part)-1 })
	})
}

// everyPartition is what the lab tries: all for up to four nodes, else all two ways and the stretches of three.
func everyPartition(n int) []partitions {
	if n <= 4 {
		return setPartitions(n)
	}
	return append(twoWays(n), threeWays(n)...)
}

// rest are the partitions of 5 and 6 nodes that everyPartition leaves out, in runs that the lab plays in some minutes each.
func rest(n int) [][]partitions {
	const run = 60
	common := map[string]bool{}
	for _, p := range everyPartition(n) {
		common[fmt.Sprint(p)] = true
	}
	left := slices.DeleteFunc(setPartitions(n), func(p partitions) bool { return common[fmt.Sprint(p)] })
	return slices.Collect(slices.Chunk(left, run))
}

// everyNth takes one of each n, beginning with the first.
func everyNth(n int, all []partitions) []partitions {
	var some []partitions
	for i := 0; i < len(all); i += n {
		some = append(some, all[i])
	}
	return some
}

func TestPartitions(t *testing.T) {
	for _, tt := range []struct{ nodes, all, two, three, rest int }{{2, 1, 1, 0, 0}, {3, 4, 3, 1, 0}, {4, 14, 7, 3, 0}, {5, 51, 15, 6, 30}, {6, 202, 31, 10, 161}} {
		all, two, three := setPartitions(tt.nodes), twoWays(tt.nodes), threeWays(tt.nodes)
		rest := slices.Concat(rest(tt.nodes)...)
		if len(all) != tt.all || len(two) != tt.two || len(three) != tt.three || len(rest) != tt.rest || len(everyPartition(tt.nodes))+len(rest) != tt.all {
			t.Errorf("%d nodes: %d, %d, %d, %d, want %+v", tt.nodes, len(all), len(two), len(three), len(rest), tt)
		}
		seen := map[string]bool{}
		for _, p := range all {
			seen[fmt.Sprint(p)] = true
			if nodes := slices.Sorted(slices.Values(slices.Concat(p...))); len(nodes) != tt.nodes || len(slices.Compact(nodes)) != tt.nodes {
				t.Errorf("%v: not all nodes once", p)
			}
		}
		if len(seen) != tt.all {
			t.Errorf("%d nodes: %d different", tt.nodes, len(seen))
		}
	}
}
