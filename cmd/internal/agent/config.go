package agent

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/probe/stamp"
)

// recheck is how often corosync.conf is looked at when nobody says that it changed, and how soon a broken one is tried again: a
// name that did not resolve, an address that was not there yet.
const (
	recheck = 30 * time.Second
	retry   = 5 * time.Second
)

// followConfig keeps the plan in step with corosync.conf. A file that cannot be used leaves the last good plan in force.
func (a *Agent) followConfig(ctx context.Context, ready func()) error {
	var events <-chan struct{}
	if a.config.ConfEvents != nil {
		var err error
		if events, err = a.config.ConfEvents(ctx); err != nil {
			a.log.Warn().Err(err).Msg("changes of corosync.conf are only seen by looking every 30 s")
		}
	}
	a.loadConfig(ctx, true)
	close(a.loaded)
	ready()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		wait := recheck
		if a.confErr.Load() != nil || a.plan.Load() == nil || len(a.plan.Load().problems) > 0 {
			wait = retry
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return nil
		case <-a.reload:
			a.log.Info().Msg("reload asked for")
			a.loadConfig(ctx, true)
		case <-events:
			a.loadConfig(ctx, false)
		case <-timer.C:
			a.loadConfig(ctx, false)
		}
	}
}

// loadConfig reads corosync.conf and puts it in force if it is new, or if forced. What is wrong with it is logged once.
func (a *Agent) loadConfig(ctx context.Context, force bool) {
	err := a.tryConfig(ctx, force)
	old := a.confErr.Load()
	switch {
	case err == nil && old != nil:
		a.confErr.Store(nil)
		a.log.Info().Msg("corosync.conf is good again")
	case err != nil && (old == nil || *old != err.Error() || force):
		text := err.Error()
		a.confErr.Store(&text)
		event := a.log.Error().Err(err)
		if p, ok := errors.AsType[corosync.Problem](err); ok && p.Hint != "" {
			event.Str("hint", p.Hint)
		}
		event.Bool("last_good_in_force", a.plan.Load() != nil).Msg("corosync.conf cannot be used")
	}
}

func (a *Agent) tryConfig(ctx context.Context, force bool) error {
	file, text, err := a.config.ReadConf()
	if err != nil {
		return err
	}
	old := a.plan.Load()
	same := old != nil && old.digest == sha256.Sum256(text) && len(old.problems) == 0
	if same && !force && a.confErr.Load() == nil && !a.addressesMoved(old) {
		a.useKey(old)
		return nil
	}
	p, err := a.makePlan(ctx, file, text)
	if err != nil {
		return err
	}
	if old != nil && !force && p.equal(old) { // a name that does not resolve is tried again and again
		a.useKey(old)
		return nil
	}
	a.plan.Store(p)
	a.useKey(p)
	a.log.Info().Str("file", file).Uint64("config_version", p.config.Version).Uint32("nodeid", p.local).
		Int("nodes", len(p.config.Nodes)).Int("links", len(p.config.Links)).Int("paths", len(p.targets)).
		Dur("token_ms", p.config.Timeouts().Token).Msg("corosync.conf in force")
	for _, problem := range p.problems {
		a.log.Warn().Str("hint", problem.Hint).Msg(problem.Error())
	}
	return nil
}

// useKey probes by a plan with the key of now, if that is another one than before or the targets are. A key that cannot be read
// leaves what was probed before; the rest of the agent works without probes.
func (a *Agent) useKey(p *plan) {
	key, err := a.key(p)
	if err == nil {
		err = a.setTargets(key, p.targets)
	}
	old := a.keyErr.Load()
	switch {
	case err == nil && old != nil:
		a.keyErr.Store(nil)
		a.log.Info().Msg("the key for probes is good again")
	case err != nil && (old == nil || *old != err.Error()):
		text := err.Error()
		a.keyErr.Store(&text)
		a.log.Error().Err(err).Msg("the key for probes cannot be used")
	}
}

// addressesMoved tells whether this host's own ring addresses came or went: the local node may be another one now.
func (a *Agent) addressesMoved(p *plan) bool {
	now, err := a.config.LocalAddrs()
	if err != nil {
		return false
	}
	return !slices.Equal(p.ownAddresses(now), p.ownAddresses(p.host))
}

// key returns what authenticates probes under p.
func (a *Agent) key(p *plan) (stamp.Master, error) {
	from := p.settings.Key
	if from == nil {
		return stamp.Master{}, nil
	}
	key, err := from(p.config)
	if err != nil {
		return stamp.Master{}, err
	}
	return key, nil
}
