package stamp

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"net/netip"
)

// minKey is the shortest key material taken, in bytes: the 128 bits that the HMAC is cut to.
const minKey = 16

const (
	masterSalt   = "quorumwatch stamp master key v1"
	sessionLabel = "quorumwatch stamp session key v1"
)

// Key is the HMAC key of one session. It is comparable and does not print its content. The zero Key means open mode.
type Key struct{ k string }

// Master is what session keys come from. It is comparable and does not print its content. The zero Master means open mode.
type Master struct {
	prk   string // HKDF pseudorandom key; "" if fixed
	fixed Key
}

// DeriveKey returns the master key that HKDF-SHA256 (RFC 5869) extracts from a secret that all nodes share: the content of
// /etc/corosync/authkey. The secret itself never keys a packet, so probes tell nothing about Corosync's own keys. The error
// is ErrKey for a secret shorter than 16 bytes.
func DeriveKey(secret []byte) (Master, error) {
	if len(secret) < minKey {
		return Master{}, ErrKey
	}
	prk, err := hkdf.Extract(sha256.New, secret, []byte(masterSalt))
	if err != nil {
		return Master{}, errors.Join(ErrKey, err)
	}
	return Master{prk: string(prk)}, nil
}

// ParseKey reads the content of a key file made for STAMP, for use as it is, as other implementations do. Trailing white space is
// dropped; what then consists of hexadecimal digits only is decoded, else the bytes are the key. The error is ErrKey if fewer
// than 16 bytes remain.
func ParseKey(file []byte) (Key, error) {
	b := bytes.TrimRight(file, " \t\r\n")
	if h, err := hex.DecodeString(string(b)); err == nil {
		b = h
	}
	if len(b) < minKey {
		return Key{}, ErrKey
	}
	return Key{string(b)}, nil
}

// FixedKey returns a Master whose every session has key k: what a foreign STAMP implementation needs. It gives up the binding of
// keys to addresses, so a packet recorded on one path verifies on another.
func FixedKey(k Key) Master { return Master{fixed: k} }

// Authenticated reports whether sessions have keys. False means open mode.
func (m Master) Authenticated() bool { return m != Master{} }

// Session returns the key of the session in which sender probes reflector. Both directions of a path are two sessions with
// two keys, and a packet recorded in one session verifies in no other. IPv4-mapped addresses equal their IPv4 form; zones are
// local names and don't count.
func (m Master) Session(sender, reflector netip.Addr) Key {
	if m.prk == "" {
		return m.fixed
	}
	s, r := sender.WithZone("").As16(), reflector.WithZone("").As16()
	// HKDF-Expand for one block: HMAC(prk, info | 0x01) (RFC 5869 2.3).
	h := hmac.New(sha256.New, []byte(m.prk))
	h.Write([]byte(sessionLabel))
	h.Write(s[:])
	h.Write(r[:])
	h.Write([]byte{1})
	return Key{string(h.Sum(nil))}
}

// String hides the key.
func (Key) String() string { return "stamp.Key(hidden)" }

// GoString hides the key.
func (Key) GoString() string { return "stamp.Key(hidden)" }

// String hides the key.
func (Master) String() string { return "stamp.Master(hidden)" }

// GoString hides the key.
func (Master) GoString() string { return "stamp.Master(hidden)" }

// MAC computes HMAC-SHA-256 cut to 128 bits (RFC 8762 4.4) with one key, reusing its state: no allocation per packet. It is
// not safe for concurrent use; make one for each goroutine. A nil *MAC means open mode.
type MAC struct {
	h   hash.Hash
	sum [sha256.Size]byte
}

// MAC returns the authenticator for k, nil for the zero Key.
func (k Key) MAC() *MAC {
	if k == (Key{}) {
		return nil
	}
	return &MAC{h: hmac.New(sha256.New, []byte(k.k))}
}

// tag returns the HMAC of a and b together. It is valid until the next call.
func (m *MAC) tag(a, b []byte) []byte {
	m.h.Reset()
	m.h.Write(a)
	m.h.Write(b)
	return m.h.Sum(m.sum[:0])[:tagSize]
}

// verify compares in constant time.
func (m *MAC) verify(tag, a, b []byte) bool { return hmac.Equal(tag, m.tag(a, b)) }

// base returns the size of the base packet in the mode of m.
func (m *MAC) base() int {
	if m == nil {
		return OpenSize
	}
	return AuthSize
}
