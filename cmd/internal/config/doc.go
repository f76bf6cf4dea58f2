// Package config reads what an operator says, from four places: flags, then environment, then file, then defaults. The first
// that says something about a key wins.
//
// The file is /etc/quorumwatch/quorumwatch.yaml, or what --config or QUORUMWATCH_CONFIG names. Without either it is optional:
// on a node with Corosync every default fits. The environment variable of a key is its path in capitals, with _ between its
// parts: probe.full_size is QUORUMWATCH_PROBE_FULL_SIZE; an empty variable says nothing. Lists are separated by commas; lists
// of objects are written as YAML. A flag is the path with dashes: --probe-full-size.
//
// Nothing is accepted silently: an unknown key or variable, a number without its unit, a value out of range, an object given
// twice are each an error that names its place (file and line, variable or flag) and, where it can, the remedy. All of them
// are reported at once.
//
// There are two layers. The raw structs carry the tags of the file and hold text; Config, which the rest of the program gets,
// carries checked values in their own types. The table of keys is the one source for defaults, ranges, flags, variables,
// the annotated example (WriteExample) and "quorumwatch config show" (Config.Settings).
package config
