# Needs python3 (3.11 or newer) with pip, and make; everything else is installed into .venv.
PYTHON ?= python3
ENVIRONMENT := .venv
BIN := $(ENVIRONMENT)/bin
INSTALL := -m deploy.install $(ENVIRONMENT)
INSTALLER := deploy/install.py deploy/progress.py
STEPS_DONE := 0

.PHONY: help run test test-all lint format schema lock chaos mutants bench
.DEFAULT_GOAL := help

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /make \1	/p' $(MAKEFILE_LIST) | expand -t 14

run: export STEPS_TO_COME := 3
run: $(ENVIRONMENT)/.installed ## Start the whole portal; PORT=8001 chooses another port
	@exec $(BIN)/python manage.py portal --steps-done $(STEPS_DONE)

test: $(ENVIRONMENT)/.installed-dev ## Run the gate and the tests, on PostgreSQL and where it matters on SQLite
	@$(BIN)/python -m tests.gate

test-all: $(ENVIRONMENT)/.installed-dev ## The same with all that is slow, and everything on both databases
	@$(BIN)/python -m tests.gate --all

lint: $(ENVIRONMENT)/.installed-dev ## Run the gate alone: format, lint, types, imports, migrations
	@$(BIN)/python -m tests.gate --checks

chaos: $(ENVIRONMENT)/.installed-dev ## 1,000 images through 40 faults, then check every promise
	@$(BIN)/python -m tests.chaos $(ARGUMENTS)

mutants: $(ENVIRONMENT)/.installed-dev ## Break one promise at a time, and see its test fail
	@$(BIN)/python -m tests.mutants $(ARGUMENTS)

bench: $(ENVIRONMENT)/.installed-dev ## Measure speed and cost; ARGUMENTS="--only portal", BASE=COMMIT beside that
	@$(BIN)/python -m tests.bench $(if $(BASE),--base $(BASE)) $(ARGUMENTS)

format: $(ENVIRONMENT)/.installed-dev ## Format the code, and mend what can be mended
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

schema: $(ENVIRONMENT)/.installed-dev ## Write the tables of a new SQLite database anew, from all migrations
	@$(BIN)/python -m tests.migrations.schema

lock: ## Pin every package again after a change of pyproject.toml (needs uv)
	@uv lock --upgrade
	@uv export -q --no-emit-project --no-header --no-annotate --no-dev -o requirements.txt
	@uv export -q --no-emit-project --no-header --no-annotate --only-group dev -o requirements-dev.txt

# A first `make run` counts its steps through both programs: two that install, three that start the portal.
$(ENVIRONMENT)/.installed: requirements.txt $(INSTALLER)
	$(eval STEPS_DONE := 2)
	@$(PYTHON) $(INSTALL) requirements.txt && touch $@

$(ENVIRONMENT)/.installed-dev: requirements.txt requirements-dev.txt $(INSTALLER)
	@$(PYTHON) $(INSTALL) requirements.txt requirements-dev.txt
	@touch $(ENVIRONMENT)/.installed $@
