//go:build linux

package lab

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/lab/impair"
)

// Token is one passage of Totem's token through the hub: one packet, whether it arrived or not. A token that was sent again is
// another passage with the same Ring and Seq. The hub sees tokens only where they are not encrypted (totem.secauth: off).
type Token struct {
	At, Due  impair.Instant // when it came to the hub and when it left it
	From, To int            // indices of nodes
	Link     int
	Lost     bool   // a rule took it
	Ring     uint64 // the ring's sequence number
	Rep      uint32 // the ring's representative
	Seq      uint32 // token_seq: one more at each processor that accepts it
}

// Where things are in an unencrypted packet: knet's header of a data packet (libknet/onwire.h, knet_header and
// knet_header_payload_data), then struct orf_token (exec/totemsrp.c) with totem_message_header, packed, in the order of the host.
const (
	knetData   = 14
	tokenBytes = 57
	totemMagic = 0xc070
)

// parseToken reads a token from an IP packet. It reports false for anything else.
func parseToken(b []byte, p *impair.Packet) (Token, bool) {
	if p.Kind() != impair.Corosync || len(b) < p.Head+8+knetData+tokenBytes {
		return Token{}, false
	}
	payload := b[p.Head+8:]
	const version, dataPacket, orfToken = 1, 0, 0 // KNET_HEADER_VERSION, KNET_HEADER_TYPE_DATA, MESSAGE_TYPE_ORF_TOKEN
	m := payload[knetData:]
	if payload[0] != version || payload[1] != dataPacket || binary.NativeEndian.Uint16(m) != totemMagic || m[3] != orfToken {
		return Token{}, false
	}
	return Token{
		From: p.From, To: p.To, Link: p.Link,
		Seq: binary.NativeEndian.Uint32(m[17:]), Rep: binary.NativeEndian.Uint32(m[29:]), Ring: binary.NativeEndian.Uint64(m[33:]),
	}, true
}

// tapSize is how many tokens the hub keeps: a ring that never rests makes some three hundred a second.
const tapSize = 1 << 15

// tap keeps the latest tokens. One thread adds, any may read.
type tap struct {
	n     atomic.Uint64
	cells [tapSize][tapWords]atomic.Uint64
}

// tapWords is a token in words: at, due, ring, and the small ones.
const tapWords = 5

func (t *tap) add(k Token) {
	c := &t.cells[t.n.Load()%tapSize]
	c[0].Store(uint64(k.At))
	c[1].Store(uint64(k.Due))
	c[2].Store(k.Ring)
	c[3].Store(uint64(k.Rep)<<32 | uint64(k.Seq))
	c[4].Store(uint64(k.From)<<24 | uint64(k.To)<<16 | uint64(k.Link)<<8 | lostBit(k.Lost))
	t.n.Add(1)
}

func lostBit(lost bool) uint64 {
	if lost {
		return 1
	}
	return 0
}

// since packs the tokens from number from on, little endian, and tells the number of the next.
func (t *tap) since(from uint64) (packed []byte, next uint64) {
	next = t.n.Load()
	for i := from; i < next; i++ {
		for w := range tapWords {
			packed = binary.LittleEndian.AppendUint64(packed, t.cells[i%tapSize][w].Load())
		}
	}
	return packed, next
}

func unpackTokens(b []byte) []Token {
	var list []Token
	for ; len(b) >= 8*tapWords; b = b[8*tapWords:] {
		word := func(i int) uint64 { return binary.LittleEndian.Uint64(b[8*i:]) }
		ids, path := word(3), word(4)
		list = append(list, Token{
			At: impair.Instant(word(0)), Due: impair.Instant(word(1)), Ring: word(2), Rep: uint32(ids >> 32), Seq: uint32(ids),
			From: int(path >> 24), To: int(path >> 16 & 255), Link: int(path >> 8 & 255), Lost: path&1 != 0,
		})
	}
	return list
}

// Tokens returns the tokens that passed the hub from number since on, and the number to ask for next time. The hub keeps some
// minutes of them; an error says that it no longer has all.
func (h *Hub) Tokens(since uint64) ([]Token, uint64, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r, err := h.ask(hubRequest{Tokens: &since})
	if err != nil {
		return nil, since, err
	}
	if r.Next-since > tapSize-tapSize/16 {
		return nil, r.Next, fmt.Errorf("hub: %d tokens since the last look: it keeps %d", r.Next-since, tapSize)
	}
	return unpackTokens(r.Tokens), r.Next, nil
}

// Acceptance is a moment at which a processor accepted a token.
type Acceptance struct {
	Node int
	At   impair.Instant
}

// Muted says whether a node discarded, at that moment, what another sent it over a link.
type Muted func(node, from, link int, at impair.Instant) bool

// Accepted tells from what passed the hub when processors accepted a token. Arrival alone does not: knet discards what comes over a
// link that the receiver judged down, Totem what comes for the second time. But who sends token n+1 of a ring accepted token n of it,
// and that was the first that came and was not discarded. (Who accepted a token and could not pass it on until the ring had given up is
// missed. So is who is alone in its ring: it passes the token to itself, past the hub.)
func Accepted(tokens []Token, muted Muted) []Acceptance {
	type passage struct {
		node int
		rep  uint32
		ring uint64
		seq  uint32
	}
	arrived := map[passage][]Token{}
	for _, t := range tokens {
		if !t.Lost {
			k := passage{t.To, t.Rep, t.Ring, t.Seq}
			arrived[k] = append(arrived[k], t)
		}
	}
	seen := map[passage]bool{}
	var list []Acceptance
	for _, t := range tokens {
		k := passage{t.From, t.Rep, t.Ring, t.Seq}
		if seen[k] {
			continue // sent again
		}
		seen[k] = true
		k.seq--
		for _, a := range arrived[k] {
			if a.Due <= t.At && !muted(a.To, a.From, a.Link, a.Due) {
				list = append(list, Acceptance{t.From, a.Due})
				break
			}
		}
	}
	return list
}

// LongestGaps gives, by node, the longest time without a token that ended, or was running, between from and to.
func LongestGaps(accepted []Acceptance, nodes int, from, to impair.Instant) []time.Duration {
	gaps, last := make([]time.Duration, nodes), make([]impair.Instant, nodes)
	note := func(node int, at impair.Instant) {
		if last[node] != 0 && at >= from {
			gaps[node] = max(gaps[node], time.Duration(at-last[node]))
		}
	}
	for _, a := range accepted {
		if a.At < to {
			note(a.Node, a.At)
			last[a.Node] = max(last[a.Node], a.At)
		}
	}
	for node := range nodes {
		note(node, to)
	}
	return gaps
}
