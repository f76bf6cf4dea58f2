package corosync_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/corosync/corosynctest"
)

func TestParseLogForms(t *testing.T) {
	zone := time.FixedZone("", 3600)
	ref := time.Date(2027, 1, 1, 0, 10, 0, 0, zone)
	const text = "[TOTEM ] Token has not been received in 2343 ms "
	at := time.Date(2026, 12, 31, 23, 59, 54, 131e6, zone)
	tests := []struct {
		line string
		want corosync.Event
	}{
		{"Dec 31 23:59:54.131 [10] pve1 corosync notice  " + text, corosync.Event{At: at, Host: "pve1", PID: 10, Level: "notice"}},
		{"Dec 31 23:59:54 [10] pve1 corosync notice  " + text, corosync.Event{At: at.Truncate(time.Second), Host: "pve1", PID: 10, Level: "notice"}},
		{"[10] pve1 corosync notice  " + text, corosync.Event{Host: "pve1", PID: 10, Level: "notice"}},
		{"Dec 31 23:59:54 pve1 corosync[10]:   " + text, corosync.Event{At: at.Truncate(time.Second), Host: "pve1", PID: 10}},
		{"2026-12-31T23:59:54.131+01:00 pve1 corosync[10]:   " + text, corosync.Event{At: at, Host: "pve1", PID: 10}},
		{"2026-12-31T23:59:54.131000+0100 pve1 corosync[10]:   " + text, corosync.Event{At: at, Host: "pve1", PID: 10}},
		{fmt.Sprintf("%d.131000 pve1 corosync[10]:   %s", at.Unix(), text), corosync.Event{At: at, Host: "pve1", PID: 10}},
		{"  " + text, corosync.Event{}},
		{"Dec 31 23:59:54.131 [10] pve1 corosync notice  [TOTEM ] totemsrp.c:timer_function_token_warning:1770 Token has not been received in 2343 ms", corosync.Event{
			At: at, Host: "pve1", PID: 10, Level: "notice", Text: "totemsrp.c:timer_function_token_warning:1770 Token has not been received in 2343 ms",
		}},
	}
	for _, tt := range tests {
		got, ok := corosync.ParseLog(tt.line, ref)
		tt.want.Tag, tt.want.What = "TOTEM", corosync.TokenWarning{Silent: 2343 * time.Millisecond}
		if tt.want.Text == "" {
			tt.want.Text = "Token has not been received in 2343 ms"
		}
		if d := cmp.Diff(tt.want, got); !ok || d != "" {
			t.Errorf("%s: %v\n%s", tt.line, ok, d)
		}
	}
	for _, line := range []string{"", "-- Journal begins at Mon 2026 --", "Nov 21 pve1 systemd[1]: Started corosync.service", "[", "[10]", "[]", "[TOTEM"} {
		if e, ok := corosync.ParseLog(line, ref); ok {
			t.Errorf("ParseLog(%q) = %+v", line, e)
		}
	}
}

func TestParseLogLeapDay(t *testing.T) {
	e, ok := corosync.ParseLog("Feb 29 12:00:00 pve1 corosync[10]:   [MAIN  ] x", time.Date(2028, 3, 1, 0, 0, 0, 0, time.UTC))
	if want := time.Date(2028, 2, 29, 12, 0, 0, 0, time.UTC); !ok || !e.At.Equal(want) {
		t.Errorf("%v, want %v", e.At, want)
	}
}

