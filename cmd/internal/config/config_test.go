package config

import (
	"bytes"
	"errors"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rs/zerolog"
	"github.com/spf13/pflag"
	"gopkg.in/yaml.v3"

	"github.com/quorumwatch/quorumwatch/alerts"
	"github.com/quorumwatch/quorumwatch/alerts/webhook"
	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/proxmox/api"
)

var update = flag.Bool("update", false, "write the golden files")

const examplePath = "../../../examples/quorumwatch.yaml"

// defaults is what an empty configuration means. A change here is a change that operators notice.
func defaults() Config {
	return Config{
		Corosync: Corosync{ConfigFile: "/etc/corosync/corosync.conf"},
		Proxmox:  Proxmox{Files: true, Interval: 10 * time.Second, API: api.Config{Endpoints: []string{}, Fingerprints: []string{}}},
		Probe: Probe{
			Port: 5412, Interval: 50 * time.Millisecond, FullSize: 1472, FullSizeInterval: 500 * time.Millisecond,
			Auth: AuthCorosyncKey, Allow: []netip.Prefix{},
		},
		Sites:    []Site{},
		Web:      Web{Listen: []string{"127.0.0.1:8412"}},
		Log:      Log{Level: zerolog.InfoLevel, Format: FormatAuto},
		StateDir: "/var/lib/quorumwatch",
		Trace:    Trace{Keep: time.Hour, Files: 100, Size: 200 << 20},
		Alerts:   Alerts{Manager: alerts.Config{RepeatInterval: 4 * time.Hour}, Webhooks: []webhook.Config{}},
	}
}

func ignoreSources() cmp.Option {
	return cmp.Options{cmpopts.IgnoreFields(Config{}, "Settings", "File"), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })}
}

