package pmxcfs

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/quorumwatch/quorumwatch/proxmox"
	"github.com/quorumwatch/quorumwatch/proxmox/proxmoxtest"
)

// read reads the files of a recorded state, at the time of the recording.
func read(state proxmoxtest.State, change func(fstest.MapFS)) proxmox.Snapshot {
	files := state.Files()
	if change != nil {
		change(files)
	}
	r := New(files)
	return withOwn(r.readPVE(state.At), readOwn(files, state.At))
}

func letter(v proxmox.Tri) byte { return v.String()[0] }

// TestStates: what is true in each state, from files alone.
func TestStates(t *testing.T) {
	const y, n = proxmox.Yes, proxmox.No
	for _, tt := range []struct {
		state, view         string
		standalone, quorate proxmox.Tri
		online              string
		ha                  proxmox.HAState
		running             string
		armed, counting     string
		noReturn            int64 // of the local node
	}{
		{"healthy", "pve1", n, y, "yyy", proxmox.HAArmed, "yy", "yyn", "nnn", 1795178867 + 61},
		{"isolated_t30", "pve1", n, n, "ynn", proxmox.HAArmed, "yu", "yyn", "yun", 1795178897 + 61},
		{"majority_t30", "pve3", n, y, "nyy", proxmox.HAArmed, "uy", "yyn", "ynn", 0},
		{"fenced", "pve3", n, y, "nyy", proxmox.HAArmed, "yy", "yyn", "nnn", 0},
		{"disarmed", "pve1", n, y, "yyy", proxmox.HADisarmed, "ny", "nnn", "nnn", 0},
		{"corosync_down", "pve3", n, n, "uuy", proxmox.HAArmed, "nu", "nyn", "nun", 0},
		{"standalone", "pve4", y, y, "y", proxmox.HAStandby, "", "n", "n", 0},
		{"expected_one", "pve1", n, y, "ynn", proxmox.HAArmed, "yu", "yyn", "yun", 1795178897 + 61},
		{"qdevice_lost", "pve1", n, n, "yuu", proxmox.HAArmed, "yu", "yyn", "yun", 1795178867 + 61},
		{"maintenance", "pve1", n, y, "yyy", proxmox.HAArmed, "yy", "nyy", "nnn", 0},
		{"never_ha", "pve1", n, y, "yyy", proxmox.HAStandby, "yy", "nnn", "nnn", 0},
	} {
		t.Run(tt.state, func(t *testing.T) {
			state := proxmoxtest.Load(tt.state)
			s := read(state, nil)
			if len(s.Faults) > 0 {
				t.Errorf("faults: %v", s.Faults)
			}
			if s.View != tt.view || s.Standalone != tt.standalone || s.Quorate != tt.quorate || s.StatusQuorate != proxmox.Unknown {
				t.Errorf("view %s, standalone %v, quorate %v", s.View, s.Standalone, s.Quorate)
			}
			var online, running, armed, counting strings.Builder
			for _, node := range s.Nodes {
				online.WriteByte(letter(node.Online))
				f := proxmox.FenceOf(s.FenceInput(node.Name, state.At))
				armed.WriteByte(letter(f.Armed))
				counting.WriteByte(letter(f.Counting))
				if node.Local && tt.noReturn > 0 && (f.From != "lock" || f.NoReturn.Likely.Sub(time.Unix(tt.noReturn, 0)).Abs() > time.Second) {
					t.Errorf("no return at %d from %s, want %d", f.NoReturn.Likely.Unix(), f.From, tt.noReturn)
				}
			}
			for _, g := range s.Guests {
				running.WriteByte(letter(g.Running))
			}
			if online.String() != tt.online || s.HA.State != tt.ha || running.String() != tt.running {
				t.Errorf("online %s, HA %s, running %s; want %s, %s, %s", &online, s.HA.State, &running, tt.online, tt.ha, tt.running)
			}
			if armed.String() != tt.armed || counting.String() != tt.counting {
				t.Errorf("armed %s, counting %s; want %s, %s", &armed, &counting, tt.armed, tt.counting)
			}
		})
	}
}

