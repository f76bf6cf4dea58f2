package agent

import (
	"context"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// supervised tells systemd that the agent is ready, and keeps its watchdog fed as long as the agent judges. Outside of
// systemd it does nothing.
func (a *Agent) supervised(ctx context.Context, ready func()) error {
	ready()
	select {
	case <-a.allReady:
	case <-ctx.Done():
		return nil
	}
	notify(daemon.SdNotifyReady)
	defer notify(daemon.SdNotifyStopping)
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil || interval == 0 {
		<-ctx.Done()
		return nil
	}
	ticker := time.NewTicker(interval / 3)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-ticker.C:
			if rep := a.Report(); rep != nil && now.Sub(rep.At) < interval/2 {
				notify(daemon.SdNotifyWatchdog)
			}
		}
	}
}

// notify ignores errors on purpose: without systemd there is nobody to tell.
func notify(state string) { _, _ = daemon.SdNotify(false, state) }
