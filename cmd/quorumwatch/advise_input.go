package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/quorumwatch/quorumwatch/checker/advice"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// maxTrace bounds what an agent may answer: a record of days is a tenth of it.
const maxTrace = 1 << 30

// adviseInput reads the record and the configuration.
func adviseInput(ctx context.Context, f adviseFlags, args []string) (advice.Input, error) {
	in := advice.Input{Name: "corosync.conf", Libknet: f.libknet, Seed: f.seed}
	var err error
	if len(args) == 1 {
		in.Trace, err = traceFile(args[0])
	} else {
		in.Trace, err = traceOfAgent(ctx, f.agent)
	}
	if err != nil {
		return in, err
	}
	if in.Conf = in.Trace.Config; f.config != "" {
		in.Name = f.config
		if in.Conf, err = os.ReadFile(f.config); err != nil {
			return in, unwrapped(f.config, err)
		}
	}
	if len(in.Conf) == 0 && f.config == "" {
		return in, &hinted{errors.New("the record holds no corosync.conf"), "give it with --config /etc/pve/corosync.conf"}
	}
	return in, nil
}

func traceFile(name string) (*trace.Trace, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, unwrapped(name, err)
	}
	defer func() { _ = file.Close() }() // only read
	t, err := trace.Decode(file)
	if err != nil {
		return nil, &hinted{fmt.Errorf("%s: %w", name, err), traceHint(err)}
	}
	return t, nil
}

// traceHint says what to do about a trace that cannot be read.
func traceHint(err error) string {
	switch {
	case errors.Is(err, trace.ErrVersion):
		return "read it with the quorumwatch of the node that wrote it"
	case errors.Is(err, trace.ErrTruncated):
		return "was the copy or the download cut short? Get it again"
	case errors.Is(err, trace.ErrMore):
		return "was something appended, or were two files put together? Get it again"
	}
	return "a trace comes from an agent: curl -o FILE http://127.0.0.1:8412/api/v1/trace"
}

// unwrapped is an error about a file without the name of the system call.
func unwrapped(name string, err error) error {
	if e, ok := errors.AsType[*os.PathError](err); ok {
		return fmt.Errorf("%s: %w", name, e.Err)
	}
	return err
}

// traceOfAgent asks an agent for what it keeps.
func traceOfAgent(ctx context.Context, agent string) (*trace.Trace, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	url := strings.TrimSuffix(agent, "/") + "/api/v1/trace"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, &usageError{fmt.Errorf("--agent: %w", err), "write it as http://HOST:PORT"}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, &hinted{err, "is the agent running? Name another one with --agent, or give a trace file"}
	}
	defer func() { _ = resp.Body.Close() }() // only read
	if resp.StatusCode != http.StatusOK {
		return nil, &hinted{fmt.Errorf("%s: %s", url, resp.Status), "is this a quorumwatch agent of the same version?"}
	}
	t, err := trace.Decode(io.LimitReader(resp.Body, maxTrace))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", url, err)
	}
	return t, nil
}

// diffOf is the change as a unified diff; nil if there is none.
func diffOf(in advice.Input, a advice.Advice) []byte {
	if a.Verdict != advice.Change {
		return nil
	}
	return diff.Diff("a/"+fileName(in), in.Conf, "b/"+fileName(in), a.Text)
}
