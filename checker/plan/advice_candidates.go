package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// usualToken is Corosync's default since 3.1.0 (exec/totemconfig.c, TOKEN_TIMEOUT).
const usualToken = 3 * time.Second

// candidate is a change to try.
type candidate struct {
	flags, text string
	change      Changes
}

func (d *Design) candidates(s *State) []candidate {
	var out []candidate
	device := &NewDevice{Host: "HOST"}
	elsewhere := ""
	if d.Cluster.Quorum.Device == nil {
		text := "a qdevice at a place of its own"
		if len(d.Cluster.Nodes)%2 != 0 {
			text += " (lms; pvecm does that for an odd number of nodes only when forced, and once it is lost no node may be lost any more)"
		}
		c := candidate{"--qdevice HOST", text, Changes{Device: device}}
		c = d.without(c)
		out = append(out, c)
		if n, ok := d.balance(); ok {
			out = append(out, d.without(candidate{
				fmt.Sprintf("--add-node %s:%s --qdevice HOST", n.Name, n.Site),
				fmt.Sprintf("one more node in site %s, and a qdevice at a place of its own", n.Site),
				Changes{Add: []NewNode{n}, Device: device},
			}))
		}
	} else if d.DeviceSite != "" {
		out = append(out, candidate{"no --qdevice-site", "the qdevice at a place of its own instead of site " + d.DeviceSite, Changes{DeviceSite: &elsewhere}})
	}
	if links := len(d.Cluster.Links); links == 1 {
		two := 2
		out = append(out, candidate{"--links 2", "a second link, over other switches and another route", Changes{Links: &two}})
	}
	if c := coefficient(d.Cluster.Totem.TokenCoefficient); s.Fence.Exceeds && c > newCoefficient {
		smaller := newCoefficient
		out = append(out, candidate{"--coefficient 125", "token_coefficient 125, as new Proxmox VE clusters have it", Changes{Coefficient: &smaller}})
	}
	if t := d.Cluster.Totem.Token; t != 0 && t != usualToken && (s.Fence.Exceeds || slices.ContainsFunc(s.Switches, Switch.Weak)) {
		token := usualToken
		out = append(out, candidate{"--token 3000", "token 3000, Corosync's default", Changes{Token: &token}})
	}
	return out
}

// without switches off in c what votequorum refuses together with a quorum device.
func (d *Design) without(c candidate) candidate {
	off, q, instead := false, d.Cluster.Quorum, []string{}
	for _, o := range []struct {
		on   bool
		flag string
		to   **bool
	}{
		{q.TwoNode, "two-node", &c.change.TwoNode}, {q.AutoTieBreaker, "auto-tie-breaker", &c.change.TieBreaker},
		{q.LastManStanding, "last-man-standing", &c.change.LastManStands},
	} {
		if o.on {
			*o.to = &off
			c.flags = "--" + o.flag + "=false " + c.flags
			instead = append(instead, strings.ReplaceAll(o.flag, "-", "_"))
		}
	}
	if len(instead) > 0 {
		c.text += " instead of " + strings.Join(instead, " and ")
	}
	return c
}

// balance is the node that makes an odd number of nodes even: in the smallest site.
func (d *Design) balance() (NewNode, bool) {
	sites := d.sites()
	if len(d.Cluster.Nodes)%2 == 0 || len(sites) < 2 {
		return NewNode{}, false
	}
	of := map[string]int{}
	for _, n := range d.Cluster.Nodes {
		of[n.Site]++
	}
	smallest := slices.MinFunc(sites, func(a, b string) int { return of[a] - of[b] })
	name := fmt.Sprintf("%s%d", smallest, of[smallest]+1)
	for i := of[smallest] + 2; d.node(name) >= 0; i++ {
		name = fmt.Sprintf("%s%d", smallest, i)
	}
	return NewNode{Name: name, Site: smallest}, true
}

func overlaps(a, b Changes) bool {
	return a.Device != nil && b.Device != nil || a.Links != nil && b.Links != nil || a.Coefficient != nil && b.Coefficient != nil
}

func join(a, b candidate) candidate {
	if a.flags != "" {
		a.flags += " "
		a.text += "; "
	}
	a.flags, a.text = a.flags+b.flags, a.text+b.text
	c := &a.change
	c.Add = append(slices.Clone(c.Add), b.change.Add...)
	c.Device = or(c.Device, b.change.Device)
	c.DeviceSite = or(c.DeviceSite, b.change.DeviceSite)
	c.Links = or(c.Links, b.change.Links)
	c.TwoNode = or(c.TwoNode, b.change.TwoNode)
	c.TieBreaker = or(c.TieBreaker, b.change.TieBreaker)
	c.LastManStands = or(c.LastManStands, b.change.LastManStands)
	c.Coefficient = or(c.Coefficient, b.change.Coefficient)
	c.Token = or(c.Token, b.change.Token)
	return a
}

func or[T any](a, b *T) *T {
	if a != nil {
		return a
	}
	return b
}
