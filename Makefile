# Every target sets up what it needs in .venv, from what pyproject.toml lists; without network once that is installed.
#
#   make test PYTHON=python3.12 VENV=build/venv-3.12      another interpreter, beside the first
#   make demo DIR=/some/directory

PYTHON ?= python3
VENV ?= .venv
DIR ?=
# Another one from the command line alone, not from the environment: bash has a variable of that name.
SECONDS := 30
BIN := $(VENV)/bin
ROOT := $(CURDIR)

PYTEST = $(BIN)/python -m pytest -q
# Commands that ask nothing of the backend but what others ask too, and the oracles.
NO_BACKEND = $(addprefix --ignore=tests/,reference cli/test_blocks.py cli/test_check.py cli/test_proofs.py)
# Property tests that another run has been through take fewer examples.
AGAIN = HYPOTHESIS_PROFILE=few
# Newest to oldest; fastsha goes with avx2. Where there is no AVX-512, the first takes nothing away and is left out.
MASKS := avx512 avx512,shani avx512,avx2 avx512,avx2,shani
KERNELS = MERKLECORE_BACKEND=native $(BIN)/python -c 'import merklecore as mc; i = mc.cpu_info(); print(i["kernels"], "fastsha" in i["features"] and "fastsha" not in i["disabled"])'
COPY := build/asan
C_FILES = $$(find csrc fuzz -name '*.[ch]')

export MERKLECORE_VECTORS ?= $(abspath $(ROOT)/../shared/vectors)
export PATH := $(abspath $(BIN)):$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help build test test-quick test-interpreter test-isa test-long sanitized asan fuzz lint format docs bench bench-report bench-peers demo clean
.DELETE_ON_ERROR:
.NOTPARALLEL:

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 14

# ---- set-up ----------------------------------------------------------------------------------------------------------

# The package itself is installed without its extension: build_ext puts that beside the sources.
INSTALL = MERKLECORE_NO_EXTENSION=1 $(BIN)/python -m pip install -q --no-build-isolation -e

$(VENV)/.base: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' \
		> $(VENV)/build-requires.txt
	$(BIN)/python -m pip install -q -r $(VENV)/build-requires.txt
	$(INSTALL) .
	@touch $@

$(VENV)/.with-%: pyproject.toml $(VENV)/.base
	$(INSTALL) '.[$*]'
	@touch $@

build: $(VENV)/.base ## compile the C core and the extension modules, in place
	@$(BIN)/python setup.py -q build_ext --inplace
	@$(BIN)/python -m compileall -q merklecore # what an installer does, so that start-up is what users will see

# ---- tests -----------------------------------------------------------------------------------------------------------

test: build $(VENV)/.with-test ## the whole suite: both backends, then each masked instruction set
	MERKLECORE_BACKEND=native $(PYTEST) --doctest-modules tests merklecore
	MERKLECORE_BACKEND=reference $(AGAIN) $(PYTEST) -m 'not native_only and not both_backends' $(NO_BACKEND)
	@$(MAKE) --no-print-directory test-isa

test-quick: build $(VENV)/.with-test ## one run of the native backend without what is slow
	MERKLECORE_BACKEND=native $(PYTEST) -m 'not slow'

# The core is one library for all interpreters: what goes through its kernels alone says nothing new.
test-interpreter: build $(VENV)/.with-test ## the quick suite for another interpreter; FEWER='...' leaves out more
	MERKLECORE_BACKEND=native $(PYTEST) -m 'not slow' --ignore=tests/hashes --ignore=tests/test_guard_pages.py \
		--ignore=tests/test_kernels.py --ignore=tests/test_known_answers.py $(FEWER)

# Without what no kernel has a part in: what is marked so, the command, the oracles, what runs over the reference.
test-isa: build $(VENV)/.with-test ## the quick suite, CPU features taken away newest to oldest
	@set -e; before=$$(MERKLECORE_DISABLE_CPU= $(KERNELS)); for mask in $(MASKS); do \
		echo "MERKLECORE_DISABLE_CPU=$$mask"; \
		now=$$(MERKLECORE_DISABLE_CPU=$$mask $(KERNELS)); \
		if [ "$$now" = "$$before" ]; then echo "no kernel less than before: this CPU lacks what it takes away"; continue; fi; \
		MERKLECORE_DISABLE_CPU=$$mask MERKLECORE_BACKEND=native $(AGAIN) \
			$(PYTEST) -m 'not slow and not any_kernel' -k 'not reference' --ignore=tests/cli; \
		before=$$now; \
	done

