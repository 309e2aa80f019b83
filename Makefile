# The menu of this repository: `make help`. Every target installs by itself what it lacks.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
BIN := .venv/bin
PYTEST := $(BIN)/pytest
WORKERS := 2

define LINT
@$(BIN)/ruff check --quiet .
@$(BIN)/ruff format --check --quiet .
@$(BIN)/mypy
@$(BIN)/lint-imports --no-logo
endef

.PHONY: help setup setup-test demo test test-unit lint format lock bench docs clean

help: ## this menu
	@echo 'usage: make TARGET'
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## .venv from the hashed lock, handstamp in it, a browser; quick when nothing changed
	@scripts/bootstrap setup

setup-test:
	@scripts/bootstrap test

demo: setup ## see it: log in once, come back from a fresh process and a fresh browser
	@$(BIN)/handstamp demo

test: setup-test ## everything that CI checks: lint, then the whole test suite
	$(LINT)
	@$(PYTEST) -n $(WORKERS) --dist worksteal

test-unit: setup ## the quick tests only (seconds); one file: .venv/bin/pytest tests/unit/test_x.py
	@$(PYTEST) -n $(WORKERS) tests/unit

lint: setup ## ruff, mypy, the layers of imports
	$(LINT)

format: setup ## let ruff format and mend what it can
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format .

lock: ## write requirements/*.txt anew from pyproject.toml; UPGRADE=1 takes newer versions
	@scripts/bootstrap lock $(if $(UPGRADE),--upgrade)

bench: setup ## run every benchmark beside its peer (minutes), and write docs/benchmarks.md
	@$(BIN)/python scripts/benchmarks.py

docs: setup ## write the index of docs/ anew
	@$(BIN)/python scripts/docs.py

clean: ## remove everything that make made, .venv included
	rm -rf .venv .tools build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find src tests scripts benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