// TestHealthy: every value of one state.
func TestHealthy(t *testing.T) {
	state := proxmoxtest.Load("healthy")
	s := read(state, nil)
	if s.ClusterName != "rigcl" || s.ConfigVersion != 3 || s.Conf.Version != 3 {
		t.Errorf("%q %d %d", s.ClusterName, s.ConfigVersion, s.Conf.Version)
	}
	text := state.Files()["etc/pve/corosync.conf"].Data
	digest := sha1.Sum(text)
	if s.Conf.Text != string(text) || s.Conf.Digest != hex.EncodeToString(digest[:]) {
		t.Errorf("conf %+v", s.Conf)
	}
	n, _ := s.Node("pve1")
	if n.ID != 1 || n.IP.String() != "10.191.0.1" || !n.Local || n.Version != "9.2.11" || n.HAState != "online" {
		t.Errorf("%+v", n)
	}
	l, _ := s.HA.LRM("pve2")
	if l.Lock.Unix() != 1795178867 || l.Stamp.Unix() != 1795178867 || l.State != "active" || s.HA.Master != "pve3" {
		t.Errorf("%+v", s.HA)
	}
	if len(s.Services) != 2 || s.Services[1].SID != "vm:101" || s.Services[1].Request != "started" || s.Services[1].Node != "pve2" {
		t.Errorf("%+v", s.Services)
	}
	if len(s.Guests) != 2 || s.Guests[0].Name != "web" || s.Guests[1].Node != "pve2" {
		t.Errorf("%+v", s.Guests)
	}
	if s.Watchdog != (proxmox.Watchdog{Active: proxmox.Yes, Mux: proxmox.Yes, LRM: proxmox.Yes, CRM: proxmox.Yes}) || s.Origins[proxmox.PartWatchdog].View != "pve1" {
		t.Errorf("%+v", s.Watchdog)
	}
	for p := range proxmox.PartCount {
		if known := s.Known(p); known != (p != proxmox.PartAccess && p != proxmox.PartQDevice) {
			t.Errorf("%v known: %v", p, known)
		}
	}
}

// TestSick: pmxcfs that is down, detached, in local mode, forbidden, or not Proxmox's at all.
func TestSick(t *testing.T) {
	state := proxmoxtest.Load("healthy")
	detach := func(m fstest.MapFS, mode fs.FileMode) {
		m["etc/pve/.members"].Data = []byte("{\n\"nodename\": \"pve1\",\n\"version\": 1\n}\n")
		m["etc/pve/local"].Mode = fs.ModeSymlink | mode
	}
	for name, tt := range map[string]struct {
		change   func(fstest.MapFS)
		want     proxmox.FaultKind
		quorate  proxmox.Tri
		watchdog proxmox.Tri
	}{
		"down": {func(m fstest.MapFS) {
			for name := range m {
				if strings.HasPrefix(name, "etc/pve/") {
					delete(m, name)
				}
			}
		}, proxmox.PmxcfsDown, proxmox.Unknown, proxmox.Yes},
		"not Proxmox": {func(m fstest.MapFS) { clear(m); m["etc/hostname"] = &fstest.MapFile{Data: []byte("x\n")} }, proxmox.NotProxmox, proxmox.Unknown, proxmox.Unknown},
		"detached":    {func(m fstest.MapFS) { detach(m, 0o555) }, proxmox.Detached, proxmox.No, proxmox.Yes},
		"local mode":  {func(m fstest.MapFS) { detach(m, 0o777) }, proxmox.Detached, proxmox.Unknown, proxmox.Yes},
		"garbage":     {func(m fstest.MapFS) { m["etc/pve/.members"].Data = []byte("{") }, proxmox.Malformed, proxmox.Unknown, proxmox.Yes},
	} {
		t.Run(name, func(t *testing.T) {
			s := read(state, tt.change)
			if len(s.Faults) != 1 || s.Faults[0].Kind != tt.want || s.Faults[0].Where == "" || s.Faults[0].Reason == "" {
				t.Errorf("faults %v", s.Faults)
			}
			if s.Quorate != tt.quorate || s.Known(proxmox.PartMembers) || s.Standalone != proxmox.Unknown || s.Watchdog.Active != tt.watchdog {
				t.Errorf("%+v", s)
			}
			if tt.watchdog == proxmox.Yes && (s.View != "pve1" || s.FenceInput("pve1", state.At).Watchdog != proxmox.Yes) {
				t.Errorf("the watchdog's state is lost: %+v", s)
			}
		})
	}
}