test-long: build $(VENV)/.with-test ## a message above 4 GiB for every hash, in minutes, without a disk
	MERKLECORE_BACKEND=native $(PYTEST) --run-long -m long

# The copy stands beside the normal build and is found first; the interpreter itself has no sanitizers, so they are
# preloaded. Leaks of the interpreter at its exit are not ours.
SANITIZED_RUN = LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libubsan.so)" \
	ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 PYTHONMALLOC=malloc \
	PYTHONSAFEPATH=1 PYTHONPATH=$(ROOT)/$(COPY)/lib:$(ROOT) MERKLECORE_SANITIZE=1 MERKLECORE_BACKEND=native

sanitized: build $(VENV)/.with-test
	@MERKLECORE_SANITIZE=1 $(BIN)/python setup.py -q build_py --build-lib $(COPY)/lib \
		build_ext --build-lib $(COPY)/lib --build-temp $(COPY)/temp

# What is left out runs no C that the rest does not; every process of the command would start anew under sanitizers.
NO_OTHER_C = cli blocks/test_docs.py tree/test_geometry.py test_demo.py test_dispatch.py test_rows.py
asan: sanitized ## the quick suite under AddressSanitizer and UndefinedBehaviorSanitizer
	$(SANITIZED_RUN) $(AGAIN) \
		$(PYTEST) -m 'not slow' -k 'not reference' $(addprefix --ignore=tests/,$(NO_OTHER_C))

# Portable kernels alone: the others take minutes to compile so, and have make asan.
SANITIZED = -std=c11 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -DMC_PORTABLE_ONLY -pthread -Icsrc

build/fuzz-blocks: fuzz/blocks.c $(wildcard csrc/*.[ch] csrc/*/*.[ch])
	@mkdir -p build
	$(CC) $(SANITIZED) $(filter %.c,$^) -o $@

# Of blocks the portable core alone, then both backends side by side; of proofs and texts twice as long.
fuzz: sanitized build/fuzz-blocks ## every decoder, under sanitizers; SECONDS=30, six times that in all
	build/fuzz-blocks $(SECONDS) tests/vectors/blocks/corpus/*
	$(SANITIZED_RUN) $(BIN)/python -m fuzz.blocks --seconds $(SECONDS)
	$(SANITIZED_RUN) $(BIN)/python -m fuzz.proofs --seconds $$((2 * $(SECONDS)))
	$(SANITIZED_RUN) $(BIN)/python -m fuzz.texts --seconds $$((2 * $(SECONDS)))

# ---- the rest --------------------------------------------------------------------------------------------------------

lint: build $(VENV)/.with-lint ## style, types, stubs, floors
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest merklecore._native
	$(BIN)/cython-lint merklecore
	$(BIN)/clang-format --dry-run -Werror $(C_FILES)
	$(BIN)/lint-imports

format: $(VENV)/.with-lint ## write the style that lint wants
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $(C_FILES)

docs: build $(VENV)/.with-docs ## the API pages, into build/docs
	$(BIN)/pdoc -d google -o build/docs merklecore '!merklecore._native' '!merklecore._backend'

# Without -q, which would leave out the CPU and its kernels.
bench: build $(VENV)/.with-bench ## benchmarks in groups, under five minutes; BENCH='--benchmark-autosave ...' adds options
	$(BIN)/python -m pytest benchmarks --benchmark-only --benchmark-max-time=0.02 --benchmark-min-time=0.0005 \
		--benchmark-min-rounds=2 --benchmark-columns=min,median,rounds $(BENCH)

bench-report: build ## what must be reached and what is, each figure beside its baseline, in two minutes
	@$(BIN)/python benchmarks/report.py

bench-peers: ## the npm packages that benchmarks and tests compare with, where node is; never required
	npm install --no-audit --no-fund --prefix build/peers @chainsafe/hashtree @openzeppelin/merkle-tree

demo: build ## commit to a directory, prove a file, verify the proof elsewhere; DIR=/some/directory for another one
	@$(BIN)/python examples/demo.py $(if $(DIR),'$(DIR)')

clean: ## everything but .venv
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find merklecore -name '*.so' -delete
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
