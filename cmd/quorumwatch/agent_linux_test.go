package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
)

// TestAgentProcesses runs two agents as processes on loopback addresses, without Corosync and root: they find each other, take over a
// corosync.conf that is replaced, blame themselves after a stall, and don't call a killed peer a cut.
func TestAgentProcesses(t *testing.T) {
	if testing.Short() {
		t.Skip("takes ten seconds of real time")
	}
	dir := t.TempDir()
	conf := filepath.Join(dir, "corosync.conf")
	writeConf(t, conf, 1)
	if err := os.WriteFile(filepath.Join(dir, "authkey"), []byte(strings.Repeat("k", 128)), 0o600); err != nil {
		t.Fatal(err)
	}
	one, two := startAgent(t, dir, "n1"), startAgent(t, dir, "n2")
	one.await(t, "its peer is up", func(r *checker.Report) bool { return path(r).State == checker.PathUp })

	writeConf(t, conf, 2)
	one.await(t, "the new corosync.conf is in force", func(r *checker.Report) bool { return r.Cluster.ConfigVersion == 2 })

	two.signal(t, syscall.SIGSTOP)
	one.await(t, "no answer is seen for a second", func(r *checker.Report) bool { return path(r).Gap.Duration() > time.Second })
	two.signal(t, syscall.SIGCONT)
	two.await(t, "it says that it stalled", func(r *checker.Report) bool { return finding(r, checker.CodeHostPause) })
	one.await(t, "its peer is up again", func(r *checker.Report) bool { return path(r).State == checker.PathUp })

	two.signal(t, syscall.SIGKILL)
	one.await(t, "the killed agent is no more than silent", func(r *checker.Report) bool { return finding(r, checker.CodeAgentSilent) })
	if r := one.report(t); r.Severity == checker.Critical {
		t.Errorf("critical: %+v", r.Findings)
	}
	one.signal(t, syscall.SIGTERM)
	if err := one.cmd.Wait(); err != nil {
		t.Errorf("the agent ended with %v", err)
	}
}

func writeConf(t *testing.T, name string, version int) {
	t.Helper()
	text := fmt.Sprintf(`totem {
  version: 2
  cluster_name: loopback
  config_version: %d
  secauth: on
}
nodelist {
  node {
    name: n1
    nodeid: 1
    ring0_addr: 127.88.0.1
  }
  node {
    name: n2
    nodeid: 2
    ring0_addr: 127.88.0.2
  }
}
quorum {
  provider: corosync_votequorum
}
`, version)
	if err := os.WriteFile(name+".new", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		t.Fatal(err)
	}
}

// agentProcess is an agent that runs.
type agentProcess struct {
	cmd *exec.Cmd
	url string
}

// startAgent runs the command, which testscript has put into PATH.
func startAgent(t *testing.T, dir, node string) *agentProcess {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	cmd := exec.Command("quorumwatch", "agent", "--corosync-config", filepath.Join(dir, "corosync.conf"),
		"--corosync-authkey", filepath.Join(dir, "authkey"), "--corosync-node", node, "--corosync-tools-dir", dir,
		"--web-listen", address, "--probe-port", "15412")
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return &agentProcess{cmd: cmd, url: "http://" + address + "/api/v1/report"}
}

func (p *agentProcess) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// report returns the agent's present report, nil if it does not answer.
func (p *agentProcess) report(t *testing.T) *checker.Report {
	t.Helper()
	resp, err := (&http.Client{Timeout: time.Second}).Get(p.url)
	if err != nil || resp.StatusCode != http.StatusOK {
		return nil
	}
	defer resp.Body.Close()
	var r checker.Report
	if err := json.NewDecoder(resp.Body).Decode(&r); err != nil {
		t.Fatal(err)
	}
	return &r
}

// await polls until the report is as it should be; a busy machine gets half a minute.
func (p *agentProcess) await(t *testing.T, what string, ok func(*checker.Report) bool) {
	t.Helper()
	var last *checker.Report
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if last = p.report(t); last != nil && ok(last) {
			return
		}
	}
	t.Fatalf("waited in vain until %s; last report: %+v", what, last)
}

// path is the one path that each of the two has; the zero Path before it is there.
func path(r *checker.Report) checker.Path {
	if len(r.Paths) == 0 {
		return checker.Path{}
	}
	return r.Paths[0]
}

func finding(r *checker.Report, code string) bool {
	for _, f := range r.Findings {
		if f.Code == code {
			return true
		}
	}
	return false
}
