"""What the stages on their own wrote is a selection: verified and compared as that of select()."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import dsir

FIT = ("--length", "mean")
DRAW = ("--min-tokens", 20, "--seed", 3)
SAME: dict[str, Any] = {"min_tokens": 20, "seed": 3, "length": "mean", "progress": False}
# By form: what fit, score and sample are given more, and what select is given for the same.
FORMS: dict[str, tuple[tuple[Any, ...], tuple[Any, ...], tuple[Any, ...], dict[str, Any]]] = {
    "parquet": ((), (), ("-n", 30), {"n": 30}),
    "jsonl": (
        ("--on-error", "skip"),
        ("--on-error", "skip"),
        ("-n", 30),
        {"n": 30, "on_error": "skip"},
    ),
    "windows": (
        ("--chunk-tokens", 30, "--chunk-stride", 20),
        ("--chunk-tokens", 30, "--chunk-stride", 20),
        ("--tokens", 900),
        {"tokens": 900, "chunk_tokens": 30, "chunk_stride": 20},
    ),
    "quotas": (
        (),
        ("--dedup", "exact", "--groups", "id,domain", "--filters", "max_repeated=0.3"),
        ("-n", 30, "--dedup", "exact", "--max-per", "domain=0.4"),
        {"n": 30, "dedup": "exact", "max_per": {"domain": 0.4}, "filters": {"max_repeated": 0.3}},
    ),
    "top-k": ((), (), ("--fraction", 0.3, "--method", "top-k"),
              {"fraction": 0.3, "method": "top-k"}),
    "encoded": (
        ("--text-encoding", "utf-8"),
        ("--text-encoding", "utf-8"),
        ("-n", 30),
        {"n": 30, "text_encoding": "utf-8"},
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def staged(small_world, target, tmp_path_factory, invoke_dsir) -> Callable[[str], Path]:
    """A function: the folder with what stages and select() made of a form. Not to be changed."""
    made: dict[str, Path] = {}

    def make(form: str) -> Path:
        if form in made:
            return made[form]
        folder = tmp_path_factory.mktemp(form)
        if form == "jsonl":
            raw = small_world.write_jsonl(folder / "raw")
        else:
            types = [pa.binary()] if form == "encoded" else []
            raw = small_world.write_parquet(folder / "raw", types=types)
        if form == "jsonl":
            lines = raw[0].read_bytes().splitlines()
            lines[4] = b'{"text": 7}'
            raw[0].write_bytes(b"\n".join(lines))
        fit, score, sample, same = FORMS[form]

        def run(*arguments: Any) -> None:
            done = invoke_dsir(*arguments, "-q")
            assert done.returncode == 0, done.stderr

        model, scores, rows = (folder / name for name in ("m.dsir", "scores", "rows"))
        run("fit", *raw, "-t", target, "-o", model, *FIT, *fit)
        run("score", *raw, "-m", model, "-o", scores, *score)
        run("sample", scores, "-o", rows, *DRAW, *sample)
        run("write", rows, "-m", model, "-o", folder / "out", "--shard-size", "4kB")
        dsir.select(raw, target, out=folder / "select", shard_size="4kB", **SAME, **same)
        made[form] = folder
        return folder

    return make


def messages(found: dsir.Verification) -> str:
    return "\n".join(finding.message for finding in found.findings)


def manifest_of(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "_dsir/selection.json").read_bytes()))


@pytest.mark.parametrize("form", FORMS)
def test_stages_leave_what_select_leaves(form, staged, contents):
    folder = staged(form)
    whole, stages = manifest_of(folder / "select"), manifest_of(folder / "out")
    without = ("run.json", "selection.json")
    written = contents(folder / "out", without=without)
    assert written == contents(folder / "select", without=without)
    assert ("_dsir/rejects.jsonl" in written) == (form == "jsonl")
    for name in ("format", "versions", "model", "metrics", "outputs", "skipped", "files"):
        assert stages[name] == whole[name], name
    assert stages["inputs"]["raw"] == whole["inputs"]["raw"]
    of_scores = {"groups": ["id", "domain"] if form == "quotas" else []}
    only = {"fit_tokens", "combine", "max_bad_rows", "max_bad_shards"}
    expected = {name: value for name, value in whole["settings"].items() if name not in only}
    assert stages["settings"] == {**expected, **of_scores}


@pytest.mark.parametrize("form", FORMS)
def test_what_the_stages_wrote_stands(form, staged):
    out = staged(form) / "out"
    found = dsir.verify(out, threads=1)
    assert found.stands, messages(found)
    assert found.notes == []
    assert found.rows is not None
    assert found.rows.stand == found.rows.derived == manifest_of(out)["metrics"]["rows"]["selected"]
    assert dsir.verify(out, quick=True).stands


def test_stages_and_select_differ_in_what_stages_do_not_know(staged):
    found = dsir.diff(staged("parquet") / "out", staged("parquet") / "select", by="domain")
    assert found.same_rows
    assert found.rows.common == 30
    assert found.weights is not None
    assert found.weights.changed == 0
    assert {one.name for one in found.settings} == {"fit_tokens", "groups"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["settings"].update(seed=4), "is selected, but not in the output"),
        (lambda c: c["settings"].update(min_tokens=80), "selected"),
        (lambda c: c["settings"].update(smoothing=0.5), "settings.smoothing is 0.5"),
        (lambda c: c["settings"].pop("dedup"), "'dedup' is missing"),
        (lambda c: c["settings"].update(fit_tokens="auto"), "has no setting 'fit_tokens'"),
        (lambda c: c["settings"].update(out="/etc"), "knows no setting 'out'"),
        (lambda c: c["settings"].update(groups=[1]), "groups=[1]"),
        (lambda c: c["settings"].update(on_error="never"), "on_error='never'"),
        (lambda c: c["settings"].update(text=1), "setting text is missing"),
        (lambda c: c["metrics"]["rows"].update(read=1), "metrics.rows.read is 1"),
        (lambda c: c["inputs"]["model"].update(path="../m.dsir"), "give model=..."),
        (lambda c: c["inputs"].update(model=[]), "give model=..."),
        (lambda c: c["inputs"]["model"].update(path="/etc/passwd"), "/etc/passwd"),
        (lambda c: c.update(model="0" * 16), "but it was 0000"),
    ],
)  # fmt: skip
def test_an_edited_manifest_of_stages_is_found(staged, tmp_path, reseal, change, message):
    out = Path(shutil.copytree(staged("parquet") / "out", tmp_path / "out"))
    reseal(out, change)
    found = dsir.verify(out, threads=1)
    assert not found.stands
    assert message in messages(found)


def test_the_model_may_lie_elsewhere(staged, target, small_world, tmp_path, invoke_dsir):
    folder = staged("parquet")
    out = Path(shutil.copytree(folder / "out", tmp_path / "out"))
    moved = tmp_path / "moved.dsir"
    shutil.move(folder / "m.dsir", moved)
    try:
        assert dsir.verify(out, threads=1).stands  # The folder has the model.
        assert dsir.verify(out, model=moved, threads=1).stands
        assert dsir.verify(out, model=dsir.ImportanceModel.load(moved), threads=1).stands
        done = invoke_dsir("verify", out, "--model", moved, "--threads", 1)
        assert (done.returncode, "rows: 30 of 30 verified" in done.stdout) == (0, True)
    finally:
        shutil.move(moved, folder / "m.dsir")
    other = dsir.fit(small_world.texts, target, progress=False)
    assert "give that one as model=..." in messages(dsir.verify(out, model=other))
    with pytest.raises(dsir.SettingError, match="was selected with a fitted model and no target"):
        dsir.verify(out, target=target)
    with pytest.raises(dsir.SettingError, match="which fits its own model"):
        dsir.verify(folder / "select", model=other)


def test_rows_of_a_work_directory_are_written_with_their_accounts(staged, target, tmp_path):
    folder = staged("jsonl")
    raw = sorted((folder / "raw").iterdir())
    same = {**SAME, **FORMS["jsonl"][3]}
    out, work = tmp_path / "select", tmp_path / "work"
    dsir.select(raw, target, out=out, workdir=work, **same)
    from typer.testing import CliRunner

    from dsir.cli.main import app

    again = tmp_path / "again"
    call = ["write", work / "rows", "-m", work / "model.dsir", "-o", again, "-q"]
    assert CliRunner().invoke(app, list(map(str, call))).exit_code == 0
    for name in ("metrics", "skipped", "files"):
        assert manifest_of(again)[name] == manifest_of(out)[name]
    assert dsir.verify(again, threads=1).stands


def test_accounts_that_are_missing_or_changed(staged, tmp_path, invoke_dsir):
    folder = staged("parquet")
    rows = Path(shutil.copytree(folder / "rows", tmp_path / "rows"))
    call = ("write", rows, "-m", folder / "m.dsir", "-o", tmp_path / "out", "-q")
    path = rows / "accounts.json"
    data = path.read_bytes()
    path.write_bytes(data.replace(b'"selected": 30', b'"selected": 31'))
    assert path.read_bytes() != data
    done = invoke_dsir(*call)
    assert (done.returncode, "its checksum does not match" in done.stderr) == (1, True)
    path.unlink()
    done = invoke_dsir(*call)
    assert (done.returncode, "run 'dsir sample' again" in done.stderr) == (1, True)
    assert not (tmp_path / "out" / "_dsir/selection.json").exists()
    # Drawn again, which takes what is there, they are back.
    again = invoke_dsir("sample", folder / "scores", "-o", rows, *DRAW, "-n", 30, "-q")
    assert again.returncode == 0, again.stderr
    assert path.read_bytes() == data
    assert invoke_dsir(*call).returncode == 0


def test_an_input_is_not_overwritten(staged, invoke_dsir):
    folder = staged("parquet")
    before = sorted((folder / "raw").iterdir())
    done = invoke_dsir(
        *("write", folder / "rows", "-m", folder / "m.dsir", "-o", folder / "raw", "--overwrite")
    )
    assert done.returncode == 1
    assert "is not empty" in done.stderr or "contains the input" in done.stderr
    assert sorted((folder / "raw").iterdir()) == before
