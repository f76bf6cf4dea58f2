//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/lab"
	"github.com/quorumwatch/quorumwatch/corosync/lab/scenario"
)

const (
	// agentNice gives agents Corosync's own priority: five of each on two cores are no measure of what an agent gets on a machine of its own.
	agentNice   = -20
	agentGrace  = 5 * time.Second
	reportPath  = "/api/v1/report"
	maxReport   = 8 << 20
	pollTimeout = 2 * time.Second
)

// agents are the agents of a lab, one a node; none without agents.
type agents struct {
	o    upOptions
	list []*agent
}

// agent is the agent of one node and the way to its report.
type agent struct {
	node    *lab.Node
	command lab.Command
	proc    *lab.Process
	client  *http.Client
	report  string // URL inside the node
	proxy   *http.Server
	url     string // URL on this machine
}

func startAgents(ctx context.Context, l *lab.Lab, o upOptions) (*agents, error) {
	a := &agents{o: o}
	if o.noAgent {
		return a, nil
	}
	for i, n := range l.Nodes() {
		one := &agent{
			node: n, client: n.HTTPClient(), report: "http://" + o.listen + reportPath,
			command: lab.Command{
				Args: slices.Concat([]string{o.agent, "agent"}, o.args), Nice: agentNice,
				Env: []string{"QUORUMWATCH_SITES=" + sites(l.Nodes())},
			},
		}
		a.list = append(a.list, one)
		if err := one.start(); err != nil {
			return nil, errors.Join(err, a.close())
		}
		if err := one.serve(ctx, o.listen, o.basePort+i); err != nil {
			return nil, errors.Join(err, a.close())
		}
		if err := l.SetReport(n.Name(), one.url); err != nil {
			return nil, errors.Join(err, a.close())
		}
	}
	return a, nil
}

// sites are the lab's, as the agent's configuration has them.
func sites(nodes []*lab.Node) string {
	members := map[string][]string{}
	for _, n := range nodes {
		members[n.Site()] = append(members[n.Site()], n.Name())
	}
	var list []string
	for _, site := range slices.Sorted(maps.Keys(members)) {
		list = append(list, fmt.Sprintf("{name: %s, nodes: [%s]}", site, strings.Join(members[site], ", ")))
	}
	return "[" + strings.Join(list, ", ") + "]"
}

func (a *agent) start() (err error) {
	a.proc, err = a.node.Start(a.command)
	return err
}

// serve forwards a port of this machine to the agent's own, for browsers. A port in use gives way to any other.
func (a *agent) serve(ctx context.Context, target string, port int) error {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp4", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		if ln, err = lc.Listen(ctx, "tcp4", "127.0.0.1:0"); err != nil {
			return err
		}
	}
	a.url = "http://" + ln.Addr().String() + "/"
	inner := &url.URL{Scheme: "http", Host: target}
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(inner) },
		Transport: a.client.Transport,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, "quorumlab: the agent does not answer: "+err.Error(), http.StatusBadGateway)
		},
		FlushInterval: -1, // events are passed on as they come
	}
	a.proxy = &http.Server{Handler: proxy, ReadHeaderTimeout: 5 * time.Second}
	go a.proxy.Serve(ln)
	return nil
}

// do is a step of the timeline.
func (a *agent) do(verb scenario.Verb) error {
	switch verb {
	case scenario.Start:
		if a.proc.Running() {
			return errors.New("runs already")
		}
		return a.start()
	case scenario.Stop:
		return a.proc.Stop(agentGrace)
	case scenario.Restart:
		return errors.Join(a.proc.Stop(agentGrace), a.start())
	case scenario.Kill:
		return a.proc.Signal(syscall.SIGKILL)
	case scenario.Pause:
		return a.proc.Signal(syscall.SIGSTOP)
	case scenario.Resume:
		return a.proc.Signal(syscall.SIGCONT)
	}
	return fmt.Errorf("do: %q: no such thing", verb)
}

// fetch asks the agent for its report.
func (a *agent) fetch(ctx context.Context) (report, error) {
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.report, nil)
	if err != nil {
		return report{}, err
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return report{}, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return report{}, fmt.Errorf("%s: %s", a.report, resp.Status)
	}
	var r report
	err = json.NewDecoder(http.MaxBytesReader(nil, resp.Body, maxReport)).Decode(&r)
	return r, err
}

// of returns the agent of a node.
func (a *agents) of(node string) (*agent, error) {
	for _, one := range a.list {
		if one.node.Name() == node {
			return one, nil
		}
	}
	return nil, fmt.Errorf("%s: no agent: the lab runs without", node)
}

func (a *agents) url(node string) string {
	one, err := a.of(node)
	if err != nil {
		return ""
	}
	return one.url
}

func (a *agents) close() error {
	var errs []error
	for _, one := range a.list {
		if one.proxy != nil {
			errs = append(errs, one.proxy.Close())
		}
		if one.proc != nil {
			errs = append(errs, one.proc.Signal(syscall.SIGTERM)) // the node's end will do for one that does not mind
		}
	}
	return errors.Join(errs...)
}
