package arch

// allowed says which packages of this module a package may import besides the standard library. Directions are those of
// ARCHITECTURE.md: data flows from sources to judgement to views, imports point back. "x/*" means any package right below x, "*"
// any at all. Packages that do not exist are no error.
func allowed() map[string][]string {
	return map[string][]string{
		// Leaves: arithmetic and codecs.
		"corosync/totem":      {},
		"corosync/votequorum": {},
		"probe/stamp":         {},
		"probe/stats":         {},
		"probe/mesh":          {},
		"probe/trace":         {},

		// Sources. corosync, proxmox and probe never know each other.
		"corosync":       {"corosync/totem", "corosync/votequorum"},
		"corosync/ctl":   {"corosync", "corosync/totem", "corosync/votequorum"},
		"corosync/sim":   {"corosync", "corosync/totem", "corosync/votequorum"},
		"proxmox":        {},
		"proxmox/api":    {"proxmox"},
		"proxmox/pmxcfs": {"proxmox"},
		"probe":          {"probe/stamp", "probe/stats"},
		"probe/nic":      {},
		"probe/udp":      {"probe"},
		"probe/simnet":   {"probe"},

		// Judgement: pure.
		"checker/topology": {"corosync", "corosync/totem", "corosync/votequorum", "proxmox", "probe/mesh"},
		"checker/risk":     {"corosync", "corosync/totem", "corosync/votequorum", "probe/trace"},
		"checker/advice":   {"checker/risk", "checker/units", "corosync", "corosync/totem", "corosync/votequorum", "probe/trace"},
		"checker/lint":     {"corosync", "corosync/totem", "corosync/votequorum"},
		"checker/replay":   {"checker/risk", "corosync/totem", "probe/trace"},
		"checker/units":    {},
		"checker/verdict": {
			"checker", "checker/advice", "checker/lint", "checker/plan", "checker/replay", "checker/risk", "checker/topology", "checker/units", "corosync",
			"probe/trace",
		},
		"checker/plan": {"checker/risk", "checker/units", "corosync", "corosync/totem", "corosync/votequorum"},
		"checker": {
			"checker/lint", "checker/risk", "checker/topology", "checker/units", "corosync", "corosync/totem", "corosync/votequorum", "probe/mesh",
			"probe/stats", "proxmox",
		},

		// Views.
		"checker/report":  {"checker", "checker/plan", "checker/units", "checker/verdict"},
		"checker/history": {"checker"},
		"checker/metrics": {"checker"},
		"checker/web":     {"checker", "checker/report", "checker/history"},
		"alerts":          {"checker"},
		"alerts/*":        {"alerts", "checker"},

		// The program.
		"cmd/internal/config": {"alerts", "alerts/*", "checker", "checker/*", "corosync", "corosync/*", "probe", "probe/*", "proxmox", "proxmox/*"},
		"cmd/internal/agent":  {"*"},
		"cmd/internal/check":  {"checker", "checker/verdict", "probe", "probe/stamp", "probe/stats", "probe/trace"},
		"cmd/internal/demo":   {"*"},
		"cmd/internal/arch":   {},
		"cmd/quorumwatch":     {"*"},

		// The laboratory knows Corosync, and the words of a report to compare with; the product does not know the laboratory.
		"corosync/lab":          {"corosync", "corosync/lab/impair"},
		"corosync/lab/impair":   {},
		"corosync/lab/scenario": {"corosync/lab", "corosync/lab/impair"},
		"cmd/quorumlab":         {"checker", "checker/*", "corosync", "corosync/*", "corosync/lab/*", "probe/trace"},

		// Test doubles.
		"corosync/corosynctest": {"corosync", "corosync/ctl"},
		"proxmox/proxmoxtest":   {"proxmox", "proxmox/*"},
		"probe/probetest":       {"probe", "probe/simnet", "probe/stamp", "probe/stats"},
	}
}

