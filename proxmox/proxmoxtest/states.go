package proxmoxtest

import (
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"
)

//go:embed testdata/pve-9.2
var captures embed.FS

// State is what an API answers.
type State struct {
	Name    string
	At      time.Time // when it was recorded: what the server's clock says
	Node    string    // the node that answers
	answers map[string]func() Answer
}

// Answer is one answer.
type Answer struct {
	Status int
	Reason string // in the status line; "": the usual words
	Body   string
}

// States are the names that Load knows.
func States() []string {
	return []string{
		"healthy", "isolated_t30", "disarmed", "corosync_down", "standalone",
		"majority_t30", "fenced", "expected_one", "qdevice_lost", "maintenance", "never_ha", "pmxcfs_down",
	}
}

// Load returns a state by name. It panics if there is none of that name.
func Load(name string) State {
	if make, ok := invented()[name]; ok {
		s := make()
		s.Name = name
		return s
	}
	// The recorded machines had booted at 1795176260 by their uptimes.
	at := map[string]int64{
		"healthy": 1795178869, "isolated_t30": 1795178936, "disarmed": 1795179657, "corosync_down": 1795179720, "standalone": 1795180060,
	}
	node := map[string]string{"corosync_down": "pve3", "standalone": "pve4"}[name]
	if node == "" {
		node = "pve1"
	}
	s := State{Name: name, At: time.Unix(at[name], 0), Node: node, answers: map[string]func() Answer{}}
	dir := path.Join("testdata/pve-9.2", name)
	files, err := captures.ReadDir(dir)
	if err != nil {
		panic("proxmoxtest: no state " + strconv.Quote(name))
	}
	for _, f := range files {
		text, err := captures.ReadFile(path.Join(dir, f.Name()))
		if err != nil {
			panic(err)
		}
		s.Set(apiPath(f.Name()), recorded(string(text)))
	}
	return s
}

// apiPath is the path that a file was recorded from.
func apiPath(file string) string {
	name := strings.TrimSuffix(file, ".json")
	for _, kept := range []string{"manager_status"} {
		name = strings.ReplaceAll(name, kept, strings.ReplaceAll(kept, "_", "\x00"))
	}
	return "/" + strings.ReplaceAll(strings.ReplaceAll(name, "_", "/"), "\x00", "_")
}

// recorded reads a recorded file: the body, then "[status] seconds".
func recorded(text string) Answer {
	body, trailer, ok := strings.Cut(text, "\n[")
	if !ok {
		panic("proxmoxtest: no status in " + text)
	}
	a := Answer{Body: strings.TrimSpace(body)}
	if _, err := fmt.Sscanf(trailer, "%d]", &a.Status); err != nil {
		panic(err)
	}
	var said struct{ Message string }
	if json.Unmarshal([]byte(a.Body), &said) == nil {
		a.Reason = strings.TrimSpace(said.Message)
	}
	return a
}

// Set makes a path answer so.
func (s *State) Set(path string, a Answer) { s.answers[path] = func() Answer { return a } }

// Data makes a path answer with data.
func (s *State) Data(path, data string) {
	s.Set(path, Answer{Status: 200, Body: `{"data":` + data + `}`})
}

// Edit replaces text in what a path answers. It panics if the text is not there.
func (s *State) Edit(path, old, new string) {
	a := s.Answer(path)
	if !strings.Contains(a.Body, old) {
		panic("proxmoxtest: " + path + " has no " + old)
	}
	a.Body = strings.ReplaceAll(a.Body, old, new)
	s.Set(path, a)
}

// Answer is what a path answers, below /api2/json.
func (s *State) Answer(path string) Answer {
	if a, ok := s.answers[path]; ok {
		return a()
	}
	if a, ok := s.answers["*"]; ok {
		return a()
	}
	if node, rest, ok := strings.Cut(strings.TrimPrefix(path, "/nodes/"), "/"); ok && strings.HasPrefix(path, "/nodes/") {
		return s.proxied(node, rest)
	}
	return Answer{Status: 501, Reason: "Method 'GET " + path + "' not implemented"}
}

// proxied is what a question to another node gives: its answer, 595 if it is out of reach, 500 if nobody knows it.
func (s *State) proxied(node, rest string) Answer {
	var status struct {
		Data []struct {
			Name   string
			Online int
		}
	}
	body := s.Answer("/cluster/status").Body
	if err := json.Unmarshal([]byte(body), &status); err != nil {
		panic(err)
	}
	for _, n := range status.Data {
		switch {
		case n.Name == node && n.Online == 0:
			return Answer{Status: 595, Reason: "No route to host"}
		case n.Name == node && rest == "version":
			return s.Answer("/version")
		}
	}
	return Answer{Status: 500, Reason: "hostname lookup '" + node + "' failed - failed to get address info", Body: `{"data":null}`}
}
