package ctl_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/ctl"
)

// spoken is a journalctl that says some lines and ends.
type spoken struct {
	lines []string
	out   ctl.Output
	err   error
	asked *[]string
}

func (s spoken) Run(context.Context, string, ...string) (ctl.Output, error) {
	return ctl.Output{}, ctl.ErrAbsent
}

func (s spoken) Stream(_ context.Context, line func(string), name string, args ...string) (ctl.Output, error) {
	*s.asked = append([]string{name}, args...)
	for _, l := range s.lines {
		line(l)
	}
	return s.out, s.err
}

func TestJournal(t *testing.T) {
	var asked, got []string
	run := spoken{asked: &asked, out: ctl.Output{Code: 1, Stderr: "broken\n"}, lines: []string{
		"1795178897.250000 pve1 pmxcfs[1203]: [status] notice: node lost quorum",
		"-- Boot 4f1c --",
		"",
		"1795178897 pve1 without: decimals",
		"1795178897.25x000 pve1 no: number",
		"-5.250000 pve1 before: the epoch",
		"1795178938.000001 pve1 watchdog-mux[801]: client watchdog is about to expire",
	}}
	err := ctl.Journal{Runner: run}.Follow(t.Context(), 15*time.Minute, func(at time.Time, text string) {
		got = append(got, fmt.Sprint(at.UnixMicro(), " ", text))
	}, "pve-cluster.service", "watchdog-mux.service")
	if err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("error %v", err)
	}
	want := []string{
		"1795178897250000 pve1 pmxcfs[1203]: [status] notice: node lost quorum",
		"1795178938000001 pve1 watchdog-mux[801]: client watchdog is about to expire",
	}
	if !slices.Equal(got, want) {
		t.Errorf("lines\n%s", strings.Join(got, "\n"))
	}
	if line := strings.Join(asked, " "); line != "journalctl -q -b -f --no-tail --since=-900s -o short-unix -u pve-cluster.service -u watchdog-mux.service" {
		t.Errorf("asked %s", line)
	}
}

func TestJournalAbsent(t *testing.T) {
	var asked []string
	run := spoken{asked: &asked, err: fmt.Errorf("journalctl: %w", ctl.ErrAbsent)}
	if err := (ctl.Journal{Runner: run}).Follow(t.Context(), time.Minute, nil); !errors.Is(err, ctl.ErrAbsent) {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := (ctl.Journal{Runner: run}).Follow(ctx, time.Minute, nil); err != nil {
		t.Errorf("error %v after the end", err)
	}
}