// The templates of Corosync and libknet, each with what it means.
func TestParseLogMeaning(t *testing.T) {
	const ms = time.Millisecond
	tests := []struct {
		tag, text string
		want      corosync.Occurrence
	}{
		{"TOTEM", "Token has not been received in 16879 ms", corosync.TokenWarning{Silent: 16879 * ms}},
		{"TOTEM", "A processor failed, forming new configuration: token timed out (3125ms), waiting 3750ms for consensus.", corosync.TokenLost{Token: 3125 * ms, Consensus: 3750 * ms}},
		{"TOTEM", "A processor failed, forming new configuration.", corosync.TokenLost{}},
		{"TOTEM", "A new membership (1.1e) was formed. Members", corosync.NewMembership{Ring: corosync.RingID{Rep: 1, Seq: 0x1e}}},
		{"TOTEM", "A new membership (2.22) was formed. Members left: 1", corosync.NewMembership{Ring: corosync.RingID{Rep: 2, Seq: 0x22}, Left: []uint32{1}}},
		{"TOTEM", "A new membership (1.2f) was formed. Members joined: 1 3 left: 1 12", corosync.NewMembership{Ring: corosync.RingID{Rep: 1, Seq: 0x2f}, Joined: []uint32{1, 3}, Left: []uint32{1, 12}}},
		{"TOTEM", "A new membership (a.ffffffffff) was formed. Members joined: 11", corosync.NewMembership{Ring: corosync.RingID{Rep: 10, Seq: 0xffffffffff}, Joined: []uint32{11}}},
		{"TOTEM", "A new membership (10.0.0.1:44) was formed. Members", nil},
		{"TOTEM", "Failed to receive the leave message. failed: 1 2", corosync.LeaveMissing{Nodes: []uint32{1, 2}}},
		{"TOTEM", "Process pause detected for 2120 ms, flushing membership messages.", corosync.ProcessPause{For: 2120 * ms}},
		{"TOTEM", "Retransmit List: 1f 20 21", corosync.Retransmits{Count: 3}},
		{"TOTEM", "FAILED TO RECEIVE", corosync.FailedToReceive{}},
		{"TOTEM", "Configured link number 1: local addr: fd00::1, port=5406", corosync.Configured{Link: 1, Addr: "fd00::1", Port: 5406}},
		{"TOTEM", "totemknet initialized", nil},
		{"KNET", "link: host: 2 link: 1 is down", corosync.LinkDown{Node: 2, Link: 1}},
		{"KNET", "rx: host: 2 link: 0 is up", corosync.LinkUp{Node: 2, Link: 0}},
		{"KNET", "link: Resetting MTU for link 1 because host 3 joined", corosync.LinkReset{Node: 3, Link: 1}},
		{"KNET", "host: host: 2 (passive) best link: 1 (pri: 20)", corosync.BestLink{Node: 2, Link: 1, Priority: 20}},
		{"KNET", "host: host: 2 has 2 active links", corosync.ActiveLinks{Node: 2, Count: 2}},
		{"KNET", "host: host: 2 has no active links", corosync.HostNoLinks{Node: 2}},
		{"KNET", "pmtud: PMTUD link change for host: 3 link: 1 from 469 to 1397", corosync.LinkMTU{Node: 3, Link: 1, From: 469, To: 1397}},
		{"KNET", "pmtud: Global data MTU changed to: 1397", corosync.DataMTU{To: 1397}},
		{"KNET", "pmtud: possible MTU misconfiguration detected. kernel is reporting MTU: 1500 bytes for host 2 link 0 but the other node is not acknowledging packets of this size. ", corosync.MTUSuspect{}},
		{"KNET", "rx: Packet rejected from 10.0.0.9:5412", corosync.PacketRejected{From: "10.0.0.9:5412"}},
		{"KNET", "rx: Unable to decrypt packet from 10.0.0.2:5405 (size 80)!", corosync.PacketUndecryptable{From: "10.0.0.2:5405"}},
		{"QUORUM", "This node is within the primary component and will provide service.", corosync.PrimaryComponent{Quorate: true}},
		{"QUORUM", "This node is within the non-primary component and will NOT provide any services.", corosync.PrimaryComponent{}},
		{"QUORUM", "Members[3]: 1 2 3", corosync.QuorumMembers{Nodes: []uint32{1, 2, 3}}},
		{"QUORUM", `Members[30]: 1 2\`, corosync.QuorumMembers{Nodes: []uint32{1, 2}}},
		{"VOTEQ", "Waiting for all cluster members. Current votes: 2 expected_votes: 3", corosync.WaitingForAll{Votes: 2, Expected: 3}},
		{"VOTEQ", "waiting for quorum device Qdevice poll (but maximum for 30000 ms)", corosync.WaitingQdevice{Name: "Qdevice", Max: 30 * time.Second}},
		{"VOTEQ", "lost contact with quorum device Qdevice", corosync.QdeviceLost{Name: "Qdevice"}},
		{"MAIN", "Corosync main process was not scheduled (@1795236289163) for 3506.9580 ms (threshold is 2500.0000 ms). Consider token timeout increase.", corosync.NotScheduled{At: time.UnixMilli(1795236289163), For: 3506958 * time.Microsecond, Threshold: 2500 * ms}},
		{"MAIN", "Corosync main process was not scheduled for 3506.9580 ms (threshold is 2500.0000 ms). Consider token timeout increase.", corosync.NotScheduled{For: 3506958 * time.Microsecond, Threshold: 2500 * ms}},
		{"MAIN", "Totem is unable to form a cluster because of an operating system or network fault (reason: continuous gather). The most common cause of this message is that the local firewall is configured improperly.", corosync.CannotForm{Reason: "continuous gather"}},
		{"MAIN", "Completed service synchronization, ready to provide service.", corosync.SyncDone{}},
		{"MAIN", "*** cs_ipcs_msg_process() (2:2 - 1) Operation now in progress!", corosync.ClientBlocked{}},
		{"MAIN", "Corosync Cluster Engine 3.1.7 starting up", corosync.DaemonStart{Version: "3.1.7"}},
		{"MAIN", "Corosync Cluster Engine exiting normally", corosync.DaemonExit{Normal: true}},
		{"MAIN", "Corosync Cluster Engine exiting with status 8 at main.c:1340.", corosync.DaemonExit{}},
		{"CFG", "Config reload requested by node 2", corosync.ConfigReload{By: 2}},
		{"CFG", "Node 1 was shut down by sysadmin", corosync.NodeShutdown{Node: 1}},
		{"CMAP", "Received config version (4) is different than my config version (3)! Exiting", corosync.ConfigVersionMismatch{Received: 4, Own: 3}},
		{"SERV", "Service engine loaded: corosync vote quorum service v1.0 [5]", nil},
	}
	for _, tt := range tests {
		e, ok := corosync.ParseLog("["+fmt.Sprintf("%-6s", tt.tag)+"] "+tt.text, time.Time{})
		if d := cmp.Diff(tt.want, e.What); !ok || d != "" {
			t.Errorf("[%s] %s: %v\n%s", tt.tag, tt.text, ok, d)
		}
	}
}

// A recorded session must yield the events that it is known to hold.
func TestParseLogSession(t *testing.T) {
	ref := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for _, name := range []string{"hires-n1", "hires-n2", "on-n1", "on-n2"} {
		count := map[string]int{}
		last := time.Time{}
		for line := range strings.Lines(corosynctest.Log(name)) {
			e, ok := corosync.ParseLog(line, ref)
			if !ok || e.At.IsZero() || e.PID < 10 || e.PID > 11 || !strings.HasPrefix(e.Host, "pve") || e.Level == "" {
				t.Errorf("%s: %q: %+v, %v", name, line, e, ok)
			}
			if e.At.Before(last) {
				t.Errorf("%s: %q: goes back in time", name, line)
			}
			last = e.At
			if e.What != nil {
				count[reflect.TypeOf(e.What).Name()]++
			}
		}
		for _, kind := range []string{"TokenWarning", "NewMembership", "LinkDown", "LinkUp", "LinkReset", "HostNoLinks", "PrimaryComponent", "SyncDone", "DaemonStart", "ConfigReload"} {
			if count[kind] == 0 {
				t.Errorf("%s: no %s", name, kind)
			}
		}
		if stalled := strings.HasSuffix(name, "n2"); count["NotScheduled"] > 0 != stalled {
			t.Errorf("%s: %d NotScheduled", name, count["NotScheduled"])
		}
	}
}

func FuzzParseLog(f *testing.F) {
	for line := range strings.Lines(corosynctest.Log("hires-n1")) {
		f.Add(line)
	}
	f.Add("9999999999.999999999 h corosync[99999999999999999999]:   [MAIN  ] Corosync main process was not scheduled (@99999999999999999999) for 1e300 ms (threshold is NaN ms)")
	ref := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, line string) {
		e, ok := corosync.ParseLog(line, ref)
		if !ok && e != (corosync.Event{}) {
			t.Errorf("not ok, but %+v", e)
		}
		if ok && (e.Tag == "" || e.Text != strings.TrimSpace(e.Text)) {
			t.Errorf("%+v", e)
		}
	})
}
