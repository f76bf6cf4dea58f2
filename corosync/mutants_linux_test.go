package corosync_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/corosync/lab"
)

// TestMutants spoils the corpus in many small ways and asks `corosync -t` about each file: it and the parser agree on who
// starts. QUORUMWATCH_MUTANTS=SEED,COUNT asks for other ones.
func TestMutants(t *testing.T) {
	lab.Require(t)
	if testing.Short() && os.Getenv("CI") != "true" {
		t.Skip("SKIPPED: -short, and this starts hundreds of corosync -t")
	}
	out, err := exec.CommandContext(t.Context(), "corosync", "-v").Output()
	if err != nil {
		t.Fatal(err)
	}
	version := corosync.ParseVersion(out)
	seed, count := 1, 400
	if s := os.Getenv("QUORUMWATCH_MUTANTS"); s != "" {
		a, b, _ := strings.Cut(s, ",")
		seed, _ = strconv.Atoi(a)
		count, _ = strconv.Atoi(b)
	}
	m := newMutator(t, uint64(seed))
	dir := t.TempDir()
	files := make([][]byte, count)
	for i := range files {
		files[i] = m.mutant()
		if err := os.WriteFile(filepath.Join(dir, strconv.Itoa(i)), files[i], 0o644); err != nil {
			t.Fatal(err)
		}
	}
	machine := mutantMachine(t, dir, count)
	accepted, differ := 0, 0
	for i, raw := range files {
		code, err := os.ReadFile(filepath.Join(dir, strconv.Itoa(i)+".code"))
		if err != nil {
			t.Fatal(err)
		}
		starts := strings.TrimSpace(string(code)) == "0"
		v := judgeMutant(t.Context(), raw, machine)
		if starts {
			accepted++
		}
		if (v.refused() == "") != starts && !foretold(v, version) {
			said, _ := os.ReadFile(filepath.Join(dir, strconv.Itoa(i)+".out"))
			differ++
			t.Errorf("mutant %d: corosync -t accepts: %v; the parser: %q; corosync says: %s\n%s", i, starts, v.refused(), said, raw)
		}
	}
	t.Logf("corosync %s: %d mutants, %d accepted, %d judged otherwise", version, count, accepted, differ)
}

// foretold: the releases differ here, and a warning or the error says so.
func foretold(v verdict, version string) bool {
	var said []corosync.Problem
	if v.config != nil {
		said = v.config.Warnings
	} else if refusal, ok := v.err.(*corosync.ParseError); ok {
		said = refusal.Problems
	}
	return slices.ContainsFunc(said, func(p corosync.Problem) bool {
		return strings.Contains(p.Reason, "Corosync 3.1.10 and later refuse") && compareVersions(version, "3.1.10") >= 0 ||
			strings.Contains(p.Reason, "Corosync before 3.1.10") && compareVersions(version, "3.1.10") < 0 ||
			strings.Contains(p.Reason, "Corosync before 3.1.8") && compareVersions(version, "3.1.8") < 0
	})
}

func judgeMutant(ctx context.Context, raw []byte, addrs []netip.Addr) verdict {
	f := corpusFile{name: "mutant", raw: raw}
	var v verdict
	if v.config, v.err = f.parse(); v.err == nil {
		v.resolved, v.problems = corosync.Resolve(ctx, f, v.config)
		v.local, v.localErr = corosync.LocalNode(v.config, "n1", addrs, v.resolved)
	}
	return v
}

