package pmxcfs

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/quorumwatch/quorumwatch/proxmox"
)

// large is /etc/pve of 32 nodes with 1000 guests, all under HA.
func large() fstest.MapFS {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	m := fstest.MapFS{"etc/pve/corosync.conf": file("totem {\n  config_version: 40\n}\n")}
	var nodes, services, words, list, rrd []string
	for i := range 32 {
		nodes = append(nodes, fmt.Sprintf(`"n%d": { "id": %d, "online": 1, "ip": "10.0.0.%d"}`, i, i+1, i+1))
		words = append(words, fmt.Sprintf(`"n%d":"online"`, i))
		m[fmt.Sprintf("etc/pve/nodes/n%d/lrm_status", i)] = file(`{"state":"active","mode":"active","timestamp":1795178867,"results":{}}`)
	}
	for i := range 1000 {
		id, node := 100+i, i%32
		services = append(services, fmt.Sprintf(`"vm:%d":{"node":"n%d","state":"started","running":1,"uid":"%022d"}`, id, node, id))
		list = append(list, fmt.Sprintf(`"%d": { "node": "n%d", "type": "qemu", "version": %d }`, id, node, id))
		rrd = append(rrd, fmt.Sprintf("pve-vm-9.0/%d:3600:guest%d:running:0:1795178860:4:0.01:8589934592:4294967296:0:0:1:2:3:4:5:0:0:0:0:0:0", id, id))
		m[fmt.Sprintf("etc/pve/nodes/n%d/qemu-server/%d.conf", node, id)] = file(fmt.Sprintf("name: guest%d\n", id))
	}
	m["etc/pve/.members"] = file(`{"nodename":"n0","version":3,"cluster":{"name":"c","version":40,"nodes":32,"quorate":1},"nodelist":{` + strings.Join(nodes, ",") + "}}")
	m["etc/pve/ha/manager_status"] = file(`{"master_node":"n0","timestamp":1795178866,"node_status":{` + strings.Join(words, ",") + `},"service_status":{` + strings.Join(services, ",") + "}}")
	m["etc/pve/.vmlist"] = file(`{"version":5,"ids":{` + strings.Join(list, ",") + "}}")
	m["etc/pve/.rrd"] = file(strings.Join(rrd, "\n"))
	return m
}

// BenchmarkRead is one pass over the files of a large cluster, as it is made every 2 s; each fifth reads guests, too.
func BenchmarkRead(b *testing.B) {
	r := New(large())
	now := time.Unix(1795178870, 0)
	for range 11 { // all names
		r.readPVE(now)
		now = now.Add(listsEvery)
	}
	if s := r.readPVE(now); len(s.Guests) != 1000 || s.Guests[999].Name != "guest1099" || s.HA.State != proxmox.HAArmed {
		b.Fatalf("%d guests", len(s.Guests))
	}
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(2 * time.Second)
		s := r.readPVE(now)
		proxmox.Merge(s, proxmox.Snapshot{})
	}
}
