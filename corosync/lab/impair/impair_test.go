package impair

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"
)

const ms = Instant(time.Millisecond)

func stretched() Topology {
	return Topology{Links: 2, Nodes: []Node{{"a1", "a"}, {"a2", "a"}, {"b1", "b"}, {"b2", "b"}, {"c1", "c"}}}
}

// udp makes a real IP packet with a correct UDP checksum.
func udp(src, dst netip.AddrPort, payload int) []byte {
	head := headV4
	if src.Addr().Is6() {
		head = headV6
	}
	b := make([]byte, head+headUDP+payload)
	if head == headV4 {
		b[0], b[9] = 0x45, protoUDP
		binary.BigEndian.PutUint16(b[6:], flagDF)
		copy(b[12:], src.Addr().AsSlice())
		copy(b[16:], dst.Addr().AsSlice())
	} else {
		b[0], b[6] = 0x60, protoUDP
		copy(b[8:], src.Addr().AsSlice())
		copy(b[24:], dst.Addr().AsSlice())
	}
	binary.BigEndian.PutUint16(b[head:], src.Port())
	binary.BigEndian.PutUint16(b[head+2:], dst.Port())
	binary.BigEndian.PutUint16(b[head+4:], uint16(headUDP+payload))
	for i := range payload {
		b[head+headUDP+i] = byte(i * 7)
	}
	binary.BigEndian.PutUint16(b[head+6:], checksum(b[head:], pseudo(b, head)))
	return b
}

func pseudo(b []byte, head int) uint32 {
	sum := uint32(protoUDP) + uint32(len(b)-head)
	addrs := b[12:20]
	if head == headV6 {
		addrs = b[8:40]
	}
	for i := 0; i < len(addrs); i += 2 {
		sum += uint32(word16(addrs, i))
	}
	return sum
}

func packet(t *testing.T, from, to, size int) *Packet {
	t.Helper()
	p := &Packet{From: from, To: to}
	b := udp(netip.MustParseAddrPort("10.50.1.1:5405"), netip.MustParseAddrPort("10.50.2.1:5405"), size-headV4-headUDP)
	if !p.Parse(b) {
		t.Fatal("packet not understood")
	}
	return p
}

func compile(t *testing.T, rules ...Rule) *Set {
	t.Helper()
	s, err := Compile(stretched(), 1, rules, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSelectors(t *testing.T) {
	tests := []struct {
		name     string
		rule     Rule
		from, to int
		link     int
		hit      bool
	}{
		{"all between sites", Rule{}, 0, 2, 0, true},
		{"not inside a site", Rule{}, 0, 1, 0, false},
		{"inside when asked", Rule{Inside: true}, 0, 1, 0, true},
		{"from site", Rule{From: []string{"a"}}, 1, 4, 0, true},
		{"from site stays out of it", Rule{From: []string{"a"}}, 0, 1, 0, false},
		{"one direction", Rule{From: []string{"a"}, To: []string{"b"}}, 2, 0, 0, false},
		{"both directions", Rule{From: []string{"a"}, To: []string{"b"}, Both: true}, 2, 0, 0, true},
		{"third site untouched", Rule{From: []string{"a"}, To: []string{"b"}, Both: true}, 4, 0, 0, false},
		{"site to itself", Rule{From: []string{"a"}, To: []string{"a"}}, 0, 1, 0, true},
		{"one node to everybody", Rule{From: []string{"a1"}}, 0, 1, 0, true},
		{"node pair", Rule{From: []string{"a1"}, To: []string{"b2"}}, 0, 3, 0, true},
		{"other pair", Rule{From: []string{"a1"}, To: []string{"b2"}}, 1, 3, 0, false},
		{"link", Rule{Links: []int{1}}, 0, 2, 1, true},
		{"other link", Rule{Links: []int{1}}, 0, 2, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.rule.Name, tt.rule.Blackout = "x", true
			p := packet(t, tt.from, tt.to, 200)
			p.Link = tt.link
			if v := compile(t, tt.rule).Judge(ms, p); v.Drop != tt.hit {
				t.Errorf("dropped = %v, want %v", v.Drop, tt.hit)
			}
		})
	}
}

func TestPacketSelectors(t *testing.T) {
	flow := FlowBucket(netip.MustParseAddrPort("10.50.1.1:5405"), netip.MustParseAddrPort("10.50.2.1:5405"), 8)
	tests := []struct {
		name string
		rule Rule
		size int
		hit  bool
	}{
		{"corosync", Rule{Kinds: []Kind{Corosync}}, 200, true},
		{"probe", Rule{Kinds: []Kind{Probe}}, 200, false},
		{"port", Rule{Ports: []uint16{5405}}, 200, true},
		{"other port", Rule{Ports: []uint16{5412}}, 200, false},
		{"its flow", Rule{Flow: &Flow{flow, 8}}, 200, true},
		{"another flow", Rule{Flow: &Flow{(flow + 1) % 8, 8}}, 200, false},
		{"large only, small", Rule{MinSize: 600}, 599, false},
		{"large only, large", Rule{MinSize: 600}, 600, true},
		{"small only, large", Rule{MaxSize: 600}, 601, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.rule.Name, tt.rule.Blackout = "x", true
			if v := compile(t, tt.rule).Judge(ms, packet(t, 0, 2, tt.size)); v.Drop != tt.hit {
				t.Errorf("dropped = %v, want %v", v.Drop, tt.hit)
			}
		})
	}
}

