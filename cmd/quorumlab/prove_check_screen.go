//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"

	"github.com/quorumwatch/quorumwatch/corosync/lab"
)

// screen is what a program shows to a person, and what it prints for a machine.
type screen struct {
	out          bytes.Buffer
	outer, inner *os.File
	shown        bytes.Buffer
	read         chan struct{} // closed when all that was shown has been read
}

func startScreen() (*screen, error) {
	outer, inner, err := lab.OpenTerminal()
	if err != nil {
		return nil, err
	}
	s := &screen{outer: outer, inner: inner, read: make(chan struct{})}
	go func() {
		defer close(s.read)
		_, _ = io.Copy(&s.shown, outer) // it ends with an error when nobody has the terminal any more
	}()
	return s, nil
}

// close gives what was shown. The program must have ended. It may be called again.
func (s *screen) close() string {
	s.inner.Close()
	<-s.read
	s.outer.Close()
	return s.shown.String()
}

// exitStatus is with what a program ended.
func exitStatus(err error) (int, error) {
	if err == nil {
		return 0, nil
	}
	if ended, ok := errors.AsType[interface {
		error
		ExitCode() int
	}](err); ok && ended.ExitCode() >= 0 {
		return ended.ExitCode(), nil
	}
	return 0, err
}

// shareShown is the progress of check: the first percentage of a line that replaces another.
var shareShown = regexp.MustCompile(`\r[^\r%]*?(\d+) %`)

// shares are the percentages that a terminal was told.
func shares(shown string) (list []int) {
	for _, m := range shareShown.FindAllStringSubmatch(shown, -1) {
		n, _ := strconv.Atoi(m[1]) // digits
		list = append(list, n)
	}
	return list
}

// read takes what check printed with --json.
func (c *checkCell) read(data []byte) error {
	if err := json.Unmarshal(data, &c.Said); err != nil {
		return err
	}
	if c.Said.Answer == "" || c.Said.Answer.Status() != c.Status {
		return fmt.Errorf("verdict %q with exit status %d", c.Said.Answer, c.Status)
	}
	return nil
}
