package corosync

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// warnings returns what Corosync lets pass, with a word in its log or without, and an operator would not expect.
func warnings(c *Config, written []writtenKey) []Problem {
	w := &checker{Config: c}
	w.unknownKeys(written)
	w.wrongPlaces(written)
	w.transportWarnings()
	w.cryptoWarnings()
	w.timers()
	w.linkTimers()
	w.nodelist()
	w.sameAddress()
	w.sameNames()
	w.linkSets()
	w.quorum()
	return w.problems
}

// noteOddBlanks warns of the byte that only some releases take for a blank.
func (p *parser) noteOddBlanks(line string) {
	if strings.IndexByte(line, 0xA0) >= 0 && !strings.Contains(line, "\xc2\xa0") {
		p.warn("", "the byte 0xA0: Corosync before 3.1.8 takes it for a letter and may refuse the file", "type the blanks of this line again")
	}
}

// noteOddValue warns of values that look as if something else had been meant. Numbers with a tail are refused anyway.
func (p *parser) noteOddValue(path, value string) {
	switch {
	case strings.HasPrefix(value, "#"), strings.Contains(value, " #"), strings.Contains(value, "\t#"):
		p.warn(path, "the comment is part of the value "+excerpt(value)+": Corosync has no comments behind a value", "put the comment on a line of its own")
	case strings.HasSuffix(value, "}"):
		p.warn(path, "the brace is part of the value "+excerpt(value), "put the closing brace on a line of its own")
	case len(value) > 1 && strings.ContainsRune(`"'`, rune(value[0])) && value[len(value)-1] == value[0]:
		p.warn(path, "the quotes are part of the value "+excerpt(value), "write the value without quotes")
	}
}

// wrongPlaces finds typed keys that were written with a dotted name outside of their section: Corosync stores them as
// strings and then does not see a number.
func (k *checker) wrongPlaces(written []writtenKey) {
	for _, w := range written {
		if path := join(w.section, w.key); strings.Contains(w.key, ".") && typeOf(path) != typeString {
			k.warnAt(w.line, path, "a dotted key is only text to Corosync: it does not take effect", "write the key inside its section")
		}
	}
}

func (k *checker) warnAt(line int, key, reason, hint string) {
	k.problems = append(k.problems, Problem{File: k.File, Line: line, Key: key, Reason: reason, Hint: hint})
}

func (k *checker) transportWarnings() {
	if k.Transport != "knet" {
		k.add("totem.transport", k.Transport+" is deprecated: one link, no encryption, and newer builds of Corosync refuse it", "use `transport: knet`")
	}
	for _, key := range []string{"totem.block_unlisted_ips", "totem.cancel_token_hold_on_retransmit"} {
		if s, ok := k.Values.str(key); ok && s != "yes" && s != "no" {
			k.add(key, excerpt(s)+" is neither yes nor no: Corosync takes its default", "use yes or no")
		}
	}
	if _, ok := k.Values["totem.nodeid"]; ok {
		k.add("totem.nodeid", "deprecated and ignored: the nodelist's nodeid counts", "remove the line")
	}
	_, ring0 := k.Values.str("nodelist.node.0.ring0_addr")
	for _, l := range k.Links {
		prefix := fmt.Sprintf("totem.interface.%d.", l.Number)
		if l.Transport == "sctp" {
			k.add(prefix+"knet_transport", "sctp is deprecated, and Corosync 3.1.8 and later do not start without SCTP in the kernel and in libknet", "use udp")
		}
		if _, ok := k.Values.str(prefix + "bindnetaddr"); ok && (ring0 || l.Number > 0) {
			k.add(prefix+"bindnetaddr", "ignored: the nodelist's addresses are used", "remove the line")
		}
		if _, ok := k.Values.str(prefix + "member.0"); ok {
			k.add(prefix+"member.0", "member sections are deprecated, and ignored beside a nodelist", "remove them")
		}
		if s, _ := k.Values.str(prefix + "broadcast"); s == "yes" && k.Transport != "udp" {
			k.add(prefix+"broadcast", fmt.Sprintf("%s does not broadcast, but the default ports of the links from this one on become 5405 + 2 x link", k.Transport), "remove the line")
		}
	}
}

