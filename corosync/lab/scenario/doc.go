// Package scenario reads the YAML files of quorumlab: a lab and a timeline of what happens in it.
//
// The reading is strict: an unknown key, a name that is not there or a value out of range is an error with file, line and
// a hint. Examples with all keys are in examples/lab.
//
//	name: stretched
//	sites:
//	  - {name: a, nodes: 3}
//	  - {name: b, nodes: 2}
//	network:                      # always holds
//	  - {name: path, from: [a], to: [b], both: true, delay: 5ms, jitter: 1ms}
//	timeline:                     # times count from the moment the cluster has formed and settled
//	  - at: 30s
//	    what: a short cut
//	    for: 500ms
//	    impair: {from: [a], to: [b], both: true, blackout: true}
//	  - at: 60s
//	    corosync: {node: b1, do: kill}
//	duration: 2m
package scenario
