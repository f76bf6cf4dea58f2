package stamp

import (
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

func TestSessionKeys(t *testing.T) {
	m, err := DeriveKey(count(128))
	if err != nil {
		t.Fatal(err)
	}
	other, err := DeriveKey(append(count(127), 0))
	if err != nil {
		t.Fatal(err)
	}
	a, b, c := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("10.1.0.2")
	k := m.Session(a, b)
	for name, x := range map[string]Key{
		"the other direction": m.Session(b, a),
		"another link":        m.Session(a, c),
		"another cluster":     other.Session(a, b),
		"open mode":           {},
	} {
		if x == k {
			t.Error(name, "has the same key")
		}
	}
	if m.Session(netip.MustParseAddr("::ffff:10.0.0.1"), b) != k {
		t.Error("an IPv4-mapped address is another address")
	}
	l := netip.MustParseAddr("fe80::1")
	if m.Session(l.WithZone("eth0"), b) != m.Session(l.WithZone("2"), b) {
		t.Error("zones count")
	}
	// The literal twin: crypto/hkdf.
	s, r := a.As16(), b.As16()
	want, err := hkdf.Key(sha256.New, count(128), []byte(masterSalt), sessionLabel+string(s[:])+string(r[:]), 32)
	if err != nil || string(want) != k.k {
		t.Errorf("%x, hkdf says %x, %v", k.k, want, err)
	}
}

func TestKeysAreHidden(t *testing.T) {
	m, _ := DeriveKey(count(128))
	k := m.Session(netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2"))
	plain, _ := ParseKey([]byte("correct horse battery staple"))
	for _, v := range []any{m, k, FixedKey(plain), plain, &m, &k, struct{ K Key }{plain}, struct{ M Master }{FixedKey(plain)}} {
		for _, f := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			s := fmt.Sprintf(f, v)
			if strings.Contains(s, "horse") || strings.Contains(s, fmt.Sprintf("%x", "horse")) || !strings.Contains(s, "stamp.") && !strings.Contains(s, fmt.Sprintf("%x", "hidden")) {
				t.Errorf("%s of %T: %s", f, v, s)
			}
		}
	}
}

func TestParseKey(t *testing.T) {
	for in, want := range map[string]string{
		"000102030405060708090a0b0c0d0e0f\n": string(count(16)),
		"correct horse battery staple\r\n":   "correct horse battery staple",
		"000102030405060708090a0b0c0d0e0\n":  "000102030405060708090a0b0c0d0e0", // an odd number of digits is text
	} {
		k, err := ParseKey([]byte(in))
		if err != nil || k.k != want {
			t.Errorf("%q: %q, %v", in, k.k, err)
		}
	}
	for _, in := range []string{"", "\n", "0123456789abcde", "00010203040506070809"} {
		if k, err := ParseKey([]byte(in)); !errors.Is(err, ErrKey) || k != (Key{}) {
			t.Errorf("%q: %v", in, err)
		}
	}
	if _, err := DeriveKey(nil); !errors.Is(err, ErrKey) {
		t.Error(err)
	}
	k, _ := ParseKey([]byte("correct horse battery staple"))
	m := FixedKey(k)
	if !m.Authenticated() || m.Session(netip.Addr{}, netip.IPv6Loopback()) != k {
		t.Error("a fixed key depends on addresses")
	}
	if (Master{}).Authenticated() || (Master{}).Session(netip.Addr{}, netip.Addr{}).MAC() != nil {
		t.Error("the zero Master is not open mode")
	}
}
