# make demo: the main job on an embedded AWS.   make test: everything.   make check: the quick inner loop.

# The first Python 3.$(1) or newer that can make environments.
first-python = $(shell for candidate in python3 python3.14 python3.13 python3.12 python3.11 "$$HOME"/.pyenv/versions/3.1[1-9]*/bin/python; do \
	"$$candidate" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, $(1)))' >/dev/null 2>&1 && { echo "$$candidate"; break; }; done)
PYTHON ?= $(call first-python,11)
# rdk 1.0.0 needs Python 3.12 or newer.
PYTHON_RDK ?= $(call first-python,12)

VENV := .venv
BIN := $(VENV)/bin
RDK_VENV := .venv-rdk
PEERS_VENV := .venv-peers
SCANNERS_VENV := .venv-scanners
LOCK_VENV := .venv-lock
# One environment grows: what the demo needs, or what deploying needs, or all that development needs.
DEMO_READY := $(VENV)/.ready-demo
DEPLOY_READY := $(VENV)/.ready-deploy
DEV_READY := $(VENV)/.ready-dev
RDK_READY := $(RDK_VENV)/.ready
PEERS_READY := $(PEERS_VENV)/custodian/.ready $(PEERS_VENV)/prowler/.ready
SCANNERS_READY := $(SCANNERS_VENV)/.ready
LOCK_READY := $(LOCK_VENV)/.ready

NODE_MODULES := tests/node/node_modules
NODE_READY := $(NODE_MODULES)/.ready

# The environment $(1), made by the Python $(2), 3.$(3) or newer, where it is not there or its Python is gone.
environment = @$(1)/bin/python -m pip --version >/dev/null 2>&1 || { \
	"$(2)" -c 'import sys; sys.exit(sys.version_info < (3, $(3)))' 2>/dev/null \
		|| { echo "$(1) needs Python 3.$(3) or newer with venv (Debian: python3-venv); name one with $(4)=…" >&2; exit 1; }; \
	"$(2)" -m venv --clear $(1); }
# What requirements/$(2).txt locks: those versions, and no file whose hash is not there.
install = $(1)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/$(2).txt
# alb-sg itself, as it stands here, built with the setuptools that was just installed.
install-alb-sg = $(1)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .

# Modules are compiled once, whatever the environment says: tests are hundreds of them, and start hundreds of programs.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup setup-rdk setup-scanners setup-node setup-browser demo check lint types unit test compatibility audit bench bench-peers generate faults concurrency fuzz mutate soak wheel build pack release deploy deploy-stack lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

setup: $(DEV_READY) ## what everything else needs, in .venv; alb-sg lives there then

$(VENV)/.ready-%: requirements/%.txt pyproject.toml
	$(call environment,$(VENV),$(PYTHON),11,PYTHON)
	$(call install,$(VENV),$*)
	$(call install-alb-sg,$(VENV))
	@touch $@ $(if $(filter dev,$*),$(DEMO_READY) $(DEPLOY_READY))

demo: $(DEMO_READY) ## the main job on an embedded AWS
	@$(BIN)/python -m demo

check: lint types unit ## the quick inner loop: lint, types, tests without the slow ones

