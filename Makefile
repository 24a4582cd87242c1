# The two commands of the README are `make demo` and `make test`; the rest are their parts.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# cmake and ninja come with the `native` extra, so that only a compiler is needed beforehand.
export PATH := $(abspath $(BIN)):$(PATH)

# The fuzzers need clang++ with its libFuzzer; without it they are left out.
CLANG ?= $(firstword $(shell command -v clang++ clang++-19 clang++-16 clang++-14))

# The kernels of AArch64 need a cross-compiler and an emulator (Debian and Ubuntu:
# g++-aarch64-linux-gnu, qemu-user-static); without them they are left out.
AARCH64 := $(and $(shell command -v aarch64-linux-gnu-g++),$(shell command -v qemu-aarch64-static))

.PHONY: demo test lint types native native-aarch64 sanitize fuzz pytest pytest-lowest bench clean

demo: $(VENV)
	$(PIP) install .
	$(BIN)/python examples/demo.py --target all

test: lint types native native-aarch64 sanitize fuzz pytest

$(VENV):
	$(PYTHON) -m venv $(VENV)

.PHONY: setup
setup: $(VENV)
	$(PIP) install ".[test,lint,native]"

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	git ls-files 'cpp/*.cpp' 'cpp/*.hpp' | grep -v unicode_tables.cpp | xargs $(BIN)/clang-format --dry-run -Werror

types: setup
	$(BIN)/mypy

native: setup
	cmake --preset native
	cmake --build --preset native
	ctest --preset native

native-aarch64: setup
ifeq ($(AARCH64),)
	@echo "no aarch64-linux-gnu-g++ or no qemu-aarch64-static: AArch64 is left out"
else
	cmake --preset aarch64
	cmake --build --preset aarch64
	ctest --preset aarch64 --parallel 2
endif

sanitize: setup
	cmake --preset asan-ubsan
	cmake --build --preset asan-ubsan
	ctest --preset asan-ubsan
	cmake --preset tsan
	cmake --build --preset tsan
	ctest --preset tsan

# The short form, 20 seconds a target at most; docs/lab/endurance.md has the long one.
fuzz: setup
ifeq ($(CLANG),)
	@echo "no clang++: the fuzzers are left out (their seeds ran with the native tests)"
else
	cmake --preset fuzz -DCMAKE_CXX_COMPILER=$(CLANG)
	cmake --build --preset fuzz
	ctest --preset fuzz
endif

# Two processes; a file's tests stay in one, with what they share.
# Tests that need more than dsir itself are left out where their library is not installed.
LOWEST := tests/corpus tests/select tests/settings tests/stages tests/model tests/output tests/verify tests/workdir

pytest-lowest:
	$(PYTHON) -m venv .venv-lowest
	.venv-lowest/bin/python -m pip --quiet install . -r tests/lowest_versions.txt "pytest>=8" "pytest-timeout>=2.3" "hypothesis>=6.100" "pandas==2.2.*" "polars==1.*" "scipy==1.11.*"
	.venv-lowest/bin/python -m pytest $(wildcard $(LOWEST))

pytest: setup
	$(BIN)/python -m pytest -n 2 --dist loadfile

# Against the reference and its limits; see benchmarks/README.md for the data and the commands.
bench: setup
	$(PIP) install ".[bench]"
	$(BIN)/python -m benchmarks --quick

clean:
	rm -rf $(VENV) build demo-out
