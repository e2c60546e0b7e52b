# One entry for everything; `make` alone lists the targets.

VENV ?= .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for each in python3 python3.13 python3.12 python3.11 python3.14; do \
	if $$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$each; break; fi; done)
PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
FLIGHTS := data/flights.csv
PEERS := .venv-peers
SPRING := benchmarks/peers/spring/target/spring-peer.jar
# A long proof takes as long as it takes.
PROOF := pytest -o faulthandler_timeout=0

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check format format-check lint types imports tests faults kills races stops outages combinations chaos \
	bench generate clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.installed $(FLIGHTS) ## load 336,776 real flights into SQLite, and say what to try next
	@$(BIN)/python demo/load_flights.py $(FLIGHTS)

test: check ## all that CI runs: the same as `make check`

check: format-check lint types imports tests ## format, lint, types, imports, and all tests with their coverage

format: $(VENV)/.installed-dev ## format the code and mend what the linter can mend
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

format-check: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .

types: $(VENV)/.installed-dev
	$(BIN)/mypy

imports: $(VENV)/.installed-dev
	$(BIN)/lint-imports

tests: $(VENV)/.installed-dev
	$(BIN)/pytest --numprocesses auto --cov

faults: $(VENV)/.installed-dev ## the long proof: kill -9 at 50 random moments of a load, for each kind of target
	BATCHRUN_KILLS=50 BATCHRUN_KILL_ROWS=600000 $(BIN)/$(PROOF) tests/faults/test_kill.py

kills: $(VENV)/.installed-dev ## the long proof: kill -9 in each state of a flow in turn, and before each commit
	BATCHRUN_KILL_PLACES=all $(BIN)/$(PROOF) --numprocesses auto tests/faults/test_kill_states.py

races: $(VENV)/.installed-dev ## the long proof: 20 launches of one instance at the same moment, 50 times
	BATCHRUN_RACES=50 $(BIN)/$(PROOF) tests/faults/test_races.py

combinations: $(VENV)/.installed-dev ## the long proof: all failures of 6 items in chunks of each size
	BATCHRUN_COMBINATIONS=all $(BIN)/$(PROOF) tests/property/test_faults.py

outages: $(VENV)/.installed-dev ## the long proof: servers restarted and networks cut in the middle of a load
	BATCHRUN_OUTAGES=all $(BIN)/$(PROOF) tests/faults/test_outages.py

stops: $(VENV)/.installed-dev ## the long proof: stopped in each kind of state, in each way
	BATCHRUN_STOPS=all $(BIN)/$(PROOF) tests/faults/test_stops.py

chaos: $(VENV)/.installed-dev ## the long proof: killed at every commit, and suspended, on all targets and repositories
	BATCHRUN_CHAOS=all $(BIN)/$(PROOF) tests/faults/test_chaos.py

bench: $(VENV)/.installed-bench $(PEERS)/.installed $(SPRING) ## measure batchrun and its peers: ONLY=contest SCALE=1 ROUNDS=3
	$(BIN)/python -m benchmarks $(ONLY) $(if $(SCALE),--scale $(SCALE)) $(if $(ROUNDS),--rounds $(ROUNDS))

generate: $(VENV)/.installed-dev ## write schemas/ and docs/components.md anew, after a component's options have changed
	$(BIN)/batchrun schema --output-dir schemas
	$(BIN)/python docs/generate.py

clean: ## remove what all of these made: .venv, data, the demo's repository, caches
	rm -rf $(VENV) $(PEERS) data .batchrun build dist htmlcov .coverage .coverage.* \
		.mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(FLIGHTS): | $(VENV)/.installed
	@$(BIN)/python demo/fetch_flights.py $@

$(VENV)/pyvenv.cfg:
	@test -n "$(PYTHON)" || { echo "this needs Python 3.11 or newer: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/pyvenv.cfg
	$(PIP_INSTALL) --editable .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(VENV)/pyvenv.cfg
	$(PIP_INSTALL) --editable '.[dev]'
	@touch $(VENV)/.installed $@

$(VENV)/.installed-bench: pyproject.toml constraints.txt | $(VENV)/pyvenv.cfg
	$(PIP_INSTALL) --editable '.[bench]'
	@touch $(VENV)/.installed $(VENV)/.installed-dev $@

$(PEERS)/.installed: benchmarks/requirements.txt
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

$(SPRING): benchmarks/peers/spring/pom.xml $(shell find benchmarks/peers/spring/src -type f 2>/dev/null)
	@if command -v mvn >/dev/null; then cd benchmarks/peers/spring && mvn --quiet --batch-mode -DskipTests package; \
		else echo "Spring Batch is left out: that needs Maven (mvn)"; fi
