# `make run` and `make test` are all it takes; both set up .venv first, once.
# PYTHON=/path/to/python3 chooses the interpreter that .venv is made with.

BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: run test check lint format install clean

run: install  ## open the dashboard with the sample data chosen; headless where there is no terminal
	@$(BIN)/resnet-tui sample_data

# Tests of these start no processes that train: they disturb neither each other nor what is timed.
SIDE_BY_SIDE := tests/plan tests/journal tests/report tests/tui
# These train, and time nothing: two at once are faster than one after the other.
UNTIMED := tests/cli $(patsubst %,tests/train/test_%.py,average changing checkpoint_reading \
	compiling equivalence footprint_is_true freeze going_on gpipe growing judging limits mixing norm \
	objective optim predict resume skipping space_is_true summary_is_true torchrun updater weights_out)

test: install  ## every test
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile $(SIDE_BY_SIDE); side=$$?; \
	$(BIN)/python -m pytest -n 2 --dist loadfile $(UNTIMED); untimed=$$?; \
	$(BIN)/python -m pytest $(addprefix --ignore=,$(SIDE_BY_SIDE) $(UNTIMED)) \
		&& exit $$(( side | untimed ))

check: lint test  ## what must pass before every commit

lint: install  ## style, types, and who may import whom
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

install: $(STAMP)  ## .venv/bin/resnet-tui

$(STAMP): pyproject.toml constraints.txt tools/install.py
	@python="$(PYTHON)"; [ -n "$$python" ] || python=$$(sh tools/find-python.sh) || exit 1; \
	"$$python" tools/install.py
	@touch $(STAMP)

clean:  ## removes .venv and what tools leave behind, but no experiment
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
