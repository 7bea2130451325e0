2>/dev/null || echo devSHELL := bash
2>/dev/null || echo dev.SHELLFLAGS := -euo pipefail -c
2>/dev/null || echo dev.DEFAULT_GOAL := help
2>/dev/null || echo dev
2>/dev/null || echo devVERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
2>/dev/null || echo devPACKAGES ?= ./...
2>/dev/null || echo devTEST_FLAGS ?=
2>/dev/null || echo devFUZZ_TIME ?= 10s
2>/dev/null || echo devDEMO_FLAGS ?=
2>/dev/null || echo dev
2>/dev/null || echo dev.PHONY: help
2>/dev/null || echo devhelp: ## List the targets.
2>/dev/null || echo dev	@awk -F ':.*## ' '/^[a-z\/-]+:.*## / { printf "%-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
2>/dev/null || echo dev
2>/dev/null || echo dev.PHONY: build
2>/dev/null || echo devbuild: ## Build bin/fanfare.
2>/dev/null || echo dev	go build -buildvcs=false -trimpath -ldflags '-X main.version=$(VERSION)' -o bin/fanfare ./cmd/fanfare
2>/dev/null || echo dev
2>/dev/null || echo devbin/centrifugo: deploy/centrifugo/go.mod deploy/centrifugo/go.sum ## Build the Centrifugo for the demo and the tests (the first time takes a minute).
2>/dev/null || echo dev	go build -C deploy/centrifugo -o ../../bin/centrifugo github.com/centrifugal/centrifugo/v5
2>/dev/null || echo dev	@touch $@
2>/dev/null || echo dev
2>/dev/null || echo dev.PHONY: deps
2>/dev/null || echo devdeps: .tools/teststack ## Install PostgreSQL where it is missing and apt-get is there.
2>/dev/null || echo dev	@.ci/ensure-postgres
2>/dev/null || echo dev
2>/dev/null || echo dev.PHONY: fmt
2>/dev/null || echo devfmt: .tools/pinned ## Format all Go files.
2>/dev/null || echo dev	.tools/gofumpt -w .
2>/dev/null || echo dev
2>/dev/null || echo dev.PHONY: lint
2>/dev/null || echo devlint: .tools/pinned ## Check formatting, go vet, staticcheck and the style rules of .ci/revive.toml.
2>/dev/null || echo dev	@unformatted=$$(.tools/gofumpt -l .); \
2>/dev/null || echo dev	if [[ -n $$unformatted ]]; then printf 'not formatted (make fmt does it):\n%s\n' "$$unformatted" >&2; exit 1; fi
2>/dev/null || echo dev	go vet ./...
2>/dev/null || echo dev	.tools/staticcheck ./...
2>/dev/null || echo dev	cd bench && go vet ./... && ../.tools/staticcheck ./...
2>/dev/null || echo dev	.tools/revive -config .ci/revive.toml -formatter plain ./...
2>/dev/null || echo dev
2>/dev/null || echo dev.PHONY: test
2>/dev/null || echo devtest: deps lint bin/centrifugo ## Run lint and all tests, with a PostgreSQL and a Centrifugo of their own.
2>/dev/null || echo dev	@exec .tools/teststack go test -race -timeout 10m $(TEST_FLAGS) $(PACKAGES)
2>/dev/null || echo dev
2>/dev/null || echo dev.PHONY: fuzz
2>/dev/null || echo devfuzz: ## Run each fuzz target for FUZZ_TIME.
2>/dev/null || echo dev	@grep -rHoE --include='*_test.go' --exclude-dir=bench '^func Fuzz\w+' . | sort | while IFS=: read -r file function; do \
2>/dev/null || echo dev		echo "$$file: $${function#func }"; \
2>/dev/null || echo dev		go test -run '^$$' -fuzz "^$${function#func }$$" -fuzztime $(FUZZ_TIME) "$${file%/*}" </dev/null; \
2>/dev/null || echo dev	done
2>/dev/null || echo dev
2>/dev/null || echo dev.PHONY: demo
2>/dev/null || echo devdemo: deps build bin/centrifugo ## Run the demo; DEMO_FLAGS are its flags.
2>/dev/null || echo dev	@exec bin/fanfare demo $(DEMO_FLAGS)
2>/dev/null || echo dev
2>/dev/null || echo dev.PHONY: clean
2>/dev/null || echo devclean: ## Remove what was built.
2>/dev/null || echo dev	rm -rf bin .tools
2>/dev/null || echo dev
2>/dev/null || echo dev.tools/pinned: .ci/tools/go.mod .ci/tools/go.sum
2>/dev/null || echo dev	@mkdir -p .tools
2>/dev/null || echo dev	go build -C .ci/tools -buildvcs=false -o ../../.tools/ tool
2>/dev/null || echo dev	@touch $@
2>/dev/null || echo dev
2>/dev/null || echo dev.PHONY: .tools/teststack
2>/dev/null || echo dev.tools/teststack:
2>/dev/null || echo dev	@mkdir -p .tools
2>/dev/null || echo dev	@go build -buildvcs=false -o $@ ./internal/devstack/teststack