func TestDefaults(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "comments": "# nothing\n", "empty sections": "probe:\nweb: {}\nsites:\nalerts:\n  webhooks:\n", "null": "~\n",
		"marker": "---\n...\n",
	} {
		got, err := Parse(strings.NewReader(text), "f.yaml")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d := cmp.Diff(defaults(), got, ignoreSources()); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

const everything = `
corosync: {config: ./c.conf, authkey: /k, node: 3, tools_dir: /opt/bin, log_file: /var/log/c.log}
proxmox:
  files: never
  endpoints: [pve1, "https://[fd00::1]:8006"]
  token_file: /tok
  ca_file: /ca.pem
  fingerprints: [AB:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:01]
  interval: 1m
probe:
  port: 862
  interval: 1s
  full_size: 0
  full_size_interval: 1s
  auth: key-file
  key_file: /etc/key
  allow: [10.0.0.1, 10.1.0.0/16, "fd00::/8", "::ffff:10.0.0.9"]
sites:
  - name: A
    nodes: [PVE-Node1, 2]
  - {name: b, nodes: n.example.org}
web:
  listen: [":8412", "[::1]:80", localhost:81]
  config_file: /w.yml
log: {level: warn, format: json}
state_dir: /s
trace: {keep: 2h, files: 0, size: 1}
alerts:
  repeat_interval: 0
  webhooks:
    - url: https://h/x
    - name: two
      url_file: /u
      headers: [{name: X-Secret.Key, value: "v: 1"}, {name: B, value_file: /b}]
      timeout: 500ms
      min_severity: info
      send_resolved: false
      template_file: /t
      content_type: text/plain
`

func TestEverything(t *testing.T) {
	want := Config{
		Corosync: Corosync{ConfigFile: "./c.conf", AuthKey: "/k", Node: "3", ToolsDir: "/opt/bin", LogFile: "/var/log/c.log"},
		Proxmox: Proxmox{Interval: time.Minute, API: api.Config{
			Endpoints: []string{"pve1", "https://[fd00::1]:8006"}, TokenFile: "/tok", CAFile: "/ca.pem",
			Fingerprints: []string{"AB:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:01"},
		}},
		Probe: Probe{
			Port: 862, Interval: time.Second, FullSizeInterval: time.Second, Auth: AuthKeyFile, KeyFile: "/etc/key",
			Allow: []netip.Prefix{
				netip.MustParsePrefix("10.0.0.1/32"), netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00::/8"),
				netip.MustParsePrefix("10.0.0.9/32"),
			},
		},
		Sites:    []Site{{"A", []string{"PVE-Node1", "2"}}, {"b", []string{"n.example.org"}}},
		Web:      Web{Listen: []string{":8412", "[::1]:80", "localhost:81"}, ConfigFile: "/w.yml"},
		Log:      Log{Level: zerolog.WarnLevel, Format: FormatJSON},
		StateDir: "/s",
		Trace:    Trace{Keep: 2 * time.Hour, Files: 0, Size: 1 << 20},
		Alerts: Alerts{Webhooks: []webhook.Config{
			{Name: "1", URL: "https://h/x", Timeout: 10 * time.Second, MinSeverity: checker.Critical, SendResolved: true, ContentType: "application/json"},
			{
				Name: "two", URLFile: "/u", Timeout: 500 * time.Millisecond, MinSeverity: checker.Info, TemplateFile: "/t",
				ContentType: "text/plain", Headers: []webhook.Header{{Name: "X-Secret.Key", Value: "v: 1"}, {Name: "B", ValueFile: "/b"}},
			},
		}},
	}
	got, err := Parse(strings.NewReader(everything), "f.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got, ignoreSources()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestMistakes: every error names its place and, where there is one, the remedy.
func TestMistakes(t *testing.T) {
	tests := map[string]string{ // text: "error | hint"
		"proxmox:\n  endpoints: [http://pve1]\n":                            `f.yaml:2: proxmox.endpoints[0]: "http://pve1" is not encrypted | write https://: the token is not sent in the clear`,
		"proxmox:\n  endpoints: [pve1]\n":                                   `f.yaml:2: proxmox.endpoints: given, but the API wants a token | give proxmox.token_file; 'quorumwatch proxmox token' tells how to make one`,
		"proxmox:\n  token_file: /t\n":                                      `f.yaml:2: proxmox.token_file: given, but there is nobody to show the token to | name servers in proxmox.endpoints`,
		"proxmox:\n  fingerprints: [\"12:34\"]\n":                           `f.yaml:2: proxmox.fingerprints[0]: "12:34" is not a SHA-256 fingerprint | 'pvenode cert info' shows it: 32 bytes in hexadecimal, parted by colons`,
		"prob:\n  port: 1\n":                                                `f.yaml:1: prob: unknown key | did you mean "probe"?`,
		"probe:\n  intervall: 50ms\n":                                       `f.yaml:2: probe.intervall: unknown key | did you mean "interval"?`,
		"Probe:\n  port: 1\n":                                               `f.yaml:1: Probe: unknown key | did you mean "probe"?`,
		"port: 1\n":                                                         `f.yaml:1: port: unknown key | did you mean probe.port?`,
		"probe.port: 1\n":                                                   `f.yaml:1: probe.port: unknown key | keys are nested: write port: below probe:`,
		"web:\n  xyzzy: 1\n":                                                `f.yaml:2: web.xyzzy: unknown key | known here: config_file, listen`,
		"probe:\n  interval: 50\n":                                          `f.yaml:2: probe.interval: "50" lacks a unit | write 50ms or 50s`,
		"probe:\n  interval: 9ms\n":                                         `f.yaml:2: probe.interval: 9ms is out of range: 10ms to 1s | `,
		"probe:\n  interval: fast\n":                                        `f.yaml:2: probe.interval: "fast" is not a time | units are us, ms, s, m and h: 50ms, 1.5s, 4h`,
		"probe:\n  interval: \"\"\n":                                        `f.yaml:2: probe.interval: empty | leave the key out for the default: 50ms`,
		"probe:\n  interval: [50ms]\n":                                      `f.yaml:2: probe.interval: one value is expected here, not a list | `,
		"probe:\n  port: 65536\n":                                           `f.yaml:2: probe.port: 65536 is out of range: 1 to 65535 | `,
		"probe:\n  port: -1\n":                                              `f.yaml:2: probe.port: -1 is out of range: 1 to 65535 | `,
		"probe:\n  port: http\n":                                            `f.yaml:2: probe.port: "http" is not a whole number (1 to 65535) | `,
		"probe:\n  port: true\n":                                            `f.yaml:2: probe.port: "true" is not a whole number (1 to 65535) | `,
		"probe:\n  full_size: 100\n":                                        `f.yaml:2: probe.full_size: 100 is out of range: 512 to 65507, or 0: none | `,
		"probe:\n  full_size_interval: 199ms\n":                             `f.yaml:2: probe.full_size_interval: 199ms is out of range: 200ms to 1s | `,
		"probe:\n  full_size_interval: 2s\n":                                `f.yaml:2: probe.full_size_interval: 2s is out of range: 200ms to 1s | `,
		"probe:\n  full_size_interval: 250ms\n  interval: 300ms\n":          `f.yaml:2: probe.full_size_interval: 250ms is shorter than probe.interval, 300ms | they are for the size of packets, the small ones for time`,
		"probe:\n  auth: corosync_key\n":                                    `f.yaml:2: probe.auth: "corosync_key" is not one of corosync-key, key-file or none | did you mean "corosync-key"?`,
		"probe:\n  auth: key-file\n":                                        `f.yaml:2: probe.auth: key-file, but probe.key_file is not given | say auth: key-file and key_file: /etc/quorumwatch/probe.key, or neither`,
		"probe:\n  key_file: /k\n":                                          `f.yaml:2: probe.key_file: given, but probe.auth is corosync-key | say auth: key-file and key_file: /etc/quorumwatch/probe.key, or neither`,
		"probe:\n  allow: [10.0.0.1, 10.1.1.1/16]\n":                        `f.yaml:2: probe.allow[1]: "10.1.1.1/16" has host bits set | write 10.1.0.0/16`,
		"probe:\n  allow:\n    - n1\n":                                      `f.yaml:3: probe.allow[0]: "n1" is not an address or network | write an address or a network, as 10.1.2.3 or 10.1.0.0/16`,
		"probe:\n  port: 1\n  port: 2\n":                                    `f.yaml:3: probe.port: given twice, first in line 2 | `,
		"web:\n  listen: [8412]\n":                                          `f.yaml:2: web.listen[0]: "8412" is not host:port | write host:port, as 127.0.0.1:8412, [::1]:8412 or :8412`,
		"web:\n  listen: [\":x\"]\n":                                        `f.yaml:2: web.listen[0]: ":x": port "x" is out of range: 1 to 65535 | `,
		"web:\n  listen: [\":1\", \":1\"]\n":                                `f.yaml:2: web.listen[1]: :1 is given twice | `,
		"web:\n  listen: {a: 1}\n":                                          `f.yaml:2: web.listen: a list is expected here, not a mapping | write [a, b], or each on a line with a dash`,
		"web:\n  listen: [~]\n":                                             `f.yaml:2: web.listen[0]: empty element | `,
		"log:\n  level: debgu\n":                                            `f.yaml:2: log.level: "debgu" is not one of trace, debug, info, warn or error | did you mean "debug"?`,
		"log: loud\n":                                                       `f.yaml:1: log: a mapping of keys is expected here, not "loud" | `,
		"- a\n":                                                             `f.yaml:1: a mapping of keys is expected here, not a list | `,
		"sites:\n  - name: a\n":                                             `f.yaml:2: sites[0]: a site needs nodes | write nodes: [n1, n2]`,
		"sites:\n  - nodes: [a]\n":                                          `f.yaml:2: sites[0]: a site needs a name | `,
		"sites:\n- {name: a, nodes: [x]}\n- {name: a, nodes: [y]}\n":        `f.yaml:3: sites[1].name: two sites are named "a" | `,
		"sites:\n- {name: a, nodes: [x]}\n- {name: b, nodes: [x]}\n":        `f.yaml:3: sites[1].nodes[0]: node "x" is already in site "a" | `,
		"sites:\n  a: [x]\n":                                                `f.yaml:2: sites: a list is expected here, not a mapping | write [a, b], or each on a line with a dash`,
		"sites:\n  - name: a\n    node: [x]\n":                              `f.yaml:3: sites[0].node: unknown key | did you mean "nodes"?` + "\nf.yaml:2: sites[0]: a site needs nodes | write nodes: [n1, n2]",
		"alerts:\n  webhooks:\n    - name: x\n":                             `f.yaml:3: alerts.webhooks[0]: give url or url_file, one of them | `,
		"alerts:\n  webhooks:\n  - url: http://h\n    timeout: 1h\n":        `f.yaml:4: alerts.webhooks[0].timeout: 1h is out of range: 100ms to 2m | `,
		"alerts:\n  webhooks:\n  - url: http://h\n    min_severity: ok\n":   `f.yaml:4: alerts.webhooks[0].min_severity: "ok" is not one of info, warning or critical | known here: critical, info, warning`,
		"alerts:\n  webhooks:\n  - url: http://h\n    send_resolved: yes\n": `f.yaml:4: alerts.webhooks[0].send_resolved: "yes" is not one of true or false | known here: false, true`,
		"alerts:\n  webhooks:\n  - url: http://h\n    headers: [{name: a b, value: x}]\n":    `f.yaml:3: alerts.webhooks[0]: header "a b": not a header name | `,
		"alerts:\n  webhooks:\n  - {url: http://h, name: x}\n  - {url: http://i, name: x}\n": `f.yaml:4: alerts.webhooks[1].name: two webhooks are named "x" | `,
		"alerts:\n  repeat_interval: 10s\n":                                                  `f.yaml:2: alerts.repeat_interval: 10s is out of range: 1m to 168h, or 0: never | `,
		"a: &x 1\nb: *x\n":                                                                   "f.yaml:1: a: unknown key | known here: alerts, corosync, log, probe, proxmox, sites, state_dir, trace, web\nf.yaml:2: b: unknown key | known here: alerts, corosync, log, probe, proxmox, sites, state_dir, trace, web",
		"probe:\n  port: &x 1\n":                                                             `f.yaml:2: probe.port: anchors and aliases are not supported | write the value out`,
		"probe:\n\tport: 1\n":                                                                `f.yaml:2: not YAML: found character that cannot start any token | 'quorumwatch config example' prints a file to start from`,
		"probe: {port: 1\n":                                                                  `f.yaml:1: not YAML: did not find expected ',' or '}' | 'quorumwatch config example' prints a file to start from`,
		"\x00\x01\x02":                                                                       `f.yaml: not text: this is no configuration | `,
		"probe:\n  port: \xff\xfe\n":                                                         `f.yaml: not text: this is no configuration | `,
	}
	for text, want := range tests {
		want = strings.TrimSuffix(want, "\n")
		_, err := Parse(strings.NewReader(text), "f.yaml")
		if got := problems(err); got != want {
			t.Errorf("%q:\n got  %s\n want %s", text, got, want)
		}
	}
}

// problems writes an error of this package as "error | hint" lines.
func problems(err error) string {
	if err == nil {
		return "no error"
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var lines []string
		for _, e := range joined.Unwrap() {
			lines = append(lines, problems(e))
		}
		return strings.Join(lines, "\n")
	}
	p, ok := errors.AsType[*Problem](err)
	if !ok {
		return err.Error()
	}
	return p.Error() + " | " + strings.Join(p.Hints(), ";")
}

func TestManyMistakesDoNotFlood(t *testing.T) {
	_, err := Parse(strings.NewReader(strings.Repeat("x", 70)+": 1\n"+strings.Repeat("- a\n", 3)), "f.yaml")
	if err == nil {
		t.Fatal("no error")
	}
	var text strings.Builder
	for i := range 5000 {
		text.WriteString("key" + strings.Repeat("y", i%90) + string(rune('a'+i%26)) + ":\n")
	}
	_, err = Parse(strings.NewReader(text.String()), "f.yaml")
	if n := strings.Count(err.Error(), "\n"); n != 20 || len(err.Error()) > 4000 {
		t.Errorf("%d lines, %d bytes", n+1, len(err.Error()))
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	load := func(path string) error {
		_, err := Load(Source{Environ: []string{"QUORUMWATCH_CONFIG=" + path}})
		return err
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "none"): ": no such file or directory | without --config",
		dir:                        ": not a regular file | ",
		"/dev/zero":                ": not a regular file | ",
		write("big", strings.Repeat("# x\n", 3e6)):              ": larger than 1024 KiB: this is no configuration | ",
		write("binary", "\x7fELF\x00"):                          ": not text",
		write("cut", "probe:\n  interval: 5"):                   `:2: probe.interval: "5" lacks a unit`,
		write("half", "probe:\n  interval: 50ms\n  auth: coro"): `:3: probe.auth: "coro" is not one of`,
	} {
		if got := problems(load(path)); !strings.HasPrefix(got, path+want) {
			t.Errorf("%s: %s", path, got)
		}
	}
	if err := load(write("good", everything)); err != nil {
		t.Error(err)
	}
	if err := load(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the cause is lost: %v", err)
	}
	if os.Geteuid() != 0 {
		path := write("secret", "")
		if err := os.Chmod(path, 0); err != nil {
			t.Fatal(err)
		}
		if got := problems(load(path)); !strings.HasPrefix(got, path+": permission denied | run as root") {
			t.Error(got)
		}
	}
}

// TestPrecedence: flags before environment before file before defaults, key by key.
func TestPrecedence(t *testing.T) {
	path := filepath.Join(t.TempDir(), "q.yaml")
	if err := os.WriteFile(path, []byte("probe:\n  port: 1001\n  interval: 11ms\n  full_size: 601\nweb:\n  listen: [\":1\"]\nsites:\n- {name: a, nodes: [x]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	fs := pflag.NewFlagSet("", pflag.ContinueOnError)
	RegisterFlags(fs)
	if err := fs.Parse([]string{"--config", path, "--probe-port", "1003", "--probe-allow", "10.0.0.1, 10.0.0.2", "--web-listen="}); err != nil {
		t.Fatal(err)
	}
	s := Source{Flags: fs, Environ: []string{
		"PATH=/bin", "QUORUMWATCH_PROBE_PORT=1002", "QUORUMWATCH_PROBE_INTERVAL=12ms", "QUORUMWATCH_LOG_LEVEL=",
		"QUORUMWATCH_CONFIG=/nonexistent", "QUORUMWATCH_SITES=[{name: Z, nodes: [N1]}]", "QUORUMWATCH_PROBE_ALLOW=10.9.9.9",
		"QUORUMWATCH_ALERTS_WEBHOOKS=[{url: 'https://u:p@h/secret', headers: [{name: A, value: secret}]}]",
	}}
	c, err := Load(s)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range c.Settings {
		if s.Origin != "default" {
			got = append(got, s.Key+" = "+s.Value+" "+strings.ReplaceAll(s.Origin, path, "FILE"))
		}
	}
	want := []string{
		"probe.port = 1003 --probe-port",
		"probe.interval = 12ms QUORUMWATCH_PROBE_INTERVAL",
		"probe.full_size = 601 FILE:4",
		"probe.allow = [10.0.0.1, 10.0.0.2] --probe-allow",
		"sites = [{name: Z, nodes: [N1]}] QUORUMWATCH_SITES",
		"web.listen = [] --web-listen",
		"alerts.webhooks = [{url: 'https://h/***', headers: [{name: A, value: '***'}]}] QUORUMWATCH_ALERTS_WEBHOOKS",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("settings (-want +got):\n%s", d)
	}
	if c.Probe.Port != 1003 || c.Probe.Interval != 12*time.Millisecond || c.Sites[0].Nodes[0] != "N1" || len(c.Web.Listen) != 0 || c.File != path {
		t.Errorf("%+v", c)
	}
}

func TestEnvironmentMistakes(t *testing.T) {
	for variable, want := range map[string]string{
		"QUORUMWATCH_PROBE_PORT=x":                 `environment: QUORUMWATCH_PROBE_PORT: "x" is not a whole number (1 to 65535) | `,
		"QUORUMWATCH_PROBE_INTERVALL=1s":           `environment: QUORUMWATCH_PROBE_INTERVALL: unknown variable | did you mean QUORUMWATCH_PROBE_INTERVAL?`,
		"QUORUMWATCH_BANANA=1":                     `environment: QUORUMWATCH_BANANA: unknown variable | 'quorumwatch config example' lists all of them`,
		"QUORUMWATCH_PROBE_ALLOW=10.0.0.1,x":       `environment: QUORUMWATCH_PROBE_ALLOW[1]: "x" is not an address or network | write an address or a network, as 10.1.2.3 or 10.1.0.0/16`,
		"QUORUMWATCH_SITES=[{nam: a}]":             `QUORUMWATCH_SITES:1: [0].nam: unknown key | did you mean "name"?` + "\nenvironment: QUORUMWATCH_SITES[0]: a site needs a name | \nenvironment: QUORUMWATCH_SITES[0]: a site needs nodes | write nodes: [n1, n2]",
		"QUORUMWATCH_SITES=a":                      `QUORUMWATCH_SITES:1: a list is expected here, not "a" | write [a, b], or each on a line with a dash`,
		"QUORUMWATCH_SITES=[{name: a, nodes: []}]": `environment: QUORUMWATCH_SITES[0]: a site needs nodes | write nodes: [n1, n2]`,
		"QUORUMWATCH_SITES=[":                      `QUORUMWATCH_SITES:1: not YAML: did not find expected node content | 'quorumwatch config example' prints a file to start from`,
	} {
		_, err := Load(Source{Environ: []string{variable}})
		if got := problems(err); got != want {
			t.Errorf("%s:\n got  %s\n want %s", variable, got, want)
		}
	}
}

func TestFlagMistakes(t *testing.T) {
	for _, args := range [][]string{{"--probe-interval", "50"}, {"--web-listen", "x"}, {"--probe-auth", "all"}, {"--nonsense"}} {
		fs := pflag.NewFlagSet("", pflag.ContinueOnError)
		RegisterFlags(fs)
		if err := fs.Parse(args); err == nil {
			t.Errorf("%q: accepted", args)
		}
	}
}

// TestExample: the file in examples is what the program prints, says nothing as it is, and says the defaults (and a site and a
// webhook) when everything in it is uncommented. Both readers take it: ours and a strict YAML decoder.
func TestExample(t *testing.T) {
	var got bytes.Buffer
	if err := WriteExample(&got); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(examplePath, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(examplePath)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(text), got.String()); d != "" {
		t.Errorf("%s is not what 'quorumwatch config example' prints (go test -update writes it):\n%s", examplePath, d)
	}
	as, err := Parse(bytes.NewReader(text), "example")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(defaults(), as, ignoreSources()); d != "" {
		t.Errorf("as it is, it changes something:\n%s", d)
	}

	all := regexp.MustCompile(`(?m)^( *)#([^ \n]|  )`).ReplaceAll(text, []byte("$1$2"))
	uncommented, err := Parse(bytes.NewReader(all), "example")
	if err != nil {
		t.Fatalf("%v\n%s", err, all)
	}
	if len(uncommented.Sites) != 2 || len(uncommented.Alerts.Webhooks) != 1 {
		t.Errorf("sites %v, webhooks %v", uncommented.Sites, uncommented.Alerts.Webhooks)
	}
	uncommented.Sites, uncommented.Alerts.Webhooks = []Site{}, []webhook.Config{}
	if d := cmp.Diff(defaults(), uncommented, ignoreSources()); d != "" {
		t.Errorf("uncommented, it does not show the defaults:\n%s", d)
	}
	for _, s := range uncommented.Settings {
		if s.Origin == "default" {
			t.Errorf("%s is not in the example", s.Key)
		}
	}

	strict := yaml.NewDecoder(bytes.NewReader(all))
	strict.KnownFields(true)
	var raw file
	if err := strict.Decode(&raw); err != nil {
		t.Error(err)
	}
	// Every field of the listed objects is shown, too.
	for _, typ := range []reflect.Type{reflect.TypeFor[rawSite](), reflect.TypeFor[rawWebhook](), reflect.TypeFor[rawHeader]()} {
		for name := range fieldsOf(typ) {
			if !regexp.MustCompile(`\b` + name + `\b`).Match(text) {
				t.Errorf("%s: %s is not in the example", typ.Name(), name)
			}
		}
	}
}

// TestReadme: what the README advises is a configuration.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(text, -1)
	if len(blocks) == 0 {
		t.Fatal("no configuration in README.md")
	}
	for _, b := range blocks {
		if _, err := Parse(bytes.NewReader(b[1]), "README.md"); err != nil {
			t.Error(err)
		}
	}
}

// TestKeys: the table and the raw structs name the same keys, with the same tags for both readers.
func TestKeys(t *testing.T) {
	inTable := map[string]bool{}
	for _, k := range keys() {
		typ, err := typeOf(k.path)
		if err != nil {
			t.Error(err)
			continue
		}
		if list := typ.Kind() == reflect.Slice; list != k.kind.list || list && (typ.Elem().Kind() == reflect.Struct) != k.isObjects() {
			t.Errorf("%s is a %v", k.path, typ)
		}
		inTable[k.path] = true
	}
	var walk func(path string, typ reflect.Type)
	walk = func(path string, typ reflect.Type) {
		for i := range typ.NumField() {
			f := typ.Field(i)
			name := f.Tag.Get("mapstructure")
			if y, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); y != name {
				t.Errorf("%s: tags %q and %q", f.Name, name, y)
			}
			switch at := join(path, name); {
			case f.Type.Kind() == reflect.Struct:
				walk(at, f.Type)
			case !inTable[at]:
				t.Errorf("%s is not in the table of keys", at)
			}
		}
	}
	walk("", reflect.TypeFor[file]())
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(everything))
	f.Add([]byte("probe:\n  interval: 50\n"))
	f.Add([]byte("a: &a [*a]\n"))
	f.Add([]byte("? {a: b}\n: c\n<<: [x]\n"))
	f.Add([]byte("sites: [{name: [], nodes: {}}, ~]\nalerts: {webhooks: [1]}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse(bytes.NewReader(data), "f.yaml")
		if err != nil {
			if strings.TrimSpace(err.Error()) == "" {
				t.Error("an empty error")
			}
			return
		}
		if c.Probe.Interval < 10*time.Millisecond || c.Probe.Interval > time.Second || c.Probe.Port == 0 || len(c.Settings) != len(keys()) {
			t.Errorf("out of range: %+v", c)
		}
	})
}
