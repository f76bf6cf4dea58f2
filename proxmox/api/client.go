package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	pve "github.com/luthermonson/go-proxmox"

	"github.com/quorumwatch/quorumwatch/proxmox"
)

// client asks one endpoint.
type client struct {
	endpoint string
	timeout  time.Duration
	guard    *guard
	pve      *pve.Client
	idle     func() // closes idle connections
	accepted bool   // this token has been accepted once
}

// newClient makes a client around go-proxmox.
func newClient(endpoint string, t token, transport *http.Transport, timeout time.Duration) *client {
	g := &guard{next: transport}
	h := &http.Client{Transport: g, Timeout: timeout} // a redirect is refused by the guard: the token goes nowhere else
	return &client{
		endpoint: endpoint, timeout: timeout, guard: g, idle: transport.CloseIdleConnections,
		pve: pve.NewClient(endpoint+"/api2/json",
			pve.WithHTTPClient(h), pve.WithAPIToken(t.id, t.secret), pve.WithUserAgent("quorumwatch"), pve.WithLogger(silent{})),
	}
}

// get reads one path. A "data" of null is nil. The error is a proxmox.Fault without a Part.
func (c *client) get(ctx context.Context, path string) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	var raw json.RawMessage
	if err := c.pve.Get(ctx, path, &raw); err != nil {
		return nil, c.faultOf(path, err)
	}
	c.accepted = true
	return raw, nil
}

func (c *client) where(path string) string { return strings.TrimPrefix(c.endpoint, "https://") + path }

func (c *client) malformed(path string, err error) proxmox.Fault {
	return proxmox.Fault{
		Source: proxmox.FromAPI, Kind: proxmox.Malformed, Where: c.where(path), Reason: oneLine(err.Error()),
		Hint: "is this Proxmox VE? Please report the answer",
	}
}

// silent is go-proxmox's logger: its own prints to the terminal, and bodies too.
type silent struct{}

func (silent) Debugf(string, ...any) {}
func (silent) Errorf(string, ...any) {}
func (silent) Infof(string, ...any)  {}
func (silent) Warnf(string, ...any)  {}
