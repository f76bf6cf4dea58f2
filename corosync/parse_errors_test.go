package corosync_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
)

const small = `totem {
  version: 2
  secauth: on
  tokn: 5
}
nodelist {
  node {
    name: a
    nodeid: 1
    ring0_addr: 10.0.0.1
  }
  node {
    name: b
    nodeid: 2
    ring0_addr: 10.0.0.2
  }
}
quorum {
  provider: corosync_votequorum
}
`

func TestParseErrorForm(t *testing.T) {
	_, err := corosync.Parse("/etc/corosync/corosync.conf", strings.NewReader(strings.Replace(small, "tokn: 5", "token: 5s", 1)))
	const want = `/etc/corosync/corosync.conf:4: totem.token: "5s" is not an integer from 0 to 4294967295`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	p, ok := errors.AsType[corosync.Problem](err)
	if !ok || p.Line != 4 || p.Key != "totem.token" || p.Hint == "" || p.File != "/etc/corosync/corosync.conf" {
		t.Errorf("problem: %+v (%v)", p, ok)
	}
}

func TestParseSeveralErrors(t *testing.T) {
	_, err := corosync.Parse("c", strings.NewReader(strings.NewReplacer("nodeid: 2", "nodeid: 1", "version: 2", "version: 1").Replace(small)))
	parse, ok := errors.AsType[*corosync.ParseError](err)
	if !ok || len(parse.Problems) != 2 || parse.Problems[0].Line != 2 || parse.Problems[1].Line != 14 {
		t.Fatalf("%v", err)
	}
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 2 {
		t.Errorf("one line for each problem: %q", lines)
	}
}

func TestParseWarning(t *testing.T) {
	c, err := corosync.Parse("c", strings.NewReader(small))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Warnings) != 1 || c.Warnings[0].Error() != "c:4: totem.tokn: Corosync does not know this key and ignores it" || c.Warnings[0].Hint != "did you mean token?" {
		t.Errorf("%+v", c.Warnings)
	}
	if c.Lines["nodelist.node.1.nodeid"] != 14 || c.Values["nodelist.node.1.nodeid"] != (corosync.Value{Type: "u32", Text: "2"}) {
		t.Errorf("nodelist.node.1.nodeid: %v on line %d", c.Values["nodelist.node.1.nodeid"], c.Lines["nodelist.node.1.nodeid"])
	}
}

// TestParseJunk wants an error that comes quickly and stays short.
func TestParseJunk(t *testing.T) {
	junk := make([]byte, 10<<20)
	for i := range junk {
		junk[i] = byte(i * 7919 >> 3)
	}
	inputs := map[string]io.Reader{
		"10 MB binary":         bytes.NewReader(junk),
		"10 MB zeros":          bytes.NewReader(make([]byte, 10<<20)),
		"1 MB zeros":           bytes.NewReader(make([]byte, 1<<20)),
		"10 MB of comments":    strings.NewReader(strings.Repeat("# a comment\n", 1<<20)),
		"endless":              endless{},
		"many open sections":   strings.NewReader(strings.Repeat("s {\n", 200_000)),
		"one long word":        strings.NewReader(strings.Repeat("x", 400)),
		"many unknown keys":    strings.NewReader("totem {\n" + strings.Repeat("tokn: 1\n", 100_000)),
		"long unknown key":     strings.NewReader("totem {\n" + strings.Repeat("k", 200) + ": 1\n"),
		"many nodes":           strings.NewReader("totem {\nversion: 2\n}\nnodelist {\n" + strings.Repeat("node {\nnodeid: 1\nring0_addr: 10.0.0.1\n}\n", 5000) + "}\n"),
		"truncated in a value": strings.NewReader(small[:60]),
	}
	for name, r := range inputs {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			c, err := corosync.Parse("junk.conf", r)
			if err == nil {
				t.Fatalf("accepted: %d nodes", len(c.Nodes))
			}
			p, ok := errors.AsType[corosync.Problem](err)
			if !ok || len(p.Error()) > 400 {
				t.Errorf("%.400s", err.Error())
			}
			if d := time.Since(start); d > 5*time.Second {
				t.Errorf("took %v", d)
			}
		})
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '\n'
	}
	return len(p), nil
}

// TestParseManyWarnings bounds what an absurd file makes it say.
func TestParseManyWarnings(t *testing.T) {
	c, err := corosync.Parse("c", strings.NewReader(small+"totem {\n"+strings.Repeat("tokn: 1\n", 100_000)+"}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(c.Warnings); n > 201 || !strings.HasSuffix(c.Warnings[n-1].Reason, "more warnings than these") {
		t.Errorf("%d warnings, the last: %v", n, c.Warnings[n-1])
	}
}

func TestParseReadError(t *testing.T) {
	_, err := corosync.Parse("c", iotest.ErrReader(io.ErrUnexpectedEOF))
	if !errors.Is(err, io.ErrUnexpectedEOF) || err.Error() != "c: unexpected EOF" {
		t.Errorf("%v", err)
	}
	if _, ok := errors.AsType[*corosync.ParseError](err); ok {
		t.Error("a read error is no refusal")
	}
}

// TestParseEveryTruncation cuts the file anywhere: never a panic, and only the last line may be missing without an error.
func TestParseEveryTruncation(t *testing.T) {
	for i := range small {
		if _, err := corosync.Parse("c", strings.NewReader(small[:i])); err == nil && !strings.HasSuffix(small[:i], "}\n") && !strings.HasSuffix(small[:i], "}") {
			t.Errorf("cut at byte %d, after %q: accepted", i, small[max(0, i-20):i])
		}
	}
}
