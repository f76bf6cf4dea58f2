//go:build linux

package lab_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/lab"
)

// victimEnv makes the test binary a program with a lab in it, to be killed.
const victimEnv = "QUORUMWATCH_LAB_TEST_VICTIM"

// victim starts a lab in dir, says so and waits to be killed.
func victim(dir string) {
	l, err := lab.New(context.Background(), lab.Spec{Name: "victim", Dir: dir, Sites: []lab.Site{{Name: "a", Nodes: 2}}})
	if err == nil {
		err = l.Start(context.Background())
	}
	if err != nil {
		fmt.Println("victim:", err)
		os.Exit(1)
	}
	fmt.Println("up")
	select {}
}

// TestKilledLabLeavesNothing kills the program of a running lab with SIGKILL.
func TestKilledLabLeavesNothing(t *testing.T) {
	lab.Require(t)
	dir := t.TempDir()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), victimEnv+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "up\n" {
		t.Fatalf("victim said %q, %v", line, err)
	}
	runs, err := lab.Runs(dir)
	if err != nil || len(runs) != 1 || !runs[0].Alive() {
		t.Fatalf("runs: %+v, %v", runs, err)
	}
	if cleaned, err := lab.Clean(dir); len(cleaned) != 0 || err != nil {
		t.Fatalf("clean touched a living run: %v, %v", cleaned, err)
	}
	inside := processesIn(t, runs[0])
	if len(inside) < 4 { // two holders, two daemons
		t.Fatalf("processes of the nodes: %v", inside)
	}
	cmd.Process.Signal(syscall.SIGKILL)
	cmd.Wait()
	deadline := time.Now().Add(5 * time.Second)
	for len(alive(inside)) > 0 || runs[0].Hub.Alive() {
		if time.Now().After(deadline) {
			t.Fatalf("left behind: hub %v, %v", runs[0].Hub.Alive(), alive(inside))
		}
		time.Sleep(10 * time.Millisecond)
	}
	cleaned, err := lab.Clean(dir)
	if err != nil || len(cleaned) != 1 || cleaned[0] != "victim" {
		t.Fatalf("clean: %v, %v", cleaned, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "[a-z]*")); len(left) != 0 {
		t.Errorf("left in the directory of runs: %v", left)
	}
}

// processesIn lists the pids of all processes in the network namespaces of a run's nodes.
func processesIn(t *testing.T, r lab.Record) []string {
	t.Helper()
	var pids []string
	for _, n := range r.Nodes {
		own, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", n.Holder.PID))
		if err != nil {
			t.Fatal(err)
		}
		all, _ := filepath.Glob("/proc/[0-9]*/ns/net")
		for _, link := range all {
			if ns, err := os.Readlink(link); err == nil && ns == own {
				pids = append(pids, strings.Split(link, "/")[2])
			}
		}
	}
	return pids
}

func alive(pids []string) []string {
	var list []string
	for _, pid := range pids {
		if stat, err := os.ReadFile("/proc/" + pid + "/stat"); err == nil && !strings.Contains(string(stat), ") Z ") {
			list = append(list, string(stat[:40]))
		}
	}
	return list
}

