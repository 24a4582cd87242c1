"""Places that cannot be read or written: each call is refused with an error of dsir that names it.

Folders that may not be entered mean nothing to root, so the calls run in a process without its
capabilities.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PLACES = {
    "locked": "locked/x",
    "locked itself": "locked",
    "long name": "x" * 300,
    "long path": "/".join(["y" * 200] * 25),
    "below a file": "raw.jsonl/x",
    "link loop": "loop/x",
    "NUL": "a\0b",
    "half a surrogate pair": "\ud800",
}
CALLS = {
    "raw": "dsir.select(place, target, **CALL)",
    "file": "dsir.select(place + '.jsonl', target, **CALL)",
    "pattern": "dsir.select(place + '/*.jsonl', target, **CALL)",
    "list": "dsir.select(dsir.files([place + '.jsonl']), target, **CALL)",
    "target": "dsir.select(raw, place + '.jsonl', **CALL)",
    "decontaminate": "dsir.select(raw, target, decontaminate=place, **CALL)",
    "negatives": "dsir.select(raw, target, negatives=place, estimator='classifier', **CALL)",
    "out": "dsir.select(raw, target, out=place, **CALL)",
    "workdir": "dsir.select(raw, target, workdir=place, **CALL)",
    "model": "dsir.load_model(place)",
    "language_model": "dsir.select(raw, target, language_column='l', language_model=place, **CALL)",
    "filter": "dsir.QualityFilters(min_probability=0.5, classifier=place, label='x')",
    "combine": "dsir.select(raw, target, combine={'dsir': 1, f'model:{place}:x': 1}, **CALL)",
    "tokenizer": "dsir.HashedNgrams(tokenizer=place)",
    "load": "dsir.load(place)",
    "verify": "dsir.verify(place)",
    "diff": "dsir.diff(place, done)",
    "report": "done.report(place)",
    "card": "done.card(place)",
    "row list": "done.write_row_list(place)",
    "lexrank": "dsir.graph.lexrank(place)",
    "compare": "dsir.compare(raw, target, out=place, progress=False)",
    "score": "dsir.score(raw, {'a': place})",
}
# Runs a command without what root may do more than others: to go where it may not (CAP_DAC_OVERRIDE
# and CAP_DAC_READ_SEARCH). A capability that is out of the bounding set is gone after exec.
WITHOUT_CAPABILITIES = """
import ctypes, os, sys
PR_CAPBSET_DROP = 24
for capability in (1, 2):
    if ctypes.CDLL(None, use_errno=True).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "the capability cannot be dropped")
os.execvp(sys.argv[1], sys.argv[1:])
"""
SCRIPT = """
import sys, warnings
import dsir

warnings.simplefilter("ignore")
PLACES, CALLS = {places!r}, {calls!r}
CALL = {{"n": 3, "min_tokens": 1, "progress": False}}
raw, target = "raw.jsonl", "target.jsonl"
done = dsir.select(raw, target, out="done", **CALL)
for what, call in CALLS.items():
    for kind, place in PLACES.items():
        try:
            eval(call)
        except dsir.DsirError as error:
            if "\\n" in str(error):
                print(f"{{what}}, {{kind}}: several lines: {{error!r:.300}}")
        except BaseException as error:
            print(f"{{what}}, {{kind}}: {{error!r:.300}}")
        else:
            print(f"{{what}}, {{kind}}: no error")
"""


@pytest.fixture
def folder(tmp_path) -> Path:
    for name in ("raw.jsonl", "target.jsonl"):
        lines = (f'{{"text": "the sea {number} and a ship"}}\n' for number in range(30))
        (tmp_path / name).write_text("".join(lines))
    (tmp_path / "locked").mkdir()
    (tmp_path / "locked/x.jsonl").write_text('{"text": "a ship"}\n')
    (tmp_path / "locked").chmod(0o600)
    (tmp_path / "loop").symlink_to("loop")
    return tmp_path


def _as_anybody(folder: Path, *command: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command without what root may do more than others."""
    drop: tuple[str, ...] = ()
    if os.geteuid() == 0:
        if sys.platform != "linux":
            pytest.skip("the root of this system may read and write everywhere")
        drop = (sys.executable, "-c", WITHOUT_CAPABILITIES)
    return subprocess.run([*drop, *command], cwd=folder, capture_output=True, timeout=300)


def test_every_call_refuses_every_place(folder):
    before = {path.name for path in folder.iterdir()}
    script = SCRIPT.format(places=PLACES, calls=CALLS)
    done = _as_anybody(folder, sys.executable, "-c", script)
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode().splitlines() == []
    assert {path.name for path in folder.iterdir()} == before | {"done"}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ["fit", "-o", "no/m.dsir"],
            "/no/m.dsir: {here}/no cannot be written to; give another out",
        ),
        (["select", "-n", "3", "-o", "out", "--rows-out", "no/rows"], "/no/rows: {here}/no cannot"),
        (["select", "-n", "3", "-o", "out", "--rows-out", "no/r.parquet"], "/no/r.parquet: {here}"),
        (["select", "-n", "3", "-o", "no"], "/no: cannot be written to; give another out"),
    ],
)
def test_a_folder_that_takes_no_files_is_noticed_before_the_work(folder, dsir_command, words, says):
    (folder / "no").mkdir(mode=0o500)
    call = [dsir_command, words[0], "raw.jsonl", "-t", "target.jsonl", *words[1:]]
    done = _as_anybody(folder, *call)
    said = done.stderr.decode()
    assert done.returncode == 1
    assert said.startswith(f"dsir: error: {folder}{says.format(here=folder)}"), said
    assert not (folder / "out").exists()
    assert not list((folder / "no").iterdir())
