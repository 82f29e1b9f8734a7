# make demo        set up, make an app, build it, show its window, write a screenshot
# make test        set up, then check and test everything
# make check       style, types and the documentation only
# make docs        the documentation, into site/
# make bench       the benchmarks; the programs that are compared with are fetched and built
# make fuzz        every fuzz target for FUZZ_SECONDS (60) each
# make fuzz-native those of the core, with clang's sanitizers and counters in its C
# make sanitize    the core's tests with gcc's sanitizers in it, and with its handles counted
# make soak        the tests of 10,000 rounds and more
# make wheel       a wheel in dist/ that carries its libuv, installed into a clean environment and used
# make screenshots the pictures of the documentation
# make clean       what was built; .venv stays

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.NOTPARALLEL:
.PHONY: setup demo test check lint types js python docs bench fuzz fuzz-native sanitize soak wheel screenshots clean
export PATH := $(CURDIR)/.venv/bin:$(PATH)
FUZZ_SECONDS ?= 60
PYTEST_ARGS ?=
BENCH_ARGS ?=

setup:
	@scripts/setup

demo: setup
	@python scripts/demo.py

test: setup check js python

check: lint types docs

lint: setup
	ruff check .
	ruff format --check .
	cython-lint src/socket_core

types: setup
	mypy
	python -m mypy.stubtest socket_core

js: setup
	cd tests/js && npm test --silent && npm run types --silent

python: setup
	python -m pytest $(PYTEST_ARGS)

docs: setup
	mkdocs build --strict --quiet

bench: setup
	python -m benchmarks.run $(BENCH_ARGS)

fuzz: setup
	python -m pip install --quiet --disable-pip-version-check -e '.[fuzz]'
	python scripts/fuzz.py --seconds $(FUZZ_SECONDS)

fuzz-native: setup
	python -m pip install --quiet --disable-pip-version-check -e '.[fuzz]'
	python scripts/fuzz.py --native --seconds $(FUZZ_SECONDS)

sanitize: setup
	python scripts/sanitize.py $(PYTEST_ARGS)

soak: setup
	python -m pytest --soak -m soak $(PYTEST_ARGS)

wheel: setup
	rm -rf build/lib.* build/bdist.* build/wheel dist
	python -m build --outdir build/wheel .
	case $$(uname -s) in \
	Linux) auditwheel repair --wheel-dir dist build/wheel/*.whl ;; \
	Darwin) delocate-wheel --wheel-dir dist build/wheel/*.whl ;; \
	*) mkdir -p dist && cp build/wheel/*.whl dist ;; \
	esac
	mv build/wheel/*.tar.gz dist
	python scripts/check_wheel.py dist/*.whl

screenshots: setup
	python scripts/demo.py --screenshot docs/images/hello.png

clean:
	rm -rf build dist site src/*.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
	find src -name '*.so' -o -name '*.pyd' | xargs -r rm -f
	find . -name __pycache__ -not -path './.venv/*' -not -path '*/node_modules/*' -prune -exec rm -rf {} +
