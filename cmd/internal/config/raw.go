package config

// file is the configuration as written: all text, nothing checked. Node names and header names are values, never keys,
// because viper lower-cases keys.
type file struct {
	Corosync rawCorosync `mapstructure:"corosync" yaml:"corosync"`
	Proxmox  rawProxmox  `mapstructure:"proxmox" yaml:"proxmox"`
	Probe    rawProbe    `mapstructure:"probe" yaml:"probe"`
	Sites    []rawSite   `mapstructure:"sites" yaml:"sites"`
	Web      rawWeb      `mapstructure:"web" yaml:"web"`
	Log      rawLog      `mapstructure:"log" yaml:"log"`
	StateDir string      `mapstructure:"state_dir" yaml:"state_dir"`
	Trace    rawTrace    `mapstructure:"trace" yaml:"trace"`
	Alerts   rawAlerts   `mapstructure:"alerts" yaml:"alerts"`
}

type rawCorosync struct {
	Config  string `mapstructure:"config" yaml:"config"`
	AuthKey string `mapstructure:"authkey" yaml:"authkey"`
	Node    string `mapstructure:"node" yaml:"node"`
	Tools   string `mapstructure:"tools_dir" yaml:"tools_dir"`
	LogFile string `mapstructure:"log_file" yaml:"log_file"`
}

type rawProxmox struct {
	Files        string   `mapstructure:"files" yaml:"files"`
	Endpoints    []string `mapstructure:"endpoints" yaml:"endpoints"`
	TokenFile    string   `mapstructure:"token_file" yaml:"token_file"`
	CAFile       string   `mapstructure:"ca_file" yaml:"ca_file"`
	Fingerprints []string `mapstructure:"fingerprints" yaml:"fingerprints"`
	Interval     string   `mapstructure:"interval" yaml:"interval"`
}

type rawProbe struct {
	Port             string   `mapstructure:"port" yaml:"port"`
	Interval         string   `mapstructure:"interval" yaml:"interval"`
	FullSize         string   `mapstructure:"full_size" yaml:"full_size"`
	FullSizeInterval string   `mapstructure:"full_size_interval" yaml:"full_size_interval"`
	Auth             string   `mapstructure:"auth" yaml:"auth"`
	KeyFile          string   `mapstructure:"key_file" yaml:"key_file"`
	Allow            []string `mapstructure:"allow" yaml:"allow"`
}

type rawSite struct {
	Name  string   `mapstructure:"name" yaml:"name"`
	Nodes []string `mapstructure:"nodes" yaml:"nodes"`
}

type rawWeb struct {
	Listen     []string `mapstructure:"listen" yaml:"listen"`
	ConfigFile string   `mapstructure:"config_file" yaml:"config_file"`
}

type rawLog struct {
	Level  string `mapstructure:"level" yaml:"level"`
	Format string `mapstructure:"format" yaml:"format"`
}

type rawTrace struct {
	Keep  string `mapstructure:"keep" yaml:"keep"`
	Files string `mapstructure:"files" yaml:"files"`
	Size  string `mapstructure:"size" yaml:"size"`
}

type rawAlerts struct {
	RepeatInterval string       `mapstructure:"repeat_interval" yaml:"repeat_interval"`
	Webhooks       []rawWebhook `mapstructure:"webhooks" yaml:"webhooks"`
}

type rawWebhook struct {
	Name         string      `mapstructure:"name" yaml:"name,omitempty"`
	URL          string      `mapstructure:"url" yaml:"url,omitempty"`
	URLFile      string      `mapstructure:"url_file" yaml:"url_file,omitempty"`
	Headers      []rawHeader `mapstructure:"headers" yaml:"headers,omitempty"`
	Timeout      string      `mapstructure:"timeout" yaml:"timeout,omitempty"`
	MinSeverity  string      `mapstructure:"min_severity" yaml:"min_severity,omitempty"`
	SendResolved string      `mapstructure:"send_resolved" yaml:"send_resolved,omitempty"`
	TemplateFile string      `mapstructure:"template_file" yaml:"template_file,omitempty"`
	ContentType  string      `mapstructure:"content_type" yaml:"content_type,omitempty"`
}

type rawHeader struct {
	Name      string `mapstructure:"name" yaml:"name,omitempty"`
	Value     string `mapstructure:"value" yaml:"value,omitempty"`
	ValueFile string `mapstructure:"value_file" yaml:"value_file,omitempty"`
}
