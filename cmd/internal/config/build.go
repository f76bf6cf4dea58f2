package config

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/rs/zerolog"

	"github.com/quorumwatch/quorumwatch/alerts"
	"github.com/quorumwatch/quorumwatch/alerts/webhook"
	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/proxmox/api"
)

// build makes typed values of checked text, and checks what concerns several keys.
func (m *merged) build(raw file) Config {
	return Config{
		Corosync: Corosync{
			ConfigFile: raw.Corosync.Config,
			AuthKey:    raw.Corosync.AuthKey,
			Node:       raw.Corosync.Node,
			ToolsDir:   raw.Corosync.Tools,
			LogFile:    raw.Corosync.LogFile,
		},
		Proxmox: m.buildProxmox(raw.Proxmox),
		Probe:   m.buildProbe(raw.Probe),
		Sites:   m.buildSites(raw.Sites),
		Web:     Web{Listen: m.buildListen(raw.Web.Listen), ConfigFile: raw.Web.ConfigFile},
		Log: Log{
			Level:  m.level(raw.Log.Level),
			Format: Format(slices.Index(formatWords[:], raw.Log.Format)),
		},
		StateDir: raw.StateDir,
		Trace: Trace{
			Keep:  m.time("trace.keep", raw.Trace.Keep),
			Files: m.number("trace.files", raw.Trace.Files),
			Size:  int64(m.number("trace.size", raw.Trace.Size)) << 20,
		},
		Alerts: Alerts{
			Manager:  alerts.Config{RepeatInterval: m.time("alerts.repeat_interval", raw.Alerts.RepeatInterval)},
			Webhooks: m.buildWebhooks(raw.Alerts.Webhooks),
		},
	}
}

func (m *merged) buildProxmox(raw rawProxmox) Proxmox {
	p := Proxmox{
		Files:    raw.Files == filesWords[0],
		Interval: m.time("proxmox.interval", raw.Interval),
		API: api.Config{
			Endpoints: slices.Clone(raw.Endpoints), TokenFile: raw.TokenFile, CAFile: raw.CAFile, Fingerprints: slices.Clone(raw.Fingerprints),
		},
	}
	if len(raw.Endpoints) == 0 {
		if raw.TokenFile != "" {
			m.report("proxmox.token_file", complain("name servers in proxmox.endpoints", "given, but there is nobody to show the token to"))
		}
		return p
	}
	if raw.TokenFile == "" {
		m.report("proxmox.endpoints", complain("give proxmox.token_file; 'quorumwatch proxmox token' tells how to make one", "given, but the API wants a token"))
		return p
	}
	if _, err := api.New(p.API); err != nil {
		m.report("proxmox.endpoints", complain("", "%v", err))
	}
	return p
}

func (m *merged) buildProbe(raw rawProbe) Probe {
	p := Probe{
		Port:             uint16(m.number("probe.port", raw.Port)),
		Interval:         m.time("probe.interval", raw.Interval),
		FullSize:         m.number("probe.full_size", raw.FullSize),
		FullSizeInterval: m.time("probe.full_size_interval", raw.FullSizeInterval),
		Auth:             Auth(slices.Index(authWords[:], raw.Auth)),
		KeyFile:          raw.KeyFile,
		Allow:            []netip.Prefix{},
	}
	for i, s := range raw.Allow {
		prefix, c := parsePrefix(s)
		m.report(fmt.Sprintf("probe.allow[%d]", i), c)
		p.Allow = append(p.Allow, prefix)
	}
	if p.FullSize > 0 && p.FullSizeInterval < p.Interval {
		m.report("probe.full_size_interval", complain("they are for the size of packets, the small ones for time",
			"%s is shorter than probe.interval, %s", short(p.FullSizeInterval), short(p.Interval)))
	}
	if (p.Auth == AuthKeyFile) != (p.KeyFile != "") {
		key, reason := "probe.key_file", "given, but probe.auth is "+raw.Auth
		if p.KeyFile == "" {
			key, reason = "probe.auth", "key-file, but probe.key_file is not given"
		}
		m.report(key, complain("say auth: key-file and key_file: /etc/quorumwatch/probe.key, or neither", "%s", reason))
	}
	return p
}

