# The words of the README, CONTRIBUTING and CI. Plain `make` lists them.
.DEFAULT_GOAL := help
VENV := .venv/bin/

# A folder that was moved or copied carries a .venv that still points at the old one; a Python that
# was removed leaves one that cannot start. Either is made anew.
$(shell grep -qxF "$(CURDIR)" .venv/ready 2>/dev/null && .venv/bin/python -SIc "" 2>/dev/null || rm -f .venv/ready)

.PHONY: help
help: ## list the commands
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1	\2/p' Makefile | expand -t 18

.venv/ready: requirements.lock pyproject.toml toolkit/venv.sh
	@sh toolkit/venv.sh

.PHONY: reports
reports: .venv/ready ## build the pages whose inputs changed, into reports/
	@$(VENV)tradegap build $(OPTIONS)

.PHONY: test
test: .venv/ready ## run the tests and the doctests
	@$(VENV)python -m pytest --numprocesses 2 --dist loadfile

.PHONY: lab
lab: .venv/ready ## open JupyterLab on notebooks/
	@$(VENV)python -m jupyterlab notebooks

.PHONY: check
check: .venv/ready ## lint, check types, and validate data, page specs and notebooks
	@$(VENV)ruff check && $(VENV)ruff format --check && $(VENV)mypy && $(VENV)tradegap check

.PHONY: verify
verify: .venv/ready ## rebuild every page from nothing and compare with what is published
	@$(VENV)tradegap verify $(OPTIONS)

.PHONY: diff
diff: .venv/ready ## say what a reader would find changed on the pages since the last commit
	@$(VENV)tradegap diff $(OPTIONS)

.PHONY: pdf
pdf: .venv/ready ## print PAGE=notebook/name to build/pdf/, with the Chromium of this machine
	@$(VENV)tradegap pdf $(PAGE) $(OPTIONS)

.PHONY: pictures
pictures: .venv/ready ## take the pictures of the docs anew, of the pages as they are published
	@$(VENV)tradegap pictures

.PHONY: score
score: .venv/ready ## score the coder on the development sets beside the repository
	@$(VENV)tradegap score

.PHONY: train
train: .venv/ready ## fit the coder's weights to the sets beside the repository, and score it on talks held out
	@$(VENV)python -m tradegap.coding.fit ../shared

build/bench-venv/ready: bench/requirements.lock | .venv/ready
	@$(VENV)python -m venv --clear build/bench-venv && build/bench-venv/bin/python -m pip --quiet --disable-pip-version-check --no-input install --no-deps --only-binary :all: --require-hashes --requirement bench/requirements.lock && touch $@

.PHONY: bench
bench: .venv/ready build/bench-venv/ready ## time builds, coder and gaps beside what they replace, and measure memory
	@missed=0; for part in gaps bench build; do $(VENV)python bench/$$part.py || missed=1; done; exit $$missed

.PHONY: calibrate
calibrate: .venv/ready ## hold the gap's bands against simulated talks, into data/calibration/ (five minutes)
	@$(VENV)python calibration/study.py

.PHONY: docs
docs: .venv/ready ## render the data dictionary from the declared tables
	@$(VENV)tradegap dictionary > docs/data-dictionary.md

.PHONY: lock
lock: .venv/ready ## resolve pyproject.toml anew into requirements.lock
	@$(VENV)uv pip compile pyproject.toml --extra lab --extra dask --extra dev --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --quiet --output-file requirements.lock

.PHONY: clean
clean: ## remove .venv, build/ and caches; published pages stay
	@rm -rf .venv build .mypy_cache .pytest_cache .ruff_cache .hypothesis
