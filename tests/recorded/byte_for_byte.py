"""Compare two installations of dsir: the recorded runs with each, every file byte for byte.

python tests/recorded/byte_for_byte.py OLD/bin/python NEW/bin/python
python tests/recorded/byte_for_byte.py OLD NEW --only stages-jsonl --allow '*/work/*=new format'

Both get the same inputs, and folders of the same names one after the other, so that even what holds
paths and times of inputs has to be equal. What a run returns is compared as files too, in the
folder `values` of each; so are words, which the recorded digests leave out: of errors (words.json),
of rows passed over (reasons.json) and of warnings (warned.json).

Exit code 0: nothing differs but what ALLOWED or --allow name. 1: something does.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

# Files that may differ, RUN/PATH as a pattern, and why. A refactoring adds here what it changes on
# purpose, with its reason.
ALLOWED = {
    "*/run.json": "seconds, speeds and versions of one run",
    "*/work/outputs*": "markers hold times of output files; left-overs of a draw depend on timing",
}
_RUNS = Path(__file__).with_name("runs_to_files.py")


def main() -> int:
    """Make the runs with both, and compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("old", help="Python executable that imports the old dsir")
    parser.add_argument("new", help="Python executable that imports the new dsir")
    parser.add_argument("--only", action="append", metavar="RUN", help="this run; may be repeated")
    parser.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="PATTERN=REASON",
        help="files RUN/PATH that may differ, and why; may be repeated",
    )
    parser.add_argument("--threads", type=int, default=2, help="how many to use [default: 2]")
    parser.add_argument("--folder", help="where to work; kept. Default: a temporary one, removed")
    arguments = parser.parse_args()
    allowed = dict(ALLOWED)
    for entry in arguments.allow:
        pattern, equals, reason = entry.partition("=")
        if not equals or not reason.strip():
            parser.error(f"--allow {entry}: expected PATTERN=REASON")
        allowed[pattern] = reason
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(arguments.folder or temporary).resolve()
        # Not resolved: the link in a virtual environment is what makes it one.
        old, new = (os.path.abspath(one) for one in (arguments.old, arguments.new))  # noqa: PTH100
        _write_inputs(new, folder / "inputs")
        for name, python in (("old", old), ("new", new)):
            _make(python, name, folder, arguments.only, arguments.threads)
        _print_times(folder)
        return _compare(folder / "old", folder / "new", allowed)


def _write_inputs(python: str, inputs: Path) -> None:
    inputs.parent.mkdir(parents=True, exist_ok=True)
    code = "import pathlib, sys, recorded_inputs as i; i.write_inputs(pathlib.Path(sys.argv[1]))"
    subprocess.run([python, "-c", code, inputs], cwd=_RUNS.parent, check=True)


def _make(python: str, name: str, folder: Path, only: list[str] | None, threads: int) -> None:
    """Make the runs in the folder `runs`, which is then renamed."""
    words = [python, _RUNS, folder / "inputs", folder / "runs", *(only or [])]
    started = time.perf_counter()
    # Standard error has progress, and what verify says.
    done = subprocess.run(
        [*words, "--threads", str(threads)], cwd=folder, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"{name}: the runs failed ({done.returncode}):\n{done.stderr}")
    print(f"{name}: {time.perf_counter() - started:5.1f} s  {done.stdout.strip()}")
    (folder / "runs" / "seconds.json").rename(folder / f"seconds-{name}.json")
    (folder / "runs").rename(folder / name)


def _print_times(folder: Path) -> None:
    """Print the runs whose seconds differ most; one run each, so noise is among them."""
    old, new = (
        json.loads((folder / f"seconds-{name}.json").read_text()) for name in ("old", "new")
    )
    moved = sorted(old, key=lambda name: new.get(name, 0) / old[name])
    print("seconds, old and new, of the runs that changed most (information, with its noise):")
    for name in dict.fromkeys([*moved[:3], *moved[-3:]]):
        print(f"  {name:32} {old[name]:6.2f} {new.get(name, 0):6.2f}")


def _compare(old: Path, new: Path, allowed: dict[str, str]) -> int:
    names = sorted({*_files(old), *_files(new)})
    differing = [name for name in names if _bytes(old / name) != _bytes(new / name)]
    used: dict[str, list[str]] = {}
    wrong = []
    for name in differing:
        pattern = next((one for one in allowed if fnmatch.fnmatchcase(name, one)), None)
        if pattern is None:
            wrong.append(name)
        else:
            used.setdefault(pattern, []).append(name)
    for pattern, which in used.items():
        print(f"allowed: {len(which)} files {pattern}: {allowed[pattern]}")
    for pattern in allowed:
        if pattern not in used and pattern not in ALLOWED:
            print(f"allowed for nothing: {pattern} ({allowed[pattern]}); no such file differs")
    for name in wrong:
        print(f"DIFFERS: {name}: {_difference(old / name, new / name)}")
    print(f"{len(names)} files: {len(wrong)} differ, {sum(map(len, used.values()))} may differ")
    return 1 if wrong or not names else 0


def _files(folder: Path) -> list[str]:
    return [os.fspath(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()]


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _difference(old: Path, new: Path) -> str:
    """Say where two files differ."""
    if not old.exists() or not new.exists():
        return "only in the " + ("old" if old.exists() else "new")
    a, b = old.read_bytes(), new.read_bytes()
    if old.suffix in (".json", ".jsonl"):
        try:
            return "; ".join(_of_json(*(_parsed(one) for one in (a, b)))[:5]) or "in white space"
        except ValueError:
            pass
    at = next(
        (i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b))
    )
    return f"{len(a)} and {len(b)} bytes, from byte {at}: {a[at : at + 40]!r}, {b[at : at + 40]!r}"


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return [json.loads(line) for line in data.splitlines()]


def _of_json(old: Any, new: Any, where: str = "") -> list[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        found = [] if list(old) == list(new) else [f"{where or '.'}: other keys or another order"]
        for key in old:
            if key in new:
                found += _of_json(old[key], new[key], f"{where}.{key}")
            else:
                found.append(f"{where}.{key}: only in the old")
        return found + [f"{where}.{key}: only in the new" for key in new if key not in old]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = enumerate(zip(old, new, strict=True))
        return [one for i, (a, b) in pairs for one in _of_json(a, b, f"{where}[{i}]")]
    return [] if old == new else [f"{where}: {_short(old)}, {_short(new)}"]


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) < 200 else f"{text[:200]}..."


if __name__ == "__main__":
    sys.exit(main())
