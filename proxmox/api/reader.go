package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/proxmox"
)

// How often what is asked for: volatile parts at each Read.
const (
	listsEvery = 30 * time.Second // guests and tasks
	factsEvery = 5 * time.Minute  // configuration, rules, versions, privileges
	backEvery  = 5 * time.Minute  // the first endpoint is tried again, when another had to help out
)

// Reader asks the API. It belongs to one goroutine.
type Reader struct {
	cfg       Config
	endpoints []string
	pins      [][32]byte
	current   int       // the endpoint that answered last
	moved     time.Time // when that last changed
	token     token
	clients   map[string]*client

	kept kept
}

// New checks a configuration and returns a Reader. Files are read later, at each Read: they may come and change.
func New(cfg Config) (*Reader, error) {
	endpoints, err := cfg.endpoints()
	if err != nil {
		return nil, err
	}
	pins, err := cfg.fingerprints()
	if err != nil {
		return nil, err
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = defaultTimeout
	}
	return &Reader{cfg: cfg, endpoints: endpoints, pins: pins, clients: map[string]*client{}}, nil
}

// Source is FromAPI.
func (r *Reader) Source() proxmox.Source { return proxmox.FromAPI }

// String is the endpoint that is asked at present.
func (r *Reader) String() string { return r.endpoints[r.current] }

// Read asks one endpoint, and if that gives nothing the next. It returns when ctx ends at the latest, with what it has by then.
func (r *Reader) Read(ctx context.Context) proxmox.Snapshot {
	s := proxmox.Snapshot{At: time.Now()}
	t, fault := readToken(r.cfg.TokenFile)
	if fault != nil {
		s.Faults = append(s.Faults, *fault)
		if fault.Kind != proxmox.TokenExposed {
			return s
		}
	}
	r.useToken(t)
	if r.current != 0 && s.At.Sub(r.moved) > backEvery {
		r.move(0)
	}
	for range r.endpoints {
		got, failed := r.ask(ctx, r.endpoints[r.current])
		got.Faults = append(s.Faults, got.Faults...)
		s = got
		if !failed || ctx.Err() != nil {
			return s
		}
		r.move((r.current + 1) % len(r.endpoints))
	}
	return s
}

// move goes on with another endpoint.
func (r *Reader) move(to int) { r.current, r.moved, r.kept = to, time.Now(), kept{} }

// useToken drops the clients of another token.
func (r *Reader) useToken(t token) {
	if t == r.token {
		return
	}
	for _, c := range r.clients {
		c.idle()
	}
	r.token, r.clients, r.kept = t, map[string]*client{}, kept{}
}

// client returns the client of an endpoint.
func (r *Reader) client(endpoint string) (*client, *proxmox.Fault) {
	if c := r.clients[endpoint]; c != nil {
		return c, nil
	}
	transport, fault := r.transport()
	if fault != nil {
		return nil, fault
	}
	c := newClient(endpoint, r.token, transport, r.cfg.Timeout)
	r.clients[endpoint] = c
	return c, nil
}

func (r *Reader) transport() (*http.Transport, *proxmox.Fault) {
	if len(r.pins) > 0 {
		return newTransport(tlsConfig(r.pins, nil), r.cfg.Timeout), nil
	}
	pool, err := roots(r.cfg.CAFile)
	if err != nil {
		return nil, &proxmox.Fault{
			Source: proxmox.FromAPI, Part: proxmox.PartAccess, Kind: proxmox.Misconfigured, Where: "proxmox.ca_file", Reason: err.Error(),
			Hint: "the cluster's CA is " + clusterCA,
		}
	}
	return newTransport(tlsConfig(nil, pool), r.cfg.Timeout), nil
}

// forget drops a client whose endpoint showed another certificate than expected: the CA is read again, for at the first time
// /etc/pve may not have been there yet.
func (r *Reader) forget(c *client, faults []proxmox.Fault) {
	if slices.ContainsFunc(faults, func(f proxmox.Fault) bool { return f.Kind == proxmox.Certificate }) {
		c.idle()
		delete(r.clients, c.endpoint)
	}
}

// ask asks one endpoint for everything that is due. failed: it gave nothing, and another may.
func (r *Reader) ask(ctx context.Context, endpoint string) (s proxmox.Snapshot, failed bool) {
	s.At = time.Now()
	c, fault := r.client(endpoint)
	if fault != nil {
		s.Faults = append(s.Faults, *fault)
		return s, false
	}
	q := query{ctx: ctx, c: c, now: s.At, s: &s}
	if failed, stop := q.volatile(); stop {
		r.forget(c, s.Faults)
		return s, failed
	}
	r.kept.read(&q)
	r.kept.give(&q)
	s.SettleOnline(q.votes())
	s.SettleRunning()
	return s, false
}
