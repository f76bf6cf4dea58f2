package api

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/quorumwatch/quorumwatch/proxmox"
)

// Privileges returns the commands that make a token for quorumwatch, which can read the state of cluster, HA and configuration
// and nothing else. user is such as "quorumwatch@pve", name the token's, such as "agent". Both the user and the token get the
// role: with privilege separation a token may do what both may.
func Privileges(user, name string) []string {
	return []string{
		"pveum role add QuorumWatch --privs Sys.Audit",
		"pveum user add " + user + " --comment 'quorumwatch reads the state of cluster and HA'",
		"pveum acl modify / --users " + user + " --roles QuorumWatch --propagate 1",
		"pveum user token add " + user + " " + name + " --privsep 1 --expire 0",
		"pveum acl modify / --tokens '" + user + "!" + name + "' --roles QuorumWatch --propagate 1",
		"pveum user token permissions " + user + " " + name,
	}
}

// access is what a token may do (/access/permissions): privileges by path, with 1 for those that hold below it too.
type access map[string]map[string]proxmox.Int

func parseAccess(raw json.RawMessage) (access, error) {
	var a access
	err := json.Unmarshal(raw, &a)
	return a, err
}

// guests tells whether the token sees all guests.
func (a access) guests() bool {
	return a.has("/", "VM.Audit", true) || a.has("/vms", "VM.Audit", true)
}

func (a access) has(path, privilege string, below bool) bool {
	p, ok := a[path][privilege]
	return ok && (!below || p.N == 1)
}

// faults says what the token lacks, and what it should not have.
func (a access) faults(where string) []proxmox.Fault {
	var all []proxmox.Fault
	add := func(kind proxmox.FaultKind, reason, hint string) {
		all = append(all, proxmox.Fault{
			Source: proxmox.FromAPI, Part: proxmox.PartAccess, Kind: kind, Where: where, Reason: reason, Hint: hint,
		})
	}
	grant := "pveum acl modify / --tokens 'USER!NAME' --roles QuorumWatch --propagate 1, and the same with --users USER"
	switch {
	case !a.has("/", "Sys.Audit", false):
		add(proxmox.Forbidden, "the token has no Sys.Audit on /", grant)
	case !a.has("/", "Sys.Audit", true):
		add(proxmox.Narrowed, "Sys.Audit on / does not propagate to the nodes", grant)
	}
	if strong := a.strong(); len(strong) > 0 {
		add(proxmox.TooStrong, "the token may do more than read: "+strings.Join(strong, ", "), "give it a role with Sys.Audit only")
	}
	return all
}

// strong are the privileges that change something.
func (a access) strong() []string {
	found := map[string]bool{}
	for _, privileges := range a {
		for name := range privileges {
			if !strings.HasSuffix(name, ".Audit") && name != "Sys.Syslog" {
				found[name] = true
			}
		}
	}
	names := slices.Sorted(maps.Keys(found))
	if len(names) > 5 {
		names = append(names[:5], "...")
	}
	return names
}
