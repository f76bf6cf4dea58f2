// Package udp implements probe.Network and probe.Pacer with Linux sockets and timers. It is the only user of golang.org/x/sys/unix
// in the probes.
//
// # The socket
//
// One socket is bound to one local address and port, as knet's are, so probes take Corosync's path: IP_TOS, SO_PRIORITY and Don't
// Fragment as told (ListenConfig), IPV6_V6ONLY, no IP_FREEBIND (an address that is on no interface is an error with a clear text,
// not silence). Send and receive buffers are large; what the kernel drops for want of room is counted (Conn.Drops).
//
// # Timestamps
//
// SO_TIMESTAMPING gives the kernel's software time of every datagram received, and of every one sent (when the driver took it, not
// when this process asked). On a busy host these are two orders of magnitude better than times taken in this process. Hardware stamps
// are not used: they come from the network card's clock, not the system's.
//
// The kernel's stamps are wall-clock times. Wall clocks get stepped, so they are turned into instants on the monotonic clock: the
// age of a stamp is taken against the wall clock read right after, and subtracted from the monotonic clock read with it. Neither a
// step of the wall clock between stamp and reading nor a nonsensical stamp comes through: see the clock type. Message.At is
// always usable, and is the time of reading at worst.
//
// # Events
//
// Transmit stamps and ICMP errors come from the socket's error queue and are delivered by ReadBatch as messages of their own
// kinds, before the datagrams of the same batch. A TxStamp has the Key that WriteBatch gave. "Message too long" carries the MTU.
//
// # Cost
//
// ReadBatch waits in the runtime's poller: each arrival wakes a thread or two of this process, which costs ten times what the
// datagram does. A Conn that was asked for with ListenConfig.Polled is unknown to that poller, and is looked at when there is time: Poll.
package udp
