//go:build linux

package udp

import (
	"testing"

	"golang.org/x/sys/unix"
)

// Control messages come from the kernel, but a parser over raw memory must not trust even it.
func FuzzParseControl(f *testing.F) {
	f.Add([]byte{})
	f.Add(make([]byte, oobBytes))
	b := make([]byte, unix.CmsgSpace(4))
	b[0], b[8], b[12] = byte(unix.CmsgLen(4)), unix.IPPROTO_IP, unix.IP_TTL
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		parseControl(b)
		parseName(b, zone{})
	})
}
