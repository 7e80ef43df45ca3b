# setup  run  test  check  proto  clean: each does all that it needs. ARGS go to `earshot run`.
# install  install-user  deb  and, away again,  uninstall  uninstall-user  purge
PYTHON ?= python3
# Where `make install` puts it (DESTDIR stands for the root), and the Python that runs it there.
PREFIX ?= /opt/earshot
DESTDIR ?=
SYSTEM_PYTHON ?= /usr/bin/python3
# How packages are compressed: `make deb DEB=-Znone` is the fastest.
DEB ?= -Zxz
BIN := .venv/bin
# earshot tells onnxruntime so itself; this is for what else brings a copy of it.
export ORT_DISABLE_TELEMETRY := 1
PACKAGES := pulseaudio pulseaudio-utils libasound2-plugins libportaudio2
BROWSER := chromium-headless-shell
# Where services run, installing it would start a web server: whoever tests there installs it or not.
BALANCER := $(if $(wildcard /run/systemd/system),,nginx)

STAGE = PYTHONPATH=systemd $(BIN)/python -m install.stage --prefix $(PREFIX) --python $(SYSTEM_PYTHON) \
	$(if $(DESTDIR),--destination $(DESTDIR))

.PHONY: setup run test check proto clean programs
.PHONY: install install-user uninstall uninstall-user purge deb
.DEFAULT_GOAL := setup

setup: .venv/.complete

run: setup
	@$(BIN)/earshot run --source auto $(ARGS)

test: check programs
	@$(BIN)/pytest

check: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy daemon models tests systemd/install proto/generate.py

proto: setup
	@$(BIN)/python proto/generate.py

install: setup
	@$(STAGE) install

install-user: setup
	@$(STAGE) --user install

uninstall: setup
	@$(STAGE) uninstall

uninstall-user: setup
	@$(STAGE) --user uninstall

purge: setup
	@$(STAGE) purge

deb: setup
	@PYTHONPATH=systemd $(BIN)/python -m install.deb --python $(SYSTEM_PYTHON) --compression='$(DEB)'

# With which the live page and the load balancer are tested; without one, its tests are skipped.
programs:
	@$(call system_packages,$(BROWSER),the tests of the live page)
	@$(call system_packages,$(BALANCER),the tests of the load balancer)

# What was trained (build/) stays.
clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.complete: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "earshot needs Python 3.11 or later: make setup PYTHON=python3.11" >&2; exit 1; }
	@$(call system_packages,$(PACKAGES),the microphone)
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable '.[dev,train]'
	@touch $@

# Install packages (1) that are for something (2). The microphone, and the sound server with which it is
# tested, are such, and other programs of tests. Nothing else needs them, so it goes on without.
define system_packages
missing=""; \
for package in $(1); do \
	command -v $$package >/dev/null \
		|| dpkg-query --show --showformat '$${Status}' $$package 2>/dev/null | grep -q ' installed$$' \
		|| missing="$$missing $$package"; \
done; \
if [ -z "$$missing" ]; then exit 0; fi; \
if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	export DEBIAN_FRONTEND=noninteractive; \
	install="apt-get install --quiet --quiet --yes --no-install-recommends$$missing"; \
	$$install || { apt-get update --quiet --quiet && $$install; } && exit 0; \
fi; \
echo "earshot: for $(2), install:$$missing" >&2
endef
