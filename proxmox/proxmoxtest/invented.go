package proxmoxtest

import (
	"strconv"
	"time"
)

const (
	clusterStatus = "/cluster/status"
	haCurrent     = "/cluster/ha/status/current"
	haManager     = "/cluster/ha/status/manager_status"
)

// invented are the states that nobody recorded.
func invented() map[string]func() State {
	return map[string]func() State{
		"majority_t30": majority, "fenced": fenced, "expected_one": expectedOne, "qdevice_lost": qdeviceLost,
		"maintenance": maintenance, "never_ha": neverHA, "pmxcfs_down": pmxcfsDown,
	}
}

// majority: pve3 is manager and has quorum with pve2. Its files go on: stamps of pve2 and pve3 are fresh, pve1's stands still.
func majority() State {
	s := Load("isolated_t30")
	s.Node = "pve3"
	s.Data(clusterStatus, `[{"type":"cluster","id":"cluster","name":"rigcl","version":3,"nodes":3,"quorate":1},
		{"type":"node","id":"node/pve1","name":"pve1","nodeid":1,"ip":"10.191.0.1","local":0,"online":0,"level":""},
		{"type":"node","id":"node/pve2","name":"pve2","nodeid":2,"ip":"10.191.0.2","local":0,"online":1,"level":""},
		{"type":"node","id":"node/pve3","name":"pve3","nodeid":3,"ip":"10.191.0.3","local":1,"online":1,"level":""}]`)
	s.Edit(haCurrent, `"node":"pve1","status":"No quorum on node 'pve1'!","id":"quorum","type":"quorum","quorate":0`,
		`"node":"pve3","status":"OK","id":"quorum","type":"quorum","quorate":1`)
	s.Edit(haCurrent, `"armed-state":"standby"`, `"armed-state":"armed"`)
	s.Edit(haManager, `"node":"pve1","quorate":""`, `"node":"pve3","quorate":"1"`)
	s.Edit(haManager, `"pve1":"online"`, `"pve1":"unknown"`)
	for _, path := range []string{haCurrent, haManager} {
		s.Edit(path, `1795178896`, stamp(s.At, -6)) // the manager
		s.Edit(path, `1795178902`, stamp(s.At, -2)) // pve3
	}
	s.Edit(haManager, `{"mode":"active","state":"active","timestamp":1795178897,"results":{"E5O`,
		`{"mode":"active","state":"active","timestamp":`+stamp(s.At, -4)+`,"results":{"E5O`) // pve2
	return s
}

// fenced: two minutes later the manager has taken pve1's lock and moved its guest.
func fenced() State {
	s := majority()
	was := s.At
	s.At = was.Add(105 * time.Second)
	for _, path := range []string{haCurrent, haManager} {
		for _, ago := range []int{-6, -4, -2} {
			if path == haManager || ago != -4 {
				s.Edit(path, stamp(was, ago), stamp(s.At, ago))
			}
		}
	}
	s.Edit(haManager, `"pve1":"unknown"`, `"pve1":"gone"`)
	s.Edit(haManager, `"vm:100":{"running":1,"state":"started","node":"pve1"`, `"vm:100":{"running":1,"state":"started","node":"pve3"`)
	s.Edit(haCurrent, `"sid":"vm:100","id":"service:vm:100","node":"pve1"`, `"sid":"vm:100","id":"service:vm:100","node":"pve3"`)
	s.Edit("/cluster/resources", `{"vmid":100,"netout":0,"memhost":0,"node":"pve1"`, `{"vmid":100,"netout":0,"memhost":0,"node":"pve3"`)
	return s
}

// expectedOne: the quorum came back without a change of members, and the cache behind /cluster/status has not noticed.
func expectedOne() State {
	s := Load("isolated_t30")
	s.Edit(haCurrent, `"status":"No quorum on node 'pve1'!","id":"quorum","type":"quorum","quorate":0`,
		`"status":"OK","id":"quorum","type":"quorum","quorate":1`)
	s.Edit(haManager, `"quorate":""`, `"quorate":"1"`)
	return s
}

// qdeviceLost: the members stay, so that each worker process keeps the quorum that it saw last.
func qdeviceLost() State {
	s := Load("healthy")
	s.Edit(clusterStatus, `{"online":1,"level":"","nodeid":3`, `{"online":0,"level":"","nodeid":3`)
	s.Edit(haCurrent, `"status":"OK","id":"quorum","quorate":1`, `"status":"No quorum on node 'pve1'!","id":"quorum","quorate":0`)
	s.Edit(haManager, `"quorate":"1"`, `"quorate":""`)
	s.Data("/cluster/config/qdevice", `{"Model":"Net","Algorithm":"LMS","QNetd host":"10.191.0.9:5403","State":"Connect failed",
		"Tie-breaker":"Node with lowest node ID","Last poll call":"2026-11-20T12:47:19 (cast vote)"}`)
	yes := s.Answer(clusterStatus)
	s.Edit(clusterStatus, `"quorate":1`, `"quorate":0`)
	no := s.Answer(clusterStatus)
	calls := 0
	s.answers[clusterStatus] = func() Answer {
		calls++
		if calls%2 == 1 {
			return yes
		}
		return no
	}
	return s
}

// maintenance: pve1's services have moved to pve3; its LRM has let go of lock and watchdog.
func maintenance() State {
	s := Load("healthy")
	s.Edit(haManager, `"pve1":"online"`, `"pve1":"maintenance"`)
	s.Edit(haManager, `"vm:100":{"node":"pve1"`, `"vm:100":{"maintenance_node":"pve1","node":"pve3"`)
	s.Edit(haManager, `"timestamp":1795178867,"mode":"active","state":"active"},"pve3":{"results":{},"mode":"active","state":"wait_for_agent_lock"`,
		`"timestamp":1795178867,"mode":"maintenance","state":"maintenance"},"pve3":{"results":{},"mode":"active","state":"active"`)
	return s
}

// neverHA: quorum and fencing entries only, no master, no lrm_status.
func neverHA() State {
	s := Load("healthy")
	s.Data(haCurrent, `[{"id":"quorum","type":"quorum","node":"pve1","status":"OK","quorate":1},
		{"id":"fencing","type":"fencing","node":"pve1","armed-state":"standby","status":"standby (CRM watchdog standby)"}]`)
	s.Data(haManager, `{"manager_status":{"node_status":{}},"quorum":{"node":"pve1","quorate":"1"}}`)
	return s
}

func pmxcfsDown() State {
	s := State{At: Load("healthy").At, Node: "pve1", answers: map[string]func() Answer{}}
	s.Set("*", Answer{Status: 500})
	return s
}

func stamp(t time.Time, seconds int) string {
	return strconv.FormatInt(t.Unix()+int64(seconds), 10)
}
