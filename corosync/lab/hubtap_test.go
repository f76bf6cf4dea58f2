//go:build linux

package lab

import (
	"slices"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/lab/impair"
)

// ms is an instant of these tests: the epoch of a hub's clock is never zero.
func ms(n int) impair.Instant { return impair.Instant(time.Hour + time.Duration(n)*time.Millisecond) }

// pass is token seq of ring 8 from one node to the next.
func pass(at, from, to int, seq uint32) Token {
	return Token{At: ms(at), Due: ms(at + 5), From: from, To: to, Ring: 8, Rep: 1, Seq: seq}
}

func lost(t Token) Token { t.Lost = true; return t }

func TestAccepted(t *testing.T) {
	heard := func(int, int, int, impair.Instant) bool { return false }
	deaf := func(node, from, _ int, at impair.Instant) bool { return node == 1 && from == 0 && at < ms(100) }
	for _, c := range []struct {
		name   string
		tokens []Token
		muted  Muted
		want   []Acceptance
	}{
		{"one hop", []Token{pass(0, 0, 1, 7), pass(6, 1, 2, 8)}, heard, []Acceptance{{1, ms(5)}}},
		{"what arrives and is never passed on was not accepted", []Token{pass(0, 0, 1, 7)}, heard, nil},
		{"lost and sent again", []Token{lost(pass(0, 0, 1, 7)), pass(200, 0, 1, 7), pass(206, 1, 2, 8)}, heard, []Acceptance{{1, ms(205)}}},
		{"came twice", []Token{pass(0, 0, 1, 7), pass(6, 1, 2, 8), pass(200, 0, 1, 7), pass(206, 1, 2, 8)}, heard, []Acceptance{{1, ms(5)}}},
		{"discarded by knet, then not", []Token{pass(0, 0, 1, 7), pass(200, 0, 1, 7), pass(206, 1, 2, 8)}, deaf, []Acceptance{{1, ms(205)}}},
		{"could not be passed on at first", []Token{pass(0, 0, 1, 7), pass(200, 0, 1, 7), pass(206, 1, 2, 8)}, heard, []Acceptance{{1, ms(5)}}},
	} {
		if got := Accepted(c.tokens, c.muted); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestLongestGaps(t *testing.T) {
	list := []Acceptance{{0, ms(0)}, {1, ms(10)}, {0, ms(300)}, {1, ms(310)}, {0, ms(400)}, {1, ms(900)}}
	got := LongestGaps(list, 3, ms(350), ms(1000))
	want := []time.Duration{600 * time.Millisecond, 590 * time.Millisecond, 0}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestTapKeepsTokens(t *testing.T) {
	var tap tap
	want := []Token{pass(0, 0, 1, 7), lost(pass(20, 4, 0, 1<<31)), {At: ms(1), Due: ms(2), From: 15, To: 3, Link: 7, Ring: 1 << 40, Rep: 5, Seq: 9}}
	for _, k := range want {
		tap.add(k)
	}
	packed, next := tap.since(1)
	if got := unpackTokens(packed); next != 3 || !slices.Equal(got, want[1:]) {
		t.Errorf("%v to %d, want %v", got, next, want[1:])
	}
}
