package corosync

import (
	"slices"
	"strings"
	"testing"
)

func TestParseLiteral(t *testing.T) {
	tests := map[string]string{
		"10.0.0.1": "10.0.0.1", "10.1": "10.0.0.1", "10.1.2": "10.1.0.2", "167772161": "10.0.0.1", "0x0a000001": "10.0.0.1", "010.0.0.1": "8.0.0.1",
		"0.0.0.0": "0.0.0.0", "0": "0.0.0.0", "255.255.255.255": "255.255.255.255", "fd00::1": "fd00::1", "::ffff:10.0.0.1": "::ffff:10.0.0.1", "fe80::1%eth0": "fe80::1",
		"10.0.0.256": "", "10.256": "10.0.1.0", "256.1": "", "10.0.0.0.1": "", "10.0.0.": "", "": "", "08.0.0.1": "", "10.0.0.1 ": "", "a": "", "0x": "", "+1": "", "4294967296": "", "1.16777216": "", "fd00::1::2": "",
		"1.2.3.4:5": "",
	}
	for in, want := range tests {
		a, ok := parseLiteral(in)
		if got := a.String(); ok != (want != "") || ok && got != want {
			t.Errorf("%q: got %s %v, want %q", in, got, ok, want)
		}
	}
}

func TestNumber(t *testing.T) {
	tests := []struct{ in, typ, want string }{
		{"0", typeU8, "0"}, {"255", typeU8, "255"}, {"256", typeU8, ""}, {"-1", typeU8, ""}, {"-0", typeU8, "0"}, {"+7", typeU8, "7"}, {"007", typeU8, "7"},
		{"65535", typeU16, "65535"}, {"65536", typeU16, ""}, {"4294967295", typeU32, "4294967295"}, {"4294967296", typeU32, ""},
		{"9223372036854775808", typeU32, ""}, {"99999999999999999999", typeU32, ""}, {"-2147483648", typeI32, "-2147483648"}, {"-2147483649", typeI32, ""},
		{"18446744073709551615", typeU64, "18446744073709551615"}, {"18446744073709551616", typeU64, ""}, {"-1", typeU64, "18446744073709551615"},
		{"", typeU32, ""}, {" \v\f5", typeU32, "5"}, {"5 ", typeU32, ""}, {"1_000", typeU32, ""}, {"0x10", typeU32, ""}, {"1e3", typeU32, ""}, {"+-1", typeU32, ""}, {"--1", typeI32, ""}, {"١", typeU32, ""},
	}
	for _, tt := range tests {
		got, ok := number(tt.in, tt.typ)
		if ok != (tt.want != "") || ok && got != tt.want {
			t.Errorf("%q as %s: got %q %v, want %q", tt.in, tt.typ, got, ok, tt.want)
		}
	}
}

func TestDSCP(t *testing.T) {
	tests := map[string]int{"0": 0, "63": 63, "64": -1, "-1": -1, "0x2e": 46, "056": 46, "ef": 46, "EF": -1, "cs0": 0, "cs7": 56, "cs8": -1, "af11": 10, "af23": 22,
		"af41": 34, "af43": 38, "af44": -1, "af51": -1, "": -1, "1_0": -1, "0b1": -1, "be": -1}
	for in, want := range tests {
		got, ok := dscpValue(in)
		if ok != (want >= 0) || ok && got != want {
			t.Errorf("%q: got %d %v, want %d", in, got, ok, want)
		}
	}
}

func TestNearest(t *testing.T) {
	known, _ := knownKeys("totem")
	for in, want := range map[string]string{"tokn": "token", "tokne": "token", "Token": "token", "consenus": "consensus", "knet_ping": "", "token_coef": "", "x": "", "": "", "jion": "join", "ip-version": "ip_version"} {
		if got := nearest(in, known); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// TestLines compares the reader of lines with fgets on the edges of its buffer.
func TestLines(t *testing.T) {
	x := func(n int) string { return strings.Repeat("x", n) }
	tests := []struct {
		name, in string
		want     []string // "!" for a line that is too long
	}{
		{"empty", "", nil},
		{"newline", "\n", []string{""}},
		{"no last newline", "a\nb", []string{"a", "b"}},
		{"crlf", "a\r\nb\r\r\n", []string{"a", "b\r"}},
		{"510", x(510) + "\n", []string{x(510)}},
		{"511", x(511) + "\n", []string{"!", ""}},
		{"510 at the end", x(510), []string{x(510)}},
		{"511 at the end", x(511), []string{"!"}},
		{"nul begins", "\x00a\nb\n", []string{"", "b"}},
		{"nul inside", "a\x00b\nc\n", []string{"!", "c"}},
		{"nul inside the end", "a\x00b", []string{"a"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := &lineReader{rest: []byte(tt.in)}
			var got []string
			for {
				line, tooLong, ok := in.next()
				if !ok {
					break
				}
				if tooLong {
					line = "!"
				}
				got = append(got, line)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
