# One command a habit. Uses .venv if it exists, else the python on the path;
# `make check PYTHON=python3.13` picks another.
PYTHON ?= $(or $(wildcard .venv/bin/python .venv/Scripts/python.exe),python)

.PHONY: check test docs pictures bench

check:  ## lint, format and types: seconds
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy

test:  ## tests, docstring examples and scripts: minutes
	$(PYTHON) -m pytest

docs:  ## the documentation, warnings as errors: docs/_build/html/index.html
	$(PYTHON) -m sphinx -W -b html docs docs/_build/html

PICTURES = mixed_table prediction_intervals which_columns out_of_fold

pictures:  ## the pictures of the gallery, drawn by the examples: a minute
	for name in $(PICTURES); do \
	  $(PYTHON) examples/$$name.py --plot docs/pictures/$$name.png || exit 1; \
	done

bench:  ## timings against scikit-learn, PyTorch and JAX: needs the extra "bench"
	$(PYTHON) -m tests.benchmarks
