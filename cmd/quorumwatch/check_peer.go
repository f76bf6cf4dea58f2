package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/quorumwatch/quorumwatch/checker/verdict"
	"github.com/quorumwatch/quorumwatch/cmd/internal/check"
	"github.com/quorumwatch/quorumwatch/corosync"
)

// candidate is a node that is to join, at one address.
type candidate struct {
	name string
	link int
	addr netip.Addr
}

// readPeer reads name=address or name/link=address. Host names are looked up.
func readPeer(ctx context.Context, text string) (candidate, error) {
	const hint = "--peer site-b=198.51.100.7, or --peer site-b/1=198.51.100.7 for link 1"
	name, host, ok := strings.Cut(text, "=")
	name, number, hasLink := strings.Cut(name, "/")
	c := candidate{name: name}
	if !ok || name == "" || host == "" || strings.ContainsAny(name, " {}:") {
		return c, usage(hint, "--peer %q is not name=address", text)
	}
	if hasLink {
		var err error
		if c.link, err = strconv.Atoi(number); err != nil || c.link < 0 || c.link > 7 {
			return c, usage(hint, "--peer %q: %q is not a link, 0 to 7", text, number)
		}
	}
	var err error
	if c.addr, err = netip.ParseAddr(host); err == nil {
		c.addr = c.addr.Unmap()
		return c, nil
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil || len(addrs) == 0 {
		return c, usage(hint, "--peer %q: %q is neither an address nor a name that resolves", text, host)
	}
	c.addr = addrs[0].Unmap()
	return c, nil
}

// localFor is the address of this host from which the kernel would send. Nothing is sent.
func localFor(to netip.Addr) (netip.Addr, error) {
	conn, err := net.Dial("udp", netip.AddrPortFrom(to, 9).String())
	if err != nil {
		return netip.Addr{}, err
	}
	defer func() { _ = conn.Close() }() // nothing was sent
	if a, ok := conn.LocalAddr().(*net.UDPAddr); ok {
		return a.AddrPort().Addr().Unmap(), nil
	}
	return netip.Addr{}, errors.New("no address of this host leads there")
}

// toPeers measures the paths to nodes that are to join.
func (f *checkFlags) toPeers(ctx context.Context, p *process, h *checkHost) (verdict.Input, error) {
	var all []candidate
	for _, text := range f.peers {
		c, err := readPeer(ctx, text)
		if err != nil {
			return verdict.Input{}, err
		}
		all = append(all, c)
	}
	key, err := f.key(h)
	if err != nil {
		return verdict.Input{}, err
	}
	if err := h.join(all); err != nil {
		return verdict.Input{}, err
	}
	then, err := corosync.Parse("the planned corosync.conf", bytes.NewReader(h.planned))
	if err != nil {
		return verdict.Input{}, noAnswer(err)
	}
	if h.local == 0 && h.conf == nil {
		h.local = then.Nodes[0].ID // of a cluster that is not there yet: this host stands for its first node
	}
	var targets []check.Target
	for _, c := range all {
		i := slices.IndexFunc(then.Nodes, func(n corosync.Node) bool { return n.Name == c.name })
		if i < 0 {
			return verdict.Input{}, usage("name it as the planned corosync.conf does", "--peer %s: no node of %s is named so", c.name, f.planned)
		}
		local, err := localFor(c.addr)
		if err != nil {
			return verdict.Input{}, fmt.Errorf("--peer %s: %w", c.name, err)
		}
		targets = append(targets, check.Target{Peer: c.name, Node: then.Nodes[i].ID, Link: c.link, Local: local, Remote: c.addr})
	}
	about := h.about()
	about.Sites = h.sitesWith(all, then)
	ask := h.status(context.WithoutCancel(ctx))
	m, err := f.measure(ctx, p, h, key, targets, about)
	status := ask()
	if err != nil {
		return verdict.Input{}, err
	}
	h.lookAgain(context.WithoutCancel(ctx), &m)
	in := f.measured(h, m)
	in.Source = "own probes to nodes that are to join"
	in.Missing = append(in.Missing, "the paths between the nodes of today were not probed in this run")
	h.facts(&in, status)
	in.Sites = about.Sites
	return in, nil
}

// sitesWith puts nodes that are to join and have no site apart from those that are here.
func (h *checkHost) sitesWith(all []candidate, then *corosync.Config) map[string]string {
	out := map[string]string{}
	for _, n := range then.Nodes {
		switch told := cmp.Or(h.sites[n.Name], h.sites[fmt.Sprint(n.ID)]); {
		case told != "":
			out[n.Name] = told
		case slices.ContainsFunc(all, func(c candidate) bool { return c.name == n.Name }):
			out[n.Name] = "new"
		default:
			out[n.Name] = "here"
		}
	}
	return out
}

// join makes the planned configuration, where none was given: that of today with the new nodes in it; without one of today, as Proxmox VE
// makes new clusters.
func (h *checkHost) join(all []candidate) error {
	if len(h.planned) > 0 {
		return nil
	}
	text, next, names := h.text, uint32(1), map[string]bool{}
	if h.conf == nil {
		text = []byte("totem {\n  version: 2\n  cluster_name: new\n  config_version: 1\n  transport: knet\n  secauth: on\n  token_coefficient: 125\n}\n" +
			"nodelist {\n}\nquorum {\n  provider: corosync_votequorum\n}\n")
		here, err := localFor(all[0].addr)
		if err != nil {
			return err
		}
		all = append([]candidate{{"here", all[0].link, here}}, all...)
	} else {
		for _, n := range h.conf.Nodes {
			next, names[n.Name] = max(next, n.ID+1), true
		}
	}
	at := bytes.Index(text, []byte("nodelist"))
	if at < 0 || bytes.IndexByte(text[at:], '\n') < 0 {
		return &hinted{fmt.Errorf("%s: no nodelist to add nodes to", h.file), "give the configuration as it is to be with --plan"}
	}
	at += bytes.IndexByte(text[at:], '\n') + 1
	var add bytes.Buffer
	for _, c := range all {
		if names[c.name] {
			continue
		}
		names[c.name] = true
		fmt.Fprintf(&add, "  node {\n    name: %s\n    nodeid: %d\n    quorum_votes: 1\n", c.name, next)
		next++
		for _, other := range all {
			if other.name == c.name {
				fmt.Fprintf(&add, "    ring%d_addr: %s\n", other.link, other.addr)
			}
		}
		add.WriteString("  }\n")
	}
	h.planned = slices.Concat(text[:at], add.Bytes(), text[at:])
	if h.conf == nil {
		h.text = h.planned
	}
	return nil
}