func TestWindowIsJudgedByTheInstant(t *testing.T) {
	s := compile(t, Rule{Name: "cut", Blackout: true, Start: 100 * ms, End: 200 * ms})
	p := packet(t, 0, 2, 200)
	for _, tt := range []struct {
		at   Instant
		drop bool
	}{{99 * ms, false}, {100*ms - 1, false}, {100 * ms, true}, {150 * ms, true}, {200*ms - 1, true}, {200 * ms, false}} {
		if v := s.Judge(tt.at, p); v.Drop != tt.drop {
			t.Errorf("at %v: dropped = %v, want %v", time.Duration(tt.at), v.Drop, tt.drop)
		}
	}
	want := Drop{Rule: "cut", From: "a1", To: "b1", Kind: Corosync, First: 100 * ms, Last: 200*ms - 1, Count: 3}
	if got := s.Drops(); len(got) != 1 || got[0] != want {
		t.Errorf("drops = %+v, want %+v", got, want)
	}
}

func TestLossShare(t *testing.T) {
	s := compile(t, Rule{Name: "x", Loss: 0.1})
	p := packet(t, 0, 2, 200)
	lost := 0
	for i := range 100_000 {
		if s.Judge(Instant(i+1)*ms, p).Drop {
			lost++
		}
	}
	if lost < 9600 || lost > 10400 { // +-4 sigma
		t.Errorf("lost %d of 100000 at 10 %%", lost)
	}
}

// The line is bad for 50 ms in a second on average, in bursts, whatever the packet rate is.
func TestBurstIsInTime(t *testing.T) {
	for _, interval := range []Instant{ms, 20 * ms} {
		s := compile(t, Rule{Name: "x", Burst: &Burst{Good: 950 * time.Millisecond, Bad: 50 * time.Millisecond, LossBad: 1}})
		p := packet(t, 0, 2, 200)
		n, lost := int(4000*1000*ms/interval/4), 0
		for i := range n {
			if s.Judge(Instant(i+1)*interval, p).Drop {
				lost++
			}
		}
		if share := float64(lost) / float64(n); math.Abs(share-0.05) > 0.01 {
			t.Errorf("interval %v: lost %.3f, want 0.05", time.Duration(interval), share)
		}
	}
	s := compile(t, Rule{Name: "x", Burst: &Burst{Good: 950 * time.Millisecond, Bad: 50 * time.Millisecond, LossBad: 1}})
	p, runs, lost, was := packet(t, 0, 2, 200), 0, 0, false
	for i := range 1_000_000 {
		drop := s.Judge(Instant(i+1)*ms, p).Drop
		if drop {
			lost++
		}
		if drop && !was {
			runs++
		}
		was = drop
	}
	if mean := float64(lost) / float64(runs); mean < 45 || mean > 56 {
		t.Errorf("mean burst of %.1f packets at 1 ms, want about 50", mean)
	}
}

