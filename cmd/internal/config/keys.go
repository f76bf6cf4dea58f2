package config

import (
	"slices"
	"time"
)

// key is one thing that can be configured. The table of keys is the only place that knows defaults, ranges and meaning.
type key struct {
	path     string // probe.interval
	kind     kind
	fallback string   // the default, as a file would say it
	doc      []string // what it means, for the example and (the first line) the help of the flag
	sample   []string // YAML below the key in the example, for lists of objects
}

// section heads a group of keys in the example.
type section struct {
	path string
	doc  []string
}

// sections are in the order of the example.
func sections() []section {
	return []section{
		{"corosync", []string{"Where this node's Corosync is. Nothing to say on a Proxmox VE node."}},
		{"proxmox", []string{"What Proxmox VE knows: HA, watchdogs, guests. A node's own files say it; the API is for machines that have none."}},
		{"probe", []string{"The agent's own probes, over Corosync's own paths. Say the same on every node."}},
		{"web", []string{"Report (text and JSON), metrics and health over HTTP; read-only."}},
		{"log", []string{"Logs go to standard error."}},
		{"trace", []string{"What the paths did of late: 'quorumwatch replay' runs it through a model of Corosync."}},
		{"alerts", []string{"Who is told of findings."}},
	}
}

// keys are all there are, in the order of the example.
func keys() []key {
	return slices.Concat(corosyncKeys(), proxmoxKeys(), probeKeys(), outerKeys())
}

func corosyncKeys() []key {
	return []key{
		{path: "corosync.config", kind: path(), fallback: "/etc/corosync/corosync.conf", doc: []string{
			"Path of corosync.conf"}},
		{path: "corosync.authkey", kind: path(), doc: []string{
			"Path of Corosync's key; empty: the one that corosync.conf names, usually /etc/corosync/authkey"}},
		{path: "corosync.node", kind: word(), doc: []string{
			"Name or nodeid of this node; empty: the node whose ring address this host has"}},
		{path: "corosync.tools_dir", kind: path(), doc: []string{
			"Directory of corosync-cmapctl, corosync-quorumtool and corosync-cfgtool; empty: PATH"}},
		{path: "corosync.log_file", kind: path(), doc: []string{
			"Log file of Corosync; empty: the one that corosync.conf names, else the journal"}},
	}
}

func proxmoxKeys() []key {
	return []key{
		{path: "proxmox.files", kind: choice(filesWords[:]...), fallback: "auto", doc: []string{
			"Whether /etc/pve and its kin are read: auto (if there is Proxmox VE on this machine) or never",
			"They are read only, as root or group www-data. A hanging /etc/pve holds up nothing."}},
		{path: "proxmox.endpoints", kind: servers(), doc: []string{
			"API servers to ask, one after the other: pve1, pve1:8006, https://pve1:8006; empty: none",
			"Needs token_file. 'quorumwatch proxmox token' prints the commands that make a token which can only read."}},
		{path: "proxmox.token_file", kind: path(), doc: []string{
			"File with user@realm!name=secret on one line, readable by the agent alone"}},
		{path: "proxmox.ca_file", kind: path(), doc: []string{
			"Certificates (PEM) that sign those of the servers; empty: the system's and /etc/pve/pve-root-ca.pem"}},
		{path: "proxmox.fingerprints", kind: fingerprints(), doc: []string{
			"SHA-256 fingerprints of the servers' certificates, as Proxmox shows them; if given, they count instead of a CA"}},
		{path: "proxmox.interval", kind: duration(2*time.Second, 10*time.Minute, ""), fallback: "10s", doc: []string{
			"Time between two questions to the API"}},
	}
}

