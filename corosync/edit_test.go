package corosync_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quorumwatch/quorumwatch/corosync"
)

const (
	editHead = "nodelist {\n  node {\n    name: a\n    nodeid: 1\n    ring0_addr: 10.0.0.1\n  }\n}\n"
	editTail = "quorum {\n  provider: corosync_votequorum\n}\n"
)

// TestRewrite: what is written, and where.
func TestRewrite(t *testing.T) {
	for _, c := range []struct {
		name     string
		old, new string // of totem{} and what follows
		edits    []corosync.Edit
	}{
		{
			"sorted keys stay sorted",
			"totem {\n  config_version: 4\n  interface {\n    linknumber: 0\n  }\n  ip_version: ipv4-6\n  secauth: on\n  version: 2\n}\n",
			"totem {\n  config_version: 5\n  interface {\n    knet_ping_interval: 200\n    linknumber: 0\n  }\n  ip_version: ipv4-6\n  secauth: on\n  token: 5000\n  version: 2\n}\n",
			[]corosync.Edit{{"totem.token", "5000"}, {"totem.interface.0.knet_ping_interval", "200"}},
		},
		{
			"comments, odd indentation and an unknown key stay",
			"totem {\n\t# by hand: do not touch\n\tversion: 2\n\n\ttoken :  1000  \n\tmy_own: thing\n\tsecauth: on\n\tconfig_version: 9\n}\n",
			"totem {\n\t# by hand: do not touch\n\tversion: 2\n\n\ttoken :  3000  \n\tmy_own: thing\n\tsecauth: on\n\tconfig_version: 10\n\thold: 200\n}\n",
			[]corosync.Edit{{"totem.token", "3000"}, {"totem.hold", "200"}},
		},
		{
			"a link without interface{} gets one",
			"totem {\n  version: 2\n  secauth: on\n}\n",
			"totem {\n  version: 2\n  secauth: on\n  config_version: 1\n  interface {\n    knet_ping_timeout: 600\n    linknumber: 0\n  }\n}\n",
			[]corosync.Edit{{"totem.interface.0.knet_ping_timeout", "600"}},
		},
		{
			"of two the last counts: both change",
			"totem {\n  version: 2\n  secauth: on\n  token: 1000\n  token: 2000\n  config_version: 1\n}\n",
			"totem {\n  version: 2\n  secauth: on\n  token: 4000\n  token: 4000\n  config_version: 2\n}\n",
			[]corosync.Edit{{"totem.token", "4000"}},
		},
		{
			"a key is removed",
			"totem {\n  version: 2\n  secauth: on\n  # why\n  consensus: 1200\n  config_version: 1\n}\n",
			"totem {\n  version: 2\n  secauth: on\n  # why\n  config_version: 2\n}\n",
			[]corosync.Edit{{"totem.consensus", ""}},
		},
		{
			"line ends of another system, and a last line without one",
			"totem {\r\n  version: 2\r\n  secauth: on\r\n  config_version: 1\r\n}",
			"totem {\r\n  version: 2\r\n  secauth: on\r\n  config_version: 2\r\n  token: 2000\r\n}",
			[]corosync.Edit{{"totem.token", "2000"}},
		},
		{
			"what is there already changes nothing, not even the version",
			"totem {\n  version: 2\n  secauth: on\n  token: +02000\n  config_version: 1\n}\n",
			"totem {\n  version: 2\n  secauth: on\n  token: +02000\n  config_version: 1\n}\n",
			[]corosync.Edit{{"totem.token", "2000"}, {"totem.hold", ""}},
		},
		{
			"sections that are missing",
			"totem {\n  version: 2\n  secauth: on\n  config_version: 1\n}",
			"totem {\n  version: 2\n  secauth: on\n  config_version: 2\n}\n\nquorum {\n  provider: corosync_votequorum\n  device {\n    votes: 1\n  }\n}\n",
			[]corosync.Edit{{"quorum.provider", "corosync_votequorum"}, {"quorum.device.votes", "1"}},
		},
		{
			"votes of a node",
			"totem {\n  version: 2\n  secauth: on\n  config_version: 1\n}\n",
			"totem {\n  version: 2\n  secauth: on\n  config_version: 2\n}\n",
			[]corosync.Edit{{"nodelist.node.0.quorum_votes", "2"}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			head := editHead
			if strings.Contains(c.old, "\r") {
				head = strings.ReplaceAll(head, "\n", "\r\n")
			}
			got, after, err := corosync.Rewrite("f.conf", []byte(head+c.old), c.edits)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range c.edits {
				if strings.HasPrefix(e.Key, "nodelist.") {
					head = strings.Replace(head, "    ring0_addr", "    quorum_votes: "+e.Value+"\n    ring0_addr", 1)
				}
			}
			if d := cmp.Diff(head+c.new, string(got)); d != "" {
				t.Error(d)
			}
			again, err := corosync.Parse("f.conf", bytes.NewReader(got))
			if err != nil || again.Version != after.Version {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestRewriteRefuses: no text comes out that Corosync would not take, or that says something else.
func TestRewriteRefuses(t *testing.T) {
	good := editHead + "totem {\n  version: 2\n  secauth: on\n  config_version: 1\n}\n" + editTail
	for _, c := range []struct{ name, text, key, value, want string }{
		{"too small", good, "totem.token", "20", "totem.token"},
		{"no number", good, "totem.token", "3s", "is not an integer"},
		{"a second line", good, "totem.token", "3000\n  hold: 1000", "does not become"},
		{"a second key in a string", good, "totem.cluster_name", "x\n  hold: 1000", "does not become"},
		{"no such link", good, "totem.interface.9.knet_ping_timeout", "600", "no section totem.interface.9"},
		{"no node has the link", good, "totem.interface.3.knet_ping_timeout", "600", "after the edit"},
		{"no such node", good, "nodelist.node.7.quorum_votes", "2", "no section nodelist.node.7"},
		{"shadowed by a dotted key", good + "totem.token: 9\n", "totem.token", "5000", "does not become"},
		{"not a corosync.conf", "totem {\n", "totem.token", "5000", "missing closing brace"},
		{"the version is at its end", strings.Replace(good, "version: 1", "version: 18446744073709551615", 1), "totem.token", "5000", "cannot be raised"},
	} {
		text, _, err := corosync.Rewrite("f.conf", []byte(c.text), []corosync.Edit{{c.key, c.value}})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q\n%s", c.name, err, c.want, text)
		}
	}
	if _, _, err := corosync.Rewrite("f.conf", []byte(good+"# \x00"), []corosync.Edit{{"totem.token", "5000"}}); err == nil {
		t.Error("a file with NUL bytes was edited")
	}
}

// someEdits makes edits that are good for nearly every file.
func someEdits(c *corosync.Config, rng *rand.Rand) []corosync.Edit {
	edits := []corosync.Edit{{"totem.token", fmt.Sprint(2000 + 500*rng.IntN(10))}}
	if rng.IntN(2) == 0 {
		edits = append(edits, corosync.Edit{"totem.token_retransmits_before_loss_const", fmt.Sprint(5 + rng.IntN(10))})
	}
	if rng.IntN(2) == 0 {
		edits = append(edits, corosync.Edit{"totem.hold", ""}, corosync.Edit{"totem.consensus", ""})
	}
	for _, l := range c.Links {
		edits = append(edits, corosync.Edit{fmt.Sprintf("totem.interface.%d.knet_ping_timeout", l.Number), fmt.Sprint(400 + 200*rng.IntN(10))})
	}
	for _, n := range c.Nodes[:rng.IntN(len(c.Nodes)+1)] {
		edits = append(edits, corosync.Edit{fmt.Sprintf("nodelist.node.%d.quorum_votes", n.Position), "3"})
	}
	return edits
}

// kept removes from a text all lines that say one of the keys: what an edit must not touch.
func kept(text []byte, edits []corosync.Edit) (out []string) {
	for line := range strings.Lines(string(text)) {
		key, _, _ := strings.Cut(strings.TrimSpace(line), ":")
		mine := strings.TrimSpace(key) == "config_version" || strings.TrimSpace(key) == "linknumber"
		for _, e := range edits {
			mine = mine || strings.HasSuffix(e.Key, "."+strings.TrimSpace(key))
		}
		if s := strings.TrimRight(line, "\r\n"); !mine && strings.Trim(s, " \t{}") != "interface" && strings.Trim(s, " \t}") != "" {
			out = append(out, s)
		}
	}
	return out
}

func checkRewrite(t *testing.T, raw []byte, rng *rand.Rand) {
	c, err := corosync.Parse("f.conf", bytes.NewReader(raw))
	if err != nil {
		return
	}
	edits := someEdits(c, rng)
	out, after, err := corosync.Rewrite("f.conf", raw, edits)
	if err != nil {
		return // refused is safe
	}
	if d := cmp.Diff(kept(raw, edits), kept(out, edits)); d != "" {
		t.Fatalf("%s\n%s", d, out)
	}
	if bytes.Equal(out, raw) != (after.Version == c.Version) {
		t.Fatalf("version %d to %d", c.Version, after.Version)
	}
	if again, _, err := corosync.Rewrite("f.conf", out, edits); err != nil || !bytes.Equal(again, out) {
		t.Fatalf("the same edits a second time: %v\n%s", err, again)
	}
}

// TestRewriteCorpus edits every file that Corosync takes; nearly all must come through.
func TestRewriteCorpus(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	edited, refused := 0, []string{}
	for _, f := range corpus(t) {
		for range 5 {
			checkRewrite(t, f.raw, rng)
		}
		_, _, err := corosync.Rewrite(f.name, f.raw, []corosync.Edit{{"totem.token", "4321"}})
		if perr := (*corosync.ParseError)(nil); err != nil && !(errors.As(err, &perr) && !strings.Contains(err.Error(), "after the edit")) {
			refused = append(refused, err.Error())
		} else if err == nil {
			edited++
		}
	}
	t.Logf("%d edited, refused:\n%s", edited, strings.Join(refused, "\n"))
	if edited < 100 || len(refused) > 8 {
		t.Errorf("%d edited, %d refused", edited, len(refused))
	}
}

// FuzzRewrite: whatever the file, an edit changes what it should, or is refused.
func FuzzRewrite(f *testing.F) {
	for _, c := range corpus(f) {
		f.Add(c.raw, uint64(1))
	}
	f.Fuzz(func(t *testing.T, raw []byte, seed uint64) {
		checkRewrite(t, raw, rand.New(rand.NewPCG(seed, 0)))
	})
}
