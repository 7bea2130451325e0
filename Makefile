SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
PACKAGES ?= ./...
TEST_FLAGS ?=
FUZZ_TIME ?= 10s
WORLDS ?= 70
export FUZZ_API_EXAMPLES ?= 50
DEMO_FLAGS ?=
MATRIX_POSTGRES ?= 15,16,17,18
MATRIX_CENTRIFUGO ?= 6,5
MATRIX_FLAGS ?=
# The packages whose tests start servers, without those that run whole programs.
SHORT_PACKAGES ?= $(shell go list -f '{{.ImportPath}} {{join .TestImports " "}} {{join .XTestImports " "}}' ./... | \
	awk '/\/internal\/(pgtest|devstack)( |$$)/ && $$1 !~ /\/(cmd|acceptance|console|demo|sandbox)/ { print $$1 }')

# Each process with the race detector waits a second at its end for goroutines that still run; the
# tests leave none, which internal/leaks checks.
GORACE ?= atexit_sleep_ms=0

# The drivers of PostgreSQL that the examples in Python and JavaScript use.
export PYTHONPATH := $(CURDIR)/.tools/python$(if $(PYTHONPATH),:$(PYTHONPATH))
export NODE_PATH := $(CURDIR)/.tools/node_modules$(if $(NODE_PATH),:$(NODE_PATH))
# The Node of .ci/ensure, where the system's is too old.
export PATH := $(CURDIR)/.tools/node/bin:$(PATH)

# The sources of the console and the widgets.
WEB := internal/console/web

.PHONY: help
help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z0-9\/-]+:.*## / { printf "%-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build bin/fanfare.
	go build -buildvcs=false -trimpath -ldflags '-X main.version=$(VERSION)' \
		-o bin/fanfare ./cmd/fanfare

bin/centrifugo: deploy/centrifugo/v6/go.mod deploy/centrifugo/v6/go.sum ## Build Centrifugo v6 (takes minutes once).
	$(call build-centrifugo,v6)

bin/centrifugo-v5: deploy/centrifugo/v5/go.mod deploy/centrifugo/v5/go.sum ## Build Centrifugo v5.
	$(call build-centrifugo,v5)

# build-centrifugo builds a major version with the version that its module pins.
define build-centrifugo
	@echo 'Building Centrifugo $(1).'
	@version=$$(awk '$$1 == "github.com/centrifugal/centrifugo/$(1)" { print substr($$2, 2) }' $<); \
	go build -C deploy/centrifugo/$(1) -o ../../../$@ \
		-ldflags "-X github.com/centrifugal/centrifugo/$(1)/internal/build.Version=$$version" \
		github.com/centrifugal/centrifugo/$(1)
	@touch $@
endef

.PHONY: test-tools
test-tools: .tools/teststack $(WEB)/node_modules/.package-lock.json ## Install what the tests need besides Go.
	@.ci/ensure postgres compiler curl psycopg pg chromium redis balancer pgbouncer

.PHONY: servers
servers: .tools/teststack ## Install PostgreSQL and build Centrifugo, where they are missing.
	@.ci/ensure postgres
	@if [[ -z $${FANFARE_CENTRIFUGO_BIN:-} ]] && ! .tools/teststack -centrifugo >/dev/null 2>&1; then \
		$(MAKE) --no-print-directory -q bin/centrifugo || $(MAKE) --no-print-directory bin/centrifugo; \
	fi

.PHONY: fmt
fmt: .tools/pinned ## Format all Go files.
	.tools/gofumpt -w .

# Checks that do not depend on each other, at the same time; the output of each is printed when it has ended.
in-parallel = @$(MAKE) --no-print-directory --jobs=2 --output-sync=target

.PHONY: lint
lint: lint-format $(WEB)/node_modules/.package-lock.json ## Check the formatting, the code and the console.
	$(in-parallel) lint-go console-check

.PHONY: lint-format
lint-format: .tools/pinned
	@unformatted=$$(.tools/gofumpt -l .); \
	if [[ -n $$unformatted ]]; then \
		printf 'not formatted (run make fmt):\n%s\n' "$$unformatted" >&2; exit 1; \
	fi