// TestNode tries what can be done to one node, in one lab, to be quick.
func TestNode(t *testing.T) {
	lab.Require(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	l, err := lab.New(ctx, lab.Spec{
		Sites: []lab.Site{{Name: "a", Nodes: 1}, {Name: "b", Nodes: 1}}, Links: 2, Load: true,
		Totem: []lab.Option{{Key: "token", Value: "1000"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if err := l.WaitFormed(ctx); err != nil {
		t.Fatal(err)
	}
	t.Run("namespaces", func(t *testing.T) { testNamespaces(ctx, t, l) })
	t.Run("dial", func(t *testing.T) { testDial(ctx, t, l) })
	t.Run("load", func(t *testing.T) { testLoad(ctx, t, l) })
	t.Run("interface", func(t *testing.T) { testInterface(ctx, t, l) })
	t.Run("address", func(t *testing.T) { testAddress(ctx, t, l) })
	t.Run("pause", func(t *testing.T) { testPause(ctx, t, l) })
	t.Run("kill", func(t *testing.T) { testKill(ctx, t, l) })
	t.Log(l.Quality())
}

func run(ctx context.Context, t *testing.T, n *lab.Node, args ...string) string {
	t.Helper()
	out, err := n.Run(ctx, args...)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func testNamespaces(ctx context.Context, t *testing.T, l *lab.Lab) {
	a1 := l.Node("a1")
	if got := run(ctx, t, a1, "hostname"); got != "a1\n" {
		t.Errorf("hostname %q", got)
	}
	if got := run(ctx, t, a1, "ls", "/sys/class/net"); got != "link0\nlink1\nlo\n" {
		t.Errorf("devices %q", got)
	}
	if got := run(ctx, t, a1, "cat", "/etc/corosync/corosync.conf"); got != l.Conf() {
		t.Errorf("corosync.conf: %s", got)
	}
	if got := run(ctx, t, a1, "cat", "/proc/1/cmdline"); !strings.Contains(got, "quorumlab-holder") {
		t.Errorf("process 1 is %q", got)
	}
	run(ctx, t, a1, "mkdir", "/var/lib/quorumwatch-lab-test")
	if _, err := os.Stat("/var/lib/quorumwatch-lab-test"); err == nil {
		t.Error("what a node writes to /var/lib is on the machine")
		os.Remove("/var/lib/quorumwatch-lab-test")
	}
	for _, addr := range []string{"10.50.2.1", "10.51.2.1", "fd00:50::2:1", "fd00:51::2:1"} {
		if err := a1.Do(func() error { return udpEcho(l.Node("b1"), addr) }); err != nil {
			t.Errorf("a1 to %s: %v", addr, err)
		}
	}
	if _, err := a1.Run(ctx, "false"); err == nil {
		t.Error("false succeeds")
	}
	if _, err := a1.Run(ctx, "no-such-program"); err == nil {
		t.Error("a program that is not there starts")
	}
}

// udpEcho sends one packet from the present namespace to the node's address and waits for it there.
func udpEcho(to *lab.Node, addr string) error {
	at := netip.AddrPortFrom(netip.MustParseAddr(addr), 7777)
	var in *net.UDPConn
	if err := to.Do(func() (err error) {
		in, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
		return err
	}); err != nil {
		return err
	}
	defer in.Close()
	out, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(at))
	if err != nil {
		return err
	}
	defer out.Close()
	if _, err := out.Write([]byte("x")); err != nil {
		return err
	}
	in.SetReadDeadline(time.Now().Add(2 * time.Second))
	_, err = in.Read(make([]byte, 10))
	return err
}

func testDial(ctx context.Context, t *testing.T, l *lab.Lab) {
	a1 := l.Node("a1")
	var ln net.Listener
	if err := a1.Do(func() (err error) {
		ln, err = net.Listen("tcp4", "127.0.0.1:8412")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	go http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }))
	defer ln.Close()
	resp, err := a1.HTTPClient().Get("http://127.0.0.1:8412/")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if _, err := l.Node("b1").Dial(ctx, "tcp", "127.0.0.1:8412"); err == nil {
		t.Error("b1 reaches a1's loopback")
	}
	if _, err := a1.Dial(ctx, "tcp", "localhost:8412"); err == nil {
		t.Error("a name is dialed")
	}
}

func testLoad(ctx context.Context, t *testing.T, l *lab.Lab) {
	if !strings.HasPrefix(l.Load(), "on") {
		t.Skipf("SKIPPED: load is %s", l.Load())
	}
	got := run(ctx, t, l.Node("a1"), "corosync-cpgtool")
	if !strings.Contains(got, "lab-load") {
		t.Errorf("groups: %s", got)
	}
}

func testInterface(ctx context.Context, t *testing.T, l *lab.Lab) {
	a1 := l.Node("a1")
	if err := a1.LinkDown(1); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if _, err := l.Node("b1").Log().Wait(ctx, begin, func(line lab.Line) bool { return line.Event == lab.EventLinkDown && line.Link == 1 }); err != nil {
		t.Fatal(err)
	}
	if err := a1.LinkUp(1); err != nil {
		t.Fatal(err)
	}
	if got := run(ctx, t, a1, "ip", "-brief", "address", "show", "link1"); !strings.Contains(got, "10.51.1.1/16") || !strings.Contains(got, "fd00:51::1:1/64") {
		t.Errorf("addresses after down and up: %s", got)
	}
	if _, err := l.Node("b1").Log().Wait(ctx, begin, func(line lab.Line) bool { return line.Event == lab.EventLinkUp && line.Link == 1 }); err != nil {
		t.Fatal(err)
	}
}

func testAddress(ctx context.Context, t *testing.T, l *lab.Lab) {
	a1 := l.Node("a1")
	if err := a1.SetAddr(1, netip.MustParseAddr("10.51.1.77")); err != nil {
		t.Fatal(err)
	}
	if err := l.Node("b1").Do(func() error { return udpEcho(a1, "10.51.1.77") }); err != nil {
		t.Error(err)
	}
	if err := a1.SetAddr(1, netip.MustParseAddr("10.51.1.1")); err != nil {
		t.Fatal(err)
	}
}

func testPause(ctx context.Context, t *testing.T, l *lab.Lab) {
	b1, begin := l.Node("b1"), time.Now()
	if err := b1.Corosync().Pause(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Node("a1").Log().WaitEvent(ctx, begin, lab.EventTokenLost); err != nil {
		t.Fatal(err)
	}
	if err := b1.Corosync().Resume(); err != nil {
		t.Fatal(err)
	}
	if _, err := b1.Log().WaitEvent(ctx, begin, lab.EventNotScheduled); err != nil {
		t.Fatal(err)
	}
	if q := l.Quality(); len(q.Stalls) != 0 {
		t.Errorf("a pause on purpose counts as a stall: %v", q.Stalls)
	}
	if err := l.WaitFormed(ctx); err != nil {
		t.Fatal(err)
	}
}

func testKill(ctx context.Context, t *testing.T, l *lab.Lab) {
	b1, begin := l.Node("b1").Corosync(), time.Now()
	if err := b1.Kill(); err != nil {
		t.Fatal(err)
	}
	if b1.Running() {
		t.Error("a killed daemon runs")
	}
	if _, err := l.Node("a1").Log().Wait(ctx, begin, func(line lab.Line) bool { return len(line.Left) == 1 }); err != nil {
		t.Fatal(err)
	}
	if err := b1.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if err := b1.Start(ctx); err == nil {
		t.Error("a second start succeeds")
	}
	if err := l.WaitFormed(ctx); err != nil {
		t.Fatal(err)
	}
	if err := b1.Stop(); err != nil {
		t.Fatal(err)
	}
}
