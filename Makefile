# `make run` and `make test` are all it takes; both set up .venv first, once.
# PYTHON=/path/to/python3 chooses the interpreter that .venv is made with.

BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: run test check lint format install clean

run: install  ## open the dashboard with the sample data chosen; headless where there is no terminal
	@$(BIN)/resnet-tui sample_data

# Every command that tests start would compile its modules anew where this is set.
export PYTHONDONTWRITEBYTECODE :=

# Tests of these start no processes that train: they disturb neither each other nor what is timed.
SIDE_BY_SIDE := tests/plan tests/journal tests/report tests/tui
# These train, and time nothing: two at once are faster than one after the other. The longest come
# first, so that neither of the two waits long for the other in the end.
UNTIMED := $(patsubst %,tests/train/test_%.py,equivalence resume undone) \
	$(patsubst %,tests/run/test_%.py,ddp resume search supervise) \
	$(patsubst %,tests/train/test_%.py,compiling broken_off processes going_on torchrun limits) \
	tests/cli \
	$(patsubst %,tests/run/test_%.py,comparison changed_queue lifting torchrun) \
	tests/test_imports.py $(patsubst %,tests/train/test_%.py,predict footprint_is_true gpipe \
	weights_out unsaved space_is_true freeze average summary_is_true skipping out_of_memory growing \
	judging strategy model sequence trial changing checkpoint_reading mixing norm objective optim \
	updater)

test: install  ## every test
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile $(SIDE_BY_SIDE); side=$$?; \
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(UNTIMED); untimed=$$?; \
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
