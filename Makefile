# One command a habit. Uses .venv if it exists, else the python on the path;
# `make check PYTHON=python3.13` picks another.
PYTHON ?= $(or $(wildcard .venv/bin/python .venv/Scripts/python.exe),python)

.PHONY: check test docs site bench

check:  ## lint, format and types: seconds
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy

test:  ## tests, docstring examples and scripts, on all cores: minutes
	$(PYTHON) -m pytest -n auto --dist worksteal

docs:  ## the site, all examples run, warnings as errors: docs/_build/html/index.html
	$(PYTHON) -m sphinx -W --keep-going -b html docs docs/_build/html

site: docs  ## the site, its links, and what a browser sees: needs Chromium
	$(PYTHON) -m pytest tests/site

bench:  ## timings against scikit-learn, PyTorch and JAX: needs the extra "bench"
	$(PYTHON) -m tests.benchmarks
