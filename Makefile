# On a machine with python3, pip and make: `make demo` or `make test` is all there is to do.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# A process a core, a file's tests in one process, one thread each.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 \
	--dist loadfile --no-loadscope-reorder

.PHONY: help install demo demo-real test quick lint types verify smoke check bench clean

help:
	@echo "make demo    Figure 2a on the pocket world: train, evaluate, report (minutes)"
	@echo "make demo-real   the same on SmolLM2, a language model of 135 million parameters"
	@echo "make test    all tests         make quick   without the slow ones"
	@echo "make check   lint, types, docs   make smoke   the commands of the README, small"
	@echo "make bench   the promises on speed and memory, measured; tables into docs/performance.md"

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "inoc-evals needs Python 3.11 or newer; give one: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

install: $(INSTALLED)

demo: install
	$(BIN)/inoc run fig2a --base pocket --seeds 5 --out runs/fig2a

demo-real: install
	$(BIN)/inoc base get smollm2
	$(BIN)/inoc run fig2a --base smollm2 --seeds 1 --limit 40 --jobs 2 --out runs/fig2a-smollm2

test: install
	$(PYTEST)

quick: install
	$(PYTEST) -m "not slow"

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/inspect-evals-lint --all

types: install
	$(BIN)/mypy

verify: install
	$(BIN)/python docs/verify.py

check: lint types verify

smoke: install
	BIN=$(BIN) bash .ci/smoke

# These put their tables into docs/performance.md, of a real model.
WRITING := benchmarks/real_model.py benchmarks/training_throughput.py

bench: install
	for script in $(filter-out $(WRITING) benchmarks/tables.py,$(wildcard benchmarks/*.py)); do \
		$(BIN)/python $$script || exit 1; done
	$(BIN)/inoc base get smollm2
	$(BIN)/python benchmarks/real_model.py --write
	$(BIN)/python benchmarks/training_throughput.py --base smollm2 --dtype bfloat16 --write

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
