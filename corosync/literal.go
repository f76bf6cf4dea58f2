package corosync

import (
	"net/netip"
	"strconv"
	"strings"
)

// parseLiteral reads an address as getaddrinfo does without a lookup: IPv6 with or without a zone (Corosync drops the
// zone), and all forms of IPv4 that inet_aton knows.
func parseLiteral(s string) (netip.Addr, bool) {
	if strings.Contains(s, ":") {
		a, err := netip.ParseAddr(s)
		return a.WithZone(""), err == nil
	}
	return parseInetAton(s)
}

// parseInetAton reads one to four numbers in decimal, octal or hexadecimal; the last one fills the rest of the address.
func parseInetAton(s string) (netip.Addr, bool) {
	parts := strings.Split(s, ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var v uint64
	for i, part := range parts {
		bits := 8
		if i == len(parts)-1 {
			bits = 8 * (4 - i)
		}
		n, ok := parseCNumber(part)
		if !ok || n >= 1<<bits {
			return netip.Addr{}, false
		}
		v = v<<bits | n
	}
	return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}), true
}

// parseCNumber is strtoul with base 0, without signs and blanks.
func parseCNumber(s string) (uint64, bool) {
	base := 10
	switch {
	case strings.HasPrefix(s, "0x"), strings.HasPrefix(s, "0X"):
		s, base = s[2:], 16
	case len(s) > 1 && s[0] == '0':
		base = 8
	}
	n, err := strconv.ParseUint(s, base, 32)
	return n, err == nil
}

// badName says why a ringN_addr that is no address can be no host name either.
func badName(s string) (reason, hint string) {
	switch {
	case s == "":
		return "no address", "write an IP address or a host name"
	case strings.Contains(s, "#"):
		return excerpt(s) + " is no address and no host name", "a comment needs a line of its own"
	case strings.Contains(s, "/"):
		return excerpt(s) + " is no address and no host name", "write the node's own address, without a prefix length"
	}
	for _, c := range s {
		if c <= ' ' || c < 0x80 && strings.ContainsRune(`!"$%&'()*+,:;<=>?@[\]^{|}~`, c) || c == 0x7f {
			return excerpt(s) + " is no address and no host name", "write an IP address or a host name, without a port"
		}
	}
	last := s[strings.LastIndexByte(s, '.')+1:]
	if last != "" && strings.Trim(last, "0123456789") == "" {
		return excerpt(s) + " is not a valid IPv4 address", "each of the four numbers is from 0 to 255"
	}
	return "", ""
}