.PHONY: lint-go
lint-go: .tools/pinned ## Check the code: go vet, staticcheck and the style rules of .ci/revive.toml.
	go vet ./...
	.tools/staticcheck ./...
	cd bench && go vet ./... && ../.tools/staticcheck ./...
	.tools/revive -config .ci/revive.toml -formatter plain ./...

.PHONY: test
test: test-tools servers lint-format ## Run lint and all tests, with a PostgreSQL and a Centrifugo of their own.
	$(in-parallel) lint-go console-check console-test bench-test
	@CGO_ENABLED=1 GORACE='$(GORACE)' exec .tools/teststack \
		go test -race -vet=off -timeout 20m $(TEST_FLAGS) $(PACKAGES)

.PHONY: bench-test
bench-test: ## Run the tests of the benchmarks' own code, which measure nothing.
	go test -C bench -vet=off ./...

.PHONY: test-recording
test-recording: .tools/teststack servers ## Run the Go examples of docs/recording, with the libraries that they show.
	@exec .tools/teststack go test -C docs/recording ./...

.PHONY: test-matrix
test-matrix: .tools/teststack .tools/testmatrix $(WEB)/node_modules/.package-lock.json
test-matrix: ## Run the tests on PostgreSQL 15 to 18, each with Centrifugo v6 and v5.
	@.ci/ensure postgres curl psycopg pg chromium redis balancer pgbouncer
	@exec .tools/testmatrix $(MATRIX_FLAGS) -postgres '$(MATRIX_POSTGRES)' -centrifugo '$(MATRIX_CENTRIFUGO)' -- \
		-timeout 10m $(TEST_FLAGS) $(PACKAGES)

.PHONY: test-matrix-short
test-matrix-short: ## Run the tests that start servers on each version of PostgreSQL and of Centrifugo once or twice.
	@$(MAKE) --no-print-directory test-matrix PACKAGES='$(SHORT_PACKAGES)' MATRIX_FLAGS=-in-turn

.PHONY: console
console: console-types ## Build the console and the widgets from their sources.
	cd $(WEB) && npm run --silent build

.PHONY: console-types
console-types: $(WEB)/node_modules/.package-lock.json ## Write the client's types from the server's OpenAPI document.
	@go test ./internal/api/openapi -update >/dev/null
	cd $(WEB) && npm run --silent generate

.PHONY: console-check
console-check: $(WEB)/node_modules/.package-lock.json ## Check the console: types, committed output, sizes.
	cd $(WEB) && npm run --silent check && npm run --silent compare && npm run --silent size

.PHONY: console-test
console-test: $(WEB)/node_modules/.package-lock.json ## Run the unit tests of the console's packages.
	cd $(WEB) && npm test --silent

.PHONY: console-packages
console-packages: $(WEB)/node_modules/.package-lock.json ## Pack the npm packages, and use them in a new project.
	cd $(WEB) && npm run --silent packages

PICTURES ?=

.PHONY: console-pictures
console-pictures: test-tools servers ## Take the pictures of docs/console again; PICTURES selects some by name.
	@.ci/ensure fonts
	cd $(WEB) && npm run --silent build
	@cd $(WEB) && FONTCONFIG_FILE=$(CURDIR)/$(WEB)/test/pictures/fonts.conf $(CURDIR)/.tools/teststack \
		go run $(CURDIR)/internal/console/stage/cmd/stage -dist $(CURDIR)/internal/console/dist -- \
		node --import tsx --conditions fanfare-source test/pictures/main.ts $(PICTURES)

.PHONY: console-performance
console-performance: $(WEB)/node_modules/.package-lock.json servers ## Measure the console with many rows.
	@.ci/ensure postgres chromium
	go run ./internal/console/stage/cmd/stage -dist internal/console/dist -- sh -c \
		'cd $(WEB) && exec node --import tsx --conditions fanfare-source test/performance/run.ts $(PERFORMANCE_FLAGS)'

$(WEB)/node_modules/.package-lock.json: $(WEB)/package-lock.json
	@.ci/ensure node
	cd $(WEB) && npm ci --ignore-scripts --loglevel=error
	@touch $@

.PHONY: packages
packages: servers .tools/release/goreleaser ## Build a release into dist, then install, start and check it.
	@.ci/ensure postgres release
	PATH="$(CURDIR)/.tools/release:$$PATH" goreleaser release --snapshot --clean --verbose=false
	.ci/image
	@exec .tools/teststack go test -C deploy/packages -count=1 ./...

