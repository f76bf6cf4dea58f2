package totem

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// TestTimeoutsTable holds the values that Corosync 3.1 shows for a token of 3000 ms and the node counts that matter.
func TestTimeoutsTable(t *testing.T) {
	tests := []struct{ coefficient, nodes, token, rtx, hold, consensus, pingTimeout, pingInterval, pingEffective, warning, membership int }{
		{650, 1, 3000, 714, 561, 3600, 1500, 750, 800, 2250, 6600},
		{650, 2, 3000, 714, 561, 3600, 1500, 750, 800, 2250, 6600},
		{650, 3, 3650, 869, 685, 4380, 1825, 912, 1000, 2737, 8030},
		{650, 4, 4300, 1023, 808, 5160, 2150, 1075, 1200, 3225, 9460},
		{650, 5, 4950, 1178, 932, 5940, 2475, 1237, 1400, 3712, 10890},
		{650, 6, 5600, 1333, 1056, 6720, 2800, 1400, 1400, 4200, 12320},
		{650, 8, 6900, 1642, 1303, 8280, 3450, 1725, 1800, 5175, 15180},
		{650, 10, 8200, 1952, 1551, 9840, 4100, 2050, 2200, 6150, 18040},
		{650, 16, 12100, 2880, 2294, 14520, 6050, 3025, 3200, 9075, 26620},
		{650, 24, 17300, 4119, 3285, 20760, 8650, 4325, 4400, 12975, 38060},
		{650, 32, 22500, 5357, 4275, 27000, 11250, 5625, 5800, 16875, 49500},
		{125, 3, 3125, 744, 585, 3750, 1562, 781, 800, 2343, 6875},
		{125, 4, 3250, 773, 608, 3900, 1625, 812, 1000, 2437, 7150},
		{125, 5, 3375, 803, 632, 4050, 1687, 843, 1000, 2531, 7425},
		{125, 6, 3500, 833, 656, 4200, 1750, 875, 1000, 2625, 7700},
		{125, 8, 3750, 892, 703, 4500, 1875, 937, 1000, 2812, 8250},
		{125, 10, 4000, 952, 751, 4800, 2000, 1000, 1000, 3000, 8800},
		{125, 16, 4750, 1130, 894, 5700, 2375, 1187, 1200, 3562, 10450},
		{125, 24, 5750, 1369, 1085, 6900, 2875, 1437, 1600, 4312, 12650},
		{125, 32, 6750, 1607, 1275, 8100, 3375, 1687, 1800, 5062, 14850},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%d/%d", tt.coefficient, tt.nodes), func(t *testing.T) {
			p := Params{Nodes: tt.nodes, HasLink0: true, Token: ms(3000), TokenCoefficient: new(ms(tt.coefficient))}
			got := p.Timeouts()
			link := LinkParams{}.Timeouts(got.Token)
			have := []time.Duration{got.Token, got.TokenRetransmit, got.Hold, got.Consensus, link.PingTimeout, link.PingInterval,
				link.EffectiveInterval, got.TokenWarning, got.Membership()}
			want := []int{tt.token, tt.rtx, tt.hold, tt.consensus, tt.pingTimeout, tt.pingInterval, tt.pingEffective, tt.warning, tt.membership}
			for i := range want {
				if have[i] != ms(want[i]) {
					t.Errorf("column %d: got %v, want %v", i, have[i], ms(want[i]))
				}
			}
			if errs := p.Check(); errs != nil {
				t.Errorf("Check: %v", errs)
			}
		})
	}
}

func TestTimeoutsDefaults(t *testing.T) {
	got := Params{Nodes: 5, HasLink0: true}.Timeouts()
	want := Timeouts{
		Token: ms(4950), TokenWarning: ms(3712), TokenRetransmitsBeforeLossConst: 4, TokenRetransmit: ms(1178), Hold: ms(932),
		Join: ms(50), Consensus: ms(5940), Merge: ms(200), Downcheck: ms(1000), FailRecvConst: 2500, SeqnoUnchangedConst: 30,
		MaxNetworkDelay: ms(50), WindowSize: 50, MaxMessages: 17, MissCountConst: 5,
	}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got := (Params{Nodes: 3}).Timeouts().Token; got != ms(3000) {
		t.Errorf("without link 0 the coefficient must not count: token %v", got)
	}
	if got := (Params{Nodes: 3, HasLink0: true, TokenCoefficient: new(ms(0))}).Timeouts().Token; got != ms(3000) {
		t.Errorf("a written coefficient of 0 counts: token %v", got)
	}
	if got := (Params{TokenWarning: new(0)}).Timeouts().TokenWarning; got != 0 {
		t.Errorf("token_warning 0 switches off: %v", got)
	}
}

// The twin: a literal, C-like transcription, one statement for one.
type twinConfig struct {
	token, coefficient, warning, n, rtx, hold, consensus uint32
	members                                              int32
}

