package proxmox

import (
	"net/netip"
	"slices"
	"time"
)

// Snapshot is what one or several sources know of the cluster at one instant. It is a value, never changed after it was made.
type Snapshot struct {
	At      time.Time // when the newest part was read, on this machine's clock
	View    string    // the node whose view membership and quorum are; "": unknown
	Origins [PartCount]Origin
	Views   []View  // what each source says of quorum, and of whose
	Faults  []Fault // what could not be read

	// PartMembers
	Standalone    Tri    // a node that is in no cluster
	ClusterName   string // "" if unknown or standalone
	ConfigVersion uint64 // config_version as pmxcfs knows it; 0: unknown
	Nodes         []Node // ascending by Name; configured nodes, also those that are off

	// PartQuorum
	Quorate       Tri // of View's partition. On a standalone node Yes: /etc/pve is writable
	StatusQuorate Tri // what /cluster/status says: not to be believed, see the package's comment

	HA       HA        // PartHA
	Services []Service // PartHA, with PartResources for what is configured; ascending by SID
	Guests   []Guest   // PartGuests, ascending by ID
	Rules    []Rule    // PartRules, in the order of the file
	Tasks    []Task    // PartTasks: those that load the network, youngest first
	Conf     Conf      // PartConf
	QDevice  QDevice   // PartQDevice
	// Migration is how guests move between nodes, from the node's files only.
	Migration MigrationWay
	Watchdog  Watchdog // PartWatchdog: of View only, from its own files
}

// Part is a piece of a Snapshot that comes from one source as a whole.
type Part int

// The parts of a Snapshot.
const (
	PartMembers Part = iota
	PartQuorum
	PartHA        // manager and LRM status
	PartResources // what HA services are configured to be
	PartGuests
	PartRunning // which guests run
	PartRules
	PartTasks
	PartConf
	PartVersions // Proxmox versions of the nodes
	PartQDevice
	PartWatchdog
	PartAccess // what the token may do; has no fields, only faults

	PartCount
)

// String is the part's name for people.
func (p Part) String() string {
	names := [PartCount]string{
		"members", "quorum", "ha", "resources", "guests", "running guests", "rules", "tasks", "corosync.conf", "versions", "qdevice",
		"watchdog", "access",
	}
	if p < 0 || p >= PartCount {
		return "part?"
	}
	return names[p]
}

// Source is where something was read.
type Source string

// The sources.
const (
	FromFiles Source = "files" // /etc/pve and the node's other files
	FromAPI   Source = "api"
)

// Origin is where a part comes from. The zero value: the part is unknown.
type Origin struct {
	Source Source
	At     time.Time // when it was read
	View   string    // the node that was asked; "": unknown
}

// View is what one source says of quorum. A source on another node may be in another partition.
type View struct {
	Source  Source
	Node    string // the node that was asked
	At      time.Time
	Quorate Tri
	// ClockAhead is how far that node's clock is ahead of this machine's, to a second; HA stamps are on the clocks of nodes.
	// Zero for files.
	ClockAhead time.Duration
}

// Node is one node of the cluster.
type Node struct {
	ID      uint32 // nodeid; 0 if unknown or standalone
	Name    string
	Local   bool       // it is View
	Online  Tri        // pmxcfs of View reaches it
	IP      netip.Addr // of its host name: management, not necessarily a ring address
	Version string     // Proxmox version, such as "9.2.11"; "" if unknown
	HAState string     // CRM's word: online, maintenance, unknown, fence, gone; "" if unknown
}

// Guest is a virtual machine or a container.
type Guest struct {
	ID       int // vmid
	Name     string
	Kind     GuestKind
	Node     string
	Template bool
	Running  Tri // Unknown when its node has not been heard lately
}

// GuestKind is the kind of a guest.
type GuestKind string

// The kinds of guests, in Proxmox's words.
const (
	VM        GuestKind = "qemu"
	Container GuestKind = "lxc"
)

// Conf is corosync.conf as pmxcfs holds it. It is not what a daemon runs.
type Conf struct {
	Text    string            // the file; "" when it came from the API, which only gives parts of it
	Digest  string            // SHA-1 of the file in hexadecimal; "" if unknown
	Version uint64            // totem.config_version; 0 if unknown
	Nodes   []ConfNode        // from the API only; ascending by ID
	Totem   map[string]string // from the API only; "interface.N.key" for links
}

// ConfNode is one node of the nodelist.
type ConfNode struct {
	ID    uint32
	Name  string
	Votes int            // 0 if the key is absent
	Rings map[int]string // ringN_addr as written, by link
}

// QDevice is the quorum device as View's qdevice daemon sees it.
type QDevice struct {
	Present   Tri    // the daemon answers on View
	Model     string // "Net"
	Algorithm string // such as "Fifty-Fifty split"
	Host      string // of qnetd
	State     string // such as "Connected"
	LastPoll  string // as printed, such as "2026-11-20T12:56:19 (cast vote)"
}

// Watchdog is what a node's own files say of its watchdog.
type Watchdog struct {
	Active Tri // somebody holds watchdog-mux (/run/watchdog-mux.active): the node resets itself when that one falls silent
	Mux    Tri // watchdog-mux listens (/run/watchdog-mux.sock)
	LRM    Tri // pve-ha-lrm has a pid file
	CRM    Tri // pve-ha-crm has a pid file
}

// MigrationWay is how guests move between nodes (/etc/pve/datacenter.cfg).
type MigrationWay struct {
	Known   bool
	Network netip.Prefix // that they take; invalid: that of the nodes' host names
}

// Known tells whether a part was read.
func (s *Snapshot) Known(p Part) bool { return s.Origins[p].Source != "" }

// Node returns the node of that name.
func (s *Snapshot) Node(name string) (Node, bool) {
	i := slices.IndexFunc(s.Nodes, func(n Node) bool { return n.Name == name })
	if i < 0 {
		return Node{}, false
	}
	return s.Nodes[i], true
}

// GuestsOn returns the guests whose configuration lies on a node, templates left out.
func (s *Snapshot) GuestsOn(node string) []Guest {
	var on []Guest
	for _, g := range s.Guests {
		if g.Node == node && !g.Template {
			on = append(on, g)
		}
	}
	return on
}

// ServicesOn returns the HA services that are on a node.
func (s *Snapshot) ServicesOn(node string) []Service {
	var on []Service
	for _, v := range s.Services {
		if v.Node == node {
			on = append(on, v)
		}
	}
	return on
}
