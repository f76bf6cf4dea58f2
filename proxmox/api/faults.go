package api

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"

	"github.com/quorumwatch/quorumwatch/proxmox"
)

// faultOf tells apart what a request can fail of.
func (c *client) faultOf(path string, err error) proxmox.Fault {
	f := proxmox.Fault{Source: proxmox.FromAPI, Where: c.where(path)}
	if r, ok := errors.AsType[*refusal](err); ok {
		c.explainRefusal(&f, r)
		return f
	}
	f.Reason = oneLine(plain(err).Error())
	switch {
	case errors.Is(err, errTooLarge):
		f.Kind = proxmox.TooLarge
	case wrongCertificate(err):
		f.Kind = proxmox.Certificate
		f.Hint = "give the cluster's CA (" + clusterCA + ") or the node's fingerprint (pvenode cert info); an expired one: pvecm updatecerts -f"
	case errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || timedOut(err):
		f.Kind, f.Reason, f.Hint = proxmox.TimedOut, "no answer in "+c.timeout.String(), "systemctl status pveproxy pvedaemon pve-cluster"
	case errors.Is(err, syscall.ECONNREFUSED):
		f.Kind, f.Hint = proxmox.Unreachable, "systemctl status pveproxy"
	case isJSON(err):
		f.Kind, f.Reason, f.Hint = proxmox.Malformed, "not an answer of Proxmox VE: "+f.Reason, "does the endpoint name a Proxmox VE node?"
	default:
		f.Kind, f.Hint = proxmox.Unreachable, "is the node up, and port 8006 open to this host?"
	}
	return f
}

// explainRefusal reads a status other than 200.
func (c *client) explainRefusal(f *proxmox.Fault, r *refusal) {
	f.Reason = r.Error()
	switch {
	case r.status == http.StatusUnauthorized && (c.accepted || strings.Contains(r.reason, "expired")):
		// From 9.x on the words are the same for all reasons; a token that has worked was not mistyped.
		f.Kind, f.Hint = proxmox.TokenExpired, "it has expired, or was removed or changed: pveum user token list USER"
	case r.status == http.StatusUnauthorized:
		f.Kind, f.Hint = proxmox.TokenRefused, "check the token file against: pveum user token list USER; an expired token is refused in the same words"
	case r.status == http.StatusForbidden:
		f.Kind, f.Hint = proxmox.Forbidden, "the token needs Sys.Audit on /, with propagation, for its user too; see docs/proxmox.md"
	case r.status == http.StatusFailedDependency:
		f.Kind, f.Hint = proxmox.NotClustered, "the node is in no cluster"
	case r.status == http.StatusNotFound || r.status == http.StatusNotImplemented || strings.Contains(r.reason, "migrated to rules"):
		f.Kind = proxmox.Unsupported
	case r.status >= 595 && r.status <= 599 && !strings.Contains(f.Where, "/nodes/"):
		f.Kind, f.Hint = proxmox.PeerDown, "pvedaemon does not answer there: systemctl status pvedaemon"
	case r.status >= 595 && r.status <= 599:
		f.Kind, f.Hint = proxmox.PeerDown, "the endpoint cannot reach that node's pveproxy over the management network"
	case r.status == http.StatusInternalServerError && r.empty:
		f.Kind, f.Reason, f.Hint = proxmox.PmxcfsDown, "status 500 without a word: pmxcfs does not run there", "systemctl status pve-cluster"
	case r.status >= 300 && r.status < 400:
		f.Kind, f.Hint = proxmox.Misconfigured, "it redirects elsewhere; name the node itself, with port 8006"
	default:
		f.Kind = proxmox.ServerError
	}
}

// plain takes the URL off, which Where has.
func plain(err error) error {
	if ue, ok := errors.AsType[*url.Error](err); ok {
		return ue.Err
	}
	return err
}

func wrongCertificate(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return true
	}
	_, ok := errors.AsType[*wrongFingerprint](err)
	return ok
}

func timedOut(err error) bool {
	ne, ok := errors.AsType[net.Error](err)
	return ok && ne.Timeout()
}

// isJSON tells whether an answer came and was none.
func isJSON(err error) bool {
	if _, ok := errors.AsType[*json.SyntaxError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return true
	}
	return errors.Is(err, io.ErrUnexpectedEOF) && !isNet(err)
}

func isNet(err error) bool {
	_, ok := errors.AsType[*net.OpError](err)
	return ok
}
