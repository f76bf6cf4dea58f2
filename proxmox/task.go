package proxmox

import "time"

// Task is something that Proxmox does and that loads the network.
type Task struct {
	UPID    string // Proxmox's name of it; "" for replication
	Node    string
	Load    Load
	Kind    string // Proxmox's word, such as "qmigrate"
	Object  string // mostly the vmid
	Start   time.Time
	End     time.Time // zero while it runs
	Running Tri       // Unknown when its node has not been heard lately
}

// Load is what a task does to the network.
type Load string

// The kinds of load.
const (
	Migration   Load = "migration"
	Backup      Load = "backup" // and restore
	Replication Load = "replication"
	Copy        Load = "copy" // clones, moved disks, images
)

// LoadOf tells what load a kind of task is; "" for those that the network does not notice. The words are those of the worker
// types in Proxmox's sources (fork_worker).
func LoadOf(kind string) Load {
	switch kind {
	case "qmigrate", "vzmigrate", "hamigrate", "migrateall", "bulk-migrate", "qmtunnel", "vzmtunnel":
		return Migration
	case "vzdump", "qmrestore", "vzrestore":
		return Backup
	case "replicate", "pvesr":
		return Replication
	case "qmclone", "vzclone", "qmmove", "move_volume", "imgcopy", "qmimport", "import", "download", "qmdisk":
		return Copy
	}
	return ""
}
