# Everything runs from a fresh clone with Python 3.11 or newer and make.  `make help` lists the targets.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP_FLAGS := -qq --disable-pip-version-check

TRACTOR := conformance/peers/tractor_0_1_0a5
TRACTOR_VENV := .venv-tractor
TRACTOR_READY := $(TRACTOR_VENV)/.ready
# The release imports what its trio deprecates, and says so at every import.
TRACTOR_CALLEE := $(TRACTOR_VENV)/bin/python -W ignore $(TRACTOR)/callee.py
TRACTOR_CALLER := $(TRACTOR_VENV)/bin/python -W ignore $(TRACTOR)/caller.py

NODE := conformance/peers/node
NODE_READY := $(NODE)/node_modules/.ready

# More options for `iptc conform`, e.g. `make conform-tractor OPTIONS='--area CXL'`.
OPTIONS :=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help conform conform-node conform-tractor tap-tractor tractor-baseline test coverage lint types generate check-generated wheel clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 24

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install $(PIP_FLAGS) --editable '.[dev]'
	touch $@

$(TRACTOR_READY): $(TRACTOR)/requirements.txt
	$(PYTHON) -m venv --clear $(TRACTOR_VENV)
	$(TRACTOR_VENV)/bin/pip install $(PIP_FLAGS) --no-deps --requirement $<
	touch $@

$(NODE_READY): $(NODE)/package-lock.json
	cd $(NODE) && npm ci --silent --no-audit --no-fund
	touch $@

conform: $(READY) ## the suite against the reference peer
	$(BIN)/iptc conform $(OPTIONS)

