package stamp

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// The packets of testdata/vectors.py.
var (
	vectorT1  = time.Date(2025, 7, 6, 0, 0, 0, 250e6, time.UTC)
	vectorKey = Key{string(count(32))}
	vectorEE  = NewErrorEstimate(true, NTP, 195312500*time.Nanosecond) // 200 x 2^22 x 2^-32 s
)

// count returns the bytes 0, 1, 2, ...
func count(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

func vectors(t testing.TB) map[string][]byte {
	t.Helper()
	file, err := os.ReadFile("testdata/vectors.txt")
	if err != nil {
		t.Fatal(err)
	}
	m := map[string][]byte{}
	for line := range strings.Lines(string(file)) {
		name, data, _ := strings.Cut(strings.TrimSpace(line), " ")
		b, err := hex.DecodeString(data)
		if err != nil {
			t.Fatal(name, err)
		}
		m[name] = b
	}
	return m
}

// vectorRequest and vectorAnswer are what the vectors say.
func vectorRequest(ssid uint16) Request {
	return Request{Seq: 7, Sent: NewTimestamp(vectorT1, NTP), Error: vectorEE, SSID: ssid}
}

func vectorAnswer() Answer {
	t1 := NewTimestamp(vectorT1, NTP)
	return Answer{
		Seq: 9, Received: t1 + 0x10000, Sent: t1 + 0x20000, Error: NewErrorEstimate(false, NTP, time.Second),
		TTL: 61, TOS: 8<<2 | 1, ReplyTOS: 8 << 2,
		Direct:   Direct{Rx: 4, Tx: 3},
		FollowUp: FollowUp{Seq: 8, Sent: t1 - 1<<32 + 0x40000000, Method: MethodSoftware},
		Clock:    TimestampInfo{SourceNTP, MethodSoftware, SourceLocal, MethodSoftware},
	}
}

// vectorTLVs appends the TLVs of the vectors with tags.
func vectorTLVs(pkt []byte, m *MAC) ([]byte, error) {
	pkt = AppendClass(pkt, 46)
	pkt = AppendDirect(pkt, 5)
	pkt = AppendFollowUp(pkt)
	pkt = AppendTimestampInfo(pkt)
	pkt = AppendBulletin(pkt, []byte("mesh"))
	pkt = AppendTLV(pkt, TypeReturnPath, []byte{0, 1, 0, 4, 0, 0, 0, 0})
	pkt = AppendTLV(pkt, 242, []byte("x"))
	return Seal(pkt, len(pkt)+tlvHeader+13+tlvHeader+tagSize, m)
}

func TestVectors(t *testing.T) {
	want := vectors(t)
	check := func(name string, got []byte) {
		t.Helper()
		if !bytes.Equal(got, want[name]) {
			t.Errorf("%s:\n got %x\nwant %x", name, got, want[name])
		}
	}
	mac := vectorKey.MAC()
	for mode, m := range map[string]*MAC{"open": nil, "auth": mac} {
		pkt := AppendRequest(nil, vectorRequest(0xbeef), m)
		check(mode+"-request", pkt)
		Reflect(pkt, vectorRequest(0xbeef), vectorAnswer(), m)
		check(mode+"-reply", pkt)
	}
	check("open-request-ptp", AppendRequest(nil, Request{
		Seq: 1<<32 - 1, Sent: NewTimestamp(vectorT1, PTP), Error: NewErrorEstimate(true, PTP, 0),
	}, nil))

	pkt, err := vectorTLVs(AppendRequest(nil, vectorRequest(1), mac), mac)
	if err != nil {
		t.Fatal(err)
	}
	check("auth-request-tlvs", pkt)
	q, err := DecodeRequest(pkt, mac)
	if err != nil || q.ExtErr != nil {
		t.Fatal(err, q.ExtErr)
	}
	Reflect(pkt, q, vectorAnswer(), mac)
	check("auth-reply-tlvs", pkt)

	master, err := DeriveKey(count(128))
	if err != nil {
		t.Fatal(err)
	}
	v4 := master.Session(netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2"))
	check("session-key-v4", []byte(v4.k))
	check("session-key-v6", []byte(master.Session(netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2")).k))
	r := vectorRequest(0)
	r.Seq = 1
	check("session-request", AppendRequest(nil, r, v4.MAC()))
}

// TestVectorsDecode reads the reply of the vectors.
func TestVectorsDecode(t *testing.T) {
	v := vectors(t)
	r, err := DecodeReply(v["auth-reply-tlvs"], vectorKey.MAC())
	if err != nil || r.ExtErr != nil {
		t.Fatal(err, r.ExtErr)
	}
	a, q := vectorAnswer(), vectorRequest(1)
	if r.Seq != a.Seq || r.Sent != a.Sent || r.Error != a.Error || r.SSID != 1 || r.Received != a.Received ||
		r.SenderSeq != q.Seq || r.SenderSent != q.Sent || r.SenderError != q.Error || r.SenderTTL != a.TTL {
		t.Errorf("%+v", r)
	}
	if c, ok := r.Ext.Class(); !ok || c != (Class{Want: 46, DSCP: 8, ECN: 1, Refused: true}) {
		t.Errorf("%+v %t", c, ok)
	}
	if d, ok := r.Ext.Direct(); !ok || d != (Direct{5, 4, 3}) {
		t.Errorf("%+v %t", d, ok)
	}
	if f, ok := r.Ext.FollowUp(); !ok || f != a.FollowUp {
		t.Errorf("%+v %t", f, ok)
	}
	if c, ok := r.Ext.TimestampInfo(); !ok || c != a.Clock {
		t.Errorf("%+v %t", c, ok)
	}
	if b, ok := r.Ext.Bulletin(); !ok || string(b) != "mesh" {
		t.Errorf("%q %t", b, ok)
	}
	if b, ok := r.Ext.Find(TypeReturnPath); ok {
		t.Errorf("return path was not refused: %x", b)
	}
}

// TestVectorsPython writes the vectors anew with Python's struct and hmac.
func TestVectorsPython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("SKIPPED: python3 is missing: apt-get install python3")
	}
	got, err := exec.Command(python, "testdata/vectors.py").Output()
	if err != nil {
		t.Fatal(err)
	}
	want, _ := os.ReadFile("testdata/vectors.txt")
	if !bytes.Equal(got, want) {
		t.Errorf("testdata/vectors.py prints other than testdata/vectors.txt:\n%s", got)
	}
}

// TestScapy compares open-mode packets with scapy's reading and writing of them.
func TestScapy(t *testing.T) {
	v := vectors(t)
	padded, err := Seal(AppendTLV(AppendRequest(nil, vectorRequest(3), nil), 200, []byte("abc")), 60, nil)
	if err != nil {
		t.Fatal(err)
	}
	in := fmt.Sprintf("request %x\nreply %x\nrequest %x\n", v["open-request"], v["open-reply"], padded)
	// 0x00010000 and 0x00020000 of an NTP fraction are 15.3 and 30.5 us.
	want := fmt.Sprintf("request 7 3960748800250000 1 0 22 200 48879\n%x\n"+
		"reply 9 3960748800250031 0 0 25 128 48879 3960748800250015 7 3960748800250000 200 61\n%x\n"+
		"request 7 3960748800250000 1 0 22 200 3 200:3 1:5\n%x\n", v["open-request"], v["open-reply"], padded)
	got, err := scapy(in)
	if err != nil {
		t.Skip("SKIPPED: scapy is missing: apt-get install python3-scapy:", err)
	}
	if got != want {
		t.Errorf("scapy reads and writes\n%swant\n%s", got, want)
	}
}

// scapy runs the script with the first Python that has scapy: Debian's is in /usr/bin, whatever else is in the path.
func scapy(in string) (string, error) {
	var errs []error
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		cmd := exec.Command(python, "testdata/scapy_stamp.py")
		cmd.Stdin = strings.NewReader(in)
		out, err := cmd.Output()
		if err == nil {
			return string(out), nil
		}
		errs = append(errs, fmt.Errorf("%s: %w: %s", python, err, out))
	}
	return "", errors.Join(errs...)
}
