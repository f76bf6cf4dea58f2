# make run: a stretched cluster in one process. make test: everything that is checked. make help: the rest.
GO       ?= go
PREFIX   ?= /usr/local
UNITDIR  ?= /lib/systemd/system
VERSION  ?=
FUZZTIME ?= 10s
SPEC     ?= examples/lab/stretched.yaml
RACE      = $(if $(shell command -v gcc 2>/dev/null),-race)
BUILD     = CGO_ENABLED=0 $(GO) build -trimpath $(if $(VERSION),-ldflags '-X main.version=$(VERSION)')
# Packages that deal with a real Corosync: their tests want the machine for themselves, and no race detector.
PACKAGES  = $(GO) list -f '{{.ImportPath}} {{join .Imports " "}} {{join .TestImports " "}} {{join .XTestImports " "}}' ./...
LAB       = $(shell $(PACKAGES) | awk '/corosync\/lab/ {print $$1}')
UNIT      = $(shell $(PACKAGES) | awk '!/corosync\/lab/ {print $$1}')
# Of the others, those with goroutines: the rest computes only, the architecture tests see to it, and a race detector finds nothing there.
RACED     = $(shell $(PACKAGES) | awk '!/corosync\/lab/ && !/testing\/synctest/ {print $$1}' | $(MOVING))
# In synctest bubbles Go 1.26's race detector crashes where a timer fires on two threads at once (golang/go#78156), so one at a time.
BUBBLED   = $(shell $(PACKAGES) | awk '!/corosync\/lab/ && /testing\/synctest/ {print $$1}' | $(MOVING))
MOVING    = grep -E '/(alerts|cmd|corosync/ctl|probe|proxmox|checker/(metrics|web))(/|$$)'
help: ## list what can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10
build: ## bin/quorumwatch and bin/quorumlab
	@mkdir -p bin
	$(BUILD) -o bin/ ./cmd/quorumwatch ./cmd/quorumlab
run: build ## a five-node stretched cluster in one process: no root, no Corosync; http://127.0.0.1:8412
	bin/quorumwatch demo
lab: build ## five real Corosync nodes with a sick link, in network namespaces (root; SPEC=...)
	bin/quorumlab up $(SPEC)
test: deps ## everything, with a real Corosync where root and Corosync are there
	@failed=0; $(GO) test -timeout 10m $(UNIT) || failed=1; \
	  $(if $(RACE),$(GO) test $(RACE) -short -timeout 30m $(RACED) || failed=1;) \
	  $(if $(RACE),$(GO) test $(RACE) -short -timeout 30m -cpu 1 $(BUBBLED) || failed=1;) \
	  $(GO) test -p 1 -count=1 -timeout 20m $(LAB) || failed=1; exit $$failed
deps: ## install what the tests need (root, apt), else say what will be skipped
	@.ci/deps
check: lint ## what a change has to pass, short of the real Corosync: lint, race detector, random order
	$(GO) test -short -shuffle=on -timeout 10m ./...
	$(if $(RACE),$(GO) test $(RACE) -short -shuffle=on -timeout 30m $(RACED))
	$(if $(RACE),$(GO) test $(RACE) -short -shuffle=on -timeout 30m -cpu 1 $(BUBBLED))
lint: ## gofmt, vet, staticcheck, go.mod, architecture
	@test -z "$$(gofmt -l .)" || { gofmt -l . ; echo 'not formatted: gofmt -w .' >&2; exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	$(GO) mod tidy -diff
	$(GO) test ./cmd/internal/arch
fuzz: ## every fuzz target for FUZZTIME (10s)
	@grep -ro --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | sed 's|/[^/]*:func | |' | while read -r dir f; do \
	  echo "$$dir $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$dir </dev/null || exit 1; done
bench: ## all benchmarks
	$(GO) test -run '^$$' -bench . -benchmem ./...
install: build ## binaries, unit, example, completions and man pages (DESTDIR, PREFIX, UNITDIR)
	install -D -t $(DESTDIR)$(PREFIX)/bin bin/quorumwatch bin/quorumlab
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/doc/quorumwatch README.md CHANGELOG.md LICENSE examples/quorumwatch.yaml
	install -d $(DESTDIR)$(UNITDIR) $(DESTDIR)/etc/quorumwatch
	sed 's|/usr/bin/|$(PREFIX)/bin/|' examples/quorumwatch.service > $(DESTDIR)$(UNITDIR)/quorumwatch.service
	test -e $(DESTDIR)/etc/quorumwatch/quorumwatch.yaml || install -m 640 examples/quorumwatch.yaml $(DESTDIR)/etc/quorumwatch/
	bin/quorumwatch man $(DESTDIR)$(PREFIX)/share/man/man8
	cd $(DESTDIR)$(PREFIX)/share && mkdir -p bash-completion/completions zsh/site-functions fish/vendor_completions.d
	bin/quorumwatch completion bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/quorumwatch
	bin/quorumwatch completion zsh > $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_quorumwatch
	bin/quorumwatch completion fish > $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/quorumwatch.fish
clean: ## remove what was built
	rm -rf bin dist
.PHONY: help build run lab test deps check lint fuzz bench install clean