conform-node: $(READY) $(NODE_READY) ## the suite against the peer in JavaScript, in every role: needs node and npm
	for file in $(NODE)/*.js; do node --check $$file || exit; done
	$(BIN)/iptc conform codec $(OPTIONS) -- node $(NODE)/codec.js
	$(BIN)/iptc conform callee $(OPTIONS) -- node $(NODE)/testee.js
	$(BIN)/iptc conform caller $(OPTIONS) -- node $(NODE)/driver.js

conform-tractor: conform-tractor-callee conform-tractor-caller ## the suite against tractor 0.1.0a5 in both roles, held to its baselines

.PHONY: conform-tractor-callee conform-tractor-caller
conform-tractor-callee: $(READY) $(TRACTOR_READY) ## … as callee
	$(BIN)/iptc conform callee --expect $(TRACTOR)/baseline.callee.json $(OPTIONS) -- $(TRACTOR_CALLEE)

conform-tractor-caller: $(READY) $(TRACTOR_READY) ## … as caller
	$(BIN)/iptc conform caller --expect $(TRACTOR)/baseline.caller.json $(OPTIONS) -- $(TRACTOR_CALLER)

.PHONY: report-tractor
report-tractor: $(READY) $(TRACTOR_READY) ## write what the suite says of tractor as pages: reports/tractor-*.html
	@# The picture in docs/: python -m tests.reports.browser.shoot reports/tractor-callee.html docs/report-tractor.png
	mkdir -p reports
	-$(BIN)/iptc conform callee --html reports/tractor-callee.html --expect $(TRACTOR)/baseline.callee.json $(OPTIONS) -- $(TRACTOR_CALLEE)
	-$(BIN)/iptc conform caller --html reports/tractor-caller.html --expect $(TRACTOR)/baseline.caller.json $(OPTIONS) -- $(TRACTOR_CALLER)

tap-tractor: $(READY) $(TRACTOR_READY) ## the reference client talks to tractor 0.1.0a5 through a tap, which names its doubled stop
	$(BIN)/python conformance/peers/tapped.py --expect STR-03s -- $(TRACTOR_CALLEE)

tractor-baseline: $(READY) $(TRACTOR_READY) ## write tractor's baselines anew; reasons of known entries are kept
	$(BIN)/iptc conform callee --write-baseline $(TRACTOR)/baseline.callee.json -- $(TRACTOR_CALLEE)
	$(BIN)/iptc conform caller --write-baseline $(TRACTOR)/baseline.caller.json -- $(TRACTOR_CALLER)

test: $(READY) ## all tests
	$(BIN)/pytest --numprocesses auto

coverage: $(READY) ## all tests, with branch coverage
	$(BIN)/pytest --numprocesses auto --cov --cov-report=term

lint: $(READY) ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY) ## mypy --strict
	$(BIN)/mypy

generate: $(READY) ## write what is derived: clauses.json, the codec's tables, the tables in PROTOCOL.md
	$(BIN)/python tools/generate.py

check-generated: $(READY) ## fail where a derived file is not what would be generated
	$(BIN)/python tools/generate.py --check

wheel: $(READY) ## build the distribution into dist/ and check its contents
	rm -rf dist
	$(BIN)/python -m build --outdir dist
	$(BIN)/check-wheel-contents dist

clean: ## remove what the other targets made
	rm -rf $(VENV) $(TRACTOR_VENV) $(BENCH_VENV) $(NODE)/node_modules build dist reports .coverage* .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: verify-model
verify-model: $(READY) ## explore every order of messages: needs spin and gcc, installs them where it may
	@command -v spin >/dev/null && command -v gcc >/dev/null || { \
	    [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get -qq update && \
	    DEBIAN_FRONTEND=noninteractive apt-get -qqy --no-install-recommends install spin gcc libc6-dev; } || { \
	    echo 'spin and gcc are needed: as root, apt-get install spin gcc libc6-dev' >&2; exit 2; }
	$(BIN)/python tools/verify_model.py

.PHONY: browser-tests
browser-tests: $(READY) ## look at the page in a real browser: needs chromium, installs it where it may
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || { \
	    [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get -qq update && \
	    DEBIAN_FRONTEND=noninteractive apt-get -qqy --no-install-recommends install chromium fonts-dejavu-core; } || { \
	    echo 'chromium is needed: as root, apt-get install chromium' >&2; exit 2; }
	IPTC_BROWSER_TESTS=1 $(BIN)/pytest tests/reports/browser

.PHONY: redis-tests
redis-tests: $(READY) ## let fuzzers share a Redis: needs redis-server, installs it where it may
	@command -v redis-server >/dev/null || { \
	    [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get -qq update && \
	    DEBIAN_FRONTEND=noninteractive apt-get -qqy --no-install-recommends install redis-server; } || { \
	    echo 'redis-server is needed: as root, apt-get install redis-server' >&2; exit 2; }
	IPTC_REDIS_TESTS=1 $(BIN)/pytest tests/fuzz/test_fuzz_redis.py

# How long each target runs, more options for libFuzzer or `iptc fuzz`, and how many inputs each is to keep.
MINUTES ?= 1
TARGETS ?= frames schema roundtrip chunks dialogues seats pair peer
FUZZ_OPTIONS ?=
KEEP ?= 30
ATHERIS_READY := $(VENV)/.ready-atheris
COVERAGE_GUIDED := $(BIN)/python fuzz/coverage_guided.py

.PHONY: fuzz fuzz-coverage fuzz-keep
fuzz: $(READY) ## codec and reference peer under random input, the same each time: half a minute on two cores
	$(BIN)/iptc fuzz $(FUZZ_OPTIONS)

$(ATHERIS_READY): $(READY)
	$(BIN)/pip install $(PIP_FLAGS) --editable '.[fuzz-coverage]'
	touch $@

.PHONY: fuzz-tractor
fuzz-tractor: MINUTES := $(if $(filter command line environment,$(origin MINUTES)),$(MINUTES),10)
fuzz-tractor: $(READY) $(TRACTOR_READY) ## the live fuzzer against tractor 0.1.0a5, 10 minutes or MINUTES; findings by D-number
	rm -rf build/fuzz/tractor
	-$(BIN)/iptc fuzz callee --minutes $(MINUTES) --timeout 0.5 --findings build/fuzz/tractor $(FUZZ_OPTIONS) \
	    -- $(TRACTOR_CALLEE)
	$(BIN)/python tools/fuzz_tractor.py build/fuzz/tractor

fuzz-coverage: $(ATHERIS_READY) ## the targets under atheris, MINUTES each; what is kept goes to build/fuzz
	@mkdir -p build/fuzz; failed=; \
	seconds=$$(awk 'BEGIN { print int($(MINUTES) * 60) }'); \
	for target in $(TARGETS); do \
	    log=build/fuzz/$$target.log; \
	    $(COVERAGE_GUIDED) $$target build/fuzz/$$target -max_total_time=$$seconds -max_len=4096 -use_value_profile=1 \
	        -artifact_prefix=build/fuzz/$$target- $(FUZZ_OPTIONS) >$$log 2>&1 || { \
	        failed="$$failed $$target"; grep -v '^INFO' $$log | tail -n 40; }; \
	    sed -n "s/^#\([0-9]*\)[[:space:]]*\(INITED\|DONE\) *\(cov.*\)/$$target: \2 after \1 executions, \3/p" $$log; \
	done; \
	test -z "$$failed" || { echo "findings in:$$failed; again: iptc fuzz --replay FILE" >&2; exit 1; }

fuzz-keep: $(ATHERIS_READY) ## move what reaches more than examples and corpus from build/fuzz to fuzz/corpus, KEEP of each
	@for target in $(TARGETS); do \
	    kept=build/fuzz/$$target.kept; rm -rf $$kept; \
	    $(COVERAGE_GUIDED) $$target $$kept -max_len=4096 -set_cover_merge=1 build/fuzz/$$target \
	        >build/fuzz/$$target.log 2>&1 || exit 1; \
	    ls -Sr $$kept | grep -E '^[0-9a-f]{40}$$' | head -n $(KEEP) | while read -r name; do \
	        cp $$kept/$$name fuzz/corpus/$$target/; done; \
	    echo "$$target: $$(ls fuzz/corpus/$$target | wc -l) inputs"; \
	done

# SCOPE: quick (the case that the page names), own (the cases of each fault's clauses, and others until one
# catches it), area (all of its areas), all.
SCOPE := own

.PHONY: kill-matrix
kill-matrix: $(READY) ## put every one-bug peer to the cases: each has to be caught, by its own clause
	$(BIN)/python -m faults.matrix --scope $(SCOPE)

.PHONY: kill-matrix-quick
kill-matrix-quick: $(READY) ## the same by the cases that docs/kill-matrix.md names, in half a minute
	$(BIN)/python -m faults.matrix --scope quick

.PHONY: fuzz-table
fuzz-table: $(READY) ## put the live fuzzers to every one-bug peer, write docs/fuzz-faults.md and docs/fuzz-callers.md: two hours on idle cores
	$(BIN)/python -m faults.fuzz_table
	$(BIN)/python -m faults.fuzz_table --role caller

# `make bench QUICK=1` takes one short round of everything; ROUNDS=n takes n rounds.  What each script offers
# beyond that: python -m bench.rpc --help.
BENCH_VENV := .venv-bench
BENCH_READY := $(BENCH_VENV)/.ready
ROUNDS ?= $(if $(QUICK),1,)
BENCH_ROUNDS := $(if $(ROUNDS),--rounds $(ROUNDS))
BENCH_OPTIONS := $(BENCH_ROUNDS) $(if $(QUICK),--seconds 0.05)

$(BENCH_READY): bench/requirements.txt
	$(PYTHON) -m venv --clear $(BENCH_VENV)
	$(BENCH_VENV)/bin/pip install $(PIP_FLAGS) --no-deps --requirement $<
	touch $@

.PHONY: bench bench-docs bench-profiles
bench: $(READY) $(TRACTOR_READY) $(BENCH_READY) ## codec and peer beside others and beside the limit: some minutes; QUICK=1 or ROUNDS=n for less
	$(BENCH_VENV)/bin/python -m bench.codec $(BENCH_ROUNDS)
	$(BIN)/python -m bench.rpc $(BENCH_OPTIONS)
	$(BIN)/python -m bench.growth $(BENCH_OPTIONS) $(if $(QUICK),--quick)
	$(BIN)/python -m bench.fairness $(BENCH_OPTIONS)
	$(BIN)/python -m bench.required

bench-docs: $(READY) $(BENCH_READY) ## put what `make bench` has measured last into docs/performance.md and its plot
	$(BIN)/python -m bench.document
	$(BENCH_VENV)/bin/python -m bench.others.plot

bench-profiles: $(READY) ## where server and client of each workload spend their time
	$(BIN)/python -m bench.profiles
