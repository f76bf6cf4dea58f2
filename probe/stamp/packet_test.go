package stamp

import (
	"bytes"
	"errors"
	"testing"
)

// sample returns a sealed request with two TLVs.
func sample(t testing.TB, m *MAC, size int) []byte {
	t.Helper()
	pkt := AppendRequest(make([]byte, 0, 2048), vectorRequest(1), m)
	pkt = AppendFollowUp(pkt)
	pkt = AppendBulletin(pkt, []byte("mesh"))
	pkt, err := Seal(pkt, size, m)
	if err != nil || len(pkt) != size {
		t.Fatal(len(pkt), err)
	}
	return pkt
}

// reflected returns pkt's reply.
func reflected(t testing.TB, pkt []byte, m *MAC) []byte {
	t.Helper()
	pkt = bytes.Clone(pkt)
	q, err := DecodeRequest(pkt, m)
	if err != nil {
		t.Fatal(err)
	}
	Reflect(pkt, q, vectorAnswer(), m)
	return pkt
}

func TestDecodeRefuses(t *testing.T) {
	mac, other := vectorKey.MAC(), Key{"another key, as long"}.MAC()
	open, auth := sample(t, nil, 200), sample(t, mac, 200)
	for _, tt := range []struct {
		name string
		pkt  []byte
		m    *MAC
		want error
	}{
		{"nothing", nil, nil, ErrShort},
		{"43 bytes", open[:43], nil, ErrShort},
		{"43 bytes with a key", open[:43], mac, ErrShort},
		{"open packet where a key is", open[:111], mac, ErrUnauthenticated},
		{"long open packet where a key is", open, mac, ErrHMAC},
		{"another key", auth, other, ErrHMAC},
		{"authenticated packet where no key is", auth, nil, ErrMalformed},
		{"zeros", make([]byte, 44), nil, ErrMalformed},
	} {
		if _, err := DecodeRequest(tt.pkt, tt.m); !errors.Is(err, tt.want) {
			t.Errorf("request: %s: %v, want %v", tt.name, err, tt.want)
		}
		if _, err := DecodeReply(tt.pkt, tt.m); !errors.Is(err, tt.want) {
			t.Errorf("reply: %s: %v, want %v", tt.name, err, tt.want)
		}
	}
	if _, err := DecodeReply(auth, mac); !errors.Is(err, ErrMalformed) {
		t.Errorf("a request read as reply: %v", err)
	}
}

// Any single changed bit of the covered bytes is seen, and of the TLVs too.
func TestTampering(t *testing.T) {
	mac := vectorKey.MAC()
	for name, pkt := range map[string][]byte{"request": sample(t, mac, 200), "reply": reflected(t, sample(t, mac, 200), mac)} {
		for bit := range len(pkt) * 8 {
			bad := bytes.Clone(pkt)
			bad[bit/8] ^= 1 << (bit % 8)
			var err, ext error
			if name == "request" {
				var q Request
				q, err = DecodeRequest(bad, mac)
				ext = q.ExtErr
			} else {
				var r Reply
				r, err = DecodeReply(bad, mac)
				ext = r.ExtErr
			}
			// The flags of the HMAC TLV are the only bits that nothing covers.
			flags := bit/8 == len(pkt)-tlvHeader-tagSize
			if err == nil && ext == nil && !flags {
				t.Errorf("%s: bit %d of byte %d may be changed", name, bit%8, bit/8)
			}
			if bit/8 < AuthSize && !errors.Is(err, ErrHMAC) {
				t.Errorf("%s: byte %d: %v", name, bit/8, err)
			}
		}
	}
}

// A recorded packet is of no use as the other kind, in the other direction, on another path.
func TestIsReply(t *testing.T) {
	for _, m := range []*MAC{nil, vectorKey.MAC()} {
		q := sample(t, m, 200)
		r := reflected(t, q, m)
		if IsReply(q, m != nil) || !IsReply(r, m != nil) {
			t.Error("kinds are mixed up")
		}
		if IsReply(q[:20], m != nil) || IsReply(nil, m != nil) {
			t.Error("too short to be a reply")
		}
		// Even if the clock says the one instant that would be written as zero.
		d, err := DecodeRequest(q, m)
		if err != nil {
			t.Fatal(err)
		}
		Reflect(q, d, Answer{Sent: 5}, m)
		if !IsReply(q, m != nil) {
			t.Error("reply without a receive timestamp")
		}
	}
}

func TestNoAllocations(t *testing.T) {
	for name, m := range map[string]*MAC{"open": nil, "auth": vectorKey.MAC()} {
		buf := make([]byte, 0, 1472)
		data := count(500)
		if n := testing.AllocsPerRun(200, func() { cycle(t, buf, data, m) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// cycle is the life of a probe: encode, decode, reflect, decode.
func cycle(t testing.TB, buf, data []byte, m *MAC) {
	pkt := AppendRequest(buf[:0], vectorRequestQuick, m)
	if data != nil {
		pkt = AppendFollowUp(pkt)
		pkt = AppendClass(pkt, 4)
		pkt = AppendBulletin(pkt, data)
		var err error
		if pkt, err = Seal(pkt, cap(buf), m); err != nil {
			t.Fatal(err)
		}
	}
	q, err := DecodeRequest(pkt, m)
	if err != nil || q.ExtErr != nil {
		t.Fatal(err, q.ExtErr)
	}
	if b, ok := q.Ext.Bulletin(); ok != (data != nil) || len(b) != len(data) {
		t.Fatal("no bulletin")
	}
	Reflect(pkt, q, answerQuick, m)
	r, err := DecodeReply(pkt, m)
	if err != nil || r.ExtErr != nil || r.SenderSeq != 7 {
		t.Fatal(err, r.ExtErr)
	}
	if _, ok := r.Ext.FollowUp(); ok != (data != nil) {
		t.Fatal("no follow-up")
	}
}

var (
	vectorRequestQuick = vectorRequest(1)
	answerQuick        = vectorAnswer()
)

// BenchmarkEncodeDecode is one probe's whole codec work at both ends: small, and with TLVs at 1472 bytes.
func BenchmarkEncodeDecode(b *testing.B) {
	mac := vectorKey.MAC()
	for _, bb := range []struct {
		name string
		m    *MAC
		data []byte
	}{
		{"open/small", nil, nil}, {"open/full", nil, count(500)}, {"auth/small", mac, nil}, {"auth/full", mac, count(500)},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			buf := make([]byte, 0, 1472)
			for b.Loop() {
				cycle(b, buf, bb.data, bb.m)
			}
		})
	}
}
