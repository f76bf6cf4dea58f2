package trace

import "bytes"

// Redact returns a corosync.conf without the secret that totem.key holds where there is no key file. Lines stay lines, so that messages
// about them keep their numbers.
func Redact(conf []byte) []byte {
	lines := bytes.SplitAfter(conf, []byte("\n"))
	var out []byte
	for _, line := range lines {
		name, _, ok := bytes.Cut(line, []byte(":"))
		if !ok || !bytes.EqualFold(bytes.Trim(name, "# \t\r"), []byte("key")) { // one that is commented out is as secret
			out = append(out, line...)
			continue
		}
		out = append(out, name...)
		out = append(out, ": redacted"...)
		if bytes.HasSuffix(line, []byte("\n")) {
			out = append(out, '\n')
		}
	}
	return out
}
