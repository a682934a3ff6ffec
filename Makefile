# `make run` serves the dashboard; `make test`, and `make test-slow` behind it, prove it. Nothing is installed twice.

PYTHON ?= python3
PORT ?= 8501
VENV := .venv
BIN := $(VENV)/bin
SCRIPT_CHECKS := tests/javascript/node_modules/.bin

.PHONY: run test test-slow soak check bench local-labels service clean

run: $(VENV)/.runtime
	$(BIN)/streamlit run app.py --server.port $(PORT)

test: $(VENV)/.dev $(VENV)/.browser $(VENV)/.clock deploy/node_modules/.done $(VENV)/.nginx
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

# What takes minutes whatever the machine: a minute without S3, an installation from nothing, LiteLLM's proxy.
test-slow: $(VENV)/.dev $(VENV)/.browser $(VENV)/.clock deploy/node_modules/.done $(VENV)/.nginx .venv-litellm/.done
	$(BIN)/python -m pytest -n 2 --dist loadfile -m slow

# Ten minutes of every attack at once while people work, or as many seconds as SOAK_S says; then a minute of each flood
# of sockets, with how long people wait meanwhile. For a machine that does nothing else.
soak: $(VENV)/.dev $(VENV)/.nginx
	$(BIN)/python -m pytest -s -m soak tests/soak tests/identity/attacks

check: $(VENV)/.dev tests/javascript/node_modules/.done
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/vulture
	$(BIN)/python -m pytest -q tests/test_requirements.py
	$(SCRIPT_CHECKS)/eslint --config tests/javascript/eslint.config.js core/ui tests/javascript
	$(SCRIPT_CHECKS)/tsc --project tests/javascript
	node --test --test-reporter=dot tests/javascript/*.test.js

bench: $(VENV)/.dev
	$(BIN)/python -m bench

# The local labeler in an environment of its own: it needs an older Pillow than the dashboard.
local-labels: | $(BIN)/python
	$(BIN)/python -m venv .venv-local-labels
	$(call install,requirements-local-labels.txt,.venv-local-labels)

# LiteLLM's proxy for the slow tests in an environment of its own: it needs other packages than the dashboard.
.venv-litellm/.done: requirements-litellm.txt | $(BIN)/python
	$(BIN)/python -m venv .venv-litellm
	$(call install,requirements-litellm.txt,.venv-litellm)
	touch $@

# The systemd unit of this checkout, on standard output.
USER ?= studio
service:
	@sed -e 's|@CHECKOUT@|$(CURDIR)|g' -e 's|@USER@|$(USER)|g' deploy/studio.service

clean:
	rm -rf $(VENV) .venv-local-labels .venv-litellm deploy/node_modules tests/javascript/node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

# What a file of requirements names, into an environment: by uv, with a twelfth of pip's work; by pip where uv cannot be
# had or does not find the index, as one that only pip.conf names. Compiled, for an environment its user may not write.
PIP := -m pip install --quiet --disable-pip-version-check
define install
	$(BIN)/python $(PIP) uv==0.13.9 \
	  && $(BIN)/python -m uv pip install --quiet --compile-bytecode --python $(2)/bin/python -r $(1) \
	  || $(2)/bin/python $(PIP) -r $(1)
endef

$(VENV)/.runtime: requirements.txt | $(BIN)/python
	$(call install,requirements.txt,$(VENV))
	touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.runtime
	$(call install,requirements-dev.txt,$(VENV))
	touch $@

# A browser for the tests: Debian's headless shell, else chromium on the PATH, else Playwright's own download.
$(VENV)/.browser: | $(VENV)/.dev
	command -v chromium-headless-shell >/dev/null \
	  || (command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && apt-get update -q \
	    && (apt-get install -y -q chromium-headless-shell || apt-get install -y -q chromium)) \
	  || command -v chromium >/dev/null \
	  || $(BIN)/python -m playwright install chromium
	touch $@

# A clock that tests can move: libfaketime on the system, else Debian's package, else PyPI's.
$(VENV)/.clock: | $(VENV)/.dev
	ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1 \
	  || (command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && apt-get update -q && apt-get install -y -q libfaketime) \
	  || $(BIN)/python $(PIP) libfaketime==3.0.1
	touch $@

# PM2 for the tests, and what reads core/ui's scripts, with Debian's node where there is none.
%/node_modules/.done: %/package-lock.json
	command -v npm >/dev/null \
	  || (command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && apt-get update -q && apt-get install -y -q nodejs npm) \
	  || (echo "The checks of scripts and the tests of PM2 need node and npm: install them, then try again." >&2 && exit 1)
	cd $* && npm ci --no-audit --no-fund --loglevel=error
	touch $@

# nginx for the tests, Debian's.
$(VENV)/.nginx: | $(VENV)/.dev
	PATH="$$PATH:/usr/sbin"; \
	command -v nginx >/dev/null 2>&1 \
	  || (command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && apt-get update -q && apt-get install -y -q nginx-light) \
	  || (echo "The tests need nginx: install nginx-light, then make test again." >&2 && exit 1)
	touch $@
