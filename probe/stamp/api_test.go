package stamp

import (
	"net/netip"
	"testing"
	"time"
)

func TestRoundTripQuick(t *testing.T) {
	mk, err := DeriveKey(make([]byte, 128))
	if err != nil {
		t.Fatal(err)
	}
	a, b := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	for _, m := range []*MAC{nil, mk.Session(a, b).MAC()} {
		now := time.Now()
		p := AppendRequest(nil, Request{Seq: 7, Sent: NewTimestamp(now, NTP), Error: NewErrorEstimate(true, NTP, time.Millisecond), SSID: 9}, m)
		p = AppendBulletin(p, []byte("hello"))
		p, err = Seal(p, 1472, m)
		if err != nil || len(p) != 1472 {
			t.Fatal(len(p), err)
		}
		q, err := DecodeRequest(p, m)
		if err != nil || q.ExtErr != nil {
			t.Fatal(err, q.ExtErr)
		}
		Reflect(p, q, Answer{Seq: 3, Received: NewTimestamp(now, NTP), Sent: NewTimestamp(now.Add(1000), NTP), TTL: 64}, m)
		r, err := DecodeReply(p, m)
		if err != nil || r.ExtErr != nil || r.Residence() != 1000 || r.SenderSeq != 7 {
			t.Fatalf("%+v %v", r, err)
		}
	}
}