func twin(c twinConfig) (token, warning, rtx, hold, consensus uint32) {
	if c.n == 0 {
		c.n = 4
	}
	if c.token == 0 {
		c.token = 3000
	}
	if c.members > 2 {
		c.token += uint32(c.members-2) * c.coefficient
	}
	if c.rtx == 0 {
		d := float64(c.token)
		d = d / (float64(c.n) + float64(0.2))
		c.rtx = uint32(truncate(d))
	}
	if c.hold == 0 {
		d := float64(c.rtx) * 0.8
		d = float64(d)
		d -= 10
		c.hold = uint32(truncate(d))
	}
	if c.consensus == 0 {
		d := 1.2 * float64(c.token)
		f := float32(d)
		c.consensus = uint32(truncate(float64(f)))
	}
	warning = c.warning * c.token
	warning /= 100
	return c.token, warning, c.rtx, c.hold, c.consensus
}

// truncate is cvttsd2si: what is outside of int becomes the "integer indefinite" value.
func truncate(d float64) int32 {
	i := int64(d)
	if i > 2147483647 || i < -2147483648 {
		return -2147483648
	}
	return int32(i)
}

func TestTimeoutsTwin(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	value := func() uint32 { // small and huge values, and often none
		switch r.IntN(4) {
		case 0:
			return 0
		case 1:
			return r.Uint32()
		default:
			return r.Uint32N(60000)
		}
	}
	for range 200_000 {
		c := twinConfig{token: value(), coefficient: value(), warning: r.Uint32N(101), n: value(), rtx: value(), hold: value(),
			consensus: value(), members: r.Int32N(64)}
		p := Params{
			Nodes: int(c.members), HasLink0: true, Token: duration(c.token), TokenCoefficient: new(duration(c.coefficient)),
			TokenWarning: new(int(c.warning)), TokenRetransmitsBeforeLossConst: int(c.n), TokenRetransmit: duration(c.rtx),
			Hold: duration(c.hold), Consensus: duration(c.consensus),
		}
		token, warning, rtx, hold, consensus := twin(c)
		got := p.Timeouts()
		if got.Token != duration(token) || got.TokenWarning != duration(warning) || got.TokenRetransmit != duration(rtx) ||
			got.Hold != duration(hold) || got.Consensus != duration(consensus) {
			t.Fatalf("%+v:\n got %+v\nwant token %d warning %d rtx %d hold %d consensus %d", c, got, token, warning, rtx, hold, consensus)
		}
	}
}

func TestLinkTimeoutsTwin(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 100_000 {
		token := r.Uint32()
		interval, timeout, pongs := r.Int32N(3)*r.Int32N(5000), r.Int32N(3)*r.Int32N(5000), r.Int32N(3)*r.Int32N(300)
		p := LinkParams{PingInterval: duration(uint32(interval)), PingTimeout: duration(uint32(timeout)), PongCount: int(pongs)}
		got := p.Timeouts(duration(token))
		if pongs == 0 {
			pongs = 2
		}
		if timeout == 0 {
			timeout = int32(token / uint32(pongs))
		}
		if interval == 0 {
			interval = int32(token / uint32(pongs*2))
		}
		if got.PingInterval != duration(uint32(interval)) || got.PingTimeout != duration(uint32(timeout)) || got.PongCount != int(pongs) {
			t.Fatalf("%+v under %d: got %+v, want interval %d timeout %d pongs %d", p, token, got, interval, timeout, pongs)
		}
		if e := got.EffectiveInterval; e%HeartbeatTick != 0 || e < got.PingInterval || e > got.PingInterval+HeartbeatTick {
			t.Fatalf("%+v: effective interval %v", p, e)
		}
	}
}

func TestRoundUpToTick(t *testing.T) {
	for d, want := range map[time.Duration]time.Duration{
		0: ms(200), ms(1): ms(200), ms(200): ms(200), ms(201): ms(400), ms(912): ms(1000), ms(1000): ms(1000),
	} {
		if got := roundUpToTick(d); got != want {
			t.Errorf("%v: got %v, want %v", d, got, want)
		}
	}
}

// TestOutOfRange feeds what no file can hold: nothing panics and nothing goes negative.
func TestOutOfRange(t *testing.T) {
	p := Params{Nodes: 1 << 40, HasLink0: true, Token: -1, TokenCoefficient: new(time.Duration(1 << 62)), TokenWarning: new(-5),
		FailRecvConst: -1, WindowSize: 1 << 50}
	got := p.Timeouts()
	if got.Token < 0 || got.TokenWarning < 0 || got.Hold < 0 || got.WindowSize < 0 || got.FailRecvConst != 2500 {
		t.Errorf("%+v", got)
	}
	link := LinkParams{PongCount: 1 << 31}.Timeouts(ms(3000))
	if link.PingInterval != 0 || link.PingTimeout != 0 {
		t.Errorf("%+v", link)
	}
}
