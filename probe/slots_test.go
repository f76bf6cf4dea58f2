package probe_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorumwatch/quorumwatch/probe"
	"github.com/quorumwatch/quorumwatch/probe/simnet"
	"github.com/quorumwatch/quorumwatch/probe/stats"
)

// What a's peer sends is known slot by slot, whatever its clock says, and so is when it sent its bulletin.
func TestIncoming(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newPair(t)
		grid := stats.Grid{Begin: time.Now().Add(7 * time.Millisecond), Slot: interval}
		path := probe.Path{Local: addrA, Remote: addrB}
		x.p[1].SetBulletin([]byte("hello"))
		time.Sleep(3 * time.Second)
		x.host[1].SetClock(-time.Hour)
		time.Sleep(time.Second)
		x.net.Set(addrB, addrA, simnet.Link{Down: true})
		time.Sleep(400 * time.Millisecond)
		x.net.Set(addrB, addrA, simnet.Link{Delay: 22 * time.Millisecond})
		time.Sleep(400 * time.Millisecond)
		x.net.Set(addrB, addrA, simnet.Link{Delay: 2 * time.Millisecond})
		time.Sleep(time.Second)
		slots, heard := x.p[0].Incoming(path, nil, grid, 0, time.Now())
		var n [4]int
		late := 0
		for i, s := range slots {
			n[s.State]++
			switch {
			case s.Delay > 21*time.Millisecond && s.Delay < 23*time.Millisecond:
				late++
			case s.State == stats.SlotArrived && s.Delay != 2*time.Millisecond && i > 20:
				t.Errorf("slot %d: %v", i, s.Delay)
			}
		}
		if !heard || len(slots) < 110 || n[stats.SlotLost] != 8 || n[stats.SlotSilent] != 0 || n[stats.SlotUnknown] > 1 || late != 8 {
			t.Errorf("heard %v, %d slots, %v, %d late", heard, len(slots), n, late)
		}
		b := x.p[0].Bulletins()
		if len(b) != 1 || b[0].At.Sub(b[0].Left) != 2*time.Millisecond {
			t.Fatalf("%+v", b)
		}
		if ago := x.p[1].Clock() - b[0].Clock - time.Since(b[0].Left); ago.Abs() > time.Microsecond {
			t.Errorf("the bulletin's clock is %v off", ago)
		}
		if _, heard := x.p[0].Incoming(probe.Path{}, nil, grid, 0, time.Now()); heard {
			t.Error("a path that is not there is heard")
		}
		out, back := x.p[0].RoundTrips(path, nil, nil, grid, 0, time.Now())
		if len(out) < 80 || len(out) != len(back) || back[30].State != stats.SlotArrived || out[30].Delay != 2*time.Millisecond {
			t.Errorf("round trips: %d and %d slots, %+v", len(out), len(back), out[30])
		}
	})
}