func (k *checker) cryptoWarnings() {
	if s, ok := k.Values.str("totem.secauth"); ok && s != "on" && s != "off" {
		k.add("totem.secauth", excerpt(s)+" is not on: Corosync takes it for off", "use `secauth: on`")
	}
	if cipher, hash := cryptoOf(k.Values); cipher == "none" && hash != "none" {
		k.add("totem.crypto_hash", "traffic is authenticated but not encrypted", "add `crypto_cipher: aes256`")
	}
	if s, _ := k.Values.str("totem.crypto_model"); s == "gcrypt" {
		k.add("totem.crypto_model", "only few builds of libknet have gcrypt: Corosync refuses the file where it is missing", "use openssl or nss")
	}
	if !k.Crypto {
		key := "totem.secauth"
		if _, ok := k.Values[key]; !ok {
			key = "totem.crypto_cipher"
		}
		k.add(key, "the cluster's traffic is neither encrypted nor authenticated", "set `secauth: on` and distribute "+k.KeyFile)
	}
}

// timers warns of timers that Corosync takes although its manual forbids them.
func (k *checker) timers() {
	t := k.Timeouts()
	if k.Totem.Consensus != 0 && 10*t.Consensus < 12*t.Token {
		k.add("totem.consensus", fmt.Sprintf("%v is less than 1.2 x the token of %v, the least that corosync.conf(5) allows", t.Consensus, t.Token),
			"remove the line: the default is 1.2 x token")
	}
	if t.HeartbeatFailuresAllowed > 0 {
		if least := time.Duration(t.HeartbeatFailuresAllowed)*t.TokenRetransmit + t.MaxNetworkDelay; least >= t.Token {
			k.add("totem.heartbeat_failures_allowed", fmt.Sprintf("the heartbeat of %v is not below the token of %v: Corosync switches it off", least, t.Token), "remove the line")
		}
	}
}

// linkTimers warns of what knet refuses when the daemon starts; `corosync -t` does not see it.
func (k *checker) linkTimers() {
	if k.Transport != "knet" {
		return
	}
	token := k.Timeouts().Token
	for _, l := range k.Links {
		for _, err := range l.Params.Check(token) {
			_, reason, _ := limitText(err, k.Config)
			name, reason, _ := strings.Cut(reason, ": ")
			key := fmt.Sprintf("totem.interface.%d.%s", l.Number, name)
			if _, ok := k.Lines[key]; !ok {
				key, reason = "totem.token", fmt.Sprintf("%s of link %d: %s", name, l.Number, reason)
			}
			k.add(key, reason, "use a larger value; the default is a share of the token")
		}
	}
}

// nodelist warns of nodes that Corosync overlooks.
func (k *checker) nodelist() {
	if nodelistIgnored(k.Values) {
		k.add(k.anyKey("nodelist.node."), "Corosync ignores the whole nodelist, because its first node has neither name nor ring0_addr, and does not start", "give every node a name")
	}
	for _, n := range k.Nodes {
		key := k.anyKey(fmt.Sprintf("nodelist.node.%d.", n.Position))
		switch {
		case len(n.Addrs) == 0:
			k.add(key, fmt.Sprintf("node %s has no address: it counts for quorum but cannot join", nodeName(n)), "add its ring0_addr, or remove the node")
		case n.Name == "":
			k.add(key, fmt.Sprintf("node %s has no name", nodeName(n)), "add `name: ` with the node's host name")
		}
	}
	for i, n := range k.Nodes {
		if j := slices.IndexFunc(k.Nodes[:i], func(o Node) bool { return n.ID != 0 && o.ID == n.ID }); j >= 0 {
			k.add(fmt.Sprintf("nodelist.node.%d.nodeid", n.Position), fmt.Sprintf("nodeid %d appears twice: Corosync overlooks that in a list of more than ten nodes, but 3.1.8 and later do not start", n.ID),
				"give every node a number of its own")
		}
	}
}
