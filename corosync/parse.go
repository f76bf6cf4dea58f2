package corosync

import (
	"bytes"
	"fmt"
	"io"
	"slices"
)

// maxFileBytes bounds what is read. pmxcfs keeps no file above 1 MiB, and 400 nodes with eight links need a tenth of it.
const maxFileBytes = 1 << 20

// mostWarnings bounds what is said about one file.
const mostWarnings = 200

// Parse reads a corosync.conf as Corosync does, without touching network, key file or users: what the file alone decides.
// The name is only for messages. An error is a *ParseError unless reading r failed.
//
// A file is refused when Corosync (`corosync -t`) would not start with it. Releases 3.1.0 to 3.1.10 differ in details;
// Parse accepts what any of them accepts and warns where another one would not, because the daemon that is watched did
// start. Three things are as in the newest: ip_dscp is a number, the old rrp_ keys are strings, and a section inside of
// node{} (mostly a forgotten brace) does not end the node. What needs the machine is left to Resolve (do the names resolve)
// and LocalNode (which node is this one); votequorum's and knet's own refusals, which come after `corosync -t`, are
// warnings.
func Parse(file string, r io.Reader) (*Config, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(raw) > maxFileBytes {
		return nil, &ParseError{Problems: []Problem{{
			File:   file,
			Reason: fmt.Sprintf("larger than %d bytes", maxFileBytes),
			Hint:   "this is not a corosync.conf: one of 32 nodes with 3 links has some 5000 bytes",
		}}}
	}
	p := newParser(file)
	if problem := p.readSections(raw); problem != nil {
		return nil, refuse(append(p.nested, *problem), raw)
	}
	c := build(file, p.values, p.lines)
	if problems := check(c); len(problems) > 0 {
		return nil, refuse(append(p.nested, problems...), raw)
	}
	c.Warnings = slices.Concat(p.warnings, p.nested, warnings(c, p.written))
	for _, problem := range proxmoxWarnings(c, string(raw), p.sections) {
		problem.Proxmox = true
		c.Warnings = append(c.Warnings, problem)
	}
	for i := range c.Warnings {
		c.Warnings[i].File = file
	}
	sortProblems(c.Warnings)
	if len(c.Warnings) > mostWarnings {
		more := Problem{File: file, Reason: "there are more warnings than these"}
		c.Warnings = append(c.Warnings[:mostWarnings:mostWarnings], more)
	}
	return c, nil
}

// refuse puts a better hint into errors that come from a damaged file.
func refuse(problems []Problem, raw []byte) *ParseError {
	if i := bytes.IndexByte(raw, 0); i >= 0 {
		for j := range problems {
			problems[j].Hint = fmt.Sprintf("the file is damaged or no corosync.conf: it has NUL bytes, the first on line %d", 1+bytes.Count(raw[:i], []byte("\n")))
		}
	}
	sortProblems(problems)
	return &ParseError{Problems: problems[:min(len(problems), mostWarnings)]}
}
