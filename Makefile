# Everything a newcomer needs. Python 3.11 or newer and make; the rest is brought into .venv and the user's cache.
#   make demo     the whole desk on this machine        make test     every test
# `make help` lists the rest.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo demo-reset test torture bench lint format install check-browser weights clean

VENV := .venv
BIN := $(VENV)/bin
# two processes, each with servers of its own; a file stays in one. Alone: make test PARALLEL=0
PARALLEL ?= 2
PYTEST := $(BIN)/python -m pytest -n $(PARALLEL) --dist loadfile

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
export PYTHONUNBUFFERED := 1

# The first Python here that is new enough and can make a virtual environment. Override: make demo PYTHON=/path/to/python
CANDIDATES := python3 python3.14 python3.13 python3.12 python3.11 python
PROBE := import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for name in $(CANDIDATES); do $$name -c '$(PROBE)' >/dev/null 2>&1 && echo $$name && break; done)

, := ,
# $(call slow,words,command): one line that grows a dot every few seconds, so that nobody wonders whether it hangs
define slow
@printf '%s ' "$(1)"; (while sleep 3; do printf .; done) & dots=$$!; \
trap 'kill $$dots 2>/dev/null' EXIT; trap 'exit 130' INT TERM; $(2) && echo ' done'
endef

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## */  make \1\t/' | expand -t 22

demo: $(VENV)/.installed weights-if-possible  ## the example app with everything it needs; PORT=5050 unless you say otherwise
	@$(BIN)/python -m example_app.demo

demo-reset: $(VENV)/.installed weights-if-possible  ## the same, from an empty database
	@$(BIN)/python -m example_app.demo --reset

test: $(VENV)/.tests weights check-browser  ## every test; of the long lists of faults, a sample
	@$(PYTEST) $(ARGS)

torture: $(VENV)/.tests weights check-browser  ## every kill, cut, race and payload, not a sample of them (long)
	@CAIRNLOOP_TORTURE=full $(PYTEST) $(ARGS)

bench: $(VENV)/.tests weights  ## the table of numbers: how fast, how many, compared with what
	@$(BIN)/python -m tests.benchmarks $(ARGS)

lint: $(VENV)/.lint  ## style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.lint  ## bring the code into the one style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

install: $(VENV)/.tests $(VENV)/.lint  ## everything for working on the code
	@echo "Ready: $(BIN)/python"

check-browser: $(VENV)/.tests
	@$(BIN)/python -m tests.support.chromium

weights: $(VENV)/.installed
	@$(BIN)/python -m flask_cairnloop.minilm install

.PHONY: weights-if-possible
weights-if-possible: $(VENV)/.installed
	@$(BIN)/python -m flask_cairnloop.minilm install || echo "Going on without it: search then goes by words alone."

clean:  ## remove what was installed, built and demonstrated here
	@[ ! -x $(BIN)/python ] || $(BIN)/python -m flask_cairnloop.embedded --erase --data .demo/servers
	rm -rf $(VENV) .demo build dist node_modules static/cairnloop/vendor test-results \
	  .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# an environment whose Python is gone is made anew
ifneq ($(wildcard $(VENV)/.made),)
  BROKEN := $(shell $(BIN)/python -c '' 2>/dev/null || { rm -rf $(VENV); echo yes; })
endif

$(VENV)/.made:
	@if [ -z "$(PYTHON)" ]; then \
	  echo "No Python 3.11 or newer that can make virtual environments was found (tried: $(CANDIDATES))." >&2; \
	  echo "On Debian or Ubuntu: apt-get install python3 python3-venv. Or name one: make demo PYTHON=/path/to/python" >&2; \
	  exit 1; \
	fi
	$(call slow,Creating $(VENV) with $(if $(PYTHON),$(shell $(PYTHON) --version 2>&1)),$(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install -qq --upgrade 'pip>=25.1' && touch $@)

$(VENV)/.installed: $(VENV)/.made pyproject.toml hatch_build.py package-lock.json
	$(call slow,Installing Flask-Cairnloop and its embedded servers,$(BIN)/python -m pip install -qq -e '.[embedded$(,)serve]' && touch $@)

$(VENV)/.tests: $(VENV)/.installed
	$(call slow,Installing what the tests need,$(BIN)/python -m pip install -qq --group test && touch $@)

$(VENV)/.lint: $(VENV)/.installed
	$(call slow,Installing ruff and mypy and import-linter,$(BIN)/python -m pip install -qq --group lint && touch $@)

