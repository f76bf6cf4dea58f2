package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// kind is the type of a value: what it is called, what it may be, and how one element of text is checked.
type kind struct {
	name   string // in the help of flags; none that viper converts by itself
	values string // what may be said, for the example: "10ms to 1s"
	list   bool   // several elements
	check  func(string) *complaint
}

func text(string) *complaint { return nil }

func path() kind { return kind{name: "path", check: text} }

func word() kind { return kind{name: "name", check: text} }

// duration is a time with its unit, from low to high; zero besides if zeroMeans says what it means.
func duration(low, high time.Duration, zeroMeans string) kind {
	values := fmt.Sprintf("%s to %s", short(low), short(high))
	if zeroMeans != "" {
		values += ", or 0: " + zeroMeans
	}
	return kind{name: "time", values: values, check: func(s string) *complaint {
		d, c := parseDuration(s)
		if c != nil {
			return c
		}
		if (d < low || d > high) && (d != 0 || zeroMeans == "") {
			return complain("", "%s is out of range: %s", s, values)
		}
		return nil
	}}
}

func parseDuration(s string) (time.Duration, *complaint) {
	d, err := time.ParseDuration(s)
	if err == nil {
		return d, nil
	}
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		return 0, complain(fmt.Sprintf("write %sms or %ss", s, s), "%q lacks a unit", s)
	}
	return 0, complain("units are us, ms, s, m and h: 50ms, 1.5s, 4h", "%q is not a time", s)
}

// short writes a duration without empty units: 4h instead of 4h0m0s.
func short(d time.Duration) string {
	s := d.String()
	if d >= time.Minute {
		s = strings.TrimSuffix(s, "0s")
	}
	if d >= time.Hour {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// integer is a whole number from low to high; zero besides if zeroMeans says what it means.
func integer(low, high int, zeroMeans string) kind {
	values := fmt.Sprintf("%d to %d", low, high)
	if zeroMeans != "" {
		values += ", or 0: " + zeroMeans
	}
	return kind{name: "number", values: values, check: func(s string) *complaint {
		n, err := strconv.Atoi(s)
		if err != nil {
			return complain("", "%q is not a whole number (%s)", s, values)
		}
		if (n < low || n > high) && (n != 0 || zeroMeans == "") {
			return complain("", "%d is out of range: %s", n, values)
		}
		return nil
	}}
}

// choice is one of a few words.
func choice(words ...string) kind {
	values := strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
	return kind{name: "word", values: values, check: func(s string) *complaint {
		if slices.Contains(words, s) {
			return nil
		}
		return complain(didYouMean(s, words), "%q is not one of %s", s, values)
	}}
}

// endpoints is a list of host:port; the host may be empty (all addresses).
func endpoints() kind {
	return kind{name: "addresses", list: true, check: func(s string) *complaint {
		host, port, err := net.SplitHostPort(s)
		if err != nil {
			return complain("write host:port, as 127.0.0.1:8412, [::1]:8412 or :8412", "%q is not host:port", s)
		}
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return complain("", "%q: port %q is out of range: 1 to 65535", s, port)
		}
		if strings.ContainsAny(host, " /@") {
			return complain("", "%q: %q is not a host", s, host)
		}
		return nil
	}}
}

// servers is a list of hosts with or without scheme and port. Package proxmox/api looks closer.
func servers() kind {
	return kind{name: "servers", list: true, check: func(s string) *complaint {
		switch {
		case s == "" || strings.ContainsAny(s, " @"):
			return complain("write pve1, pve1:8006 or https://pve1:8006", "%q is not a server", s)
		case strings.HasPrefix(s, "http://"):
			return complain("write https://: the token is not sent in the clear", "%q is not encrypted", s)
		}
		return nil
	}}
}

// fingerprints is a list of SHA-256 sums in hexadecimal, with or without colons.
func fingerprints() kind {
	return kind{name: "fingerprints", list: true, check: func(s string) *complaint {
		b, err := hex.DecodeString(strings.ReplaceAll(s, ":", ""))
		if err != nil || len(b) != sha256.Size {
			return complain("'pvenode cert info' shows it: 32 bytes in hexadecimal, parted by colons", "%q is not a SHA-256 fingerprint", s)
		}
		return nil
	}}
}

// prefixes is a list of networks or single addresses.
func prefixes() kind {
	return kind{name: "networks", list: true, check: func(s string) *complaint {
		_, c := parsePrefix(s)
		return c
	}}
}

func parsePrefix(s string) (netip.Prefix, *complaint) {
	if a, err := netip.ParseAddr(s); err == nil {
		a = a.Unmap()
		return netip.PrefixFrom(a.WithZone(""), a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, complain("write an address or a network, as 10.1.2.3 or 10.1.0.0/16", "%q is not an address or network", s)
	}
	if p != p.Masked() {
		return p, complain("write "+p.Masked().String(), "%q has host bits set", s)
	}
	return p, nil
}

// objects is a list of objects; the tree's walk and build check what is in them.
func objects() kind { return kind{name: "YAML", list: true, check: text} }
