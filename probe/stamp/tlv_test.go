package stamp

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// show prints TLVs as "type flags length", with flags as letters.
func show(t TLVs) string {
	var b strings.Builder
	for len(t) > 0 {
		v, rest, err := t.Next()
		if err != nil {
			fmt.Fprintf(&b, "cut%s ", letters(Flags(t[0])))
			break
		}
		fmt.Fprintf(&b, "%d%s:%d ", v.Type, letters(v.Flags), len(v.Value))
		t = rest
	}
	return strings.TrimSpace(b.String())
}

func letters(f Flags) (s string) {
	for i, l := range "UMI" {
		if f&(0x80>>i) != 0 {
			s += string(l)
		}
	}
	return s
}

// TestFlags is RFC 8972 4 and 4.8 as a table: what arrives, what is found, what goes back, what the sender makes of that.
func TestFlags(t *testing.T) {
	mac := vectorKey.MAC()
	type build func(pkt []byte, m *MAC) []byte
	seal := func(pkt []byte, m *MAC) []byte {
		if m == nil {
			return pkt
		}
		out, err := Seal(pkt, len(pkt)+tlvHeader+tagSize, m)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	tlv := func(typ Type, n int) build {
		return func(pkt []byte, _ *MAC) []byte { return AppendTLV(pkt, typ, make([]byte, n)) }
	}
	raw := func(b ...byte) build { return func(pkt []byte, _ *MAC) []byte { return append(pkt, b...) } }
	for _, tt := range []struct {
		name  string
		build []build
		open  string // as found, as sent back, as the sender finds it; "" : this case is for the other mode
		auth  string
	}{
		{"no TLV", nil, "ok | | ok", "ok | | ok"},
		{"padding only, no HMAC", []build{tlv(TypePadding, 9)}, "ok | 1:9 | ok", "ok | 1:9 | ok"},
		{"known", []build{tlv(TypeDirect, 12), tlv(TypeClass, 4), tlv(TypePadding, 0), seal}, "ok | 5:12 4:4 1:0 | ok", "ok | 5:12 4:4 1:0 8:16 | ok"},
		{"padding behind the HMAC", []build{tlv(TypeDirect, 12), seal, tlv(TypePadding, 3)}, "", "ok | 5:12 8:16 1:3 | ok"},
		{"unknown", []build{tlv(200, 5), tlv(TypeFollowUp, 16), seal}, "ok | 200U:5 7:16 | ok", "ok | 200U:5 7:16 8:16 | ok"},
		{"refused", []build{tlv(TypeReturnPath, 8), tlv(TypeReflected, 8), seal}, "ok | 10U:8 12U:8 | ok", "ok | 10U:8 12U:8 8:16 | ok"},
		{"bulletin without its mark", []build{tlv(TypeBulletin, 8), seal}, "ok | 247U:8 | ok", "ok | 247U:8 8:16 | ok"},
		{"wrong length", []build{tlv(TypeDirect, 12), tlv(TypeClass, 5), tlv(TypeFollowUp, 16), seal}, "ok | 5:12 4M:5 7U:16 | peer-tlv", "ok | 5:12 4M:5 7U:16 8:16 | peer-tlv"},
		{"cut short", []build{tlv(TypeDirect, 12), raw(0x80, 4, 0, 9, 1)}, "tlv | 5:12 cutM | tlv", "tlv | 5I:12 cutM | peer-hmac"},
		{"three bytes", []build{tlv(TypeDirect, 12), seal, raw(0x80, 1, 0)}, "tlv | 5:12 cutM | tlv", "tlv | 5I:12 8I:16 cutM | peer-hmac"},
		{"no HMAC", []build{tlv(TypeDirect, 12)}, "ok | 5:12 | ok", "unauthenticated | 5I:12 | peer-hmac"},
		{"HMAC not last", []build{tlv(TypeDirect, 12), seal, tlv(TypeClass, 4)}, "", "hmac | 5I:12 8I:16 4I:4 | peer-hmac"},
		{"HMAC twice", []build{tlv(TypeDirect, 12), seal, seal}, "", "hmac | 5I:12 8I:16 8I:16 | peer-hmac"},
		{"HMAC of a wrong length", []build{tlv(TypeHMAC, 15)}, "hmac | 8I:15 | peer-hmac", "hmac | 8I:15 | peer-hmac"},
		{"HMAC that is wrong", []build{tlv(TypeDirect, 12), tlv(TypeHMAC, 16)}, "hmac | 5I:12 8I:16 | peer-hmac", "hmac | 5I:12 8I:16 | peer-hmac"},
		{"padding of zeros as TWAMP has", []build{raw(make([]byte, 8)...)}, "ok | 0U:0 0U:0 | ok", "unauthenticated | 0I:0 0I:0 | peer-hmac"},
	} {
		for _, m := range []*MAC{nil, mac} {
			want, mode := tt.open, "open"
			if m != nil {
				want, mode = tt.auth, "auth"
			}
			if want == "" {
				continue
			}
			pkt := AppendRequest(nil, vectorRequest(1), m)
			for _, b := range tt.build {
				pkt = b(pkt, m)
			}
			q, err := DecodeRequest(pkt, m)
			if err != nil {
				t.Fatal(err)
			}
			size := len(pkt)
			Reflect(pkt, q, vectorAnswer(), m)
			r, err := DecodeReply(pkt, m)
			if err != nil || len(pkt) != size {
				t.Fatal(err, len(pkt), size)
			}
			got := fmt.Sprintf("%s | %s | %s", word(q.ExtErr), show(TLVs(pkt[m.base():])), word(r.ExtErr))
			if got = strings.ReplaceAll(got, "  ", " "); got != want {
				t.Errorf("%s: %s:\n got %s\nwant %s", mode, tt.name, got, want)
			}
			if (q.ExtErr != nil && q.Ext != nil) || (r.ExtErr != nil && r.ExtErr != ErrPeerTLV && r.Ext != nil) {
				t.Errorf("%s: %s: TLVs that must not be used", mode, tt.name)
			}
			if r.ExtErr == ErrPeerTLV && show(r.Ext) != "5:12" {
				t.Errorf("%s: %s: %s", mode, tt.name, show(r.Ext))
			}
		}
	}
}

func word(err error) string {
	for e, w := range map[error]string{
		nil: "ok", ErrTLV: "tlv", ErrTLVHMAC: "hmac", ErrTLVUnauthenticated: "unauthenticated", ErrPeerTLV: "peer-tlv", ErrPeerHMAC: "peer-hmac",
	} {
		if err == e {
			return w
		}
	}
	return "?"
}

func TestSeal(t *testing.T) {
	for _, m := range []*MAC{nil, vectorKey.MAC()} {
		trailer := 0
		if m != nil {
			trailer = tlvHeader + tagSize
		}
		for _, body := range []int{0, 20} {
			for extra := range 60 {
				pkt := AppendRequest(nil, vectorRequest(1), m)
				if body > 0 {
					pkt = AppendTLV(pkt, 200, make([]byte, body-tlvHeader))
				}
				base := len(pkt)
				pkt, err := Seal(pkt, base+extra, m)
				possible := extra == trailer || extra >= trailer+tlvHeader || extra == 0 && body == 0
				if (err == nil) != possible || err != nil && !errors.Is(err, ErrSize) {
					t.Fatalf("%d + %d bytes: %v", base, extra, err)
				}
				if err != nil {
					continue
				}
				q, err := DecodeRequest(pkt, m)
				if err != nil || q.ExtErr != nil || len(pkt) != base+extra {
					t.Fatalf("%d + %d bytes: %d, %v, %v", base, extra, len(pkt), err, q.ExtErr)
				}
			}
		}
		if _, err := Seal(AppendRequest(nil, vectorRequest(1), m), 70000, m); !errors.Is(err, ErrSize) {
			t.Error(err)
		}
		if _, err := Seal(AppendRequest(nil, vectorRequest(1), m), 10, m); !errors.Is(err, ErrSize) {
			t.Error(err)
		}
	}
}

func TestLongValuesAreCut(t *testing.T) {
	pkt := AppendTLV(nil, 200, make([]byte, 70000))
	if v, rest, err := TLVs(pkt).Next(); err != nil || len(rest) != 0 || len(v.Value) != 0xffff {
		t.Error(len(v.Value), len(rest), err)
	}
	pkt = AppendBulletin(nil, make([]byte, 70000))
	if v, rest, err := TLVs(pkt).Next(); err != nil || len(rest) != 0 || len(v.Value) != 0xffff {
		t.Error(len(v.Value), len(rest), err)
	}
}

func FuzzDecode(f *testing.F) {
	mac := vectorKey.MAC()
	for _, b := range vectors(f) {
		f.Add(b)
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, m := range []*MAC{nil, mac} {
			_, _ = DecodeReply(b, m)
			pkt := bytes.Clone(b)
			q, err := DecodeRequest(pkt, m)
			if err != nil {
				Reflect(pkt, q, vectorAnswer(), m) // a caller's mistake must not panic either
				continue
			}
			if again := AppendRequest(nil, q, m); !bytes.Equal(again[:16], b[:16]) {
				t.Errorf("%x is encoded as %x", b, again)
			}
			Reflect(pkt, q, vectorAnswer(), m)
			r, err := DecodeReply(pkt, m)
			if err != nil || len(pkt) != len(b) || r.SenderSeq != q.Seq || r.SenderSent != q.Sent || r.SenderError != q.Error || r.SSID != q.SSID {
				t.Errorf("%x: %+v, %v", b, r, err)
			}
			if q.ExtErr == nil && r.ExtErr != nil && r.ExtErr != ErrPeerTLV {
				t.Errorf("%x: good TLVs came back as %v", b, r.ExtErr)
			}
			if !IsReply(pkt, m != nil) {
				t.Errorf("%x: the reply is none", b)
			}
		}
	})
}

