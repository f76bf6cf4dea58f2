package stamp

import "errors"

// Reasons to drop a packet: the base packet is of no use. Each is fit to be a counter's label.
var (
	// ErrShort: fewer bytes than the base packet (44 open).
	ErrShort = errors.New("stamp: packet: shorter than a base packet")
	// ErrUnauthenticated: 44 to 111 bytes where authenticated mode is required: an open-mode packet.
	ErrUnauthenticated = errors.New("stamp: packet: not authenticated; give both ends the same key or none")
	// ErrHMAC: the base HMAC does not verify: another key, another pair of addresses, or a corrupt packet.
	ErrHMAC = errors.New("stamp: packet: HMAC does not verify; the two ends have different keys, or it was damaged")
	// ErrMalformed: fields that no STAMP implementation sends, such as a reply without receive timestamp, or an
	// authenticated packet read in open mode (its timestamp and error estimate read as zero).
	ErrMalformed = errors.New("stamp: packet: malformed, or of the authenticated mode while this end has no key")
)

// What can be wrong with the TLVs of an otherwise good packet (Request.ExtErr, Reply.ExtErr). The times are good to use.
var (
	// ErrTLV: a TLV runs past the end of the packet.
	ErrTLV = errors.New("stamp: tlv: longer than the packet")
	// ErrTLVHMAC: the HMAC TLV does not verify, is misplaced, or no key is at hand to check it.
	ErrTLVHMAC = errors.New("stamp: tlv: HMAC does not verify")
	// ErrTLVUnauthenticated: authenticated mode, TLVs other than padding, and no HMAC TLV.
	ErrTLVUnauthenticated = errors.New("stamp: tlv: not authenticated")
	// ErrPeerTLV: the reflector set the M flag: it found a TLV of ours malformed.
	ErrPeerTLV = errors.New("stamp: tlv: the reflector found it malformed")
	// ErrPeerHMAC: the reflector set the I flag: our TLVs failed its HMAC check.
	ErrPeerHMAC = errors.New("stamp: tlv: the reflector's HMAC check failed")
)

// Mistakes of the caller.
var (
	// ErrSize: Seal cannot make a packet of that size.
	ErrSize = errors.New("stamp: size: cannot be reached with whole TLVs")
	// ErrKey: key material shorter than 16 bytes.
	ErrKey = errors.New("stamp: key: shorter than 16 bytes; make one with: head -c 32 /dev/urandom | xxd -p -c 64")
)
