package totem

import (
	"errors"
	"slices"
	"testing"
	"time"
)

func keysOf(errs []error) []string {
	var keys []string
	for _, err := range errs {
		limit, ok := errors.AsType[*LimitError](err)
		if !ok || limit.Reason == "" {
			keys = append(keys, "not a LimitError: "+err.Error())
			continue
		}
		keys = append(keys, limit.Key)
	}
	return keys
}

func TestCheck(t *testing.T) {
	tests := []struct {
		name string
		p    Params
		want []string
	}{
		{"defaults", Params{Nodes: 3, HasLink0: true}, nil},
		{"smallest token", Params{Token: ms(126)}, nil},
		{"token too small for its retransmits", Params{Token: ms(125)}, []string{"token", "hold"}},
		{"token too small", Params{Token: ms(29)}, []string{"token", "token", "consensus"}},
		// 9 ms between retransmits make hold negative, which C compares as a huge unsigned value
		{"many retransmits", Params{Token: ms(1000), TokenRetransmitsBeforeLossConst: 100}, []string{"token"}},
		{"token_retransmit", Params{TokenRetransmit: ms(29)}, []string{"token_retransmit", "hold"}},
		{"hold 13", Params{Hold: ms(13)}, []string{"hold"}},
		{"hold 14", Params{Hold: ms(14)}, nil},
		{"join 29", Params{Join: ms(29)}, []string{"join"}},
		{"join above consensus", Params{Join: ms(3601)}, []string{"consensus"}},
		{"consensus equals join", Params{Join: ms(3600)}, nil},
		{"consensus far below 1.2 token", Params{Consensus: ms(50)}, nil},
		{"consensus 29", Params{Consensus: ms(29), Join: ms(30)}, []string{"consensus", "consensus"}},
		{"merge", Params{Merge: ms(29)}, []string{"merge"}},
		{"downcheck", Params{Downcheck: ms(1)}, []string{"downcheck"}},
		{"max_network_delay", Params{MaxNetworkDelay: ms(29)}, []string{"max_network_delay"}},
		{"warning 100", Params{TokenWarning: new(100)}, nil},
		{"warning 101", Params{TokenWarning: new(101)}, []string{"token_warning"}},
		{"all at once", Params{MaxNetworkDelay: ms(1), Merge: ms(1)}, []string{"max_network_delay", "merge"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := keysOf(tt.p.Check()); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestLinkCheck(t *testing.T) {
	tests := []struct {
		name  string
		p     LinkParams
		token time.Duration
		want  []string
	}{
		{"defaults", LinkParams{}, ms(3000), nil},
		{"timeout 200", LinkParams{PingTimeout: ms(200)}, ms(3000), nil},
		{"timeout 199", LinkParams{PingTimeout: ms(199)}, ms(3000), []string{"knet_ping_timeout"}},
		{"token 399 halves", LinkParams{}, ms(399), []string{"knet_ping_timeout"}},
		{"pongs", LinkParams{PongCount: 256, PingTimeout: ms(1000)}, ms(3000), []string{"knet_pong_count"}},
		{"no interval left", LinkParams{PongCount: 2000, PingTimeout: ms(1000)}, ms(3000), []string{"knet_ping_interval", "knet_pong_count"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := keysOf(tt.p.Check(tt.token)); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
