# Everything a contributor or a stranger needs. `make` alone lists it.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# In the plain locale Python does not start from a path with other letters than ASCII.
ifneq ($(filter C POSIX,$(LC_ALL)),)
export LC_ALL := C.UTF-8
endif

.PHONY: help install demo test soak lint bench bench-recall bench-size bench-backends docs completions clean
.DEFAULT_GOAL := help

help:  ## list these targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

install: $(STAMP)  ## make a virtual environment with everything needed

$(STAMP): pyproject.toml
	@echo "== installing into $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[all,testing]' --group dev
	@$(BIN)/python -m compileall -q agent_memory cli/agentmem_cli
	@touch $(STAMP)

demo: $(STAMP)  ## send all six kinds of memory in through the command line, and bring them back
	@PATH="$(abspath $(BIN)):$$PATH" sh examples/demo.sh

test: $(STAMP) lint  ## run every check and test, real servers included (about ten minutes)
	@echo "== tests"
	@# Three processes on two cores: the tests of servers wait for them.
	@$(BIN)/python -m pytest -m "not soak" -n 3

soak: $(STAMP)  ## run the long loops: crowds, kills, walks and hostile runs (AGENTMEM_WALK_SECONDS, AGENTMEM_HOSTILE_SECONDS)
	@$(BIN)/python -m pytest -m soak -s --timeout 3600

lint: $(STAMP)  ## check style, types and the direction of imports
	@echo "== ruff, mypy, import contracts"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

bench: $(STAMP)  ## measure speed as ratios within one run; writes benchmarks/results/
	@$(BIN)/python -m benchmarks

bench-recall: $(STAMP)  ## measure how well memories are found: make bench-recall DATA="FILE ..."
	@$(BIN)/python -m benchmarks.recall $(DATA)

bench-size: $(STAMP)  ## measure search among up to a million memories: make bench-size DATA="FILE ..."
	@$(BIN)/python -m benchmarks.size $(DATA)

bench-backends: $(STAMP)  ## measure each backend beside its raw client, on real servers
	@$(BIN)/python -W ignore -m benchmarks.backends

docs: $(STAMP)  ## write the command reference and the pictures in docs/ anew
	@$(BIN)/python -m docs.build

completions: $(STAMP)  ## write the shell completions in completions/ anew
	@$(BIN)/python -m docs.build completions

clean:  ## take away what can be made again
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
