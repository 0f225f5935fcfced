# The two commands a newcomer needs are `make run` and `make test`; `make` alone lists the rest.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help setup run test check lint browser web bench lock clean moved

help: ## List what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1|/' | \
		awk -F'|' '{ printf "make %-8s %s\n", $$1, $$2 }'

setup: $(STAMP) ## Install everything into .venv, where the lock file has changed
	@:

# The stamp holds the folder it was made in: the scripts of a virtual environment do not survive a move.
ifneq ($(shell cat $(STAMP) 2>/dev/null),$(CURDIR))
$(STAMP): moved
endif

$(STAMP): requirements.lock pyproject.toml src/grainline/federated/kernel.c
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Grainline needs Python 3.11 or later, and '$(PYTHON)' is $$($(PYTHON) --version 2>&1)."; \
		echo "Install one and name it: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; } >&2
	@if [ -e $(STAMP) ] && [ "$$(cat $(STAMP))" != '$(CURDIR)' ]; then rm -rf $(VENV); fi
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { \
		rm -rf $(VENV); \
		$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || { \
			rm -rf $(VENV); \
			$(PYTHON) -m venv --without-pip $(VENV) && $(PYTHON) -m pip --python $(VENV) install -q pip; } || { \
			rm -rf $(VENV); \
			echo "'$(PYTHON)' can make no virtual environment with pip in it."; \
			echo "On Debian and Ubuntu: apt-get install python3-venv"; exit 1; } >&2; }
	@echo "Installing the locked packages into $(VENV) (a minute or two the first time) …"
	@$(BIN)/python -m pip install -qq --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -qq --no-deps --no-build-isolation -e .
	@$(BIN)/python -m grainline.federated.kernel_build
	@printf '%s' '$(CURDIR)' > $(STAMP)

web: setup
	@$(BIN)/python web/build.py

run: setup web ## Bring the platform up on this machine; Ctrl-C takes it down
	@exec $(BIN)/grainline up

lint: setup
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python web/build.py --check

check: lint ## Check style, types, the layers of the rooms and the house rules
	@$(BIN)/pytest -q tests/architecture

browser: setup
	@$(BIN)/python tests/chromium.py

# Several files at a time: each process has a PostgreSQL of its own, and the tests of a file stay together.
test: setup lint web browser ## Run the checks and all tests
	@$(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist loadfile

bench: setup ## Run every benchmark and print its figures as JSON
	@set -e; for file in benchmarks/[a-z]*.py; do $(BIN)/grainline bench "$$(basename "$$file" .py)" --json; done

lock: ## Resolve the dependencies anew into requirements.lock
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && $(PYTHON) -m venv "$$folder" && \
		"$$folder/bin/python" -m pip install -qq uv && \
		"$$folder/bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
			--no-emit-index-url --no-annotate --group dev pyproject.toml -o requirements.lock \
			--custom-compile-command "make lock"

clean: ## Remove what can be made again (the data folder stays)
	rm -rf $(VENV) web/borrower/dist web/borrower/node_modules
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests benchmarks migrations -name __pycache__ -type d -prune -exec rm -rf {} +
