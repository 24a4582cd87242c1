"""The tests of Python that start threads, with a core built for the thread sanitizer.

    python tests/endurance/thread_sanitizer.py
    python tests/endurance/thread_sanitizer.py --folder build/tsan-python tests/core -k thread

Builds the core with `-fsanitize=thread`, puts it into a copy of the package, and runs pytest with
the sanitizer's library loaded first. What is known of Python, pyarrow and numpy is passed over
(thread_sanitizer.supp); whatever else is reported is a finding. Without arguments for pytest, the
tests whose names have "thread" are run, each file in a process of its own. Files that import polars
are left out: it crashes under the sanitizer as soon as it is imported. Exits with 1 if a test fails
or anything is reported.

It takes gcc, CMake, Ninja and pybind11. `setarch -R`, if it is there, gives the addresses that the
sanitizer needs.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parents[2]
_POLARS = "import polars"
_NO_TESTS = 5  # pytest: none was collected
_SUPPRESSIONS = Path(__file__).with_suffix(".supp")


def built_core(folder: Path) -> Path:
    """Build the core under the thread sanitizer; return the module."""
    import pybind11

    subprocess.run(
        [
            *("cmake", "-S", ROOT, "-B", folder / "core", "-G", "Ninja"),
            *("-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DDSIR_SANITIZE=thread"),
            f"-DPython_EXECUTABLE={sys.executable}",
            f"-Dpybind11_DIR={pybind11.get_cmake_dir()}",
        ],
        check=True,
    )
    subprocess.run(["cmake", "--build", folder / "core", "--target", "_core"], check=True)
    return folder / "core" / f"_core{sysconfig.get_config_var('EXT_SUFFIX')}"


def package_with(core: Path, folder: Path) -> Path:
    """Copy the package, with this core; return the folder to import it from."""
    python = folder / "python"
    shutil.rmtree(python, ignore_errors=True)
    ignored = shutil.ignore_patterns("_core*.so", "__pycache__")
    shutil.copytree(ROOT / "python" / "dsir", python / "dsir", ignore=ignored)
    shutil.copy(core, python / "dsir")
    return python


def sanitized_python() -> list[str]:
    """Return the command of a Python that loads the sanitizer's library first."""
    library = subprocess.run(
        ["gcc", "-print-file-name=libtsan.so"], capture_output=True, text=True, check=True
    ).stdout.strip()
    # Only Python may load it: `setarch` itself still has random addresses, and may crash with it.
    fixed = ["setarch", "-R"] if shutil.which("setarch") else []
    return [*fixed, "env", f"LD_PRELOAD={Path(library).resolve()}", sys.executable]


def environment_of(python: Path, log: Path) -> dict[str, str]:
    """Return the environment in which the package is found and the sanitizer reports to a file."""
    options = f"suppressions={_SUPPRESSIONS}:log_path={log}:report_signal_unsafe=0"
    return {
        **os.environ,
        "PYTHONMALLOC": "malloc",
        "PYTHONPATH": str(python),
        "TSAN_OPTIONS": options,
    }


def tests_of_threads() -> list[list[str]]:
    """Return the arguments for each pytest: tests of threads, of a file that can be imported."""
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    named = [one for one in files if "thread" in (text := one.read_text()) and _POLARS not in text]
    return [["-k", "thread", str(one)] for one in named]


def main() -> None:
    """Build, run, and say what was reported."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "tsan-python")
    parser.add_argument("--core", type=Path, help="a core that was built before")
    options, arguments = parser.parse_known_args()
    folder: Path = options.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    python = package_with(options.core or built_core(folder), folder)
    for old in folder.glob("report.*"):
        old.unlink()
    environment = environment_of(python, folder / "report")
    command = sanitized_python()
    where = "import dsir; print(dsir.__file__)"
    imported = subprocess.run(
        [*command, "-c", where],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if imported.returncode != 0:
        sys.exit(f"dsir cannot be imported under the sanitizer: see {folder}/report.*")
    found = imported.stdout.strip()
    if not found.startswith(str(python)):
        sys.exit(f"{found} is imported and not {python}: uninstall the editable install first")
    pytest = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:faulthandler"]
    failed = []
    for tests in [arguments] if arguments else tests_of_threads():
        print(*tests, flush=True)
        code = subprocess.run(
            [*command, *pytest, *tests], env=environment, cwd=ROOT, check=False
        ).returncode
        if code not in (0, _NO_TESTS):
            failed.append(f"pytest ended with {code}: {' '.join(tests)}")
    reports = sorted(folder.glob("report.*"))
    warnings = [path.read_text().count("WARNING: ThreadSanitizer") for path in reports]
    print(*failed, sep="\n")
    print(f"{sum(warnings)} reports of the thread sanitizer", *reports)
    sys.exit(1 if failed or sum(warnings) else 0)


if __name__ == "__main__":
    main()