func TestDelayJitterOrder(t *testing.T) {
	s := compile(t, Rule{Name: "x", Delay: 5 * time.Millisecond, Jitter: 60 * time.Millisecond})
	p := packet(t, 0, 2, 200)
	var last Instant
	low, high, steepest := Instant(math.MaxInt64), Instant(0), Instant(0)
	var before Instant
	for i := range 50_000 {
		now := Instant(i+1) * ms
		due := s.Judge(now, p).Due
		if due < last {
			t.Fatalf("packet %d overtakes", i)
		}
		extra := due - now
		low, high = min(low, extra), max(high, extra)
		if i > 0 {
			steepest = max(steepest, extra-before)
		}
		last, before = due, extra
	}
	if low < 5*ms || low > 8*ms || high > 65*ms || high < 60*ms {
		t.Errorf("delay from %v to %v, want 5 ms to 65 ms", time.Duration(low), time.Duration(high))
	}
	if steepest > 60*ms/20+1 { // the whole spread in one step
		t.Errorf("delay grows by %v in 1 ms: not interpolated", time.Duration(steepest))
	}
}

func TestPathsShareALine(t *testing.T) {
	s := compile(t, Rule{Name: "x", Rate: 8000, Queue: time.Second}) // 1000 bytes a second
	if v := s.Judge(ms, packet(t, 0, 2, 100)); v.Due != 101*ms {
		t.Errorf("first due %v, want 101ms", time.Duration(v.Due))
	}
	if v := s.Judge(ms, packet(t, 1, 3, 100)); v.Due != 201*ms {
		t.Errorf("another pair of the same sites: due %v, want 201ms", time.Duration(v.Due))
	}
	if v := s.Judge(ms, packet(t, 2, 0, 100)); v.Due != 101*ms {
		t.Errorf("the other direction: due %v, want 101ms", time.Duration(v.Due))
	}
	if v := s.Judge(ms, packet(t, 0, 4, 100)); v.Due != 101*ms {
		t.Errorf("another site: due %v, want 101ms", time.Duration(v.Due))
	}
	for range 9 {
		s.Judge(ms, packet(t, 0, 2, 100))
	}
	if v := s.Judge(ms, packet(t, 0, 2, 100)); !v.Drop {
		t.Error("a full queue drops nothing")
	}
}

func TestReorderDuplicateCorrupt(t *testing.T) {
	s := compile(t, Rule{Name: "x", Reorder: 0.1, ReorderBy: 3 * time.Millisecond, Duplicate: 0.2, Corrupt: 0.05})
	p := packet(t, 0, 2, 200)
	var held, twice, spoilt int
	for i := range 20_000 {
		now := Instant(i+1) * ms
		v := s.Judge(now, p)
		switch v.Due - now {
		case 0:
		case 3 * ms:
			held++
		default:
			t.Fatalf("delay %v", time.Duration(v.Due-now))
		}
		if v.Duplicate {
			twice++
		}
		if v.Flip >= 0 {
			spoilt++
			if v.Flip >= (p.Size-p.Head)*8 {
				t.Fatalf("bit %d of %d", v.Flip, (p.Size-p.Head)*8)
			}
		}
	}
	for name, c := range map[string][2]int{"held": {held, 2000}, "twice": {twice, 4000}, "spoilt": {spoilt, 1000}} {
		if math.Abs(float64(c[0]-c[1])) > 250 {
			t.Errorf("%s: %d, want about %d", name, c[0], c[1])
		}
	}
}

