# make demo: the main job on an embedded AWS.   make test: everything.   make check: the quick inner loop.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
RDK_VENV := .venv-rdk
RDK_READY := $(RDK_VENV)/.ready
# rdk 1.0.0 needs a working Python 3.12 or newer; PYTHON_RDK names one where none of these is it.
PYTHON_RDK ?= $(shell for candidate in $(PYTHON) python3.14 python3.13 python3.12 "$$HOME"/.pyenv/versions/3.1[2-9]*/bin/python; do \
	"$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1 && { echo "$$candidate"; break; }; done)

PEERS_VENV := .venv-peers
PEERS_READY := $(PEERS_VENV)/.ready

NODE_MODULES := tests/node/node_modules
NODE_READY := $(NODE_MODULES)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup setup-rdk setup-node setup-browser demo check lint types unit test bench bench-peers generate build pack deploy deploy-stack clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

setup: $(READY) ## what everything else needs, in .venv; alb-sg lives there then

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "alb-sg needs Python 3.11 or newer; name one with PYTHON=…"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: $(READY) ## the main job on an embedded AWS
	@$(BIN)/python -m demo

check: lint types unit ## the quick inner loop: lint, types, tests without the slow ones

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(READY)
	$(BIN)/mypy

unit: $(READY)
	$(BIN)/pytest -q -n auto -m "not slow"

test: lint types setup-rdk setup-node ## everything
	ALB_SG_RDK="$(abspath $(RDK_VENV))/bin/rdk" $(BIN)/pytest -q -n auto

bench: $(READY) ## speed, memory and numbers of calls, to benchmarks/RESULTS.md; ONLY=judging,… for some
	$(BIN)/python -m benchmarks $(ONLY)

bench-peers: $(READY) $(PEERS_READY) ## Cloud Custodian and Prowler on the same account, to benchmarks/PEERS.md
	$(BIN)/python -m benchmarks.other_tools $(PEERS_VENV) benchmarks/PEERS.md

# An environment each: they pin different versions of boto3. Both need Python 3.10 or newer, Prowler one below 3.14.
$(PEERS_READY):
	@rm -rf $(PEERS_VENV)
	$(PYTHON) -m venv $(PEERS_VENV)/custodian
	$(PEERS_VENV)/custodian/bin/python -m pip install --quiet --disable-pip-version-check c7n==0.9.53
	$(PYTHON) -m venv $(PEERS_VENV)/prowler
	$(PEERS_VENV)/prowler/bin/python -m pip install --quiet --disable-pip-version-check prowler==5.46.0
	@touch $@

generate: $(READY) ## rewrite generated files
	$(BIN)/python -m alb_sg.deployment.generated_files .

build: $(READY) ## dist/alb-sg-<version>.zip and the layer, the same bytes for the same tree
	$(BIN)/python -m alb_sg.deployment build

pack: $(READY) ## the templates for an organization, in dist/ (docs/deployment.md)
	$(BIN)/python -m alb_sg.deployment pack

deploy: $(READY) setup-rdk ## one account with rdk
	ALB_SG_RDK="$(abspath $(RDK_VENV))/bin/rdk" $(BIN)/python -m alb_sg.deployment deploy

deploy-stack: $(READY) ## one account without rdk: one CloudFormation stack a region
	$(BIN)/python -m alb_sg.deployment deploy-stack

setup-rdk: $(RDK_READY) ## rdk 1.0.0 in an environment of its own

$(RDK_READY): pyproject.toml
	@test -n "$(PYTHON_RDK)" || { echo "rdk 1.0.0 needs Python 3.12 or newer; name one with PYTHON_RDK=…"; exit 1; }
	$(PYTHON_RDK) -m venv $(RDK_VENV)
	$(RDK_VENV)/bin/python -m pip install --quiet --disable-pip-version-check rdk==1.0.0 'moto[ec2,elbv2,sts,config]>=5.2' --editable .
	@touch $@

setup-node: ## what the tests ask of npm: schemas, linters, the accessibility checker
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory $(NODE_READY); \
	elif [ "$$CI" = true ]; then echo "npm is needed; install Node.js"; exit 1; \
	else echo "*** no npm: tests that need Node.js will be skipped ***"; fi

$(NODE_READY): tests/node/package.json tests/node/package-lock.json
	npm ci --prefix tests/node --no-audit --no-fund --loglevel=error
	@touch $@

setup-browser: ## Chromium for the page's tests, from the system's packages (as root)
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || \
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; }

clean: ## everything that was made
	rm -rf $(VENV) $(RDK_VENV) $(PEERS_VENV) $(NODE_MODULES) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
