# `make test` checks everything that needs no GPU; `make demo` shows losslint at work. Both set up .venv themselves.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LINT := losslint tests scripts $(wildcard benchmarks)

# of `make fuzz`: the same numbers give the same programs and texts
SEED ?= 1
COUNT ?= 1000
RUNS ?= 20000

# of `make coverage`: how many tests at a time
JOBS ?= 2

.PHONY: demo test lint fast tf slow coverage fuzz clean

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

# All tests but those that are slow, or look at what coverage adds to (files, processes, seconds), with their branches.
coverage: $(VENV)/.test
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -m 'not gpu and not slow and not tf and not unmeasured' -n $(JOBS)
	TF_CPP_MIN_LOG_LEVEL=3 LOSSLINT_MEASURE_JOBS=1 $(BIN)/coverage run -m pytest -m 'tf and not gpu and not slow and not unmeasured'
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --skip-covered

# Losses against TensorFlow, then texts against the promises of losslint; fails where one of those is broken.
fuzz: $(VENV)/.fuzz
	TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python -m benchmarks.programs --seed $(SEED) --count $(COUNT)
	PYTHONHASHSEED=0 $(BIN)/python -m benchmarks.fuzz check --seed $(SEED) --runs $(RUNS)
	PYTHONHASHSEED=0 $(BIN)/python -m benchmarks.fuzz slicer --seed $(SEED) --runs $(RUNS)
	PYTHONHASHSEED=0 $(BIN)/python -m benchmarks.fuzz fixes --seed $(SEED) --runs $(RUNS)

# The stamps make the set-up run once, and again when what it installs has changed.
$(VENV)/.demo: Makefile pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[tf]' --constraint constraints.txt
	touch $@

$(VENV)/.test: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev,tf]' --constraint constraints.txt
	touch $@ $(VENV)/.demo

$(VENV)/.fuzz: $(VENV)/.test
	$(BIN)/python -m pip install --quiet --editable '.[fuzz]' --constraint constraints.txt
	touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
