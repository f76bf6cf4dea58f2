package proxmox_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/quorumwatch/quorumwatch/proxmox"
	"github.com/quorumwatch/quorumwatch/proxmox/api"
	"github.com/quorumwatch/quorumwatch/proxmox/pmxcfs"
	"github.com/quorumwatch/quorumwatch/proxmox/proxmoxtest"
)

// A node that was cut off half a minute ago looks at its own countdown. Nothing is remembered: an agent that has just started sees
// the same.
func ExampleFenceOf() {
	state := proxmoxtest.Load("isolated_t30")
	s := pmxcfs.New(state.Files()).Read(context.Background())
	now := state.At

	in := s.FenceInput("pve1", now)
	in.Membership = 8 * time.Second // token + consensus + sync
	f := proxmox.FenceOf(in)

	least, likely, most := f.NoReturn.Left(now)
	fmt.Printf("armed %v, counting %v: %s\n", f.Armed, f.Counting, f.Why)
	fmt.Printf("no return in %.0f s (%.0f to %.0f), by the %s\n", likely.Seconds(), least.Seconds(), most.Seconds(), f.From)
	_, likely, _ = f.Reset.Left(now)
	fmt.Printf("reset in %.0f s\n", likely.Seconds())
	for _, m := range s.BlastRadius("pve1").Moves {
		fmt.Printf("%s restarts on one of %v\n", m.SID, m.To)
	}
	// Output:
	// armed yes, counting yes: its LRM holds the watchdog; it has no quorum
	// no return in 22 s (21 to 24), by the lock
	// reset in 32 s
	// vm:100 restarts on one of [pve2 pve3]
}

// An agent's wiring: files first, then the API, if it has been configured. Run is a task; Latest never blocks.
func ExampleFollower() {
	feeds := []proxmox.Feed{{Reader: pmxcfs.New(os.DirFS("/"))}}
	asked, err := api.New(api.Config{TokenFile: "/etc/quorumwatch/proxmox.token"})
	if err != nil {
		fmt.Println(err)
		return
	}
	feeds = append(feeds, proxmox.Feed{Reader: asked, Every: 10 * time.Second})
	follower := proxmox.NewFollower(feeds...)

	s := follower.Latest()
	fmt.Println(s.Quorate) // nothing has been read yet

	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- follower.Run(ctx) }()
	cancel()
	fmt.Println(<-ended)
	// Output:
	// unknown
	// <nil>
}