// refusing is a file system that refuses some files.
type refusing struct {
	fstest.MapFS
	prefix string
}

func (f refusing) Open(name string) (fs.File, error) {
	if strings.HasPrefix(name, f.prefix) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return f.MapFS.Open(name)
}

func (f refusing) Stat(name string) (fs.FileInfo, error) {
	if strings.HasPrefix(name, f.prefix) {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrPermission}
	}
	return f.MapFS.Stat(name)
}

// TestDenied: without privileges nothing is made up; without root only the locks are missing.
func TestDenied(t *testing.T) {
	state := proxmoxtest.Load("isolated_t30")
	s := New(refusing{state.Files(), "etc/pve/."}).readPVE(state.At)
	if len(s.Faults) != 1 || s.Faults[0].Kind != proxmox.Denied || s.Quorate != proxmox.Unknown || s.Faults[0].Hint == "" {
		t.Errorf("%v", s.Faults)
	}
	s = New(refusing{state.Files(), "etc/pve/priv"}).readPVE(state.At)
	if len(s.Faults) != 1 || s.Faults[0].Part != proxmox.PartHA || s.Quorate != proxmox.No {
		t.Errorf("%v", s.Faults)
	}
	f := proxmox.FenceOf(s.FenceInput("pve1", state.At))
	if f.From != "lrm_status" || f.Counting != proxmox.Yes {
		t.Errorf("%+v", f)
	}
}

// TestRestart: an agent that starts in the middle of the countdown sees the same as one that was there all the time.
func TestRestart(t *testing.T) {
	state := proxmoxtest.Load("isolated_t30")
	files := state.Files()
	old := New(files)
	before := proxmox.FenceOf(new(withOwn(old.readPVE(state.At), readOwn(files, state.At))).FenceInput("pve1", state.At))
	now := state.At.Add(15 * time.Second)
	again := withOwn(New(files).readPVE(now), readOwn(files, now))
	f := proxmox.FenceOf(again.FenceInput("pve1", now))
	if f.NoReturn != before.NoReturn || f.Reset != before.Reset || f.Counting != proxmox.Yes {
		t.Errorf("before %+v\nafter %+v", before, f)
	}
	if least, _, most := f.Reset.Left(now); least < 14*time.Second || most > 19*time.Second {
		t.Errorf("reset in %v to %v", least, most)
	}
}

// hanging is a file system that hangs below /etc/pve while its channel is open.
type hanging struct {
	fstest.MapFS
	release chan struct{}
	inside  *atomic.Int32
}

func (f hanging) Open(name string) (fs.File, error) {
	if strings.HasPrefix(name, "etc/pve/.") {
		f.inside.Add(1)
		<-f.release
	}
	return f.MapFS.Open(name)
}

// TestHanging: a read that does not return costs its deadline and one goroutine, however often it is tried; the watchdog is read
// all the same. What it says when it returns at last is old, and is not believed.
func TestHanging(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		state := proxmoxtest.Load("healthy")
		var inside atomic.Int32
		fsys := hanging{state.Files(), make(chan struct{}), &inside}
		r := New(fsys)
		for range 5 {
			started := time.Now()
			s := r.Read(t.Context())
			if took := time.Since(started); took != deadline {
				t.Errorf("took %v", took)
			}
			if len(s.Faults) != 1 || s.Faults[0].Kind != proxmox.Hanging || s.Quorate != proxmox.Unknown || s.Watchdog.Active != proxmox.Yes || s.View != "pve1" {
				t.Errorf("%+v", s)
			}
		}
		if n := inside.Load(); n != 1 {
			t.Errorf("%d reads hang at a time", n)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		started := time.Now()
		r.Read(ctx)
		if took := time.Since(started); took != 0 {
			t.Errorf("an ended context took %v", took)
		}
		close(fsys.release)
		synctest.Wait()
		if s := r.Read(t.Context()); s.Quorate != proxmox.Yes {
			t.Errorf("it does not come back: %v", s.Faults)
		}
	})
}

