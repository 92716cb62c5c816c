# `make demo` and `make test` do all of their own set-up; a second call finds it done.
# What the set-up is made of: Debian packages through apt, a virtual environment in .venv, dependencies by hash.

SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Four processes keep two cores busy: a third of a fault test's time is waiting for disks and for daemons' ends.
TEST_PROCESSES ?= 4
# Options of `make bench` and `make bench-full`: --axis NAME, --seed N, --processes N, --fresh, --keep, and --sample N.
BENCH ?=
# The same for how fast it is: --part NAME, --pages N, --repetitions N, --minutes N, --seed N, --fresh.
THROUGHPUT ?=
# Options of `make torture`: --row NAME, --minutes N, --seed N, --fresh.
TORTURE ?=

.PHONY: help demo test torture bench bench-full check lint types arrows format lock clean

help:
	@echo 'make demo    draw papers, scan them, and watch the daemon file them (two minutes)'
	@echo 'make test    everything that must be true: style, types, arrows, the whole suite with coverage'
	@echo 'make torture the long runs of the fault tests, 15 minutes a row at most; a second call goes on from there'
	@echo 'make bench   how fast it is, how well sheets are read: tables and pictures in build/bench (bench-full: hours)'
	@echo 'make check   style, types and arrows alone'
	@echo 'make format  put the code into its form'
	@echo 'make lock    write requirements.lock anew from pyproject.toml'
	@echo 'make clean   remove what these made'

demo: $(VENV)/.ready
	@$(BIN)/python -m tests.demo

# Compiled first, for hundreds of daemons and commands are started, and some environments keep Python from doing it
# itself; all but what pytest compiles in a way of its own.
test: $(VENV)/.ready .test-packages check
	@$(BIN)/python -m compileall -q -x '/test_[a-z_]*\.py$$' daemon tests
	$(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder --cov --cov-report=term:skip-covered
	$(BIN)/python -m tests.support.coverage_floors

torture: $(VENV)/.ready .test-packages
	@$(BIN)/python -m tests.faults.torture $(TORTURE)

check: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.ready .test-packages
	@$(BIN)/python -m tests.benchmarks.throughput $(THROUGHPUT)
	@$(BIN)/python -m tests.benchmarks.reading --sample 1000 $(BENCH)

bench-full: $(VENV)/.ready .test-packages
	@$(BIN)/python -m tests.benchmarks.throughput --full --pages 400 --repetitions 5 --minutes 10 $(THROUGHPUT)
	@$(BIN)/python -m tests.benchmarks.reading --full $(BENCH)

format: $(VENV)/.ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock:
	uv pip compile --generate-hashes --universal --python-version 3.11 --no-header --no-annotate --extra dev \
	  pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# The marker is written last, so that a set-up that broke off is done again.
$(VENV)/.ready: requirements.lock pyproject.toml .packages
	@PYTHON='$(PYTHON)' sh .packages run
	@echo 'Setting up $(VENV) …'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: .test-packages
.test-packages:
	@PYTHON='$(PYTHON)' sh .packages test
