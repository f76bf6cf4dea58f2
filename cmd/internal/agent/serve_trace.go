package agent

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// traceWait is how long a download waits for the judge, which looks five times a second.
const traceWait = 2 * time.Second

// traceHandler answers with the record of the paths, or with ?last=10m the end of it, as a file for 'quorumwatch replay'. One at a time is
// compressed: the processor is for probes.
type traceHandler struct {
	agent *Agent
	busy  sync.Mutex
}

// ServeHTTP implements http.Handler.
func (h *traceHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var last time.Duration
	if text := r.URL.Query().Get("last"); text != "" {
		var err error
		if last, err = time.ParseDuration(text); err != nil || last <= 0 {
			http.Error(w, fmt.Sprintf("last=%s is no time such as 10m", text), http.StatusBadRequest)
			return
		}
	}
	if !h.busy.TryLock() {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "another download of the trace is under way", http.StatusServiceUnavailable)
		return
	}
	defer h.busy.Unlock()
	t := h.agent.snapshot(r.Context())
	if t == nil {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "no trace yet: the agent has no corosync.conf, or has only just started", http.StatusServiceUnavailable)
		return
	}
	first, next := t.Span()
	if last > 0 {
		first = max(first, next-int(last/t.Slot))
	}
	t = t.Cut(first, next)
	header := w.Header()
	header.Set("Content-Type", "application/octet-stream")
	header.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", filepath.Base(traceName(t))))
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	if err := trace.Encode(w, t); err != nil {
		h.agent.log.Debug().Err(err).Msg("download of the trace broken off")
	}
}

// snapshot asks the judge for the record; nil if there is none.
func (a *Agent) snapshot(ctx context.Context) *trace.Trace {
	answer := make(chan *trace.Trace, 1)
	timeout := time.NewTimer(traceWait)
	defer timeout.Stop()
	select {
	case a.traceAsk <- answer:
	case <-timeout.C:
		return nil
	case <-ctx.Done():
		return nil
	}
	select {
	case t := <-answer:
		return t
	case <-timeout.C:
		return nil
	case <-ctx.Done():
		return nil
	}
}
