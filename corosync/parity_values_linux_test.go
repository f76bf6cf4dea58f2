package corosync_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/quorumwatch/quorumwatch/corosync"
)

// daemonView compares one running daemon with the verdict on its file.
type daemonView struct {
	*testing.T
	verdict
	p    *parity
	f    corpusFile
	cmap corosync.Map
}

func (d *daemonView) equal(key string, got, want any) {
	d.Helper()
	d.p.values++
	if got != want {
		d.Errorf("%s: the daemon has %v, the parser %v", key, got, want)
	}
}

// runtimeValues compares every runtime.config.totem.* key, types included, in both directions.
func (d *daemonView) runtimeValues() {
	const prefix = "runtime.config.totem."
	want := d.config.RuntimeValues()
	for key, have := range d.cmap {
		if strings.HasPrefix(key, prefix) {
			d.equal(key, have, want[key])
		}
	}
	for key := range want {
		if strings.HasSuffix(key, ".mcastport") && compareVersions(d.p.version, "3.1.10") < 0 {
			continue
		}
		if _, ok := d.cmap[key]; !ok {
			d.Errorf("%s: the daemon does not have it", key)
		}
	}
}

// parsedValues compares every key of the file, types included; keys that the daemon has besides are Drift's to explain.
func (d *daemonView) parsedValues() {
	for key, want := range d.config.Values {
		have, ok := d.cmap[key]
		switch {
		case slices.Contains(d.f.notes["cmap-differs"], key) && compareVersions(d.p.version, "3.1.10") < 0:
		case !ok:
			d.Errorf("%s: the daemon does not have it", key)
		case key == "system.sched_rr", strings.HasSuffix(key, ".bindnetaddr"), strings.HasPrefix(key, "resources."): // the daemon sets them
		default:
			d.equal(key, have, want)
		}
	}
	for key := range d.cmap {
		top, _, _ := strings.Cut(key, ".")
		if _, ok := d.config.Values[key]; !ok && slices.Contains([]string{"logging", "resources", "uidgid", "system", "service", "qorum"}, top) && !daemonsOwn(key) {
			d.Errorf("%s: only the daemon has it", key)
		}
	}
	for _, p := range corosync.Drift(d.config, d.cmap) {
		if !slices.Contains(d.f.notes["cmap-differs"], p.Key) {
			d.Errorf("drift of a daemon that has just started: %v", p)
		}
	}
}

// daemonsOwn names keys that the daemon adds, and the section that the test appends.
func daemonsOwn(key string) bool {
	return key == "system.sched_rr" || strings.HasPrefix(key, "resources.")
}

func (d *daemonView) localNode() {
	d.equal("nodelist.local_node_pos", d.cmap["nodelist.local_node_pos"].Text, fmt.Sprint(d.local.Position))
	ip := d.cmap[fmt.Sprintf("runtime.members.%d.ip", d.local.ID)]
	for _, a := range d.resolved {
		if a.Node == d.local.ID && d.config.Totem.HasLink0 { // every link with its address, counted without holes: "r(0) ip(10.50.0.1) r(1) ip(10.53.0.1) "
			d.p.values++
			if want := fmt.Sprintf(" ip(%v) ", a.Addr); !strings.Contains(ip.Text, want) {
				d.Errorf("runtime.members.%d.ip: the daemon has %q, the parser %q", d.local.ID, ip.Text, want)
			}
		}
	}
}

// votequorum compares the options that runtime.votequorum.* shows.
func (d *daemonView) votequorum() {
	if d.config.Quorum.Provider == "" {
		return
	}
	q, _, err := d.config.Quorum.Effective()
	if err != nil {
		d.Errorf("the daemon runs, votequorum.Effective: %v", err)
	}
	want := map[string]string{
		"this_node_id":    fmt.Sprint(d.local.ID),
		"lowest_node_id":  fmt.Sprint(d.local.ID), // of the members: it is alone
		"highest_node_id": fmt.Sprint(d.local.ID),
	}
	for name, value := range want {
		if have, ok := d.cmap["runtime.votequorum."+name]; ok {
			d.equal("runtime.votequorum."+name, have.Text, value)
		}
	}
	d.equal("runtime.votequorum.two_node set", d.cmap["runtime.votequorum.two_node"].Text != "0", q.TwoNode)
	atb := d.cmap["runtime.votequorum.atb_type"].Text
	d.equal("runtime.votequorum.atb_type set", atb != "" && atb != "0", q.AutoTieBreaker)
}

// quorumtool compares votes, threshold and flags of a node that is alone.
func (d *daemonView) quorumtool(out []byte) {
	report, err := corosync.ParseQuorumTool(out)
	have := report.Quorum
	if d.config.Quorum.Provider == "" {
		return
	}
	if err != nil {
		d.Fatal(err)
	}
	q, _, _ := d.config.Quorum.Effective()
	d.equal("Quorum provider", have.Provider, q.Provider)
	expected := max(q.Expected(), d.local.Votes)
	if q.Device != nil && q.Device.Votes > 0 && q.ExpectedVotes == 0 {
		expected -= q.Device.Votes // votes that are written count when the device is there
	}
	d.equal("Expected votes", have.Expected, expected)
	d.equal("Total votes", have.Total, d.local.Votes)
	quorum := expected/2 + 1
	if q.TwoNode {
		quorum = 1
	}
	d.equal("Quorum", have.Quorum, quorum)
	for name, want := range map[string]bool{
		"2Node": q.TwoNode, "WaitForAll": q.WaitForAll, "LastManStanding": q.LastManStanding, "AutoTieBreaker": q.AutoTieBreaker,
		"AllowDownscale": q.AllowDownscale,
	} {
		d.equal("Flags: "+name, slices.Contains(have.Flags, name), want)
	}
}