func TestMTU(t *testing.T) {
	small, big := packet(t, 0, 2, 1400), packet(t, 0, 2, 1401)
	hole := compile(t, Rule{Name: "x", MTU: 1400})
	if hole.Judge(1, small).Drop {
		t.Error("a packet that fits is lost")
	}
	if v := hole.Judge(1, big); !v.Drop || v.TooBig != 0 {
		t.Errorf("black hole: %+v", v)
	}
	told := compile(t, Rule{Name: "x", MTU: 1400, MTUReply: true})
	if v := told.Judge(1, big); !v.Drop || v.TooBig != 1400 {
		t.Errorf("with ICMP: %+v", v)
	}
	big.DF = false
	if told.Judge(1, big).Drop {
		t.Error("without DF a router would fragment: it passes")
	}
}

func TestLinesAndRecordsSurviveTheSameRule(t *testing.T) {
	cut, slow := Rule{Name: "cut", Blackout: true}, Rule{Name: "slow", Delay: time.Millisecond}
	a := compile(t, cut)
	a.Judge(ms, packet(t, 0, 2, 100))
	b, err := Compile(stretched(), 1, []Rule{slow, cut}, a)
	if err != nil {
		t.Fatal(err)
	}
	b.Judge(2*ms, packet(t, 0, 2, 100))
	if d := b.Drops(); len(d) != 1 || d[0].Count != 2 || d[0].First != ms || d[0].Last != 2*ms {
		t.Errorf("drops = %+v", d)
	}
	cut.To = []string{"b"}
	c, err := Compile(stretched(), 1, []Rule{cut}, b)
	if err != nil {
		t.Fatal(err)
	}
	if d := c.Drops(); len(d) != 0 {
		t.Errorf("a changed rule keeps records: %+v", d)
	}
}

func TestDeterminism(t *testing.T) {
	rules := []Rule{{Name: "x", Loss: 0.3, Jitter: time.Millisecond}, {Name: "y", Duplicate: 0.3, Reorder: 0.2}}
	a, b := compile(t, rules...), compile(t, rules...)
	p := packet(t, 0, 2, 200)
	for i := range 1000 {
		if va, vb := a.Judge(Instant(i)*ms, p), b.Judge(Instant(i)*ms, p); va != vb {
			t.Fatalf("packet %d: %+v and %+v", i, va, vb)
		}
	}
}

func TestValidate(t *testing.T) {
	tests := []struct {
		rule Rule
		want string
	}{
		{Rule{From: []string{"z"}}, `"z": no such site or node`},
		{Rule{Links: []int{2}}, "no link 2"},
		{Rule{Loss: 1.5}, "loss: 1.5"},
		{Rule{Loss: math.NaN()}, "loss: NaN"},
		{Rule{Flow: &Flow{8, 8}}, "bucket 8 of 8"},
		{Rule{Burst: &Burst{Good: time.Second}}, "mean durations above 0"},
		{Rule{Delay: -1}, "delay"},
		{Rule{Start: 5, End: 5}, "not after start"},
		{Rule{MTU: 20}, "at least 68"},
		{Rule{MinSize: 5, MaxSize: 4}, "below minSize"},
	}
	for _, tt := range tests {
		tt.rule.Name = "r"
		_, err := Compile(stretched(), 1, []Rule{tt.rule}, nil)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: error %v, want %q", tt.rule, err, tt.want)
		}
	}
	if _, err := Compile(stretched(), 1, []Rule{{Name: "x"}, {Name: "x"}}, nil); err == nil {
		t.Error("two rules of one name pass")
	}
}

