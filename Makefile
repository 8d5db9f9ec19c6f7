# Everything a contributor or a stranger needs. `make` alone lists it.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# In the plain locale Python does not start from a path with other letters than ASCII.
ifneq ($(filter C POSIX,$(LC_ALL)),)
export LC_ALL := C.UTF-8
endif

.PHONY: help install demo check quick format test coverage matrix soak agents lint bench bench-recall bench-size bench-backends \
	docs site completions lock clean
.DEFAULT_GOAL := help

help:  ## list these targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

install: $(STAMP)  ## make a virtual environment with everything needed

$(STAMP): pyproject.toml
	@echo "== installing into $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[all,testing]' --group dev
	@$(BIN)/python -m compileall -q agent_memory cli/agentmem_cli cli/agentmem_mcp
	@touch $(STAMP)

demo: $(STAMP)  ## send all six kinds of memory in through the command line, and bring them back
	@PATH="$(abspath $(BIN)):$$PATH" sh examples/demo.sh

check: $(STAMP)  ## run every check and the quick tests, without servers (about a minute)
	@# Side by side: mypy keeps one core busy and leaves the other idle.
	@$(MAKE) --no-print-directory --jobs 2 lint quick

quick: $(STAMP)
	@echo "== quick tests"
	@$(BIN)/python -m pytest -m "not soak and not server and not slow" -n 2 --dist worksteal

format: $(STAMP)  ## bring the code into its form, and repair what can be repaired
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

test: $(STAMP) lint  ## run every check and test, real servers included (about ten minutes)
	@echo "== tests"
	@# Four processes on two cores: the tests of servers wait for them.
	@$(BIN)/python -m pytest -m "not soak" -n 4 --dist worksteal

coverage: $(STAMP)  ## run the tests without servers, and list the lines that none of them reaches
	@$(BIN)/python -m pytest -m "not soak and not server" -n 2 --cov --cov-report=term-missing:skip-covered

matrix: $(STAMP)  ## run the tests on each supported Python, and with the lowest versions of the dependencies
	@BIN="$(BIN)" sh .ci/matrix

soak: $(STAMP)  ## run the long loops: crowds, kills, walks and hostile runs (AGENTMEM_WALK_SECONDS, AGENTMEM_HOSTILE_SECONDS)
	@$(BIN)/python -m pytest -m soak -s --timeout 3600

agents: $(STAMP)  ## run five real coding agents, offline once npm has put them into build/agents or AGENTMEM_AGENTS_PROGRAMS
	@$(BIN)/python -m pytest tests/agents -m agents -n 2 --timeout 600

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

docs: $(STAMP)  ## write what in docs/ comes from the program, and build the site in build/site
	@$(BIN)/python -m docs.build
	@$(MAKE) --no-print-directory site

site: $(STAMP)  ## build the site in build/site; a dead link is an error, and nothing is fetched
	@$(BIN)/zensical build --strict --config-file mkdocs.yml

completions: $(STAMP)  ## write the shell completions in completions/ anew
	@$(BIN)/python -m docs.build completions

lock: $(STAMP)  ## write requirements-dev.lock anew: the versions that everything here was tested with
	@$(BIN)/python -c "import tomllib; \
		group = tomllib.load(open('pyproject.toml', 'rb'))['dependency-groups']['dev']; \
		print(*(line for line in group if not line.startswith('agent-memory')), sep='\n')" \
	| $(BIN)/uv pip compile pyproject.toml - --all-extras --universal --python-version 3.11 --quiet --no-annotate \
		--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
		--output-file requirements-dev.lock >/dev/null

clean:  ## take away what can be made again
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
