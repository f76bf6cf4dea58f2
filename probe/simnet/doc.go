// Package simnet is a network in memory for package probe: hosts with addresses, UDP sockets that implement probe.Conn, and
// directed links that delay, lose, duplicate, reorder, damage or cut what is sent over them. The demo runs on it in real time, and
// tests run on it in a testing/synctest bubble, where hours take milliseconds and every time is exact.
//
//	net := simnet.New(1)                                  // seed: the same seed and traffic give the same losses
//	a := net.Host("a1", netip.MustParseAddr("10.0.0.1"))  // a Host is a probe.Network
//	b := net.Host("b1", netip.MustParseAddr("10.0.0.2"))
//	net.SetBoth(aAddr, bAddr, simnet.Link{Delay: 3 * time.Millisecond, Loss: 0.01})
//	net.Script(aAddr, bAddr, func(t time.Duration) simnet.Link { ... }) // one direction, by time since New
//
// # What is modelled
//
// A datagram meets the link's rules of the instant at which it is sent. It arrives Delay (and up to Jitter) later, in order unless
// Reorder picks it; Message.At is that very instant, as a kernel's receive stamp is, however late the reader comes. Every datagram
// sent gives a transmit stamp. A datagram to a port where nobody listens brings "connection refused" back; one above the MTU brings
// "message too long" back, or vanishes in a black hole. A corrupt datagram arrives with one bit flipped: what a tunnel or a NIC
// does behind the UDP checksum. A receive queue holds 4096 datagrams.
//
// A Host can be stopped (its process gets no time: reads and pacers wait, its kernel goes on receiving and stamping) or
// suspended (the machine is frozen: what arrives is lost), and its wall clock can be set.
package simnet
