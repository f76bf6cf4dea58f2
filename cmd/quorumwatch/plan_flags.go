package main

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/quorumwatch/quorumwatch/checker/plan"
)

// planFlags is the command line of plan, as written.
type planFlags struct {
	config   string
	sites    []string
	links    int
	rtt      []string
	loss     []string
	ha       string
	add      []string
	remove   []string
	token    string
	coeff    string
	retrans  int
	pingInt  string
	pingTime string
	qdevice  string
	noDevice bool
	devSite  string
	votes    []string
	two      bool
	wait     bool
	tie      bool
	last     bool
	json     bool
	all      bool
	thorough bool
	columns  int
}

func (f *planFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.config, "config", "", "corosync.conf to read; default: the `file` of this machine, unless --site gives counts")
	flags.StringArrayVar(&f.sites, "site", nil, "`site`s: a=node,node for nodes of the configuration, or a:3,b:2 without one; repeat for more")
	flags.StringArrayVar(&f.rtt, "rtt", nil, "assume a round trip `time` between sites (5ms), inside of them (within=1ms), for a pair (a-b=8ms), for a link (/1=20ms, a-b/1=20ms)")
	flags.StringArrayVar(&f.loss, "loss", nil, "assume this `ratio` of packets lost between sites (1% or 0.01), or as in --rtt")
	flags.StringVar(&f.ha, "ha", "all", "`nodes` whose HA watchdogs are active: all, none, or a list")

	flags.StringArrayVar(&f.add, "add-node", nil, "with one more node: `name[:site]`")
	flags.StringArrayVar(&f.remove, "remove-node", nil, "without this `node`")
	flags.IntVar(&f.links, "links", 0, "with so `many` knet links (default as configured; 1 without a configuration)")
	flags.StringVar(&f.qdevice, "qdevice", "", "with a quorum device, as pvecm sets it up: `host[:algorithm]`")
	flags.BoolVar(&f.noDevice, "no-qdevice", false, "without the quorum device")
	flags.StringVar(&f.devSite, "qdevice-site", "", "the quorum device's server stands in this `site` (default: at a place of its own)")
	flags.StringVar(&f.token, "token", "", "totem.token: a `time` (3s), or milliseconds")
	flags.StringVar(&f.coeff, "coefficient", "", "totem.token_coefficient: a `time`, or milliseconds")
	flags.IntVar(&f.retrans, "retransmits", 0, "totem.token_retransmits_before_loss_const: a `number`")
	flags.StringVar(&f.pingInt, "ping-interval", "", "knet_ping_interval of all links: a `time`, or milliseconds")
	flags.StringVar(&f.pingTime, "ping-timeout", "", "knet_ping_timeout of all links: a `time`, or milliseconds")
	flags.StringArrayVar(&f.votes, "votes", nil, "votes of a node: `node=n`")
	flags.BoolVar(&f.two, "two-node", false, "quorum.two_node")
	flags.BoolVar(&f.wait, "wait-for-all", false, "quorum.wait_for_all")
	flags.BoolVar(&f.tie, "auto-tie-breaker", false, "quorum.auto_tie_breaker")
	flags.BoolVar(&f.last, "last-man-standing", false, "quorum.last_man_standing")

	flags.BoolVar(&f.all, "all", false, "list every case, not only groups of them")
	flags.BoolVar(&f.thorough, "thorough", false, "let the model run twenty times as long, for closer figures")
	flags.BoolVar(&f.json, "json", false, "print JSON (docs/plan.md)")
	flags.IntVar(&f.columns, "columns", 0, "write so `wide` (default: as the terminal)")
	_ = cmd.MarkFlagFilename("config", "conf")
	f.complete(cmd)
}

// design is the cluster as it is, with what is assumed of it.
func (f *planFlags) design(changed func(string) bool) (plan.Design, error) {
	sites, counted, err := readSites(f.sites)
	if err != nil {
		return plan.Design{}, err
	}
	var d plan.Design
	if counted {
		if changed("config") {
			return d, usage("--site a=NODE,NODE says where the nodes of the configuration are", "--config together with --site and counts")
		}
		links := 1
		if changed("links") {
			links = f.links
		}
		d, err = plan.New(sites, links)
	} else {
		c, readError := readCorosync(f.config)
		if readError != nil {
			return d, readError
		}
		d, err = plan.FromConfig(c, sites)
	}
	if err != nil {
		return d, err
	}
	if d.Network, err = f.network(f.siteNames(d)); err != nil {
		return d, err
	}
	d.Armed, err = f.armed(d)
	return d, err
}

// siteNames are the sites that may be named: with those of nodes that are added.
func (f *planFlags) siteNames(d plan.Design) []string {
	var out []string
	add := func(site string) {
		if site != "" && !slices.Contains(out, site) {
			out = append(out, site)
		}
	}
	for _, n := range d.Cluster.Nodes {
		add(n.Site)
	}
	for _, a := range f.add {
		_, site, _ := strings.Cut(a, ":")
		add(site)
	}
	return out
}

// changes are what is asked to be different. Without a configuration --links says what is, not what changes.
func (f *planFlags) changes(changed func(string) bool, assumed bool) (plan.Changes, error) {
	c := plan.Changes{Remove: f.remove, NoDevice: f.noDevice}
	for _, a := range f.add {
		name, site, _ := strings.Cut(a, ":")
		c.Add = append(c.Add, plan.NewNode{Name: name, Site: site})
	}
	var err error
	for _, t := range []struct {
		name, text string
		to         **time.Duration
	}{
		{"token", f.token, &c.Token}, {"coefficient", f.coeff, &c.Coefficient},
		{"ping-interval", f.pingInt, &c.PingInterval}, {"ping-timeout", f.pingTime, &c.PingTimeout},
	} {
		if changed(t.name) {
			if *t.to, err = readMillis(t.name, t.text); err != nil {
				return c, err
			}
		}
	}
	if changed("retransmits") {
		if f.retrans < 1 || f.retrans > 1000 {
			return c, usage("Corosync's default is 4", "--retransmits %d", f.retrans)
		}
		c.Retransmits = &f.retrans
	}
	if changed("links") && !assumed {
		c.Links = &f.links
	}
	if changed("qdevice") {
		if c.Device, err = readDevice(f.qdevice); err != nil {
			return c, err
		}
	}
	if changed("qdevice-site") {
		c.DeviceSite = &f.devSite
	}
	c.TwoNode, c.WaitForAll = said(changed("two-node"), f.two), said(changed("wait-for-all"), f.wait)
	c.TieBreaker, c.LastManStands = said(changed("auto-tie-breaker"), f.tie), said(changed("last-man-standing"), f.last)
	c.Votes, err = readVotes(f.votes)
	return c, err
}

func said(yes, value bool) *bool {
	if !yes {
		return nil
	}
	return &value
}