func TestRuleSurvivesJSON(t *testing.T) {
	b, err := json.Marshal(Rule{Name: "x", Kinds: []Kind{Probe, Corosync}, Start: 5})
	if err != nil {
		t.Fatal(err)
	}
	var r Rule
	if err := json.Unmarshal(b, &r); err != nil || len(r.Kinds) != 2 || r.Kinds[0] != Probe || r.Start != 5 {
		t.Errorf("%s -> %+v, %v", b, r, err)
	}
}

func TestFlipMendsTheChecksum(t *testing.T) {
	for _, pair := range [][2]string{{"10.50.1.1:5412", "10.50.2.1:5412"}, {"[fd00:50::1:1]:5412", "[fd00:50::2:1]:5412"}} {
		for _, size := range []int{44, 45} {
			for bit := range (headUDP + size) * 8 {
				b := udp(netip.MustParseAddrPort(pair[0]), netip.MustParseAddrPort(pair[1]), size)
				var p Packet
				p.Parse(b)
				Flip(b, &p, bit, true)
				sum := checksum(b[p.Head:], pseudo(b, p.Head))
				if sum != 0 {
					t.Fatalf("%s size %d bit %d: checksum off by %#x", pair[0], size, bit, sum)
				}
			}
		}
	}
}

func TestTooBigIsAValidMessage(t *testing.T) {
	out := make([]byte, 1280)
	b := udp(netip.MustParseAddrPort("10.50.1.1:5412"), netip.MustParseAddrPort("10.50.2.1:5412"), 1472)
	var p Packet
	p.Parse(b)
	n := TooBig(out, b, &p, 1400)
	if n != 576 || checksum(out[:headV4], 0) != 0 || checksum(out[headV4:n], 0) != 0 {
		t.Errorf("IPv4: %d bytes, checksums %#x %#x", n, checksum(out[:headV4], 0), checksum(out[headV4:n], 0))
	}
	b = udp(netip.MustParseAddrPort("[fd00:50::1:1]:5412"), netip.MustParseAddrPort("[fd00:50::2:1]:5412"), 1452)
	p.Parse(b)
	n = TooBig(out, b, &p, 1400)
	sum := uint32(n-headV6) + protoICMPv6
	for i := 8; i < 40; i += 2 {
		sum += uint32(word16(out[:n], i))
	}
	if n != 1280 || checksum(out[headV6:n], sum) != 0 {
		t.Errorf("IPv6: %d bytes, checksum %#x", n, checksum(out[headV6:n], sum))
	}
}

func FuzzParse(f *testing.F) {
	f.Add(udp(netip.MustParseAddrPort("10.50.1.1:5412"), netip.MustParseAddrPort("10.50.2.1:5412"), 44))
	f.Add(udp(netip.MustParseAddrPort("[fd00:50::1:1]:5412"), netip.MustParseAddrPort("[fd00:50::2:1]:5412"), 44))
	f.Add([]byte{0x4f})
	f.Fuzz(func(_ *testing.T, b []byte) {
		var p Packet
		if !p.Parse(b) {
			return
		}
		p.Kind()
		TooBig(make([]byte, 1280), b, &p, 1400)
		for _, bit := range []int{0, 63, 64, 1 << 20, (len(b) - p.Head) * 8} {
			Flip(b, &p, bit, true)
		}
	})
}

func BenchmarkJudge(b *testing.B) {
	s, err := Compile(stretched(), 1, []Rule{
		{Name: "base", Delay: 5 * time.Millisecond, Jitter: time.Millisecond, Loss: 0.01},
		{Name: "cut", Blackout: true, Start: Instant(time.Hour)},
	}, nil)
	if err != nil {
		b.Fatal(err)
	}
	raw := udp(netip.MustParseAddrPort("10.50.1.1:5405"), netip.MustParseAddrPort("10.50.2.1:5405"), 128)
	p := &Packet{From: 0, To: 2}
	b.ReportAllocs()
	now := ms
	for b.Loop() {
		p.Parse(raw)
		s.Judge(now, p)
		now += 1000
	}
}
