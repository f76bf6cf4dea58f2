package ctl_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/corosync/corosynctest"
	"github.com/quorumwatch/quorumwatch/corosync/ctl"
)

func TestLog(t *testing.T) {
	follow(t, ctl.Config{Links: time.Hour, SRP: time.Hour, Quorum: time.Hour}, corosync.DaemonRunning, func(b bench) {
		b.until("complete", time.Second, complete)
		b.tools.Answer(corosynctest.Recorded("link0down"))
		say := func(text string) {
			if !b.tools.Say("journalctl", "1795236294.131456 pve1 corosync[10]:   "+text) {
				t.Fatal("nobody reads the journal")
			}
			synctest.Wait()
		}
		say("[MAIN  ] an error, in a log that is limited to such")
		b.until("no log that shows all", 0, func(s corosync.Status) bool { return s.LogSince.IsZero() })
		say("[KNET  ] link: host: 3 link: 0 is down")
		b.until("link down", 0, func(s corosync.Status) bool { return !s.Links[2].Connected && !s.LogSince.IsZero() })
		took := b.until("down count", time.Second, func(s corosync.Status) bool { return s.Links[2].DownCount == 2 })
		if took > 300*time.Millisecond {
			t.Errorf("down count read after %v", took)
		}
		say("[SERV  ] means nothing")
		say("[TOTEM ] Token has not been received in 2343 ms ")
		say("[TOTEM ] A processor failed, forming new configuration: token timed out (3125ms), waiting 3750ms for consensus.")
		b.until("token", 0, func(s corosync.Status) bool {
			return s.TokenAt.Warned.UnixMicro() == 1795236294131456 && s.TokenAt.Lost.Equal(s.TokenAt.Warned)
		})
		b.until("counters", time.Second, func(s corosync.Status) bool { return s.SRP.OperationalTokenLost == 1 })
		for _, want := range []corosync.Occurrence{
			corosync.LinkDown{Node: 3, Link: 0},
			corosync.TokenWarning{Silent: 2343 * time.Millisecond},
			corosync.TokenLost{Token: 3125 * time.Millisecond, Consensus: 3750 * time.Millisecond},
		} {
			if e := <-b.f.Events(); e.What != want {
				t.Errorf("event %+v, want %+v", e, want)
			}
		}
		for range 300 {
			say("[QUORUM] This node is within the primary component and will provide service.")
		}
		synctest.Wait()
		if n := b.f.Dropped(); n != 300-256 {
			t.Errorf("%d events dropped", n)
		}
	})
}

// The daemon's own log may be a file; a log that is not there is no fault.
func TestLogSources(t *testing.T) {
	tests := []struct {
		log  ctl.LogSource
		want string
	}{
		{ctl.LogSource{}, "journalctl -f -n 0 -o short-unix -u corosync.service"},
		{ctl.LogSource{Unit: "corosync@lab.service"}, "journalctl -f -n 0 -o short-unix -u corosync@lab.service"},
		{ctl.LogSource{File: "/var/log/corosync.log"}, "tail -n 0 -F /var/log/corosync.log"},
		{ctl.LogSource{None: true}, ""},
	}
	for _, tt := range tests {
		follow(t, ctl.Config{Log: tt.log}, corosync.DaemonRunning, func(b bench) {
			b.until("complete", time.Second, complete)
			log := ""
			for command := range b.tools.Calls() {
				if !strings.HasPrefix(command, "corosync") && !strings.HasPrefix(command, "dpkg-query") {
					log = command
				}
			}
			if log != tt.want {
				t.Errorf("%+v: %q, want %q", tt.log, log, tt.want)
			}
		})
	}
}

// The log is followed where the daemon logs since it came up or was reloaded; what is not known changes nothing.
func TestLogMoves(t *testing.T) {
	var at ctl.LogSource
	unreadable := errors.New("corosync.conf: no such file")
	cfg := ctl.Config{LogNow: func() (ctl.LogSource, error) { return at, unreadable }}
	follow(t, cfg, corosync.DaemonStopped, func(b bench) {
		follows := func(when, tool, other string) {
			t.Helper()
			time.Sleep(time.Second)
			synctest.Wait()
			if !b.tools.Say(tool, "1795236294.131456 pve1 corosync[10]:   [KNET  ] link: host: 3 link: 0 is up") {
				t.Errorf("%s: nobody follows %s", when, tool)
			}
			if b.tools.Say(other) {
				t.Errorf("%s: %s is followed", when, other)
			}
		}
		reload := func() { b.tools.Say("corosync-cmapctl", "modify> config.reload_in_progress (u8) = 0") }
		follows("no corosync.conf", "journalctl", "tail")
		at, unreadable = ctl.LogSource{File: "/var/log/corosync.log"}, nil
		b.tools.Set(corosync.DaemonRunning)
		b.until("complete", 5*time.Second, complete)
		follows("the daemon came up", "tail", "journalctl")
		b.tools.Reset()
		reload()
		follows("a reload that changes nothing", "tail", "journalctl")
		if n := b.tools.Calls()["tail -n 0 -F /var/log/corosync.log"]; n != 0 {
			t.Errorf("started again %d times", n)
		}
		at, unreadable = ctl.LogSource{}, errors.New("corosync.conf: line 3")
		reload()
		follows("a file that is not understood", "tail", "journalctl")
		unreadable = nil
		reload()
		follows("a reload", "journalctl", "tail")
		at.None = true
		reload()
		time.Sleep(20 * time.Second)
		if b.tools.Say("journalctl") || b.tools.Say("tail") {
			t.Error("a log is followed that there is none of")
		}
	})
}