func (m *merged) buildSites(raw []rawSite) []Site {
	sites := []Site{}
	siteOf := map[string]string{}
	for i, r := range raw {
		at := fmt.Sprintf("sites[%d]", i)
		if r.Name == "" {
			m.report(at, complain("", "a site needs a name"))
		}
		if len(r.Nodes) == 0 {
			m.report(at, complain("write nodes: [n1, n2]", "a site needs nodes"))
		}
		if slices.ContainsFunc(sites, func(s Site) bool { return s.Name == r.Name && r.Name != "" }) {
			m.report(at+".name", complain("", "two sites are named %q", r.Name))
		}
		for j, node := range r.Nodes {
			if other, taken := siteOf[node]; taken {
				m.report(fmt.Sprintf("%s.nodes[%d]", at, j), complain("", "node %q is already in site %q", node, other))
			}
			siteOf[node] = r.Name
		}
		sites = append(sites, Site(r))
	}
	return sites
}

func (m *merged) buildListen(raw []string) []string {
	for i, s := range raw {
		if slices.Contains(raw[:i], s) {
			m.report(fmt.Sprintf("web.listen[%d]", i), complain("", "%s is given twice", s))
		}
	}
	return slices.Clone(raw)
}

func (m *merged) buildWebhooks(raw []rawWebhook) []webhook.Config {
	out := []webhook.Config{}
	for i, r := range raw {
		at := fmt.Sprintf("alerts.webhooks[%d]", i)
		c := webhook.Config{
			Name: r.Name, URL: r.URL, URLFile: r.URLFile, TemplateFile: r.TemplateFile,
			Timeout:      m.optionalTime(at+".timeout", r.Timeout),
			MinSeverity:  m.severity(at+".min_severity", r.MinSeverity),
			SendResolved: m.yesNo(at+".send_resolved", r.SendResolved),
			ContentType:  r.ContentType,
		}
		if c.Name == "" {
			c.Name = strconv.Itoa(i + 1)
		}
		if slices.ContainsFunc(out, func(o webhook.Config) bool { return o.Name == c.Name }) {
			m.report(at+".name", complain("", "two webhooks are named %q", c.Name))
		}
		if r.ContentType == "" {
			c.ContentType = webhook.DefaultContentType
		}
		for _, h := range r.Headers {
			c.Headers = append(c.Headers, webhook.Header(h))
		}
		if err := c.Validate(); err != nil {
			m.report(at, complain("", "%v", err))
		}
		out = append(out, c)
	}
	return out
}

// time reads what its kind has checked; a Problem here is a fault of the table of keys.
func (m *merged) time(path, s string) time.Duration {
	d, c := parseDuration(s)
	m.report(path, c)
	return d
}

func (m *merged) optionalTime(path, s string) time.Duration {
	if s == "" {
		return webhook.DefaultTimeout
	}
	if c := webhookTimeout().check(s); c != nil {
		m.report(path, c)
		return 0
	}
	return m.time(path, s)
}

func (m *merged) number(path, s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		m.report(path, complain("", "%q is not a whole number", s))
	}
	return n
}

func (m *merged) level(s string) zerolog.Level {
	l, err := zerolog.ParseLevel(s)
	if err != nil {
		m.report("log.level", complain("", "%q is not a level", s))
	}
	return l
}

func (m *merged) severity(path, s string) checker.Severity {
	if s == "" {
		return checker.Critical
	}
	words := []string{checker.Info.String(), checker.Warning.String(), checker.Critical.String()}
	i := slices.Index(words, s)
	if i < 0 {
		m.report(path, choice(words...).check(s))
	}
	return checker.Info + checker.Severity(max(i, 0))
}

func (m *merged) yesNo(path, s string) bool {
	switch s {
	case "", "true":
		return true
	case "false":
		return false
	}
	m.report(path, choice("true", "false").check(s))
	return false
}
