package api

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"
)

// Config says whom to ask and how. The zero value asks the local node, with the cluster's own CA, and lacks a token.
type Config struct {
	Endpoints    []string      // "https://pve1:8006", "pve1" or "[2001:db8::1]:8006"; none: "https://localhost:8006"
	TokenFile    string        // holds "user@realm!id=secret" on one line
	CAFile       string        // PEM; "": the system's and /etc/pve/pve-root-ca.pem
	Fingerprints []string      // SHA-256 of certificates, as Proxmox shows them; if any, they count instead of a CA
	Timeout      time.Duration // for one request; zero: 4 s
}

const (
	defaultEndpoint = "https://localhost:8006"
	defaultPort     = "8006"
	defaultTimeout  = 4 * time.Second
	clusterCA       = "/etc/pve/pve-root-ca.pem"
)

// endpoints checks the endpoints and completes them.
func (c Config) endpoints() ([]string, error) {
	if len(c.Endpoints) == 0 {
		return []string{defaultEndpoint}, nil
	}
	var all []string
	for _, text := range c.Endpoints {
		e, err := endpoint(text)
		if err != nil {
			return nil, fmt.Errorf("proxmox endpoint %q: %w", text, err)
		}
		all = append(all, e)
	}
	return all, nil
}

// endpoint completes what a person writes to "https://host:port".
func endpoint(text string) (string, error) {
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return "", fmt.Errorf("not a host or an https URL (such as https://pve1:8006)")
	case u.Scheme != "https":
		return "", fmt.Errorf("%s would carry the token in the clear; use https", u.Scheme)
	case u.User != nil:
		return "", fmt.Errorf("no user or password belongs here; use the token file")
	case u.Hostname() == "" || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "":
		return "", fmt.Errorf("only host and port belong here (such as https://pve1:8006)")
	}
	port := u.Port()
	if port == "" {
		port = defaultPort
	}
	return "https://" + net.JoinHostPort(u.Hostname(), port), nil
}

// fingerprints reads "7E:C7:38:..." or plain hexadecimal.
func (c Config) fingerprints() ([][sha256.Size]byte, error) {
	var all [][sha256.Size]byte
	for _, text := range c.Fingerprints {
		data, err := hex.DecodeString(strings.ReplaceAll(text, ":", ""))
		if err != nil || len(data) != sha256.Size {
			return nil, fmt.Errorf("proxmox fingerprint %q: want 32 hexadecimal bytes of SHA-256, as 'pvenode cert info' shows them", text)
		}
		all = append(all, [sha256.Size]byte(data))
	}
	return all, nil
}