// never are edges that no table entry may allow, because "*" would: the product does not know the laboratory, test doubles or
// commands.
func never() map[string][]string {
	lab := []string{"corosync/lab", "corosync/lab/*", "corosync/corosynctest", "proxmox/proxmoxtest", "probe/probetest", "alerts/alertstest"}
	return map[string][]string{
		"cmd/internal/agent": append(lab, "cmd/internal/config", "cmd/internal/demo"),
		"cmd/internal/demo":  append(lab, "cmd/internal/config"),
		"cmd/quorumwatch":    lab,
	}
}

// doors says which packages may import what has consequences beyond themselves: every third party, and the parts of the standard
// library that start processes or talk to the kernel. What is imported and not listed fails.
func doors() map[string][]string {
	return map[string][]string{
		"os/exec":               {"corosync/ctl", "corosync/lab"},
		"golang.org/x/sys/unix": {"probe/nic", "probe/udp", "corosync/lab", "corosync/lab/*"},
		"golang.org/x/net":      {"probe/udp", "alerts/*"},
		"golang.org/x/sync":     {"cmd/internal/agent", "cmd/internal/demo", "corosync/lab", "corosync/lab/*"},
		"golang.org/x/term":     {"cmd/quorumwatch"},

		"github.com/coreos/go-systemd":           {"cmd/internal/agent"},
		"github.com/fsnotify/fsnotify":           {"cmd/internal/agent"},
		"github.com/luthermonson/go-proxmox":     {"proxmox/api"},
		"github.com/mattn/go-isatty":             {"cmd/quorumwatch", "cmd/quorumlab"},
		"github.com/prometheus/client_golang":    {"checker/metrics", "cmd/internal/agent"},
		"github.com/prometheus/exporter-toolkit": {"cmd/internal/agent"},
		"github.com/rogpeppe/go-internal/diff":   {"cmd/quorumwatch"},
		"github.com/rs/zerolog":                  {"alerts", "alerts/*", "cmd/internal/*", "cmd/quorumwatch", "cmd/quorumlab"},
		"github.com/spf13/cobra":                 {"cmd/quorumwatch", "cmd/quorumlab"},
		"github.com/spf13/pflag":                 {"cmd/internal/config"},
		"github.com/spf13/viper":                 {"cmd/internal/config"},
		"github.com/vishvananda/netlink":         {"corosync/lab", "corosync/lab/*", "probe/nic", "probe/udp"},
		"gopkg.in/yaml.v3":                       {"cmd/internal/config", "checker/report", "corosync/lab/scenario"},
	}
}

// pure are packages (or single files) without clock, goroutine, logger, I/O or randomness that was not handed in: the same
// arguments give the same result, for ever.
func pure() []string {
	return []string{
		"corosync/totem", "corosync/votequorum", "probe/stamp", "probe/stats", "probe/mesh", "probe/trace",
		"checker", "checker/topology", "checker/lint", "checker/risk", "checker/advice", "checker/plan", "checker/replay", "checker/verdict",
		"proxmox/blast.go", "proxmox/fence.go", "proxmox/fencelog.go", "proxmox/fences.go", "proxmox/ha.go", "proxmox/haparse.go", "proxmox/keep.go",
		"proxmox/loose.go", "proxmox/merge.go", "proxmox/online.go", "proxmox/rule.go", "proxmox/snapshot.go", "proxmox/span.go",
		"alerts/manager.go", "alerts/notification.go",
	}
}

// impureImports may not be imported where things are pure.
func impureImports() []string {
	return []string{
		"log", "log/slog", "math/rand", "net", "net/http", "os", "os/exec", "os/signal", "runtime", "sync", "syscall", "testing",
		"github.com/rs/zerolog", "crypto/rand", "io/ioutil", "sync/atomic",
	}
}

// impureNames may not be used where things are pure: by package.
func impureNames() map[string][]string {
	return map[string][]string{
		"time": {"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTicker", "NewTimer"},
		"fmt":  {"Print", "Printf", "Println", "Scan", "Scanf", "Scanln"},
		"math/rand/v2": {
			"ExpFloat64", "Float32", "Float64", "Int", "Int32", "Int32N", "Int64", "Int64N", "IntN", "N", "NormFloat64", "Perm",
			"Shuffle", "Uint", "Uint32", "Uint32N", "Uint64", "Uint64N", "UintN",
		},
	}
}
