SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
PACKAGES ?= ./...
TEST_FLAGS ?=
FUZZ_TIME ?= 10s
DEMO_FLAGS ?=

.PHONY: help
help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z\/-]+:.*## / { printf "%-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build bin/fanfare.
	go build -buildvcs=false -trimpath -ldflags '-X main.version=$(VERSION)' \
		-o bin/fanfare ./cmd/fanfare

bin/centrifugo: deploy/centrifugo/go.mod deploy/centrifugo/go.sum ## Build Centrifugo (a minute the first time).
	go build -C deploy/centrifugo -o ../../bin/centrifugo github.com/centrifugal/centrifugo/v5
	@touch $@

.PHONY: deps
deps: .tools/teststack ## Install PostgreSQL where it is missing and apt-get is there.
	@.ci/ensure-postgres

.PHONY: fmt
fmt: .tools/pinned ## Format all Go files.
	.tools/gofumpt -w .

.PHONY: lint
lint: .tools/pinned ## Check formatting, go vet, staticcheck and the style rules of .ci/revive.toml.
	@unformatted=$$(.tools/gofumpt -l .); \
	if [[ -n $$unformatted ]]; then \
		printf 'not formatted (run make fmt):\n%s\n' "$$unformatted" >&2; exit 1; \
	fi
	go vet ./...
	.tools/staticcheck ./...
	cd bench && go vet ./... && ../.tools/staticcheck ./...
	.tools/revive -config .ci/revive.toml -formatter plain ./...

.PHONY: test
test: deps lint bin/centrifugo ## Run lint and all tests, with a PostgreSQL and a Centrifugo of their own.
	@exec .tools/teststack go test -race -timeout 10m $(TEST_FLAGS) $(PACKAGES)

.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZ_TIME.
	@grep -rHoE --include='*_test.go' --exclude-dir=bench '^func Fuzz\w+' . | sort | \
	while IFS=: read -r file function; do \
		echo "$$file: $${function#func }"; \
		go test -run '^$$' -fuzz "^$${function#func }$$" -fuzztime $(FUZZ_TIME) "$${file%/*}" </dev/null; \
	done

.PHONY: demo
demo: deps build bin/centrifugo ## Run the demo; DEMO_FLAGS are its flags.
	@exec bin/fanfare demo $(DEMO_FLAGS)

.PHONY: acceptance
acceptance: deps build bin/centrifugo ## Kill workers and churn clients, roles and subscriptions, at length.
	go run ./internal/acceptance/cmd/acceptance kills
	go run ./internal/acceptance/cmd/acceptance churn

.PHONY: clean
clean: ## Remove what was built.
	rm -rf bin .tools

.tools/pinned: .ci/tools/go.mod .ci/tools/go.sum
	@mkdir -p .tools
	go build -C .ci/tools -buildvcs=false -o ../../.tools/ tool
	@touch $@

.PHONY: .tools/teststack
.tools/teststack:
	@mkdir -p .tools
	@go build -buildvcs=false -o $@ ./internal/devstack/teststack
