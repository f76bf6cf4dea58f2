// Package stamp encodes, decodes and authenticates packets of the Simple Two-way Active Measurement Protocol: RFC 8762
// (base packets), RFC 8972 (session identifier and TLV extensions). It is clockless and does no I/O: times are arguments.
//
// A Session-Sender builds a request in its own buffer:
//
//	pkt := stamp.AppendRequest(buf[:0], stamp.Request{Seq: n, Sent: t1, Error: ee, SSID: id}, mac)
//	pkt = stamp.AppendTLV(pkt, stamp.TypeBulletin, summary) // optional
//	pkt, err := stamp.Seal(pkt, 1472, mac)                  // pads to size, authenticates the TLVs
//
// A Session-Reflector turns the same bytes into the reply, which is never longer than its request:
//
//	q, err := stamp.DecodeRequest(pkt, mac)
//	stamp.Reflect(pkt, q, stamp.Answer{Seq: m, Received: t2, Sent: t3, TTL: ttl}, mac)
//
// and the sender reads it with DecodeReply. No call allocates. A nil *MAC means unauthenticated (open) mode, everywhere.
//
// # Requests and replies on one socket
//
// Sender and reflector share a socket with equal ports at both ends (a flow like knet's own), so an arriving datagram may be
// either. RFC 8762 has no message type. The rule here: a reply carries a receive timestamp T2, which is never zero (NewTimestamp
// does not produce zero); in a request the same bytes must be zero (RFC 8762 4.2). IsReply applies it. In authenticated
// mode these bytes lie under the HMAC, so nobody can turn a recorded request into a reply or the reverse; and since keys
// are bound to (sender, reflector), a packet thrown back at its origin does not verify. In open mode a foreign sender that leaves
// garbage where zeros belong is taken for a reply and counted as a stray; a socket that only reflects need not ask.
//
// # What is protected
//
// The base HMAC covers the first 96 bytes, and the HMAC TLV covers the sequence number and all TLVs before it. There is no
// replay protection in STAMP: the session must keep a sequence window and a limit on the age of T1. TTL, DSCP and addresses are not
// covered; addresses are bound through the key (Master.Session).
//
// # Interoperability
//
// Open mode was run against nokia/twampy 1.3.2 as reflector and as sender, and scapy's codec reads and writes the same bytes
// (TestScapy). Authenticated mode and TLVs are checked against packets written from the RFCs' figures in Python (testdata/vectors.py).
// An authenticated peer of another make needs a plain key (ParseKey, FixedKey). Times are NTP by default; PTP is read as well.
package stamp
