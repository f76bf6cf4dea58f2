package proxmox

import "strings"

// Fault is why something could not be read. It is an error: place, object, reason.
type Fault struct {
	Source Source
	Part   Part
	Kind   FaultKind
	Where  string // endpoint and path, or file
	Reason string // in the words of whoever refused
	Hint   string // the way out
}

// FaultKind tells faults apart that need different things done.
type FaultKind string

// The kinds of faults.
const (
	Unreachable   FaultKind = "unreachable"   // nobody accepts connections
	TimedOut      FaultKind = "timeout"       // connected, no answer in time
	Certificate   FaultKind = "certificate"   // not the certificate that was expected
	TokenRefused  FaultKind = "token-refused" // 401: the token is wrong, or its user is disabled
	TokenExpired  FaultKind = "token-expired" // 401: expired, or refused after it had been accepted
	TokenMissing  FaultKind = "token-missing" // no token to be read, or not one
	TokenExposed  FaultKind = "token-exposed" // others can read the token's file
	TooStrong     FaultKind = "too-strong"    // the token may do more than read
	Forbidden     FaultKind = "forbidden"     // 403: a privilege is missing
	Narrowed      FaultKind = "narrowed"      // answered, but without what the token may not see
	PeerDown      FaultKind = "peer-down"     // 595 to 599: the endpoint works, the node that it asked does not
	PmxcfsDown    FaultKind = "pmxcfs-down"   // pve-cluster does not run: an empty /etc/pve, or empty 500s
	Detached      FaultKind = "detached"      // pmxcfs runs without Corosync: not yet connected, or in local mode
	NotClustered  FaultKind = "not-clustered" // 424: asked a standalone node about its cluster
	Unsupported   FaultKind = "unsupported"   // 404, 501, or a part that this version has done away with
	ServerError   FaultKind = "server-error"  // any other refusal
	Malformed     FaultKind = "malformed"     // an answer that is none
	TooLarge      FaultKind = "too-large"     // an answer beyond all reason
	Hanging       FaultKind = "hanging"       // a read of a file does not return
	Denied        FaultKind = "denied"        // the file system refuses
	NotProxmox    FaultKind = "not-proxmox"   // no Proxmox VE on this machine
	Misconfigured FaultKind = "misconfigured" // the configuration of this program
)

func (f Fault) Error() string {
	var b strings.Builder
	if f.Where != "" {
		b.WriteString(f.Where + ": ")
	}
	b.WriteString(f.Part.String() + ": ")
	b.WriteString(f.Reason)
	return b.String()
}

// Harmless tells whether a fault says nothing bad: a standalone node asked about its cluster, a part that this version has done
// away with.
func (f Fault) Harmless() bool { return f.Kind == NotClustered || f.Kind == Unsupported }