// FuzzTLVs puts arbitrary TLVs under a good base packet, in both modes, with and without a good HMAC TLV.
func FuzzTLVs(f *testing.F) {
	mac := vectorKey.MAC()
	for name, b := range vectors(f) {
		if strings.HasSuffix(name, "-tlvs") {
			f.Add(b[AuthSize:], true)
		}
	}
	f.Add([]byte{0x80, 4, 0, 5, 1, 2, 3, 4, 5}, false)
	f.Fuzz(func(t *testing.T, ext []byte, seal bool) {
		for _, m := range []*MAC{nil, mac} {
			pkt := append(AppendRequest(nil, vectorRequest(1), m), ext...)
			if seal {
				pkt, _ = Seal(pkt, len(pkt)+tlvHeader+tagSize, m)
			}
			q, err := DecodeRequest(pkt, m)
			if err != nil {
				t.Fatal(err)
			}
			total := 0
			for v := range q.Ext.All() {
				total += tlvHeader + len(v.Value)
			}
			if total != len(q.Ext) {
				t.Errorf("%x: %d bytes of TLVs, %d walked", ext, len(q.Ext), total)
			}
			Reflect(pkt, q, vectorAnswer(), m)
			r, err := DecodeReply(pkt, m)
			if err != nil {
				t.Fatal(err)
			}
			for v := range r.Ext.All() {
				if v.Flags&(FlagM|FlagI) != 0 {
					t.Errorf("%x: a flagged TLV is passed on: %+v", ext, v)
				}
			}
		}
	})
}
