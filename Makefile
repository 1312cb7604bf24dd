# Everything a newcomer or a developer does. `make` alone lists the targets.
SHELL := /bin/sh
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
# A user's own settings of pip (a mirror, certificates) stay; only what would break a virtual environment goes.
PIP := PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0 PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip -qq
LOCK := $(BIN)/python -m piptools compile --quiet --generate-hashes --no-strip-extras --allow-unsafe --upgrade \
	--no-emit-options --no-header --no-annotate

.PHONY: help setup dev system demo samples test check lint types contracts spelling docs docs-check pictures golden \
	bench fuzz audit sbom wheel lock clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1 /p' Makefile | while read -r name text; do printf '  %-12s %s\n' "$$name" "$$text"; done

# -- set-up: each step leaves a stamp, so that a second call has nothing to do ----------------------

# PYTHON=/path/to/python3 chooses the interpreter.
$(BIN)/python:
	@.ci/system-packages python || true
	@python=$$(.ci/find-python) && "$$python" -m venv $(VENV)

$(VENV)/.runtime: requirements.lock requirements-build.lock pyproject.toml | $(BIN)/python
	@echo "installing what reporter needs into $(VENV)"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --require-hashes -r requirements-build.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@# As pip does with what it copies.
	@$(BIN)/python -m compileall -q reporter
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@echo "installing what its tests need into $(VENV)"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

system: $(VENV)/.runtime
	@.ci/system-packages pango $(BIN)/python || true

setup: $(VENV)/.runtime system ## make the virtual environment, with hash-locked dependencies

dev: $(VENV)/.dev system

# -- using it --------------------------------------------------------------------------------------

demo: setup ## report on bundled events, into demo-report/: no key, no network
	@$(BIN)/reporter demo --out demo-report

samples: setup ## make sample_reports/ again from the bundled events
	rm -rf sample_reports/weekly sample_reports/quiet sample_reports/incident sample_reports/ci-failing sample_reports/ci-passing
	$(BIN)/python sample_reports/make.py

# -- checking it -----------------------------------------------------------------------------------

check: COVERAGE = --cov --cov-report=term
check: lint types contracts spelling docs-check test ## everything a change must pass, coverage included

test: dev ## run every test
	$(BIN)/python -m pytest -n $(or $(WORKERS),4) --dist worksteal $(COVERAGE)

lint: dev ## style and packaging data
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/validate-pyproject pyproject.toml

types: dev ## mypy, strict
	$(BIN)/mypy

contracts: dev ## who may import whom, and whether what is declared is used
	$(BIN)/lint-imports --no-logo
	$(BIN)/deptry .

spelling: dev
	$(BIN)/codespell

docs: dev ## write the generated documents
	$(BIN)/reporter schema > docs/report.schema.json.new
	mv docs/report.schema.json.new docs/report.schema.json
	$(BIN)/python -m reporter.cli.reference > docs/cli.md.new
	mv docs/cli.md.new docs/cli.md
	$(BIN)/python -m reporter.render.reference > docs/templates.md.new
	mv docs/templates.md.new docs/templates.md

	$(BIN)/python docs/licences.py > docs/licences.md.new
	mv docs/licences.md.new docs/licences.md

docs-check: dev
	@$(BIN)/python docs/licences.py | cmp - docs/licences.md || { echo "docs/licences.md is stale: make docs" >&2; exit 1; }
	@$(BIN)/reporter schema | cmp - docs/report.schema.json || { echo "docs/report.schema.json is stale: make docs" >&2; exit 1; }
	@$(BIN)/python -m reporter.cli.reference | cmp - docs/cli.md || { echo "docs/cli.md is stale: make docs" >&2; exit 1; }
	@$(BIN)/python -m reporter.render.reference | cmp - docs/templates.md || { echo "docs/templates.md is stale: make docs" >&2; exit 1; }

pictures: dev ## take the README's pictures from the samples
	$(BIN)/python docs/pictures.py

golden: dev ## accept today's output as the reviewed one (a commit of its own)
	$(BIN)/python -m pytest -q tests/golden --update-golden

bench: dev ## measure, as ratios taken in one run
	$(BIN)/python benchmarks/run.py

fuzz: dev ## look for inputs that break what reads untrusted bytes: SECONDS=60 for each target
	$(BIN)/python -m tests.fuzz.run $(or $(SECONDS),60)

audit: dev ## known weaknesses of what is locked, where the index tells
	$(BIN)/pip-audit --requirement requirements.lock --require-hashes --disable-pip --progress-spinner off

sbom: dev ## what an installation consists of, with licences (CycloneDX), into dist/
	rm -rf build/sbom && $(BIN)/python -m venv build/sbom
	build/sbom/bin/python -m pip -qq install --require-hashes -r requirements.lock
	.ci/sbom build/sbom/bin/python dist/sbom.cdx.json

# -- building it -----------------------------------------------------------------------------------

wheel: dev ## build wheel and sdist into dist/
	rm -rf dist
	$(BIN)/python -m build --no-isolation

# On the oldest Python supported: what it resolves to also installs on the newer ones.
lock: dev ## resolve dependencies again: hashes, no index, no path
	$(LOCK) -o requirements.lock pyproject.toml
	$(BIN)/python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['dependency-groups']['dev'], sep='\n')" \
		| $(LOCK) -o requirements-dev.lock pyproject.toml -
	printf 'hatchling\neditables\n' | $(LOCK) -o requirements-build.lock -

clean: ## remove what the other targets made, but not the virtual environment
	rm -rf dist build demo-report .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -exec rm -rf {} +
