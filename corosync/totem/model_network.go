package totem

import "time"

// Class is the kind of a packet, as far as a network may treat it differently.
type Class uint8

// The classes. Bytes says how large they are.
const (
	ClassPing       Class = iota // knet's heartbeat
	ClassPong                    // its answer
	ClassToken                   // the token
	ClassMessage                 // a multicast message, one copy per peer
	ClassMembership              // join, commit token, merge detect, hold cancel
)

// Bytes is the UDP payload of a packet of the class with Proxmox's encryption (aes256, sha256).
func (c Class) Bytes() int {
	switch c {
	case ClassPing, ClassPong:
		return 80
	case ClassToken, ClassMembership:
		return 128
	}
	return 400 // a message of pmxcfs is small, as a rule
}

// String is the class's name.
func (c Class) String() string {
	return [...]string{"ping", "pong", "token", "message", "membership"}[c]
}

// Packet is one packet that a Ring puts on the wire.
type Packet struct {
	At             time.Duration // when it leaves, since the ring's start
	From, To, Link int
	Class          Class
}

// Network decides the fate of packets. Deliver says how long after p.At the packet arrives, or that it is lost. A Ring
// calls it in the order of p.At, never with one before the last; except while the network promises calm (see Calm).
type Network interface {
	Deliver(p Packet) (after time.Duration, ok bool)
}

// Calm is what a Network may offer too: a promise that lets a Ring pass over undisturbed time in one step.
type Calm interface {
	// CalmUntil returns a time before which, from now on, every packet is delivered, with a delay that depends on From,
	// To, Link and Class alone. In that time the Ring may call Deliver in any order, ahead of time, or not at all. A
	// time at or before now means: no promise.
	CalmUntil(now time.Duration) time.Duration
}

// NetworkFunc makes a Network of a function.
type NetworkFunc func(p Packet) (after time.Duration, ok bool)

// Deliver calls f.
func (f NetworkFunc) Deliver(p Packet) (time.Duration, bool) { return f(p) }

func nanos(ns int64) time.Duration { return time.Duration(ns) }
