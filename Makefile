# Everything that a newcomer and CI need. Each target builds its own .venv first; only Python 3.11+ is assumed.
#
#   make demo    the whole lesson on synthetic heads: images, training, report, answers
#   make test    the tests (under 4 minutes on 2 cores)
#   make check   format, lint, types, layers, and the built wheel in a clean environment
#   make docs    the reference pages from the code, and the documentation as a site in build/site
#   make notebook  the page of the lesson's notebook, run anew
#   make fuzz    damaged files for 60 s; longer: make fuzz SECONDS=600, other files: FIRST=100000
#   make headers 100,000 damaged headers by our own walk and by pydicom: the same answers; fewer: HEADERS=5000
#   make faults  workers, scheduler, run and PostgreSQL killed at random moments; the rows must stay the same (20 minutes)
#   make release wheel and sdist, the same bytes twice, with hashes and the list of ingredients; make pins: new pins
#   make container  the container, built and asked; needs buildah and root, and says so without
#   make bench   docs/benchmarks.md: all that is measured, beside what was asked, peers and limits (40 minutes);
#                make bench-quick: the same rows from smaller work (6 minutes)

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# A GPU needs torch's own build; without one the constraint takes the small CPU build.
TORCH := $(if $(shell command -v nvidia-smi),,-c constraints/cpu.txt)
SHARED ?= ../shared
# Two thirds of the time for the numbered campaign from FIRST on, one for the coverage-guided search.
SECONDS = 60
FIRST = 0
HEADERS = 100000
SEED = 1

.PHONY: postgresql docs reference notebook demo test test-slow axe check format fuzz headers faults bench bench-quick release pins container clean

demo: $(VENV)/train.stamp
	rm -rf demo
	$(BIN)/gadoscope phantom demo/slices --form png --subjects 60 --seed 1
	$(BIN)/gadoscope train lesson --data demo/slices --output demo/run
	$(BIN)/gadoscope evaluate demo/run --output demo/report
	$(BIN)/gadoscope classify demo/slices/Test --model demo/run/model.onnx --output demo/answers.csv
	@echo
	@echo "Open demo/report/report.html in a browser; the answers are in demo/answers.csv."

# A worker a core, of one thread each: left alone, each would take every core.
test: export OMP_NUM_THREADS = 1
test: $(VENV)/dev.stamp
	$(BIN)/pytest --numprocesses auto --maxprocesses 8 --no-loadscope-reorder

test-slow: export OMP_NUM_THREADS = 1
test-slow: $(VENV)/dev.stamp
	$(BIN)/pytest -m slow --numprocesses auto --maxprocesses 8 --no-loadscope-reorder

# A server for the tests of the store, from Debian or Ubuntu, where this is root; without one they skip and say so.
postgresql:
	@if [ -z "$$(ls -d /usr/lib/postgresql/*/bin/initdb 2>/dev/null)" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; \
	then apt-get update -qq && apt-get install -y -qq --no-install-recommends postgresql || echo "no PostgreSQL"; fi

# What judges the pages in the slow tests; without npm those skip. A headless Chromium comes from the system.
axe:
	npm install --prefix .axe --no-save --no-package-lock axe-core@4

check: $(VENV)/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	PYTHON=$(BIN)/python sh tests/check_wheel.sh

# What the pages show of the code is written from it first; whether it was is a test.
docs: export NO_MKDOCS_2_WARNING = 1
docs: reference
	$(BIN)/mkdocs build --strict
	@echo "Open build/site/index.html in a browser."

reference: $(VENV)/dev.stamp
	$(BIN)/python -m tests.docs.reference
	$(BIN)/python -m tests.docs.house
	$(BIN)/python -m tests.support.word_tables
	$(BIN)/python -m tests.support.lexicon_table

# The lesson's notebook, run: its page with what it printed and drew. A few minutes; not part of `docs`.
notebook: $(VENV)/dev.stamp
	$(BIN)/python -m tests.docs.notebook

format: $(VENV)/dev.stamp
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

fuzz: $(VENV)/dev.stamp
	$(BIN)/python -m tests.fuzz.campaign --first $(FIRST) --seconds $$(($(SECONDS) * 2 / 3))
	$(BIN)/python -m tests.fuzz.coverage_guided --seconds $$(($(SECONDS) / 3))

headers: $(VENV)/dev.stamp
	$(BIN)/python -W ignore -m tests.fuzz.headers --first $(FIRST) --cases $(HEADERS)

# Needs PostgreSQL's server: make postgresql. Other moments: make faults SEED=2.
faults: export OMP_NUM_THREADS = 1
faults: $(VENV)/dev.stamp
	$(BIN)/python -m benchmarks.faults --seed $(SEED)

# Wheel and sdist, built twice and compared, with hashes and the list of ingredients, in dist/.
release: $(VENV)/release.stamp
	$(BIN)/python -m recipes.release --output dist

# What a base installation consists of, pinned with hashes, for every system that the libraries have wheels for.
pins: $(VENV)/release.stamp
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --quiet --upgrade --output-file constraints/base.txt

container: $(VENV)/dev.stamp
	PYTHON=$(BIN)/python sh tests/check_container.sh

# Which benchmarks, and how large: benchmarks/plan.py. For figures, leave the machine to them.
BENCH = $(BIN)/python -m benchmarks --output docs/benchmarks.md \
	--peer-python .peer-venv/bin/python --peer $(SHARED)/bench/keras_baseline.py

bench: $(VENV)/dev.stamp .peer-venv/stamp
	$(BENCH)

bench-quick: $(VENV)/dev.stamp .peer-venv/stamp
	$(BENCH) --quick

clean:
	rm -rf $(VENV) .peer-venv .axe demo build dist

$(VENV)/pip.stamp:
	$(PYTHON) -m venv $(VENV)
	touch $@

# What the demo needs: a plain user's installation.
$(VENV)/train.stamp: $(VENV)/pip.stamp pyproject.toml constraints/cpu.txt
	$(BIN)/pip install --quiet $(TORCH) --editable '.[train]'
	touch $@

$(VENV)/dev.stamp: $(VENV)/train.stamp
	$(BIN)/pip install --quiet $(TORCH) --editable '.[dev]'
	touch $@

$(VENV)/release.stamp: $(VENV)/pip.stamp pyproject.toml
	$(BIN)/pip install --quiet build cyclonedx-bom uv
	touch $@

# The peer has an environment of its own: TensorFlow never meets torch.
.peer-venv/stamp:
	$(PYTHON) -m venv .peer-venv
	.peer-venv/bin/pip install --quiet tensorflow-cpu pillow scipy
	touch $@
