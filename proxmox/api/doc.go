// Package api fills a proxmox.Snapshot from the REST API of Proxmox VE. It only ever reads.
//
// A Reader asks one of several endpoints, and moves on to the next when one is unreachable, hangs, has the wrong certificate or has
// lost its pmxcfs. What one path refuses is a Fault of that part; the others are still known. Volatile parts are asked for
// at each Read, others less often.
//
// # The client
//
// github.com/luthermonson/go-proxmox authenticates and carries the requests, and nothing more: its own types lose addresses, votes and the armed
// state, and cannot decode two of the configuration's endpoints; it has no timeout; a 403 loses its message, a 595 becomes "unexpected
// end of JSON input" and a 424 a success. So the transport beneath it (transport.go) turns every status but 200 into an error before
// go-proxmox sees it, bounds time and size, and the answers are decoded here, with types that take Perl's numbers and booleans.
//
// # Secrets
//
// The token is read from its file at each change, and is in no error, no log and no Snapshot. It goes to the endpoints of the
// configuration only, never over plain HTTP, never to where a redirect points, and only after the certificate has been verified. Privileges
// returns the commands that make a token which can read and do nothing else.
package api
