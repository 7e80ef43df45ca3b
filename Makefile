# setup  run  test  check  proto  clean: each does all that it needs. ARGS go to `earshot run`.
PYTHON ?= python3
BIN := .venv/bin
PACKAGES := pulseaudio pulseaudio-utils libasound2-plugins libportaudio2

.PHONY: setup run test check proto clean
.DEFAULT_GOAL := setup

setup: .venv/.complete

run: setup
	@$(BIN)/earshot run --source auto $(ARGS)

test: check
	@$(BIN)/pytest

check: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy daemon models tests proto/generate.py

proto: setup
	@$(BIN)/python proto/generate.py

# What was trained (build/) stays.
clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.complete: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "earshot needs Python 3.11 or later: make setup PYTHON=python3.11" >&2; exit 1; }
	@$(call system_packages)
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable '.[dev,train]'
	@touch $@

# The microphone, and the sound server with which it is tested. Nothing else needs them, so it goes on.
define system_packages
missing=""; \
for package in $(PACKAGES); do \
	dpkg-query --show --showformat '$${Status}' $$package 2>/dev/null | grep -q ' installed$$' \
		|| missing="$$missing $$package"; \
done; \
if [ -z "$$missing" ]; then exit 0; fi; \
if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	export DEBIAN_FRONTEND=noninteractive; \
	apt-get install --quiet --quiet --yes --no-install-recommends $$missing \
		|| { apt-get update --quiet --quiet \
			&& apt-get install --quiet --quiet --yes --no-install-recommends $$missing; } \
		&& exit 0; \
fi; \
echo "earshot: for the microphone, install:$$missing" >&2
endef