// TestNames: names are read once for each version of a configuration, and only so many in one pass.
func TestNames(t *testing.T) {
	state := proxmoxtest.Load("healthy")
	files := state.Files()
	r := New(files)
	now := state.At
	next := func() proxmox.Snapshot {
		now = now.Add(listsEvery)
		return r.readPVE(now)
	}
	next()
	conf := "etc/pve/nodes/pve1/qemu-server/100.conf"
	files[conf].Data = []byte("name: new\ntemplate: 1\n")
	delete(files, "etc/pve/.rrd")
	if s := next(); s.Guests[0].Name != "web" || s.Known(proxmox.PartRunning) || s.Guests[0].Running != proxmox.Unknown {
		t.Errorf("read again without need: %+v", s.Guests[0])
	}
	list := files["etc/pve/.vmlist"]
	list.Data = []byte(strings.Replace(string(list.Data), `"version": 100`, `"version": 555`, 1))
	if s := r.readPVE(now.Add(listsEvery - 1)); s.Guests[0].Name != "web" {
		t.Errorf("guests are read too often: %+v", s.Guests[0])
	}
	if s := next(); s.Guests[0].Name != "new" || !s.Guests[0].Template {
		t.Errorf("not read again: %+v", s.Guests[0])
	}
	list.Data = []byte("{\n\"version\": 9\n\n}\n")
	if s := next(); len(s.Guests) > 0 || len(r.names) > 0 {
		t.Errorf("%+v", s.Guests)
	}
}

