package api

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/quorumwatch/quorumwatch/proxmox"
)

// query is one round of requests to one endpoint.
type query struct {
	ctx context.Context
	c   *client
	now time.Time
	s   *proxmox.Snapshot
}

// origin is that of a part read now.
func (q *query) origin() proxmox.Origin {
	return proxmox.Origin{Source: proxmox.FromAPI, At: q.now, View: q.s.View}
}

func (q *query) know(parts ...proxmox.Part) {
	for _, p := range parts {
		q.s.Origins[p] = q.origin()
	}
}

// read reads a path of a part; what fails becomes the Snapshot's fault.
func (q *query) read(part proxmox.Part, path string, take func(json.RawMessage) error) bool {
	fault, ok := q.try(part, path, take)
	if !ok {
		q.s.Faults = append(q.s.Faults, fault)
	}
	return ok
}

// try reads a path of a part.
func (q *query) try(part proxmox.Part, path string, take func(json.RawMessage) error) (proxmox.Fault, bool) {
	raw, err := q.c.get(q.ctx, path)
	if err == nil && raw == nil {
		raw = json.RawMessage("null")
	}
	if err == nil {
		if err = take(raw); err != nil {
			err = q.c.malformed(path, err)
		}
	}
	if err == nil {
		return proxmox.Fault{}, true
	}
	f, _ := errors.AsType[proxmox.Fault](err)
	f.Part = part
	return f, false
}

// volatile reads members, quorum and HA. stop: there is no point in asking this endpoint more; failed: another may do better.
func (q *query) volatile() (failed, stop bool) {
	fault, ok := q.try(proxmox.PartMembers, "/cluster/status", func(raw json.RawMessage) error { return takeStatus(q.s, raw) })
	if ok {
		q.know(proxmox.PartMembers)
	} else {
		q.s.Faults = append(q.s.Faults, fault)
		switch fault.Kind {
		case proxmox.Unreachable, proxmox.TimedOut, proxmox.Certificate, proxmox.PmxcfsDown, proxmox.Malformed, proxmox.Misconfigured:
			return true, true
		case proxmox.TokenRefused, proxmox.TokenExpired: // the same on all nodes
			return false, true
		}
	}
	q.ha()
	q.s.Views = []proxmox.View{{
		Source: proxmox.FromAPI, Node: q.s.View, At: q.now, Quorate: q.s.Quorate, ClockAhead: time.Duration(q.c.guard.ahead.Load()),
	}}
	useless := !q.s.Known(proxmox.PartMembers) && !q.s.Known(proxmox.PartQuorum) && fault.Kind != proxmox.Forbidden
	return useless, useless
}

// ha reads quorum and HA.
func (q *query) ha() {
	var configured []proxmox.Service
	current := q.read(proxmox.PartQuorum, "/cluster/ha/status/current", func(raw json.RawMessage) (err error) {
		_, configured, err = takeCurrent(q.s, raw)
		return err
	})
	manager := q.read(proxmox.PartHA, "/cluster/ha/status/manager_status", func(raw json.RawMessage) error { return takeManager(q.s, raw) })
	if q.s.Quorate != proxmox.Unknown {
		q.know(proxmox.PartQuorum)
	}
	if current || manager {
		q.know(proxmox.PartHA)
	}
	if current {
		q.know(proxmox.PartResources)
		q.s.Services = proxmox.WithConfigured(q.s.Services, configured)
	}
}

// votes are what the configuration gives, by name; nil if that is not known.
func (q *query) votes() map[string]int {
	if len(q.s.Conf.Nodes) == 0 {
		return nil
	}
	votes := map[string]int{}
	for _, n := range q.s.Conf.Nodes {
		votes[n.Name] = n.Votes
	}
	return votes
}
