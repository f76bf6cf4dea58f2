package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/quorumwatch/quorumwatch/cmd/internal/agent"
	"github.com/quorumwatch/quorumwatch/probe"
	"github.com/quorumwatch/quorumwatch/probe/udp"
)

// reflectFlags is the command line of reflect, as written.
type reflectFlags struct {
	listen  []string
	port    uint16
	name    string
	code    string
	keyFile string
	open    bool
	allow   []string
	last    time.Duration
}

func newReflectCommand(p *process) *cobra.Command {
	var f reflectFlags
	cmd := &cobra.Command{
		Use:   "reflect",
		Short: "Answer the probes of 'quorumwatch check', where no Corosync runs yet",
		Long: `reflect answers probes on the addresses of this host until it is stopped (Ctrl-C), and then says how many there were. It changes
nothing here, and needs no cluster, no configuration and no root.

It prints a one-time code and the line to run at the other end. Only packets that were made with that code, or with --key-file, are answered;
each reply is as long as its request, so nobody can be flooded by it.`,
		Example: `  quorumwatch reflect
  quorumwatch reflect --listen 198.51.100.7 --allow 203.0.113.0/24
  quorumwatch reflect --key-file /root/check.key`,
		GroupID: groupAsk,
		Args:    arguments(cobra.NoArgs),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringArrayVar(&f.listen, "listen", nil, "`address` of this host to answer on; repeat for more (default: all but loopback and link-local ones)")
	flags.Uint16Var(&f.port, "port", probe.DefaultPort, "UDP `port`")
	flags.StringVar(&f.name, "name", "", "`name` of this node in the line to run (default: this host's)")
	flags.StringVar(&f.code, "code", "", "use this `code`, not a new one: at least 16 letters and digits")
	flags.StringVar(&f.keyFile, "key-file", "", "`file` with the key that the other end has, too")
	flags.BoolVar(&f.open, "open", false, "answer everybody, without authentication: anybody can then forge the result")
	flags.StringArrayVar(&f.allow, "allow", nil, "answer these `prefix`es only; repeat for more (default: everybody who has the code)")
	flags.DurationVar(&f.last, "for", 0, "stop after this `time` (default: never)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := exclusive(cmd, []string{"code", "key-file", "open"}); err != nil {
			return err
		}
		return runReflect(cmd.Context(), p, f)
	}
	return cmd
}

func runReflect(ctx context.Context, p *process, f reflectFlags) error {
	addrs, err := f.addresses()
	if err != nil {
		return err
	}
	allow, err := f.prefixes()
	if err != nil {
		return err
	}
	key, how, err := f.key()
	if err != nil {
		return err
	}
	r, err := probe.New(probe.Config{
		Network: udp.Network{}, NewPacer: func() (probe.Pacer, error) { return udp.NewPacer() }, Key: key,
		Reflect: addrs, Port: f.port, Allow: allow, TOS: lowDelay, Priority: knetPriority,
	})
	if err != nil {
		return err
	}
	if err := f.tryPorts(ctx, addrs); err != nil {
		return err
	}
	f.greet(p, addrs, how)
	if f.last > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, f.last)
		defer cancel()
	}
	done := make(chan struct{})
	go func() { defer close(done); follow(ctx, p, r) }()
	err = r.Run(ctx)
	<-done
	tellReflected(p, r)
	return err
}

// tryPorts says at once what a prober would only try again and again.
func (f *reflectFlags) tryPorts(ctx context.Context, addrs []netip.Addr) error {
	for _, a := range addrs {
		conn, err := udp.Network{}.Listen(ctx, probe.ListenConfig{Addr: netip.AddrPortFrom(a, f.port)})
		if err != nil {
			return &hinted{err, "an agent that runs here answers probes already; else choose another --port, or --listen"}
		}
		_ = conn.Close()
	}
	return nil
}

// addresses are those to answer on.
func (f *reflectFlags) addresses() ([]netip.Addr, error) {
	var out []netip.Addr
	for _, text := range f.listen {
		a, err := netip.ParseAddr(text)
		if err != nil || a.IsUnspecified() {
			return nil, usage("--listen 198.51.100.7; without --listen all addresses are answered on", "--listen %q is not one address of this host", text)
		}
		out = append(out, a.Unmap())
	}
	if len(out) > 0 {
		return out, nil
	}
	all, err := agent.HostAddrs()
	if err != nil {
		return nil, err
	}
	for _, a := range all {
		if a.IsGlobalUnicast() {
			out = append(out, a)
		}
	}
	if len(out) == 0 {
		return nil, &hinted{errors.New("this host has no address to answer on"), "name one with --listen"}
	}
	return out, nil
}

func (f *reflectFlags) prefixes() ([]netip.Prefix, error) {
	if len(f.allow) == 0 {
		return []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}, nil
	}
	var out []netip.Prefix
	for _, text := range f.allow {
		if a, err := netip.ParseAddr(text); err == nil {
			out = append(out, netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()))
			continue
		}
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, usage("--allow 203.0.113.0/24, or one address", "--allow %q is not a prefix", text)
		}
		out = append(out, prefix.Masked())
	}
	return out, nil
}

// greet says what to run at the other end.
func (f *reflectFlags) greet(p *process, addrs []netip.Addr, how string) {
	name := f.name
	if name == "" {
		name = shortHostname()
	}
	fmt.Fprintf(p.out, "answering probes on UDP %d of %s\n\nat the other end, run for one of them:\n\n", f.port, words4(addrs))
	for _, a := range addrs[:min(len(addrs), 4)] {
		line := fmt.Sprintf("  quorumwatch check --peer %s=%s %s", name, a, how)
		if f.port != probe.DefaultPort {
			line += fmt.Sprintf(" --port %d", f.port)
		}
		fmt.Fprintln(p.out, line)
	}
	fmt.Fprintln(p.out, "\nadd --plan FILE with the corosync.conf as it is to be. Ctrl-C stops.")
	if f.open {
		fmt.Fprintln(p.out, "not authenticated: anybody who can send here can forge the result")
	}
}

func words4(addrs []netip.Addr) string {
	var out []string
	for _, a := range addrs {
		out = append(out, a.String())
	}
	return strings.Join(out, ", ")
}

// follow shows on a terminal that something comes.
func follow(ctx context.Context, p *process, r *probe.Prober) {
	if !isTerminal(p.err) {
		<-ctx.Done()
		return
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			fmt.Fprint(p.err, "\r\x1b[K")
			return
		case <-tick.C:
			c := r.Counters()
			fmt.Fprintf(p.err, "\r%d probes answered, %d packets thrown away ", c.Reflected, dropped(c))
		}
	}
}

// tellReflected sums up.
func tellReflected(p *process, r *probe.Prober) {
	c := r.Counters()
	fmt.Fprintf(p.out, "%d probes answered\n", c.Reflected)
	for _, reason := range slices.Sorted(maps.Keys(c.Dropped)) {
		if n := c.Dropped[reason]; n > 0 {
			fmt.Fprintf(p.out, "%d packets thrown away: %s\n", n, reason)
		}
	}
}

func dropped(c probe.Counters) (n uint64) {
	for _, d := range c.Dropped {
		n += d
	}
	return n
}