// TestDisk: real files and links, below a directory of the operating system.
func TestDisk(t *testing.T) {
	state := proxmoxtest.Load("healthy")
	root := t.TempDir()
	for name, f := range state.Files() {
		file := filepath.Join(root, name)
		err := os.MkdirAll(filepath.Dir(file), 0o755)
		switch {
		case f.Mode&fs.ModeSymlink != 0:
			err = errors.Join(err, os.Symlink(string(f.Data), file))
		case f.Mode.IsDir():
			err = errors.Join(err, os.MkdirAll(file, 0o755), os.Chtimes(file, f.ModTime, f.ModTime))
		default:
			err = errors.Join(err, os.WriteFile(file, f.Data, 0o600))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	s := New(os.DirFS(root)).Read(t.Context())
	l, _ := s.HA.LRM("pve1")
	if len(s.Faults) > 0 || s.Quorate != proxmox.Yes || len(s.Guests) != 2 || l.Lock.Unix() != 1795178867 || s.Watchdog.Active != proxmox.Yes {
		t.Errorf("%+v", s)
	}
	if err := os.WriteFile(filepath.Join(root, "etc/pve/.members"), []byte("{\n\"nodename\": \"pve1\",\n\"version\": 1\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s = New(os.DirFS(root)).Read(t.Context()); s.Quorate != proxmox.Unknown || s.Faults[0].Kind != proxmox.Detached {
		t.Errorf("the mode of the link is not seen: %+v", s)
	}
}

// TestUnheard: a guest of which pvestatd has said nothing lately is not called running.
func TestUnheard(t *testing.T) {
	state := proxmoxtest.Load("healthy")
	for _, tt := range []struct {
		later time.Duration
		want  proxmox.Tri
	}{{50 * time.Second, proxmox.Yes}, {2 * time.Minute, proxmox.Unknown}} {
		if s := New(state.Files()).readPVE(state.At.Add(tt.later)); s.Guests[0].Running != tt.want || s.Guests[0].Name != "web" {
			t.Errorf("%v later: %+v", tt.later, s.Guests[0])
		}
	}
}

// TestTasks: what runs here, what may run elsewhere, and replication.
func TestTasks(t *testing.T) {
	state := proxmoxtest.Load("healthy")
	start := func(node, kind string) string {
		return "UPID:" + node + ":00000113:0002BF9C:6B00478F:" + kind + ":100:root@pam:"
	}
	s := read(state, func(m fstest.MapFS) {
		m["etc/pve/.clusterlog"].Data = []byte(`{"data": [
			{"uid": 6, "time": 1795178068, "msg": "end task ` + start("pve3", "qmigrate") + ` OK"},
			{"uid": 5, "time": 1795178067, "msg": "starting task ` + start("pve3", "qmigrate") + `"},
			{"uid": 4, "time": 1795178066, "msg": "starting task ` + start("pve2", "vzdump") + `"},
			{"uid": 3, "time": 1795178065, "msg": "starting task ` + start("pve2", "vncproxy") + `"},
			{"uid": 2, "time": 1795178064, "msg": "starting task ` + start("pve1", "qmigrate") + `"},
			{"uid": 1, "time": 1795178064, "msg": "starting task ` + start("pve1", "qmclone") + `"}]}`)
		m["var/log/pve/tasks/active"].Data = []byte(start("pve1", "qmigrate") + " 0\n" + start("pve1", "qmclone") + " 1 6B004799 OK\nnonsense\n")
		m["var/lib/pve-manager/pve-replication-state.json"] = &fstest.MapFile{Data: []byte(
			`{"100":{"local/pve2":{"pid":77,"last_try":1795178860}},"101":{"local/pve3":{"last_sync":1795178000}}}`)}
	})
	got := map[string]proxmox.Tri{}
	for _, task := range s.Tasks {
		got[task.Node+" "+task.Kind] = task.Running
	}
	want := map[string]proxmox.Tri{"pve2 vzdump": proxmox.Unknown, "pve1 qmigrate": proxmox.Yes, "pve1 qmclone": proxmox.No, "pve1 replication": proxmox.Yes}
	if len(got) != len(want) || len(s.Tasks) != len(want) {
		t.Errorf("%+v", s.Tasks)
	}
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%s: %v, want %v", k, got[k], v)
		}
	}
}

// TestSections: Proxmox's section files.
func TestSections(t *testing.T) {
	state := proxmoxtest.Load("healthy")
	s := read(state, func(m fstest.MapFS) {
		m["etc/pve/ha/resources.cfg"].Data = []byte("vm: 100\n\tgroup east\n\tmax_relocate 3\n\tfailback 0\n\n# gone\nct: 200\n\tcomment a: b\n\tstate stopped\n")
		m["etc/pve/ha/groups.cfg"] = &fstest.MapFile{Data: []byte("group: east\n\tnodes pve1:2,pve2\n\trestricted 1\n")}
		m["etc/pve/ha/rules.cfg"] = &fstest.MapFile{Data: []byte(
			"node-affinity: home\n\tresources vm:101\n\tnodes pve2\n\tdisable\n\nresource-affinity: apart\n\taffinity negative\n\tresources vm:100,vm:101\n\nfuture-rule: x\n\tresources vm:100\n")}
	})
	if len(s.Services) != 3 || s.Services[0].SID != "ct:200" || s.Services[0].Request != "stopped" || s.Services[0].Node != "" {
		t.Errorf("%+v", s.Services)
	}
	v := s.Services[1]
	if v.SID != "vm:100" || v.Group != "east" || v.MaxRelocate != 3 || v.MaxRestart != 1 || v.Failback != proxmox.No || v.Request != "started" {
		t.Errorf("%+v", v)
	}
	if len(s.Rules) != 3 || !s.Rules[0].Disabled || s.Rules[1].Together || s.Rules[2].ID != "east" || s.Rules[2].Nodes["pve1"] != 2 || s.Rules[2].Services[0] != "vm:100" {
		t.Errorf("%+v", s.Rules)
	}
}

// TestTooLarge: a file beyond all reason is a fault.
func TestTooLarge(t *testing.T) {
	state := proxmoxtest.Load("healthy")
	s := read(state, func(m fstest.MapFS) { m["etc/pve/.vmlist"].Data = make([]byte, maxFile+1) })
	if len(s.Faults) != 1 || s.Faults[0].Kind != proxmox.TooLarge || s.Known(proxmox.PartGuests) || s.Quorate != proxmox.Yes {
		t.Errorf("%v", s.Faults)
	}
	if _, err := readFile(fstest.MapFS{}, "x"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
