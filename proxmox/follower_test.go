package proxmox

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// scripted is a Reader that answers as it is told.
type scripted struct {
	from Source
	read func(ctx context.Context) Snapshot
}

func (s scripted) Read(ctx context.Context) Snapshot { return s.read(ctx) }
func (s scripted) Source() Source                    { return s.from }
func (s scripted) String() string                    { return string(s.from) }

// run starts a Follower in a bubble, and stops it with the test.
func run(t *testing.T, feeds ...Feed) *Follower {
	t.Helper()
	f := NewFollower(feeds...)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- f.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return f
}

// TestFollower: both sources come together, each at its own pace.
func TestFollower(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reads [2]atomic.Int32 // files, API
		reader := func(from Source, node string) scripted {
			return scripted{from, func(context.Context) Snapshot {
				reads[map[Source]int{FromFiles: 0, FromAPI: 1}[from]].Add(1)
				s := view(from, node, Yes, time.Now().Unix())
				for p := range s.Origins {
					s.Origins[p].At = time.Now()
				}
				return s
			}}
		}
		f := run(t, Feed{Reader: reader(FromFiles, "a")}, Feed{Reader: reader(FromAPI, "a")})
		if s := f.Latest(); s.Known(PartMembers) || s.Quorate != Unknown {
			t.Error("something is known before anything was read")
		}
		time.Sleep(time.Millisecond)
		synctest.Wait()
		if s := f.Latest(); s.Quorate != Yes || s.Origins[PartMembers].Source != FromFiles || len(s.Views) != 2 {
			t.Errorf("%+v", s)
		}
		time.Sleep(100 * time.Second)
		synctest.Wait()
		if n := reads[0].Load(); n < 45 || n > 57 {
			t.Errorf("files were read %d times in 100 s", n)
		}
		if n := reads[1].Load(); n < 9 || n > 13 {
			t.Errorf("the API was asked %d times in 100 s", n)
		}
	})
}

// TestFollowerHang: a source that hangs for ever, against its context, is a fault and holds up nothing; it is not asked a second
// time meanwhile, and it comes back.
func TestFollowerHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var inside, most, asked atomic.Int32
		var hanging atomic.Bool
		files := scripted{FromFiles, func(context.Context) Snapshot {
			most.Store(max(most.Load(), inside.Add(1)))
			defer inside.Add(-1)
			if hanging.Load() {
				<-release
			}
			s := view(FromFiles, "a", Yes, 500)
			s.At = time.Now()
			for p := range s.Origins {
				s.Origins[p].At = time.Now()
			}
			return s
		}}
		api := scripted{FromAPI, func(context.Context) Snapshot {
			asked.Add(1)
			return Snapshot{At: time.Now(), Faults: []Fault{{Source: FromAPI, Kind: TokenRefused}}}
		}}
		f := run(t, Feed{Reader: files}, Feed{Reader: api})
		time.Sleep(time.Second)
		hanging.Store(true)
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		s := f.Latest()
		if s.Quorate != Unknown || s.Known(PartQuorum) || s.Nodes[0].Online != Unknown || s.HA.LRMs[0].Stamp.Unix() != 500 {
			t.Errorf("a hanging source's words stand: %+v", s)
		}
		found := map[FaultKind]int{}
		for _, fault := range s.Faults {
			found[fault.Kind]++
		}
		if found[Hanging] != 1 || found[TokenRefused] != 1 || most.Load() != 1 {
			t.Errorf("faults %v, %d readings at a time", found, most.Load())
		}
		if n := asked.Load(); n < 6 || n > 12 { // 10, 20, 40, then 60 s apart
			t.Errorf("a refused token was shown %d times in 5 minutes", n)
		}
		hanging.Store(false)
		close(release)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if s = f.Latest(); s.Quorate != Yes {
			t.Errorf("it does not come back: %+v", s.Faults)
		}
	})
}

// TestFollowerEnds: Run ends with its context though a source hangs.
func TestFollowerEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		f := NewFollower(Feed{Reader: scripted{FromFiles, func(context.Context) Snapshot { <-release; return Snapshot{} }}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := f.Run(ctx); err != nil {
			t.Error(err)
		}
		close(release)
	})
}
