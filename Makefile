# Everything a developer or a newcomer does. `make` alone lists the targets.
SHELL := /bin/sh
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev system demo test check lint types contracts spelling docs docs-check samples wheel lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

# -- set-up ----------------------------------------------------------------------------------------

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "reporter needs Python 3.11 or newer: install it, or call make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python cannot make virtual environments here: apt-get install python3-venv" >&2; exit 1; }

$(VENV)/.runtime: requirements.lock requirements-build.lock pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --require-hashes -r requirements-build.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock requirements-build.lock pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes -r requirements-dev.lock
	$(PIP) install --require-hashes -r requirements-build.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/.runtime

setup: system $(VENV)/.runtime ## make the virtual environment, with hash-locked dependencies

setup-dev: system $(VENV)/.dev

system:
	@.ci/system-packages pango || true

# -- using it --------------------------------------------------------------------------------------

demo: setup ## build the demo reports into demo-report/
	$(BIN)/reporter demo --out demo-report

samples: setup ## rebuild sample_reports/ from the bundled events
	rm -rf sample_reports/weekly
	$(BIN)/reporter demo --now 2026-11-23T08:00:00Z --out sample_reports/weekly --format html,pdf,json,md,csv

# -- checking it -----------------------------------------------------------------------------------

test: setup-dev ## run every test
	$(BIN)/python -m pytest -q

check: setup-dev lint types contracts spelling docs-check test ## everything a change must pass

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/validate-pyproject pyproject.toml

types: setup-dev
	$(BIN)/mypy

contracts: setup-dev
	$(BIN)/lint-imports
	$(BIN)/deptry .

spelling: setup-dev
	$(BIN)/codespell

docs: setup-dev ## write the generated documents
	$(BIN)/reporter schema > docs/report.schema.json.new && mv docs/report.schema.json.new docs/report.schema.json
	$(BIN)/python -m reporter.cli.reference > docs/cli.md.new && mv docs/cli.md.new docs/cli.md

docs-check: setup-dev
	@$(BIN)/reporter schema | cmp - docs/report.schema.json || { echo "docs/report.schema.json is stale: make docs" >&2; exit 1; }
	@$(BIN)/python -m reporter.cli.reference | cmp - docs/cli.md || { echo "docs/cli.md is stale: make docs" >&2; exit 1; }

# -- building it -----------------------------------------------------------------------------------

wheel: setup-dev ## build wheel and sdist into dist/
	$(BIN)/python -m build --no-isolation

lock: setup-dev ## resolve dependencies again, with hashes and without any index address
	$(BIN)/pip-compile --quiet --generate-hashes --strip-extras --no-emit-index-url --no-emit-find-links \
		--no-emit-trusted-host --no-header --no-annotate --upgrade -o requirements.lock pyproject.toml
	$(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-emit-index-url --no-emit-find-links \
		--no-emit-trusted-host --no-header --no-annotate --upgrade --group dev -o requirements-dev.lock pyproject.toml
	printf 'hatchling\neditables\n' | $(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe \
		--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header --no-annotate --upgrade \
		-o requirements-build.lock -

clean: ## remove what the other targets made
	rm -rf $(VENV) dist build demo-report .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