// mutantMachine runs corosync -t on all files in one set of namespaces and returns the addresses it had.
func mutantMachine(t *testing.T, dir string, count int) []netip.Addr {
	t.Helper()
	script := "set -e\nhostname n1\nip link set lo up\n"
	addrs := []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.IPv6Loopback()}
	for _, text := range []string{"10.50.0.1", "10.51.0.1", "fd00:50::1"} {
		a := netip.MustParseAddr(text)
		addrs = append(addrs, a)
		script += fmt.Sprintf("ip addr add %s/%d dev lo\n", a, a.BitLen())
	}
	for name, text := range map[string]string{"hosts": "127.0.0.1 localhost\n", "nsswitch.conf": "hosts: files\npasswd: files\ngroup: files\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		script += fmt.Sprintf("mount --bind %s /etc/%s\n", filepath.Join(dir, name), name)
	}
	script += "mount -t tmpfs none /etc/corosync\nhead -c 256 /dev/zero > /etc/corosync/authkey\nmount -t tmpfs none /run\nset +e\ncd " + dir + "\n" +
		fmt.Sprintf("i=0\nwhile [ $i -lt %d ]; do corosync -t -c %s/$i > $i.out 2>&1; echo $? > $i.code; i=$((i+1)); done\n", count, dir)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute+time.Duration(count)*100*time.Millisecond)
	defer cancel()
	out, err := exec.CommandContext(ctx, "unshare", "--net", "--mount", "--uts", "--ipc", "--propagation", "private", "sh", "-c", script).CombinedOutput()
	if err != nil {
		t.Fatalf("corosync -t: %v: %s", err, out)
	}
	return addrs
}

// mutator makes spoiled files out of those of the corpus that need no names.
type mutator struct {
	rand   *rand.Rand
	files  [][]string
	lines  []string // of all files
	values []string
}

func newMutator(t *testing.T, seed uint64) *mutator {
	m := &mutator{rand: rand.New(rand.NewPCG(seed, 1))}
	for _, f := range corpus(t) {
		if len(f.hosts) > 0 || f.name == "grammar-binary" || strings.HasPrefix(f.name, "uidgid") { // nor users
			continue
		}
		lines := strings.Split(string(f.raw), "\n")
		m.files, m.lines = append(m.files, lines), append(m.lines, lines...)
	}
	m.values = strings.Fields("0 1 2 3 10 29 30 31 200 255 256 65535 65536 4294967295 4294967296 -1 +5 007 0x5 on off yes no none knet udpu udp " +
		"passive active rr n1 n2 10.50.0.1 10.50.0.2 10.50.0.3 fd00:50::1 fd00:50::2 aes256 sha256 sha1 ipv4 ipv6 ipv4-6 ipv6-4 { } : # corosync_votequorum " +
		"sctp 239.1.2.3 10.50.0.0 debug trace notice")
	return m
}

// mutant spoils one file in one to four places.
func (m *mutator) mutant() []byte {
	lines := slices.Clone(m.files[m.rand.IntN(len(m.files))])
	for range 1 + m.rand.IntN(4) {
		if len(lines) == 0 {
			break
		}
		i := m.rand.IntN(len(lines))
		switch m.rand.IntN(8) {
		case 0:
			lines = slices.Delete(lines, i, i+1)
		case 1:
			lines = slices.Insert(lines, i, lines[i])
		case 2:
			j := m.rand.IntN(len(lines))
			lines[i], lines[j] = lines[j], lines[i]
		case 3, 4:
			lines = slices.Insert(lines, i, m.lines[m.rand.IntN(len(m.lines))])
		case 5:
			if key, _, ok := strings.Cut(lines[i], ":"); ok {
				lines[i] = key + ": " + m.values[m.rand.IntN(len(m.values))]
			}
		default:
			lines[i] = m.spoil(lines[i])
		}
	}
	return []byte(strings.Join(lines, "\n"))
}

// spoil inserts or takes away one byte.
func (m *mutator) spoil(line string) string {
	if line == "" {
		return line
	}
	const bytes = " \t:{}#.aZ0_-/\xa0\x01\r"
	at := m.rand.IntN(len(line))
	if m.rand.IntN(3) == 0 {
		return line[:at] + line[at+1:]
	}
	b := m.rand.IntN(len(bytes))
	return line[:at] + bytes[b:b+1] + line[at:]
}
