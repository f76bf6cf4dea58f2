package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/proxmox"
	"github.com/quorumwatch/quorumwatch/proxmox/proxmoxtest"
)

// kinds are the kinds of a Snapshot's faults, without doubles, and the token is in none of them.
func kinds(t *testing.T, s proxmox.Snapshot) []proxmox.FaultKind {
	t.Helper()
	var all []proxmox.FaultKind
	_, secret, _ := strings.Cut(proxmoxtest.Token, "=")
	for _, f := range s.Faults {
		if text := f.Error() + f.Hint; strings.Contains(text, secret) || strings.ContainsAny(text, "\n\x00") {
			t.Errorf("a secret or a line break in %q", text)
		}
		if f.Where == "" || f.Reason == "" || f.Source != proxmox.FromAPI {
			t.Errorf("says too little: %+v", f)
		}
		all = append(all, f.Kind)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// TestWholeFaults: what makes an endpoint useless, told apart. Nothing is known then, and each says what to do.
func TestWholeFaults(t *testing.T) {
	for name, tt := range map[string]struct {
		prepare func(*testing.T, *Reader, *proxmoxtest.Server)
		want    proxmox.FaultKind
		reason  string
	}{
		"nobody listens": {func(_ *testing.T, _ *Reader, s *proxmoxtest.Server) { s.Close() }, proxmox.Unreachable, "refused"},
		"hangs":          {func(_ *testing.T, r *Reader, s *proxmoxtest.Server) { s.Hang("*") }, proxmox.TimedOut, "no answer in 100ms"},
		"drips":          {func(_ *testing.T, r *Reader, s *proxmoxtest.Server) { s.Drip("*") }, proxmox.TimedOut, "no answer in 100ms"},
		"mute handshake": {func(t *testing.T, r *Reader, _ *proxmoxtest.Server) { r.endpoints[0] = proxmoxtest.NewMute(t) }, proxmox.TimedOut, "no answer in 100ms"},
		"token":          {func(_ *testing.T, _ *Reader, s *proxmoxtest.Server) { s.RefuseToken() }, proxmox.TokenRefused, "Authentication failed!"},
		"token, older words": {func(_ *testing.T, _ *Reader, s *proxmoxtest.Server) {
			s.Answer("*", proxmoxtest.Answer{Status: 401, Reason: "token 'quorumwatch@pve!agent' access expired"})
		}, proxmox.TokenExpired, "access expired"},
		"pmxcfs down": {func(_ *testing.T, _ *Reader, s *proxmoxtest.Server) { s.Switch("pmxcfs_down") }, proxmox.PmxcfsDown, "pmxcfs does not run"},
		"no JSON": {func(_ *testing.T, _ *Reader, s *proxmoxtest.Server) {
			s.Answer("*", proxmoxtest.Answer{Status: 200, Body: "<html>It works!</html>"})
		}, proxmox.Malformed, "not an answer of Proxmox VE"},
		"another JSON": {func(_ *testing.T, _ *Reader, s *proxmoxtest.Server) {
			s.Answer("*", proxmoxtest.Answer{Status: 200, Body: `{"data":{"a":1}}`})
		}, proxmox.Malformed, "cannot unmarshal"},
		"too large": {func(_ *testing.T, _ *Reader, s *proxmoxtest.Server) {
			s.Handle("/cluster/status", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", fmt.Sprint(maxAnswer+1))
			})
			s.Forbid("*")
		}, proxmox.TooLarge, "32 MiB"},
		"redirect": {func(_ *testing.T, _ *Reader, s *proxmoxtest.Server) {
			s.Handle("*", func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "https://198.51.100.1/", http.StatusFound)
			})
		}, proxmox.Misconfigured, "302"},
		"other CA": {func(t *testing.T, r *Reader, _ *proxmoxtest.Server) {
			r.cfg.CAFile = otherCA(t)
		}, proxmox.Certificate, "certificate"},
		"other fingerprint": {func(_ *testing.T, r *Reader, _ *proxmoxtest.Server) { r.pins = make([][32]byte, 1) }, proxmox.Certificate, "fingerprint is "},
		"other name": {func(_ *testing.T, r *Reader, _ *proxmoxtest.Server) {
			r.endpoints[0] = strings.Replace(r.endpoints[0], "127.0.0.1", "localhost", 1)
		}, proxmox.Certificate, "localhost"},
		"no pvedaemon": {func(_ *testing.T, _ *Reader, s *proxmoxtest.Server) {
			s.Answer("*", proxmoxtest.Answer{Status: 595, Reason: "Connection refused"})
		}, proxmox.PeerDown, "Connection refused"},
		"no CA file":      {func(_ *testing.T, r *Reader, _ *proxmoxtest.Server) { r.cfg.CAFile += ".not" }, proxmox.Misconfigured, "no such file"},
		"no token file":   {func(_ *testing.T, r *Reader, _ *proxmoxtest.Server) { r.cfg.TokenFile = "" }, proxmox.TokenMissing, "no token file"},
		"token file gone": {func(_ *testing.T, r *Reader, _ *proxmoxtest.Server) { r.cfg.TokenFile += ".not" }, proxmox.TokenMissing, "no such file"},
		"no token in it": {func(t *testing.T, r *Reader, _ *proxmoxtest.Server) {
			if err := os.WriteFile(r.cfg.TokenFile, []byte("root@pam:secret"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, proxmox.TokenMissing, "not a token"},
	} {
		t.Run(name, func(t *testing.T) {
			r, server := reader(t, "healthy")
			r.cfg.Timeout = 2 * time.Second
			if tt.want == proxmox.TimedOut {
				r.cfg.Timeout = 100 * time.Millisecond
			}
			tt.prepare(t, r, server)
			s := r.Read(t.Context())
			if got := kinds(t, s); !slices.Contains(got, tt.want) || !strings.Contains(s.Faults[0].Reason, tt.reason) {
				t.Errorf("%v %v, want %s %q", got, s.Faults, tt.want, tt.reason)
			}
			if s.Known(proxmox.PartMembers) || s.Quorate != proxmox.Unknown || s.Standalone == proxmox.Yes {
				t.Errorf("something is known: %+v", s)
			}
		})
	}
}

// otherCA is a certificate that has nothing to do with the server's.
func otherCA(t *testing.T) string {
	t.Helper()
	file := t.TempDir() + "/other.pem"
	if err := os.WriteFile(file, []byte(otherPEM), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestPartialFaults: half of the paths refuse, and the rest is known.
func TestPartialFaults(t *testing.T) {
	r, server := reader(t, "healthy")
	server.Forbid("/cluster/ha/status/manager_status", "/cluster/resources", "/cluster/config/totem", "/cluster/ha/rules", "/access/permissions", "/nodes/pve2/version")
	s := r.Read(t.Context())
	if got := kinds(t, s); !slices.Equal(got, []proxmox.FaultKind{proxmox.Forbidden}) || len(s.Faults) != 6 {
		t.Errorf("%v: %v", got, s.Faults)
	}
	for _, p := range []proxmox.Part{proxmox.PartMembers, proxmox.PartQuorum, proxmox.PartHA, proxmox.PartTasks, proxmox.PartVersions, proxmox.PartConf} {
		if !s.Known(p) {
			t.Errorf("%v is not known", p)
		}
	}
	for _, p := range []proxmox.Part{proxmox.PartGuests, proxmox.PartRules} {
		if s.Known(p) {
			t.Errorf("%v is known", p)
		}
	}
	l, _ := s.HA.LRM("pve1")
	if s.Quorate != proxmox.Yes || s.HA.State != proxmox.HAArmed || l.Stamp.IsZero() || l.State != "" || len(s.Services) != 2 {
		t.Errorf("HA of what is left: %+v %+v", s.HA, s.Services)
	}
	server.Reset()
	if s = r.Read(t.Context()); s.Known(proxmox.PartGuests) {
		t.Error("what is forbidden is asked for again at once")
	}
}

// TestOneHangs: a path that hangs costs its timeout, and no other part.
func TestOneHangs(t *testing.T) {
	r, server := reader(t, "healthy")
	r.cfg.Timeout = 200 * time.Millisecond
	server.Hang("/cluster/resources")
	s := r.Read(t.Context())
	if got := kinds(t, s); !slices.Equal(got, []proxmox.FaultKind{proxmox.TimedOut}) || s.Faults[0].Part != proxmox.PartGuests {
		t.Errorf("%v: %v", got, s.Faults)
	}
	if s.Quorate != proxmox.Yes || !s.Known(proxmox.PartTasks) {
		t.Error("other parts are lost")
	}
}

// TestContext: a reading ends with its context.
func TestContext(t *testing.T) {
	r, server := reader(t, "healthy")
	server.Hang("*")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if s := r.Read(ctx); s.Known(proxmox.PartMembers) {
		t.Error("read without a context")
	}
}

// TestFailover: the first endpoint that works is asked, and stays.
func TestFailover(t *testing.T) {
	dead, sick, good := proxmoxtest.NewServer(t, "healthy"), proxmoxtest.NewServer(t, "pmxcfs_down"), proxmoxtest.NewServer(t, "healthy")
	dead.Close()
	r, err := New(Config{
		Endpoints: []string{dead.URL, sick.URL, good.URL}, TokenFile: good.TokenFile(t),
		Fingerprints: []string{good.Fingerprint(), strings.ToLower(strings.ReplaceAll(sick.Fingerprint(), ":", ""))},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := r.Read(t.Context())
	if got := kinds(t, s); !slices.Equal(got, []proxmox.FaultKind{proxmox.PmxcfsDown, proxmox.Unreachable}) || s.Quorate != proxmox.Yes {
		t.Errorf("%v, quorate %v", got, s.Quorate)
	}
	if s = r.Read(t.Context()); len(s.Faults) > 0 || sick.Asked("/cluster/status") != 1 || r.String() != good.URL {
		t.Errorf("does not stay with the one that works: %v", s.Faults)
	}
	good.RefuseToken() // the same everywhere: no reason to ask the others
	if s = r.Read(t.Context()); sick.Asked("/cluster/status") != 1 || !slices.Equal(kinds(t, s), []proxmox.FaultKind{proxmox.TokenExpired}) {
		t.Errorf("a token that had been accepted: %v", s.Faults)
	}
}

// TestCAComes: a CA that was not there yet is found when it is.
func TestCAComes(t *testing.T) {
	r, server := reader(t, "healthy")
	good := r.cfg.CAFile
	r.cfg.CAFile = otherCA(t)
	if s := r.Read(t.Context()); !slices.Equal(kinds(t, s), []proxmox.FaultKind{proxmox.Certificate}) {
		t.Errorf("%v", s.Faults)
	}
	r.cfg.CAFile = good
	if s := r.Read(t.Context()); len(s.Faults) > 0 || s.Quorate != proxmox.Yes {
		t.Errorf("%v", s.Faults)
	}
	server.Answer("/cluster/status", proxmoxtest.Answer{Status: 595, Reason: "Connection refused"}) // pvedaemon alone is down
	if s := r.Read(t.Context()); s.Quorate != proxmox.Yes || s.View != "pve1" || s.Known(proxmox.PartMembers) || !strings.Contains(s.Faults[0].Hint, "pvedaemon") {
		t.Errorf("%v %v", s.Quorate, s.Faults)
	}
}

// TestPeerDown: a node that the endpoint cannot reach is a fault of that node's part, and no end of anything.
func TestPeerDown(t *testing.T) {
	r, server := reader(t, "healthy")
	server.Answer("/nodes/pve2/version", proxmoxtest.Answer{Status: 595, Reason: "No route to host"})
	s := r.Read(t.Context())
	n, _ := s.Node("pve2")
	if got := kinds(t, s); !slices.Equal(got, []proxmox.FaultKind{proxmox.PeerDown}) || n.Version != "" || n.Online != proxmox.Yes {
		t.Errorf("%v, %+v", s.Faults, n)
	}
	if !strings.Contains(s.Faults[0].Reason, "No route to host") {
		t.Errorf("the reason is lost: %v", s.Faults[0])
	}
}

// TestTokenFile: a token that others can read works, and is complained about; a new one is used at once.
func TestTokenFile(t *testing.T) {
	r, _ := reader(t, "healthy")
	if err := os.Chmod(r.cfg.TokenFile, 0o644); err != nil {
		t.Fatal(err)
	}
	s := r.Read(t.Context())
	if got := kinds(t, s); !slices.Equal(got, []proxmox.FaultKind{proxmox.TokenExposed}) || s.Quorate != proxmox.Yes {
		t.Errorf("%v", s.Faults)
	}
	if err := os.WriteFile(r.cfg.TokenFile, []byte("other@pve!xy=1"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s = r.Read(t.Context()); !slices.Contains(kinds(t, s), proxmox.TokenRefused) {
		t.Errorf("the old token is still in use: %v", s.Faults)
	}
}

// TestBounded: a body without a length ends at the limit, too.
func TestBounded(t *testing.T) {
	body := func(left int64) *bounded {
		return &bounded{ReadCloser: io.NopCloser(strings.NewReader("12345")), left: left}
	}
	if text, err := io.ReadAll(body(6)); err != nil || string(text) != "12345" {
		t.Errorf("%q %v", text, err)
	}
	if text, err := io.ReadAll(body(3)); !errors.Is(err, errTooLarge) || string(text) != "123" {
		t.Errorf("%q %v", text, err)
	}
}

// TestAccess: what the token may do is judged.
func TestAccess(t *testing.T) {
	for name, tt := range map[string]struct {
		permissions string
		want        []proxmox.FaultKind
	}{
		"least":         {`{"/":{"Sys.Audit":1},"/vms":{"Sys.Audit":1}}`, []proxmox.FaultKind{proxmox.Narrowed}}, // guests
		"auditor":       {`{"/":{"Sys.Audit":1,"VM.Audit":1}}`, nil},
		"not below":     {`{"/":{"Sys.Audit":0,"VM.Audit":"1"}}`, []proxmox.FaultKind{proxmox.Narrowed}},
		"nothing":       {`{}`, []proxmox.FaultKind{proxmox.Forbidden, proxmox.Narrowed}},
		"administrator": {`{"/":{"Sys.Audit":1,"VM.Audit":1,"Sys.PowerMgmt":1,"VM.Console":1}}`, []proxmox.FaultKind{proxmox.TooStrong}},
	} {
		t.Run(name, func(t *testing.T) {
			r, server := reader(t, "healthy")
			server.Answer("/access/permissions", proxmoxtest.Answer{Status: 200, Body: `{"data":` + tt.permissions + `}`})
			s := r.Read(t.Context())
			if got := kinds(t, s); !slices.Equal(got, tt.want) {
				t.Errorf("%v, want %v", s.Faults, tt.want)
			}
			if known := s.Known(proxmox.PartGuests); known != strings.Contains(tt.permissions, "VM.Audit") {
				t.Errorf("guests known: %v", known)
			}
		})
	}
}

// TestGroups: Proxmox VE 8 has groups instead of rules.
func TestGroups(t *testing.T) {
	r, server := reader(t, "healthy")
	server.Answer("/cluster/ha/rules", proxmoxtest.Answer{Status: 501, Reason: "Method 'GET /cluster/ha/rules' not implemented"})
	server.Answer("/cluster/ha/groups", proxmoxtest.Answer{Status: 200, Body: `{"data":[{"group":"east","nodes":"pve2:2,pve1","restricted":1,"type":"group"}]}`})
	state := proxmoxtest.Load("healthy")
	state.Edit("/cluster/ha/status/current", `"sid":"vm:100"`, `"group":"east","sid":"vm:100"`)
	server.Use(state)
	s := r.Read(t.Context())
	if len(s.Rules) != 1 || !s.Rules[0].Strict || s.Rules[0].Nodes["pve2"] != 2 || !slices.Equal(s.Rules[0].Services, []string{"vm:100"}) {
		t.Errorf("%+v %v", s.Rules, s.Faults)
	}
}

// TestTasks: what loads the network, running and just ended.
func TestTasks(t *testing.T) {
	r, server := reader(t, "disarmed")
	s := r.Read(t.Context())
	if len(s.Tasks) != 1 || s.Tasks[0].Load != proxmox.Migration || s.Tasks[0].Running != proxmox.No || s.Tasks[0].Object != "100" || s.Tasks[0].Node != "pve3" {
		t.Errorf("%+v", s.Tasks)
	}
	server.Answer("/cluster/tasks", proxmoxtest.Answer{Status: 200, Body: `{"data":[
		{"upid":"UPID:pve2:0000062E:0005216F:6B004465:vzdump::root@pam:","starttime":1795179621,"node":"pve2"},
		{"upid":"UPID:pve2:0000062E:0005216F:6B004465:aptupdate::root@pam:","starttime":1795179621,"node":"pve2"},
		{"upid":"UPID:pve2:0000062E:0005216F:6B000000:vzdump::root@pam:","endtime":1795000000,"node":"pve2"}]}`})
	r.kept = kept{}
	s = r.Read(t.Context())
	if len(s.Tasks) != 1 || s.Tasks[0].Load != proxmox.Backup || s.Tasks[0].Running != proxmox.Yes || s.Tasks[0].Start.Unix() != 1795179621 {
		t.Errorf("%+v", s.Tasks)
	}
}

// TestClock: stamps of a server whose clock differs come out on this machine's clock.
func TestClock(t *testing.T) {
	r, _ := reader(t, "isolated_t30")
	s := r.Read(t.Context())
	recorded := proxmoxtest.Load("isolated_t30").At
	ahead := s.Views[0].ClockAhead
	if off := time.Now().Add(ahead).Sub(recorded); off.Abs() > 10*time.Second { // a slow machine is no fault
		t.Errorf("ahead by %v: off by %v", ahead, off)
	}
	in := s.FenceInput("pve1", s.At)
	if age := in.Now.Sub(in.LRM.Stamp); age < 37*time.Second || age > 41*time.Second {
		t.Errorf("the LRM's status is %v old, want 39 s", age)
	}
}

// TestConfig: what is refused, and how endpoints are completed.
func TestConfig(t *testing.T) {
	for text, want := range map[string]string{
		"pve1": "https://pve1:8006", "pve1:443": "https://pve1:443", "[2001:db8::1]": "https://[2001:db8::1]:8006", "https://10.0.0.1/": "https://10.0.0.1:8006",
		"http://pve1": "", "https://u:p@pve1": "", "https://pve1/api2": "", "": "", "ssh://x": "", "pve1:80:80": "", "https://pve1?x=1": "",
	} {
		r, err := New(Config{Endpoints: []string{text}})
		if (err == nil) != (want != "") || err == nil && r.endpoints[0] != want {
			t.Errorf("%q: %v %v", text, r, err)
		}
	}
	if r, err := New(Config{}); err != nil || r.String() != "https://localhost:8006" {
		t.Error(r, err)
	}
	if _, err := New(Config{Fingerprints: []string{"AB:CD"}}); err == nil {
		t.Error("a short fingerprint is taken")
	}
}

// TestPrivileges: the commands give Sys.Audit, and nothing else, to both the user and the token.
func TestPrivileges(t *testing.T) {
	text := strings.Join(Privileges("quorumwatch@pve", "agent"), "\n")
	if strings.Count(text, "--privs ") != 1 || !strings.Contains(text, "--privs Sys.Audit\n") || strings.Count(text, "--propagate 1") != 2 ||
		!strings.Contains(text, "--tokens 'quorumwatch@pve!agent'") || !strings.Contains(text, "--users quorumwatch@pve ") {
		t.Error(text)
	}
}

// TestDocumented: what docs/proxmox.md tells people to type is what this package gives, and it explains every kind of fault.
func TestDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/proxmox.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := strings.Join(Privileges("quorumwatch@pve", "agent"), "\n")
	if !strings.Contains(string(text), "```\n"+commands+"\n```") {
		t.Errorf("docs/proxmox.md has not these commands:\n%s", commands)
	}
	for _, kind := range []proxmox.FaultKind{
		proxmox.Unreachable, proxmox.TimedOut, proxmox.Certificate, proxmox.TokenRefused, proxmox.TokenExpired, proxmox.TokenMissing, proxmox.TokenExposed,
		proxmox.TooStrong, proxmox.Forbidden, proxmox.Narrowed, proxmox.PeerDown, proxmox.PmxcfsDown, proxmox.Detached, proxmox.ServerError,
		proxmox.Malformed, proxmox.TooLarge, proxmox.Hanging, proxmox.Misconfigured, proxmox.Denied, proxmox.NotProxmox,
	} {
		if !strings.Contains(string(text), "`"+string(kind)+"`") {
			t.Errorf("docs/proxmox.md does not explain %s", kind)
		}
	}
}