lint: $(DEV_READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(DEV_READY)
	$(BIN)/mypy --num-workers auto

unit: $(DEV_READY)
	$(BIN)/pytest -q -n auto --dist worksteal -m "not slow"

test: lint types setup-rdk setup-scanners setup-node ## everything
	ALB_SG_RDK="$(abspath $(RDK_VENV))/bin/rdk" ALB_SG_SCANNERS="$(abspath $(SCANNERS_VENV))/bin" \
		$(BIN)/pytest -q -n auto --dist worksteal
	$(BIN)/python -m tests.compatibility .venv-compatibility --this-python

compatibility: $(DEV_READY) ## the rules' own tests on every Python here, with the oldest boto3 and the newest
	$(BIN)/python -m tests.compatibility .venv-compatibility

# pip-audit asks PyPI, and fails where it gets no answer.
audit: $(SCANNERS_READY) ## known vulnerabilities of every locked version; needs PyPI itself, a mirror does not do
	$(SCANNERS_VENV)/bin/pip-audit --strict --disable-pip $(foreach file,$(wildcard requirements/*.txt),--requirement $(file))

bench: $(DEV_READY) ## speed, memory and numbers of calls, to benchmarks/RESULTS.md; ONLY=judging,… for some
	$(BIN)/python -m benchmarks $(ONLY)

bench-peers: $(DEV_READY) $(PEERS_READY) ## Cloud Custodian and Prowler on the same account, to benchmarks/PEERS.md
	$(BIN)/python -m benchmarks.other_tools $(PEERS_VENV) benchmarks/PEERS.md

# An environment each: they pin different versions of boto3. Prowler needs a Python below 3.14.
$(PEERS_READY): $(PEERS_VENV)/%/.ready: requirements/%.txt
	$(call environment,$(@D),$(PYTHON),11,PYTHON)
	$(call install,$(@D),$*)
	@touch $@

faults: $(DEV_READY) ## RUNS=2000 random runs with a fault of AWS each, from SEED=1 (docs/TRUST.md)
	$(BIN)/python -W ignore -m tests.faults $(or $(RUNS),2000) $(or $(SEED),1)

concurrency: $(DEV_READY) ## RUNS=500 meetings of fixes, undos and a person at one load balancer, from SEED=1
	$(BIN)/python -W ignore -m tests.concurrency $(or $(RUNS),500) $(or $(SEED),1)

fuzz: $(DEV_READY) ## each parser and printer for SECONDS=600; `pip install atheris` for coverage-guided inputs
	$(BIN)/python -m tests.fuzzing $(or $(SECONDS),600)

mutate: $(DEV_READY) ## MUTANTS=200 changes to verdicts, plans and handlers that tests must notice; ROOM=alb_sg/permissions for one
	$(BIN)/python -m tests.mutation --mutants $(or $(MUTANTS),200) --seed $(or $(SEED),1) $(if $(QUICK),--quick) $(ROOM)

soak: $(DEV_READY) ## EVENTS=10000 through the handlers in one process: memory stays flat
	$(BIN)/python -W ignore -m tests.soak $(or $(EVENTS),10000) $(or $(SEED),1)

generate: $(DEV_READY) ## rewrite generated files
	$(BIN)/python -m alb_sg.deployment.generated_files .

wheel: $(DEPLOY_READY) ## the command as a wheel in dist/, for pipx or pip
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

build: $(DEPLOY_READY) ## dist/alb-sg-<version>.zip and the layer, the same bytes for the same tree
	$(BIN)/python -m alb_sg.deployment build

pack: $(DEPLOY_READY) ## the templates for an organization, in dist/ (docs/deployment.md)
	$(BIN)/python -m alb_sg.deployment pack

release: $(DEPLOY_READY) ## dist/<version>: zip, layer, wheel, templates, Terraform modules, SBOM, checksums
	$(BIN)/python -m alb_sg.deployment release

deploy: $(DEPLOY_READY) setup-rdk ## one account with rdk
	ALB_SG_RDK="$(abspath $(RDK_VENV))/bin/rdk" $(BIN)/python -m alb_sg.deployment deploy

deploy-stack: $(DEPLOY_READY) ## one account without rdk: one CloudFormation stack a region
	$(BIN)/python -m alb_sg.deployment deploy-stack

setup-rdk: $(RDK_READY) ## rdk 1.0.0 in an environment of its own

$(RDK_READY): requirements/rdk.txt pyproject.toml
	$(call environment,$(RDK_VENV),$(PYTHON_RDK),12,PYTHON_RDK)
	$(call install,$(RDK_VENV),rdk)
	$(call install-alb-sg,$(RDK_VENV))
	@touch $@

setup-scanners: $(SCANNERS_READY) ## bandit, checkov, parliament and pip-audit in an environment of their own

# Their own, because checkov pins an old boto3.
$(SCANNERS_READY): requirements/scanners.txt
	$(call environment,$(SCANNERS_VENV),$(PYTHON),11,PYTHON)
	$(call install,$(SCANNERS_VENV),scanners)
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

# For every Python from 3.11 on and for every platform. A version that pyproject.toml still allows stays, unless UPGRADE=1;
# all of alb-sg's environments have the same ones.
lock: $(LOCK_READY) ## requirements/ anew from pyproject.toml; UPGRADE=1 for newer versions
	$(call lock,dev,pyproject.toml --extra dev --group build)
	$(call lock,demo,pyproject.toml --extra demo --group build --constraint requirements/dev.txt)
	$(call lock,deploy,pyproject.toml --extra deploy --group build --constraint requirements/dev.txt)
	$(call lock,rdk,pyproject.toml --extra demo --group build --group rdk --constraint requirements/dev.txt,12)
	$(call lock,oldest,pyproject.toml --extra demo --group build --group oldest --resolution lowest-direct)
	$(call lock,scanners,--group scanners)
	$(call lock,custodian,--group custodian)
	$(call lock,prowler,--group prowler)
	$(call lock,lock,--group lock)

lock = $(LOCK_VENV)/bin/uv pip compile --quiet --universal --python-version 3.$(or $(3),11) --generate-hashes \
	--custom-compile-command 'make lock' $(if $(UPGRADE),--upgrade) --output-file requirements/$(1).txt $(2)

$(LOCK_READY): requirements/lock.txt
	$(call environment,$(LOCK_VENV),$(PYTHON),11,PYTHON)
	$(call install,$(LOCK_VENV),lock)
	@touch $@

clean: ## everything that was made
	rm -rf $(VENV) $(RDK_VENV) $(PEERS_VENV) $(SCANNERS_VENV) $(LOCK_VENV) .venv-compatibility $(NODE_MODULES) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
