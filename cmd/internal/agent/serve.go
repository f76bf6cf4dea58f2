package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	toolkit "github.com/prometheus/exporter-toolkit/web"
	"github.com/rs/zerolog"

	"github.com/quorumwatch/quorumwatch/checker/metrics"
	"github.com/quorumwatch/quorumwatch/checker/web"
)

// Bounds of what one client may take: everything served is small and made at once.
const (
	readTimeout    = 5 * time.Second
	writeTimeout   = 15 * time.Second
	maxHeaderBytes = 16 << 10
	drainTimeout   = 2 * time.Second
	serveAgain     = 5 * time.Second
)

// Handler serves this agent's Report, metrics and health. The prefix is where it is mounted, "" for the root.
func (a *Agent) Handler(prefix string) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		metrics.New(a.Report),
		newReceiverMetrics(a.config.Receivers),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	mux := http.NewServeMux()
	mux.Handle("GET /api/v1/trace", &traceHandler{agent: a})
	mux.Handle("/", web.New(web.Config{
		Report:  a.Report,
		Metrics: promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}),
		Prefix:  prefix,
	}))
	return mux
}

// serve answers HTTP, and tries again as long as it cannot: an address that is taken or not there yet must not end the watch.
func (a *Agent) serve(ctx context.Context, ready func()) error {
	if err := toolkit.Validate(a.config.WebConfig); err != nil {
		return fmt.Errorf("%s: %w", a.config.WebConfig, err)
	}
	ready()
	handler := a.Handler("")
	for {
		err := Serve(ctx, ServeConfig{
			Listen: a.config.Listen, WebConfig: a.config.WebConfig, Handler: handler, Log: a.log, Ready: func() {},
		})
		if ctx.Err() != nil {
			return nil
		}
		a.log.Error().Err(err).Dur("retry_ms", serveAgain).Msg("reports and metrics are not served")
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(serveAgain):
		}
	}
}

// ServeConfig says what Serve serves where.
type ServeConfig struct {
	Listen    []string
	WebConfig string // exporter-toolkit's web configuration file; "": plain HTTP
	Handler   http.Handler
	Log       zerolog.Logger
	Ready     func() // called once the sockets are open
}

// Serve answers HTTP until ctx ends. An address that cannot be had is an error at once.
func Serve(ctx context.Context, c ServeConfig) error {
	var listeners []net.Listener
	for _, address := range c.Listen {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
		if err != nil {
			return fmt.Errorf("listen on %s: %w", address, err)
		}
		defer l.Close()
		c.Log.Info().Stringer("address", l.Addr()).Msg("serving reports and metrics")
		listeners = append(listeners, l)
	}
	server := &http.Server{
		Handler: c.Handler, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, MaxHeaderBytes: maxHeaderBytes,
	}
	logger := slog.New(zerolog.NewSlogHandler(c.Log.Level(zerolog.WarnLevel)))
	failed := make(chan error, 1)
	go func() { // ends with server.Shutdown
		failed <- toolkit.ServeMultiple(listeners, server, &toolkit.FlagConfig{WebConfigFile: &c.WebConfig}, logger)
	}()
	c.Ready()
	select {
	case err := <-failed:
		if errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		return err
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	if err := server.Shutdown(drain); err != nil {
		_ = server.Close()
	}
	return nil
}
