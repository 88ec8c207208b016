# CADsight: `make demo` and `make test` set the workspace up on first use.
PYTHON ?= python3
SHELL := bash
RUN = . ./env.sh &&

.PHONY: help setup blender datumaro build demo test coverage fuzz lint colcon-test constraints clean

help: ## This list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

setup: ## Install what is missing and build; seconds when there is nothing to do
	@$(PYTHON) -B scripts/set_up.py

blender: setup ## Install Blender and BlenderProc for synthetic images; otherwise done on their first use
	@$(PYTHON) -B scripts/set_up.py blender

datumaro: setup ## Install datumaro for data sets of other formats; otherwise done on its first use
	@$(PYTHON) -B scripts/set_up.py datumaro

build: setup ## Build our packages again, whatever the stamps say
	@$(RUN) colcon build --symlink-install

demo: setup ## The simulated cell: capture, label, train, look, report (runs/demo)
	@bin/cadsight demo

lint: setup ## ruff and mypy
	@$(RUN) ruff check --no-cache . && mypy

test: setup ## Lint, then every test
	@$(PYTHON) -B scripts/set_up.py test-shells
	@scripts/test.sh $(PYTEST_ARGS)

coverage: setup ## The same with the coverage of our packages, an eighth slower
	@$(PYTHON) -B scripts/set_up.py test-shells
	@scripts/test.sh --cov --cov-report=term $(PYTEST_ARGS)

fuzz: SECONDS = 60
fuzz: SEED = 0
fuzz: setup ## Each reader of files with broken ones for a minute; SECONDS=3600 READERS="coco via" SEED=1
	@$(RUN) python -B scripts/fuzz_readers.py --seconds $(SECONDS) --seed $(SEED) $(READERS)

colcon-test: setup ## The same tests, package by package, as ROS runs them
	@$(RUN) colcon test --event-handlers console_direct+ --return-code-on-test-failure && colcon test-result --verbose

constraints: setup ## Compile the pins again from pyproject.toml
	@UPGRADE=$(UPGRADE) scripts/constraints.sh

clean: ## Remove what setup and build made, the virtual environment included
	rm -rf .venv .venv-blender .venv-datumaro build install log .setup.lock .coverage htmlcov .pytest_cache .mypy_cache .ruff_cache .hypothesis
