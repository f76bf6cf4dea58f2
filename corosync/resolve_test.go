package corosync_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/quorumwatch/quorumwatch/corosync"
)

var _ corosync.Resolver = (*net.Resolver)(nil)

// names answers lookups from a list, and counts them.
type names struct {
	list  map[string]string // "ADDRESS ADDRESS"
	calls atomic.Int32
}

func (n *names) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	n.calls.Add(1)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var found []netip.Addr
	for word := range strings.FieldsSeq(n.list[host]) {
		a := netip.MustParseAddr(word)
		if network == "ip" || (network == "ip4") == a.Unmap().Is4() {
			found = append(found, a)
		}
	}
	if found == nil {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return found, nil
}

// confOf writes a configuration with one node for each address.
func confOf(t *testing.T, ipVersion string, addrs ...string) *corosync.Config {
	t.Helper()
	var b strings.Builder
	b.WriteString("totem {\n  version: 2\n")
	if ipVersion != "" {
		b.WriteString("  ip_version: " + ipVersion + "\n")
	}
	b.WriteString("}\nnodelist {\n")
	for i, a := range addrs {
		id := string(rune('1' + i))
		b.WriteString("  node {\n    name: n" + id + "\n    nodeid: " + id + "\n    ring0_addr: " + a + "\n  }\n")
	}
	b.WriteString("}\n")
	c, err := corosync.Parse("test.conf", strings.NewReader(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestResolve(t *testing.T) {
	list := map[string]string{"both": "10.0.0.1 fd00::1", "four": "10.0.0.2", "six": "fd00::3", "mapped": "::ffff:10.0.0.4", "other4": "10.0.0.9 10.0.0.5"}
	tests := []struct {
		ipVersion string
		addrs     []string
		want      []string // one for each address, "" if it must not resolve
		problems  []string // parts of reasons
	}{
		{"", []string{"both", "six"}, []string{"fd00::1", "fd00::3"}, nil},
		{"ipv6-4", []string{"both", "four"}, []string{"fd00::1", "10.0.0.2"}, []string{"IP families"}},
		{"ipv4-6", []string{"both", "four"}, []string{"10.0.0.1", "10.0.0.2"}, nil},
		{"ipv4", []string{"both", "six"}, []string{"10.0.0.1", ""}, []string{"six does not resolve: no such host"}},
		{"ipv6", []string{"both", "mapped"}, []string{"fd00::1", ""}, []string{"mapped does not resolve"}},
		{"ipv4-6", []string{"mapped", "other4"}, []string{"10.0.0.4", "10.0.0.9"}, nil},
		{"", []string{"10.0.0.2", "four"}, []string{"10.0.0.2", "10.0.0.2"}, []string{"four is 10.0.0.2, which is also the address of node n1, link 0"}},
		{"ipv6", []string{"fe80::1%eth0", "fd00::2"}, []string{"fe80::1", "fd00::2"}, nil},
		{"", []string{"0x0a.1", "10.2"}, []string{"10.0.0.1", "10.0.0.2"}, nil},
		{"", []string{"nowhere", "nowhere"}, []string{"", ""}, []string{"nowhere does not resolve", "nowhere does not resolve"}},
	}
	for _, tt := range tests {
		t.Run(tt.ipVersion+" "+strings.Join(tt.addrs, " "), func(t *testing.T) {
			c := confOf(t, tt.ipVersion, tt.addrs...)
			got, problems := corosync.Resolve(t.Context(), &names{list: list}, c)
			var want []corosync.Address
			for i, a := range tt.want {
				if a != "" {
					want = append(want, corosync.Address{Node: uint32(i + 1), Addr: netip.MustParseAddr(a)})
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
			if len(problems) != len(tt.problems) {
				t.Fatalf("problems: %v", problems)
			}
			for i, p := range problems {
				if !strings.Contains(p.Reason, tt.problems[i]) || p.Line == 0 || p.Hint == "" {
					t.Errorf("problem %+v, want %q", p, tt.problems[i])
				}
			}
		})
	}
}

func TestResolveLooksUpOnlyNamesAndOnce(t *testing.T) {
	r := &names{list: map[string]string{"a": "10.0.0.7"}}
	corosync.Resolve(t.Context(), r, confOf(t, "", "10.0.0.1", "a", "a"))
	if n := r.calls.Load(); n != 1 {
		t.Errorf("%d lookups", n)
	}
}

func TestResolveCanceled(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	got, problems := corosync.Resolve(ctx, &names{list: map[string]string{"a": "10.0.0.7"}}, confOf(t, "", "10.0.0.1", "a"))
	if len(got) != 1 || len(problems) != 1 {
		t.Errorf("literals must not depend on the context: %v, %v", got, problems)
	}
}
