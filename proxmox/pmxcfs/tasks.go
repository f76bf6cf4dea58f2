package pmxcfs

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/proxmox"
)

// taskMemory is how long a task can be running of which the log tells the start and no end.
const taskMemory = 12 * time.Hour

// readTasks reads from the cluster's log which tasks have begun and not ended. The log rotates, and a node that died ended
// nothing: so such a task may run, and is Unknown.
func (p *reading) readTasks() {
	data, ok := p.file(proxmox.PartTasks, logFile)
	if !ok {
		return
	}
	tasks, err := parseClusterLog(data)
	if err != nil {
		p.fault(faultOf(proxmox.PartTasks, logFile, err))
		return
	}
	for _, t := range tasks {
		if p.now.Sub(t.Start) < taskMemory {
			p.s.Tasks = append(p.s.Tasks, t)
		}
	}
	p.know(proxmox.PartTasks)
}

// parseClusterLog finds tasks that load the network and have no end in .clusterlog, which lists the youngest entry first.
func parseClusterLog(data []byte) ([]proxmox.Task, error) {
	if len(data) == 0 {
		return nil, nil
	}
	var raw struct {
		Data []struct {
			Msg proxmox.Text `json:"msg"`
		} `json:"data"`
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, err
	}
	var tasks []proxmox.Task
	ended := map[string]bool{}
	for _, e := range raw.Data {
		if upid, ok := strings.CutPrefix(string(e.Msg), "end task "); ok {
			upid, _, _ = strings.Cut(upid, " ")
			ended[upid] = true
		}
		upid, ok := strings.CutPrefix(string(e.Msg), "starting task ")
		if !ok || ended[upid] {
			continue
		}
		if t, ok := proxmox.TaskFrom(upid); ok && t.Load != "" {
			tasks = append(tasks, t)
		}
	}
	return tasks, nil
}

// parseActive reads /var/log/pve/tasks/active, this node's running and last tasks: "UPID saved [endtime status]".
func parseActive(text string) []proxmox.Task {
	var tasks []proxmox.Task
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		t, ok := proxmox.TaskFrom(f[0])
		if !ok || t.Load == "" {
			continue
		}
		t.Running = proxmox.Yes
		if len(f) > 2 {
			t.Running = proxmox.No
		}
		tasks = append(tasks, t)
	}
	return tasks
}

// parseReplication reads pve-replication-state.json: guest, then job, then state; a job that runs has a pid (guest-common
// ReplicationState.pm).
func parseReplication(data []byte, node string) ([]proxmox.Task, error) {
	var raw map[string]map[string]struct {
		PID     proxmox.Int `json:"pid"`
		LastTry proxmox.Int `json:"last_try"`
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, err
	}
	var tasks []proxmox.Task
	for vmid, jobs := range raw {
		for target, job := range jobs {
			if job.PID.N > 0 {
				tasks = append(tasks, proxmox.Task{
					Node: node, Load: proxmox.Replication, Kind: "replication", Object: vmid + " to " + target, Start: job.LastTry.Time(),
					Running: proxmox.Yes,
				})
			}
		}
	}
	return tasks, nil
}
