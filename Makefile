# `make test` checks everything that needs no GPU; `make demo` shows losslint at work. Both set up .venv themselves.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LINT := losslint tests scripts $(wildcard benchmarks)

.PHONY: demo test lint fast tf slow clean

demo: $(VENV)/.demo
	$(BIN)/losslint check --exit-zero examples
	$(BIN)/losslint check --exit-zero --output-format concise fixtures/unsound
	$(BIN)/losslint check fixtures/sound
	$(BIN)/losslint facts examples/train_vae.py::vae_loss
	$(BIN)/losslint check --confirm --exit-zero examples
	$(BIN)/losslint check --confirm --exit-zero --output-format concise fixtures/unsound

test: lint fast tf

lint: $(VENV)/.test
	$(BIN)/ruff check $(LINT)
	$(BIN)/ruff format --check $(LINT)
	$(BIN)/mypy

fast: $(VENV)/.test
	$(BIN)/pytest

tf: $(VENV)/.test
	TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/pytest -m 'tf and not gpu and not slow' || test $$? -eq 5  # 5: no such test

slow: $(VENV)/.test
	TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/pytest -m 'slow and not gpu'

# The stamps make the set-up run once, and again when what it installs has changed.
$(VENV)/.demo: Makefile pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[tf]' --constraint constraints.txt
	touch $@

$(VENV)/.test: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev,tf]' --constraint constraints.txt
	touch $@ $(VENV)/.demo

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
