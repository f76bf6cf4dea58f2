package config

import (
	"net/netip"
	"time"

	"github.com/rs/zerolog"

	"github.com/quorumwatch/quorumwatch/alerts"
	"github.com/quorumwatch/quorumwatch/alerts/webhook"
	"github.com/quorumwatch/quorumwatch/proxmox/api"
)

// DefaultPath is the file that is read when none is named. It need not exist.
const DefaultPath = "/etc/quorumwatch/quorumwatch.yaml"

// Config is a complete, checked configuration. It is a value; a reload makes a new one.
type Config struct {
	File     string // the file that was read, "" if there was none
	Corosync Corosync
	Proxmox  Proxmox
	Probe    Probe
	Sites    []Site
	Web      Web
	Log      Log
	StateDir string // what has to outlive a restart is kept here
	Trace    Trace
	Alerts   Alerts
	Settings []Setting // every key with its effective value and origin, in the order of the example
}

// Corosync says where this node's Corosync is.
type Corosync struct {
	ConfigFile string // corosync.conf
	AuthKey    string // "": the key file that corosync.conf names
	Node       string // this node's name or nodeid; "": found by its ring addresses
	ToolsDir   string // directory of corosync-cmapctl and its kin; "": PATH
	LogFile    string // "": the log file that corosync.conf names, else the journal
}

// Probe says how paths are probed.
type Probe struct {
	Port             uint16        // UDP, at both ends
	Interval         time.Duration // of token-sized probes
	FullSize         int           // UDP payload of full-size probes in bytes; 0: none
	FullSizeInterval time.Duration
	Auth             Auth
	KeyFile          string         // with AuthKeyFile
	Allow            []netip.Prefix // who may be answered besides the nodes of corosync.conf
}

// Auth says which key authenticates probes.
type Auth int

// The sources of a key. Only AuthNone leaves probes open to forgery.
const (
	AuthCorosyncKey Auth = iota // derived from Corosync's own authkey
	AuthKeyFile                 // derived from Probe.KeyFile
	AuthNone
)

// String is the word of the configuration file.
func (a Auth) String() string { return authWords[a] }

var authWords = [...]string{AuthCorosyncKey: "corosync-key", AuthKeyFile: "key-file", AuthNone: "none"}

// Site is a place with nodes that share its fate.
type Site struct {
	Name  string
	Nodes []string // names, or nodeids in decimal
}

// Web says where reports and metrics are served.
type Web struct {
	Listen     []string // host:port each; none: no server
	ConfigFile string   // Prometheus exporter-toolkit web configuration (TLS, users); "": neither
}

// Log says what is logged and how.
type Log struct {
	Level  zerolog.Level
	Format Format
}

// Format is the form of log lines.
type Format int

// Formats. FormatAuto is console on a terminal, JSON elsewhere.
const (
	FormatAuto Format = iota
	FormatConsole
	FormatJSON
)

// String is the word of the configuration file.
func (f Format) String() string { return formatWords[f] }

var formatWords = [...]string{FormatAuto: "auto", FormatConsole: "console", FormatJSON: "json"}

// filesWords are the words of proxmox.files: read them where they are, or not at all.
var filesWords = [...]string{"auto", "never"}

// Proxmox says where Proxmox VE's own knowledge comes from.
type Proxmox struct {
	Files    bool          // read /etc/pve and its kin, where there is one
	API      api.Config    // whom to ask; no Endpoints: nobody
	Interval time.Duration // between two questions to the API
}

// Trace says how much of the paths' past is kept.
type Trace struct {
	Keep  time.Duration // in memory
	Files int           // of incidents; 0: none are written
	Size  int64         // of all these files, in bytes
}

// Alerts says who is told.
type Alerts struct {
	Manager  alerts.Config
	Webhooks []webhook.Config
}

// Setting is one key as it is in effect.
type Setting struct {
	Key    string // probe.interval
	Value  string // as a file would say it; secrets are masked
	Origin string // "default", "/etc/quorumwatch/quorumwatch.yaml:7", "QUORUMWATCH_PROBE_INTERVAL" or "--probe-interval"
}
