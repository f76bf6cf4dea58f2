package proxmox

import (
	"encoding/json"
	"testing"
	"time"
)

// TestLoose: Perl's numbers and truth values.
func TestLoose(t *testing.T) {
	for text, want := range map[string]Int{
		`3`: {3, true}, `"3"`: {3, true}, `3.0`: {3, true}, `"-4"`: {-4, true}, `""`: {}, `null`: {}, `"x"`: {}, `{}`: {}, `[1]`: {}, `true`: {}, `1e300`: {},
	} {
		var v struct{ X Int }
		if err := json.Unmarshal([]byte(`{"X":`+text+`}`), &v); err != nil || v.X != want {
			t.Errorf("Int %s: %+v %v", text, v.X, err)
		}
	}
	for text, want := range map[string]Tri{
		`1`: Yes, `"1"`: Yes, `true`: Yes, `0`: No, `"0"`: No, `""`: No, `false`: No, `null`: Unknown, `2`: Unknown, `"yes"`: Unknown, `{}`: Unknown, `[]`: Unknown,
	} {
		var v struct{ X Bool }
		if err := json.Unmarshal([]byte(`{"X":`+text+`}`), &v); err != nil || v.X.Tri != want {
			t.Errorf("Bool %s: %v %v", text, v.X, err)
		}
	}
	if at := (Int{1 << 60, true}).Time(); !at.IsZero() {
		t.Error("a time beyond time", at)
	}
}

// TestAge: how old a status is, and what that says of its writer.
func TestAge(t *testing.T) {
	now := time.Unix(1000, 0)
	for seconds, want := range map[int]Tri{0: Yes, 30: Yes, 31: No, -2: Yes, -3: Unknown} {
		if _, got := Age(now, now.Add(-time.Duration(seconds)*time.Second)); got != want {
			t.Errorf("%d s old: %v", seconds, got)
		}
	}
	if _, got := Age(now, time.Time{}); got != Unknown {
		t.Error("no stamp:", got)
	}
}

// FuzzHA: no manager_status and lrm_status break anything, and what comes out agrees with itself.
func FuzzHA(f *testing.F) {
	f.Add([]byte(`{"master_node":"pve3","timestamp":1795178866,"node_status":{"pve1":"online"},"service_status":{"vm:100":{"node":"pve1","state":"started","running":1}}}`),
		[]byte(`{"state":"active","mode":"active","timestamp":1795178867,"results":{}}`), int64(1795178936))
	f.Add([]byte(`{"disarm":{"mode":"freeze","state":"disarmed"}}`), []byte(`{"state":"maintenance","timestamp":"17"}`), int64(0))
	f.Fuzz(func(t *testing.T, manager, lrm []byte, now int64) {
		h, err := ParseHA(manager, map[string][]byte{"pve1": lrm})
		if err != nil {
			return
		}
		l, ok := h.HA.LRM("pve1")
		if !ok {
			t.Fatal("an LRM is lost")
		}
		s := Snapshot{HA: h.HA, Services: h.Services, Nodes: []Node{{Name: "pve1", Online: Yes}, {Name: "pve2"}}, Quorate: No}
		s.Origins[PartHA], s.Origins[PartQuorum] = Origin{Source: FromFiles}, Origin{Source: FromFiles}
		fence := FenceOf(s.FenceInput("pve1", time.Unix(now%(1<<40), 0)))
		if l.HoldsWatchdog() == No && fence.Armed == Yes {
			t.Errorf("armed without a watchdog: %+v", fence)
		}
		if fence.NoReturn.Known() && fence.Reset.Likely.Before(fence.NoReturn.Likely) {
			t.Errorf("resets before it must: %+v", fence)
		}
		s.BlastRadius("pve1")
		Merge(s, s)
	})
}

// FuzzUPID: what is taken for a task has a node.
func FuzzUPID(f *testing.F) {
	f.Add("UPID:pve1:00000113:0002BF9C:6B003E4C:vzdump:100:root@pam:")
	f.Fuzz(func(t *testing.T, text string) {
		if task, ok := TaskFrom(text); ok && (task.Node == "" || task.Start.IsZero() || task.Start.Unix() < 0) {
			t.Errorf("%+v", task)
		}
	})
}
