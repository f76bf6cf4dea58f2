package agent

import (
	"context"
	"errors"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/ctl"
	"github.com/quorumwatch/quorumwatch/proxmox"
)

// Journal follows the log of units of the present boot: ctl.Journal does.
type Journal interface {
	Follow(ctx context.Context, back time.Duration, line func(at time.Time, text string), units ...string) error
}

// fenceUnits are those whose lines tell of a node's fence.
func fenceUnits() []string {
	return []string{"pve-cluster.service", "pve-ha-lrm.service", "watchdog-mux.service"}
}

// How the log is followed. A countdown is over within two minutes: what was logged long before has come to nothing.
const (
	logBack   = 15 * time.Minute
	logSettle = 100 * time.Millisecond // lines come in bursts, above all the old ones: what holds at the end counts
	logRetry  = 10 * time.Second
	logAbsent = time.Minute
)

// followFenceLog keeps what the log tells of this node's fence, so that an agent that was started in the middle of a countdown knows the
// seconds, also while pmxcfs is down. Nothing depends on there being a log.
func (a *Agent) followFenceLog(ctx context.Context, ready func()) error {
	ready()
	for {
		err := a.readFenceLog(ctx)
		pause := logRetry
		if errors.Is(err, ctl.ErrAbsent) {
			pause = logAbsent
		}
		if err != nil {
			a.log.Debug().Err(err).Msg("the log of Proxmox VE's HA cannot be followed")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

// fenceLine is a line of the log.
type fenceLine struct {
	at   time.Time
	text string
}

// readFenceLog follows the log from its beginning until it ends. What an earlier reading told stands until this one tells more.
func (a *Agent) readFenceLog(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lines, ended := make(chan fenceLine), make(chan error, 1)
	go func() {
		ended <- a.config.Journal.Follow(ctx, logBack, func(at time.Time, text string) {
			select {
			case lines <- fenceLine{at, text}:
			case <-ctx.Done():
			}
		}, fenceUnits()...)
	}()
	var log proxmox.FenceLog
	settled := time.NewTimer(time.Hour)
	settled.Stop()
	defer settled.Stop()
	for {
		select {
		case l := <-lines:
			if log.Add(l.at, l.text) {
				settled.Reset(logSettle)
			}
		case <-settled.C:
			known := log
			a.fenceLog.Store(&known)
		case err := <-ended:
			return err
		}
	}
}

// fenceLogged is what the log has told so far.
func (a *Agent) fenceLogged() proxmox.FenceLog {
	if l := a.fenceLog.Load(); l != nil {
		return *l
	}
	return proxmox.FenceLog{}
}
