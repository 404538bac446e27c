# `make run` and `make test` need Python 3.11 to 3.14, a POSIX shell and make; nothing else.
.POSIX:

PYTHON = python3
VENV = .venv
BIN = $(VENV)/bin
# How long the logs are that `make bench` compares, in events.
SIZES = 10000 1000000

.PHONY: install run test check docs bench clean

install: $(VENV)/.dev-installed

# The empty marks are made last, so an interrupted installation is done again.
$(VENV)/.installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 14) else "Rollbook needs Python 3.11 to 3.14; $(PYTHON) is " + sys.version.split()[0] + ". Choose another: make PYTHON=/path/to/python3.12")'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary :all: -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/.dev-installed: $(VENV)/.installed requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary :all: -r requirements-dev.txt
	@touch $@

run: $(VENV)/.installed
	@exec $(BIN)/rollbook run

test: $(VENV)/.dev-installed
	$(BIN)/python -m pytest -n auto --maxprocesses 4

check: $(VENV)/.dev-installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

# The parts of docs/ that tests write: who may call what, and every problem.
docs: $(VENV)/.dev-installed
	$(BIN)/python -m pytest -q --write-docs tests/api/test_access.py tests/api/test_problems.py

bench: $(VENV)/.dev-installed
	$(BIN)/python -m benchmarks --sizes $(SIZES)

clean:
	rm -rf $(VENV) build *.egg-info .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
