package corosynctest

import (
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/quorumwatch/quorumwatch/corosync/ctl"
)

//go:embed testdata
var testdata embed.FS

// Recording is what the tools printed in one state of a cluster.
type Recording struct{ dir string }

// Recorded returns the recording of a state of Corosync 3.1.7; see the package comment. It panics if there is none.
func Recorded(state string) Recording {
	r := Recording{"testdata/corosync-3.1.7/" + state}
	if _, err := fs.Stat(testdata, r.dir); err != nil {
		panic(fmt.Sprintf("corosynctest: no recording %q", state))
	}
	return r
}

// Log returns a recorded log: "hires-n1", "hires-n2", "on-n1" or "on-n2".
func Log(name string) string {
	b, err := testdata.ReadFile("testdata/corosync-3.1.7/log-" + name + ".txt")
	if err != nil {
		panic(fmt.Sprintf("corosynctest: no log %q", name))
	}
	return string(b)
}

// Output is what a tool printed. From a full dump of corosync-cmapctl it picks what the prefixes or -g ask for.
func (r Recording) Output(name string, args ...string) ctl.Output {
	switch name {
	case "corosync":
		return Recording{"testdata/corosync-3.1.7/healthy3"}.file("version")
	case "dpkg-query":
		return ctl.Output{Stdout: []byte("1.25-1\n"), Stderr: "dpkg-query: no packages found matching libknet1t64\n", Code: 1}
	case "corosync-cfgtool":
		if len(args) > 0 && args[0] == "-n" {
			return r.file("cfgtool-n")
		}
		return r.file("cfgtool-s")
	case "corosync-quorumtool":
		return r.file("quorumtool-si")
	case "corosync-cmapctl":
		return r.cmap(args)
	}
	return ctl.Output{Stderr: "corosynctest: unknown tool " + name, Code: 1}
}

func (r Recording) file(name string) ctl.Output {
	read := func(ext string) []byte {
		b, _ := testdata.ReadFile(r.dir + "/" + name + ext)
		return b
	}
	code, _ := strconv.Atoi(strings.TrimSpace(string(read(".rc"))))
	return ctl.Output{Stdout: read(".out"), Stderr: string(read(".err")), Code: code}
}

// cmap picks lines as tools/corosync-cmapctl.c does: with -g it wants keys and stops at the first that is not there; without,
// no match at all is a failure.
func (r Recording) cmap(args []string) ctl.Output {
	name, get := "cmapctl", false
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		switch args[0] {
		case "-m":
			if len(args) > 1 && args[1] == "stats" {
				name = "cmapctl-stats"
			}
			args = args[1:]
		case "-g":
			get = true
		}
		args = args[1:]
	}
	all := r.file(name)
	switch {
	case get && len(args) == 0:
		return ctl.Output{Stderr: "Expected key after options\n", Code: 1}
	case all.Code != 0 || len(args) == 0:
		return all
	}
	var b strings.Builder
	for _, want := range args {
		found := false
		for line := range strings.Lines(string(all.Stdout)) {
			key, _, _ := strings.Cut(line, " (")
			if key == want || !get && strings.HasPrefix(key, want) {
				b.WriteString(line)
				found = true
			}
		}
		if get && !found {
			return ctl.Output{Stdout: []byte(b.String()), Stderr: "Can't get key " + want + ". Error CS_ERR_NOT_EXIST\n", Code: 1}
		}
	}
	out := ctl.Output{Stdout: []byte(b.String())}
	if b.Len() == 0 {
		out.Code = 1
	}
	return out
}
