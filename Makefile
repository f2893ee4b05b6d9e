PYTHON ?= python3
BIN := .venv/bin
PACKAGE := .venv/.package
TOOLS := .venv/.tools
COMPILED := .venv-compiled/.ready
BENCH := .venv-bench/.ready
AZURITE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/deltasql/azurite

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z.][a-z.-]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 16

.PHONY: demo
demo: $(PACKAGE) ## a small lake to try things on: the prompt, or a tour where there is no terminal
	@$(BIN)/deltasql --demo

.PHONY: test
test: $(TOOLS) $(COMPILED) $(AZURITE) ## all tests, on two processes
	$(BIN)/pytest -n 2 $(PYTEST)

.PHONY: search
search: $(TOOLS) ## the tests of properties, with other examples each time
	DELTASQL_EXAMPLES=search $(BIN)/pytest -n 2 tests/differential tests/sql tests/write tests/engine tests/test_types.py $(PYTEST)

.PHONY: soak
soak: $(TOOLS) ## faults, load and fuzzing for some 90 minutes on two cores, with another seed each time: DELTASQL_SEED=… make soak for one again
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check atheris || echo "atheris can't be had: no fuzzing by coverage" >&2
	DELTASQL_SOAK=1 DELTASQL_SEED=$${DELTASQL_SEED:-$$(date +%s)} $(BIN)/pytest -n 2 --dist worksteal -v -o faulthandler_timeout=3600 tests/reliability tests/storage/test_slt.py $(PYTEST)

.PHONY: compliance
compliance: $(TOOLS) ## all of SQLAlchemy's suite for dialects, of which make test runs a part
	DELTASQL_COMPLIANCE=all $(BIN)/pytest -s tests/ext/test_compliance.py $(PYTEST)

.PHONY: lint
lint: $(TOOLS) ## ruff, mypy, the layers, the versions of what is installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pip check --disable-pip-version-check

.PHONY: audit
audit: $(TOOLS) ## what is known against the packages that are installed
	$(BIN)/python .ci/audit.py

.PHONY: bench
bench: $(TOOLS) $(BENCH) ## our overhead over bare DataFusion, the start of the prompt, and our peers' reads and writes, to benchmarks/results
	$(BIN)/python benchmarks/overhead.py
	$(BIN)/python benchmarks/conversion.py
	$(BIN)/python benchmarks/start.py
	.venv-bench/bin/python benchmarks/peers.py
	.venv-bench/bin/python benchmarks/dml.py

.PHONY: docs
docs: $(TOOLS) ## the generated parts of README.md and docs/
	$(BIN)/python docs/generate.py

.PHONY: screenshots
screenshots: $(TOOLS) ## the pictures of the prompt in README.md
	$(BIN)/python docs/screenshots.py

.PHONY: clean
clean: ## remove what was built, the environments too
	rm -rf .venv .venv-compiled .venv-bench .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# -- environments

.venv: $(TOOLS) ## the environment to work in

.venv-compiled: $(COMPILED) ## sqlglot's compiled build, which one test runs the parser's suite on

# The demo needs the package alone, which is quicker to install.
$(PACKAGE): pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(TOOLS): $(PACKAGE)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,dev]'
	@touch $@

$(COMPILED): $(TOOLS)
	$(PYTHON) -m venv .venv-compiled
	.venv-compiled/bin/python -m pip install --quiet --disable-pip-version-check pytest hypothesis \
		"sqlglot[c]==$$($(BIN)/python -c 'import sqlglot; print(sqlglot.__version__)')"
	@touch $@

# Azure's storage as a server of its own for tests/storage, which skip what needs it where there is no npm or no network.
$(AZURITE):
	@if command -v npm >/dev/null; then \
		rm -rf $@.part && npm install --silent --no-audit --no-fund --prefix $@.part azurite@3 && mv $@.part $@; \
	fi || echo "Azurite can't be had: the tests on Azure are skipped" >&2

$(BENCH): pyproject.toml
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	@touch $@
