# Two commands are enough on a fresh machine: `make run` and `make test`.
# uv is taken from the machine if it is there, else it is put into the project's own environment.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: run test check install transcripts browser-test faults faults-short lock format bench worst-day clean

run: install
	@$(BIN)/limani demo

test: install
	@$(BIN)/python -m pytest -q

check: install
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/limani flows check

install: $(STAMP)

# uv is quicker; where it cannot be had, plain pip reads the same locked file. The machine's own
# certificates are trusted, because networks with a proxy of their own are common in town halls.
$(STAMP): requirements/dev.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@command -v uv >/dev/null 2>&1 || test -x $(BIN)/uv \
	  || $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@export VIRTUAL_ENV=$(CURDIR)/$(VENV) UV_SYSTEM_CERTS=1 UV_NATIVE_TLS=1; \
	  UV=$$(test -x $(BIN)/uv && echo $(BIN)/uv || command -v uv); \
	  $$UV pip install -q --require-hashes -r requirements/dev.txt \
	  || $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@touch $(STAMP)

transcripts: install
	@$(BIN)/python -m pytest -q tests/transcripts

browser-test: install
	@$(BIN)/python -m pytest -q tests/browser

# Peers, plots and all: under fifteen minutes on two cores once Rasa has its own environment (under var/bench).
bench: install
	@$(BIN)/python -m bench

# Everything that goes wrong, and an oracle that counts what was lost (docs/faults.md). The long one takes an
# hour on two cores, the short one three minutes.
faults: install
	@$(BIN)/python -m tests.faults

faults-short: install
	@$(BIN)/python -m tests.faults --short

# A heat wave, ten million inhabitants, 332 municipalities: see docs/worst-day.md. About six minutes on two cores.
worst-day: install
	@$(BIN)/python -m bench.day

format: install
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

lock:
	@UV=$$(test -x $(BIN)/uv && echo $(BIN)/uv || command -v uv); \
	  for name in uv runtime dev; do $$UV pip compile -q --universal --python-version 3.11 --generate-hashes \
	    --no-header --no-emit-index-url --no-emit-find-links requirements/$$name.in -o requirements/$$name.txt; done

clean:
	@rm -rf $(VENV) var .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
