package api

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strings"

	"github.com/quorumwatch/quorumwatch/proxmox"
)

// token is an API token. It has no String that would show it.
type token struct{ id, secret string }

// tokenForm is user@realm!id=secret (pve-access-control AccessControl.pm, token_full_regex); the secret is a UUID, but that is
// Proxmox's business.
var tokenForm = regexp.MustCompile(`^([^\s[:cntrl:]:/=!@]+@[A-Za-z][A-Za-z0-9.\-_]+![A-Za-z][A-Za-z0-9.\-_]+)=([A-Za-z0-9-]+)$`)

// readToken reads a token file. The fault is of kind TokenExposed when the token is good but others can read it.
func readToken(name string) (token, *proxmox.Fault) {
	f := &proxmox.Fault{Source: proxmox.FromAPI, Part: proxmox.PartAccess, Kind: proxmox.TokenMissing, Where: name}
	if name == "" {
		f.Where, f.Reason, f.Hint = "proxmox.token_file", "no token file is configured", "quorumwatch can do without; see docs/proxmox.md for making one"
		return token{}, f
	}
	file, err := os.Open(name)
	if err != nil {
		f.Reason = reasonOf(err)
		return token{}, f
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, 4096))
	if err != nil {
		f.Reason = reasonOf(err)
		return token{}, f
	}
	t, ok := parseToken(string(data))
	if !ok {
		f.Reason, f.Hint = "not a token", "want one line: user@realm!tokenid=secret"
		return token{}, f
	}
	if info, err := file.Stat(); err == nil && info.Mode().Perm()&0o027 != 0 {
		f.Kind, f.Reason = proxmox.TokenExposed, fmt.Sprintf("mode %04o lets others read it", info.Mode().Perm())
		f.Hint = "chmod 0600 " + name
		return t, f
	}
	return t, nil
}

// parseToken takes what people put into such files: the token, with or without the header's word.
func parseToken(text string) (token, bool) {
	text = strings.TrimPrefix(strings.TrimSpace(text), "PVEAPIToken=")
	m := tokenForm.FindStringSubmatch(text)
	if m == nil {
		return token{}, false
	}
	return token{m[1], m[2]}, true
}

// reasonOf is what the operating system says, without the name that is said anyway.
func reasonOf(err error) string {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err.Error()
	}
	return err.Error()
}