func probeKeys() []key {
	return []key{
		{path: "probe.port", kind: integer(1, 65535, ""), fallback: "5412", doc: []string{
			"UDP port at both ends",
			"5412 lies in the range that Proxmox's firewall opens for Corosync. Never take a port that Corosync uses itself",
			"(5405 plus the number of the link): it would log every probe as a foreign packet."}},
		{path: "probe.interval", kind: duration(10*time.Millisecond, time.Second, ""), fallback: "50ms", doc: []string{
			"Time between token-sized probes on each path"}},
		{path: "probe.full_size", kind: integer(512, 65507, "none"), fallback: "1472", doc: []string{
			"UDP payload of full-size probes in bytes; 1472 fills an MTU of 1500, 0 sends none",
			"They never fragment, and so find paths that only carry small packets."}},
		{path: "probe.full_size_interval", kind: duration(200*time.Millisecond, time.Second, ""), fallback: "500ms", doc: []string{
			"Time between full-size probes on each path",
			"They also carry what this node tells the others: a longer time would make that stale."}},
		{path: "probe.auth", kind: choice(authWords[:]...), fallback: "corosync-key", doc: []string{
			"Key that authenticates probes: corosync-key, key-file or none",
			"corosync-key derives it from Corosync's own key: nothing to hand out. none lets anyone who reaches the port forge",
			"measurements; every report says so."}},
		{path: "probe.key_file", kind: path(), doc: []string{
			"Key file (16 bytes or more, the same on all nodes) for auth: key-file"}},
		{path: "probe.allow", kind: prefixes(), doc: []string{
			"Addresses or networks that may be answered besides the nodes of corosync.conf"}},
	}
}

func outerKeys() []key {
	return []key{
		{path: "sites", kind: objects(), doc: []string{
			"Which nodes share a site: names or nodeids; lets findings speak of sites",
			"Without any, sites are found by round trips: those that are a millisecond or more apart",
		}, sample: []string{
			"- name: north",
			"  nodes: [n1, n2]",
			"- name: south",
			"  nodes: [s1, s2]",
		}},
		{path: "web.listen", kind: endpoints(), fallback: "127.0.0.1:8412", doc: []string{
			"Addresses to serve on; an empty list [] serves nothing",
			"Only this host by default, because a report names every node, address and weakness of the cluster. For Prometheus",
			"on another host say :8412, best with config_file, or the address of a management network."}},
		{path: "web.config_file", kind: path(), doc: []string{
			"TLS and users: a web configuration file of Prometheus' exporter-toolkit"}},
		{path: "log.level", kind: choice("trace", "debug", "info", "warn", "error"), fallback: "info", doc: []string{
			"Least level that is logged: trace, debug, info, warn or error"}},
		{path: "log.format", kind: choice(formatWords[:]...), fallback: "auto", doc: []string{
			"Form of log lines; auto is console on a terminal, json elsewhere"}},
		{path: "state_dir", kind: path(), fallback: "/var/lib/quorumwatch", doc: []string{
			"Directory for what has to outlive a restart; traces of incidents go to its folder traces"}},
		{path: "trace.keep", kind: duration(10*time.Minute, 24*time.Hour, ""), fallback: "1h", doc: []string{
			"How long what became of packets on all paths is kept in memory",
			"An hour of five healthy nodes takes some ten kilobytes; of a cluster in trouble, up to 4 MiB, then the oldest goes."}},
		{path: "trace.files", kind: integer(1, 10000, "none are written"), fallback: "100", doc: []string{
			"Most files of incidents; the oldest are removed"}},
		{path: "trace.size", kind: integer(1, 100000, ""), fallback: "200", doc: []string{
			"Most space for files of incidents, in MiB"}},
		{path: "alerts.repeat_interval", kind: duration(time.Minute, 7*24*time.Hour, "never"), fallback: "4h", doc: []string{
			"Tell again of a finding that still stands after this time; 0 never does"}},
		{path: "alerts.webhooks", kind: objects(), doc: []string{
			"HTTP receivers; each gets one JSON object by POST for each notification",
			"Give url, or url_file if the URL is a secret, and for each header value or value_file; the files are read anew each",
			"time. By default there is no header and no template, and the other keys have the values shown. " + fmtRange("timeout", webhookTimeout()) + ";",
			"min_severity (info, warning or critical): incidents that never were that severe are left out; template_file: a Go",
			"text/template over the fields of the JSON object, for receivers that want a body of their own.",
		}, sample: webhookSample()},
	}
}

func webhookTimeout() kind { return duration(100*time.Millisecond, 2*time.Minute, "") }

func fmtRange(name string, k kind) string { return name + " (" + k.values + ")" }

func webhookSample() []string {
	return []string{
		"- name: on-call",
		"  url: https://alerts.example.org/quorumwatch",
		"  headers:",
		"    - name: Authorization",
		"      value_file: /etc/quorumwatch/on-call.token",
		"  timeout: 10s",
		"  min_severity: critical",
		"  send_resolved: true",
		"  template_file: /etc/quorumwatch/on-call.tmpl",
		"  content_type: application/json",
	}
}
