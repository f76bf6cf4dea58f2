package corosync

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Drift compares what a daemon runs with what its file says. running is what corosync-cmapctl printed, whole or in part:
// runtime.config.totem.* are compared with the effective values of the file, and totem.*, nodelist.* and quorum.*, as far
// as they are there at all, with its keys. A key that this Corosync does not have is no drift, and neither are keys that
// it adds itself. The result is ordered by key; Line is the line of the file that differs.
func Drift(c *Config, running Map) []Problem {
	d := &checker{Config: c}
	want := c.RuntimeValues()
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if have, ok := running[key]; ok && have.Text != want[key].Text {
			d.add(strings.TrimPrefix(key, "runtime.config."), fmt.Sprintf("the daemon runs with %s, the file gives %s", have.Text, want[key].Text), driftHint(key))
			d.problems[len(d.problems)-1].Key = key
		}
	}
	for _, section := range []string{"totem.", "nodelist.", "quorum."} {
		d.driftSection(section, running)
	}
	return d.problems
}

func driftHint(key string) string {
	if strings.HasSuffix(key, ".knet_ping_timeout") || strings.HasSuffix(key, ".knet_ping_interval") {
		return "before 3.1.10-pve1 a reload leaves knet's timers one reload behind: run `corosync-cfgtool -R` once more"
	}
	return "run `corosync-cfgtool -R`; some keys need a restart of Corosync"
}

// driftSection compares the keys that were parsed. Keys of another type count as equal if their text is.
func (k *checker) driftSection(prefix string, running Map) {
	loaded := false
	for key := range running {
		loaded = loaded || strings.HasPrefix(key, prefix)
	}
	if !loaded {
		return
	}
	const hint = "the file was changed and not loaded: run `corosync-cfgtool -R`, or restart Corosync"
	keys := map[string]bool{}
	for _, m := range []Map{k.Values, running} {
		for key := range m {
			if strings.HasPrefix(key, prefix) && !k.madeByDaemon(key) {
				keys[key] = true
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		want, written := k.Values[key]
		have, runs := running[key]
		switch {
		case !written:
			k.add(key, fmt.Sprintf("the daemon runs with %s, the file does not have the key", have.Text), hint)
		case !runs:
			k.add(key, fmt.Sprintf("the file says %s, the daemon does not have the key", want.Text), hint)
		case want.Text != have.Text:
			k.add(key, fmt.Sprintf("the daemon runs with %s, the file says %s", have.Text, want.Text), hint)
		}
	}
}

// madeByDaemon names keys that Corosync writes itself or changes on its own.
func (k *checker) madeByDaemon(key string) bool {
	if key == "nodelist.local_node_pos" || key == "quorum.cancel_wait_for_all" || key == "totem.key" {
		return true
	}
	if _, name, ok := interfaceKey(key); ok { // config_convert_nodelist_to_interface, and multicast with udp
		return name == "bindnetaddr" || k.Transport == "udp" && (name == "mcastaddr" || name == "mcastport")
	}
	_, name, ok := nodeKey(key)
	return ok && name == "nodeid" && k.Transport != "knet" // generated
}