.tools/release/goreleaser: .ci/release/go.mod .ci/release/go.sum
	@mkdir -p .tools/release
	go build -C .ci/release -buildvcs=false -trimpath -o ../../.tools/release/ tool
	@touch $@

.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZ_TIME.
	@grep -rHoE --include='*_test.go' --exclude-dir=bench '^func Fuzz\w+' . | sort | \
	while IFS=: read -r file function; do \
		echo "$$file: $${function#func }"; \
		go test -run '^$$' -fuzz "^$${function#func }$$" -fuzztime $(FUZZ_TIME) "$${file%/*}" </dev/null; \
	done

.PHONY: fuzz-api
fuzz-api: servers build ## Send FUZZ_API_EXAMPLES generated requests to each route (needs Python; schemathesis).
	@exec .tools/teststack .ci/fuzz-api

.PHONY: demo
demo: servers build ## Run the demo; DEMO_FLAGS are its flags.
	@exec bin/fanfare demo $(DEMO_FLAGS)

.PHONY: dev
dev: servers build ## Run a private installation with sample data, to develop against.
	@exec bin/fanfare dev

.PHONY: random-worlds
random-worlds: .tools/teststack servers ## Compare deliveries and explanations in WORLDS random worlds with an oracle.
	.tools/teststack go test ./internal/explain -run TestRandomWorlds -v -timeout 2h -worlds $(WORLDS)

.PHONY: acceptance
acceptance: servers build ## Kill workers and churn clients, roles and subscriptions, at length.
	go run ./internal/acceptance/cmd/acceptance kills
	go run ./internal/acceptance/cmd/acceptance churn

MOVE_FLAGS ?=

.PHONY: move
move: servers ## Move a tenant between two databases under load, and kill the moving process at each step.
	go run ./internal/acceptance/cmd/acceptance move $(MOVE_FLAGS)

CLUSTER_FLAGS ?=

.PHONY: cluster
cluster: servers build ## Kill a Centrifugo, a Redis, a worker and an API server of a cluster in turn.
	@.ci/ensure redis balancer
	go run ./internal/acceptance/cmd/acceptance cluster $(CLUSTER_FLAGS)

UPGRADE_FLAGS ?=

.PHONY: upgrade
upgrade: servers ## Upgrade programs and schema under load and go back; from the newest release, too, if there is one.
	go run ./internal/acceptance/cmd/acceptance upgrade $(UPGRADE_FLAGS)
	@if [[ -n $$(git tag --list 'v*' --merged HEAD 2>/dev/null) ]]; then \
		go run ./internal/acceptance/cmd/acceptance upgrade --before release $(UPGRADE_FLAGS); \
	else \
		echo 'No release tag v* is reachable: the upgrade from a release was not run.'; \
	fi

BENCH_OUTPUT ?= bench/results
BENCH_FLAGS ?=

.PHONY: bench
bench: ## Compare Fanfare with other solutions; BENCH_OUTPUT receives the table and charts.
	@.ci/ensure postgres
	@$(MAKE) --no-print-directory bin/centrifugo bin/centrifugo-v5
	go build -C bench -buildvcs=false -trimpath -o ../bin/fanfare-bench ./cmd/fanfare-bench
	@mkdir -p $(BENCH_OUTPUT)
	bin/fanfare-bench compare --json=$(BENCH_OUTPUT)/results.json --report $(BENCH_OUTPUT) $(BENCH_FLAGS)

.PHONY: bench-short
bench-short: ## The same with small sizes and few rounds, in minutes.
	@$(MAKE) --no-print-directory bench BENCH_FLAGS='--short $(BENCH_FLAGS)'

.PHONY: clean
clean: ## Remove what was built.
	rm -rf bin dist .tools

.tools/pinned: .ci/tools/go.mod .ci/tools/go.sum
	@mkdir -p .tools
	go build -C .ci/tools -buildvcs=false -o ../../.tools/ tool
	@touch $@

.PHONY: .tools/teststack .tools/testmatrix
.tools/teststack .tools/testmatrix: .tools/%:
	@mkdir -p .tools
	@go build -buildvcs=false -o $@ ./internal/devstack/$*
