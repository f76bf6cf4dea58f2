//go:build linux

package lab_test

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/corosync/lab"
	"github.com/quorumwatch/quorumwatch/corosync/votequorum"
)

// shown is what corosync-quorumtool -s shows.
type shown struct {
	corosync.QuorumStatus
	text string
}

func (q shown) members() (nodes []uint32) {
	for _, v := range q.Votes {
		if v.ID != 0 {
			nodes = append(nodes, v.ID)
		}
	}
	slices.Sort(nodes)
	return nodes
}

func (s *stage) show(ctx context.Context, n uint32) (shown, error) {
	out, err := s.node(n).Run(ctx, "corosync-quorumtool", "-s")
	if status, ok := lab.ExitStatus(err); err != nil && (!ok || status != 2) { // 2: no quorum
		return shown{}, err
	}
	r, err := corosync.ParseQuorumTool(out)
	return shown{r.Quorum, string(out)}, err
}

// await asks all running nodes again and again until each is as wanted.
func (s *stage) await(ctx context.Context, what string, wanted func(uint32, shown) bool) map[uint32]shown {
	for end := time.Now().Add(15 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		all, errs := s.showAll(ctx)
		open := slices.DeleteFunc(slices.Sorted(maps.Keys(all)), func(n uint32) bool { return wanted(n, all[n]) })
		if len(errs) == 0 && len(open) == 0 {
			return all
		}
		if time.Now().After(end) || ctx.Err() != nil {
			for _, n := range open {
				s.t.Logf("node %d:\n%s", n, all[n].text)
			}
			s.t.Fatalf("%s: nodes %v are not as wanted, %v", what, open, errs)
		}
	}
}

func (s *stage) showAll(ctx context.Context) (map[uint32]shown, []error) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	all, errs := map[uint32]shown{}, []error(nil)
	for _, n := range s.cluster.Running() {
		wg.Go(func() {
			q, err := s.show(ctx, n)
			mu.Lock()
			defer mu.Unlock()
			if all[n] = q; err != nil {
				errs = append(errs, err)
			}
		})
	}
	wg.Wait()
	return all, errs
}

// compare waits until Corosync has the memberships, and then holds what each node shows against the package. With a device, votes come
// later: then all must agree, and still do so after a second.
func (s *stage) compare(ctx context.Context, what string) {
	s.t.Helper()
	all := s.await(ctx, what, func(n uint32, q shown) bool { return slices.Equal(q.members(), s.cluster.History(n).Members) })
	for end := time.Now().Add(10 * time.Second); s.differs(all) && time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if !s.device && time.Until(end) < 9*time.Second {
			break
		}
		all, _ = s.showAll(ctx)
	}
	if s.device {
		time.Sleep(700 * time.Millisecond)
		all, _ = s.showAll(ctx)
	}
	s.score.cases++
	if s.differs(all) && s.detour() {
		s.score.detours++
		s.t.Logf("%s: Corosync came by other memberships; not compared", what)
		return
	}
	for n, q := range all {
		r, _ := s.cluster.Result(n)
		switch {
		case equal(q, r):
			s.score.equal++
		case r.Chance:
			s.score.chance++
			s.parted = true
			s.t.Logf("%s: node %d: chance: %+v, Corosync:\n%s", what, n, r, q.text)
		default:
			s.t.Errorf("%s: node %d: %+v, Corosync:\n%s", what, n, r, q.text)
		}
	}
}

// detour tells whether a node had more than one new membership since the act began: then it has another history than the package. A busy
// machine makes Corosync lose the token once more. The next membership of all nodes is compared again.
func (s *stage) detour() bool {
	for _, n := range s.l.Nodes() {
		count := 0
		for _, line := range n.Log().Lines(0) {
			if line.Event == lab.EventMembership && line.At.After(s.began) {
				count++
			}
		}
		if count > 1 {
			return true
		}
	}
	return false
}

func (s *stage) differs(all map[uint32]shown) bool {
	for n, q := range all {
		if r, _ := s.cluster.Result(n); !equal(q, r) && !r.Chance {
			return true
		}
	}
	return false
}

func equal(q shown, r votequorum.Result) bool {
	return q.Quorate == r.Quorate && q.Total == r.Votes && q.Expected == r.Expected && q.Quorum == r.Needed
}
