"""verify(): a selection as it was written stands; whatever is done to it is found."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

import dsir
from dsir.check.part_rows import part_rows
from dsir.corpus.batches import ReadLimits
from dsir.settings.memory import MemoryLimit
from dsir.storage.atomic import json_bytes

MEAN: dict[str, Any] = {"n": 40, "min_tokens": 20, "length": "mean", "progress": False}


def kinds(found: dsir.Verification) -> set[str]:
    return {finding.kind for finding in found.findings}


def messages(found: dsir.Verification) -> str:
    return "\n".join(finding.message for finding in found.findings)


@pytest.fixture
def out(written, tmp_path) -> Path:
    """A copy to be changed; its inputs are those of the original."""
    return Path(shutil.copytree(written / "out", tmp_path / "out"))


FORMS: dict[str, dict[str, Any]] = {
    "parquet": {},
    "jsonl": {},
    "arrow": {},
    "windows": {"chunk_tokens": 30, "chunk_stride": 20, "min_tokens": 10},
    "jsonl-windows": {"chunk_tokens": 30, "min_tokens": 10},
    "separate": {"targets": "separate", "proportions": {"a": 0.6, "b": 0.4}},
    "mixture": {"targets": "mixture"},
    "filters": {"filters": {"max_repeated": 0.2}},
    "combine": {"combine": {"dsir": 1.0, "lexrank": 0.5}, "candidates": 2},
    "tokens": {"n": None, "tokens": 2500, "method": "top-k"},
    "fraction": {"n": None, "fraction": 0.2, "temperature": 50.0, "length": 0.5},
    "features": {"features": dsir.HashedNgrams(n=1, buckets=500, hash="sha256")},
    "names": {"weight_column": "w", "shard_size": "3kB", "fit_tokens": 2000},
}


@pytest.mark.parametrize("form", FORMS)
def test_what_was_written_stands(form, small_world, world, target, tmp_path):
    if form.startswith("jsonl"):
        raw: Any = small_world.write_jsonl(tmp_path / "raw", suffixes=(".jsonl", ".jsonl.gz"))
    elif form == "arrow":
        raw = tmp_path / "raw.arrow"
        table = small_world.table(pa.dictionary(pa.int32(), pa.string()))
        with pa.ipc.new_file(str(raw), table.schema) as writer:
            writer.write_table(table, max_chunksize=33)
    else:
        raw = small_world.write_parquet(tmp_path / "raw", parts=2)
    given: Any = target
    if "targets" in FORMS[form]:
        other = tmp_path / "other.parquet"
        pq.write_table(pa.table({"text": world.target[30:]}), other)
        given = {"a": target, "b": other}
    out = tmp_path / "out"
    selection = dsir.select(raw, given, out=out, **{"shard_size": "5kB", **MEAN, **FORMS[form]})
    for found in (dsir.verify(out, threads=1), dsir.verify(out, quick=True)):
        assert found.stands, messages(found)
        assert found.notes == []
    rows = dsir.verify(out, threads=2).rows
    assert rows is not None
    assert rows.describe() == {
        **dict.fromkeys(rows.describe(), 0),
        "derived": len(selection),
        "stand": len(selection),
    }


def rows_of(path: Path) -> int:
    if path.suffix == ".arrow":
        return len(feather.read_table(path))
    if path.suffix in (".dsir", ".yaml"):
        return 0
    return pq.read_metadata(path).num_rows


def test_the_manifest_says_what_is_in_every_file(out):
    manifest = json.loads((out / "_dsir/selection.json").read_bytes())
    names = {path.relative_to(out).as_posix() for path in out.rglob("*.*")}
    names -= {"_dsir/selection.json", "_dsir/run.json"}
    assert manifest["files"].keys() == names
    for name, said in manifest["files"].items():
        data = (out / name).read_bytes()
        assert said == {
            "bytes": len(data),
            "rows": rows_of(out / name),
            "sha256": hashlib.sha256(data).hexdigest(),
        }
    assert manifest["versions"]["dsir"] == dsir.__version__
    assert [entry["rows"] for entry in manifest["inputs"]["raw"]] == [22, 68]
    checksum = manifest.pop("checksum")
    assert checksum == hashlib.sha256(json_bytes(manifest)).hexdigest()


def test_origins_lead_to_the_rows(out):
    manifest = json.loads((out / "_dsir/selection.json").read_bytes())
    inputs = [pq.read_table(entry["path"]) for entry in manifest["inputs"]["raw"]]
    for name in manifest["outputs"]:
        rows = pq.read_table(out / name)
        origins = feather.read_table(out / f"_dsir/rows/{Path(name).stem}.arrow")
        assert origins.column_names == ["source", "source_row", "log_weight"]
        assert origins["log_weight"].equals(rows["log_weight"])
        for origin, row in zip(origins.to_pylist(), rows.to_pylist(), strict=True):
            source = inputs[origin["source"]].slice(origin["source_row"], 1).to_pylist()[0]
            assert source["id"] == row["id"]


def test_a_resumed_run_says_the_same(written, target, tmp_path, contents):
    out, work = tmp_path / "out", tmp_path / "work"
    raw = sorted((written / "raw").iterdir())
    for _ in range(2):
        dsir.select(raw, target, out=out, workdir=work, shard_size="4kB", **MEAN)
    assert contents(out) == contents(written / "out")
    (out / "_dsir/rows/part-00001.arrow").unlink()
    dsir.select(raw, target, out=out, workdir=work, shard_size="4kB", **MEAN)
    assert contents(out) == contents(written / "out")


def truncate(out: Path) -> None:
    path = out / "data/part-00001.parquet"
    path.write_bytes(path.read_bytes()[:-100])


def empty(out: Path) -> None:
    (out / "data/part-00001.parquet").write_bytes(b"")


def edit(out: Path) -> None:
    """Other content, as a careful hand would leave it: all of it readable."""
    path = out / "data/part-00001.parquet"
    table = pq.read_table(path)
    ids = table["id"].to_numpy().copy()
    ids[0] += 1
    pq.write_table(table.set_column(0, table.schema.field("id"), pa.array(ids)), path)


def swap(out: Path) -> None:
    one, other = out / "data/part-00000.parquet", out / "data/part-00001.parquet"
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)


def link(out: Path) -> None:
    path = out / "data/part-00001.parquet"
    path.rename(out.parent / "elsewhere.parquet")
    path.symlink_to(out.parent / "elsewhere.parquet")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (truncate, "part-00001.parquet: is cut off"),
        (empty, "part-00001.parquet: is cut off"),
        (edit, "part-00001.parquet: "),
        (swap, "part-00000.parquet: "),
        (link, "part-00001.parquet: is a link"),
        (lambda out: (out / "data/part-00001.parquet").unlink(), "part-00001.parquet: is missing"),
        (lambda out: (out / "_dsir/rows/part-00000.arrow").unlink(), "part-00000.arrow: is mis"),
        (
            lambda out: shutil.copy(
                out / "data/part-00000.parquet", out / "data/part-00099.parquet"
            ),
            "part-00099.parquet: does not belong to this selection",
        ),
        (lambda out: shutil.rmtree(out / "_dsir/rows"), "is missing"),
    ],
)  # fmt: skip
def test_what_was_done_to_a_part_is_found(out, damage, message):
    damage(out)
    for quick in (True, False):
        found = dsir.verify(out, quick=quick, threads=1)
        assert not found.stands
        assert message in messages(found)
        assert "file" in kinds(found)


def test_rows_that_do_not_stand_are_counted(out, reseal):
    """Edited so that no checksum tells: only the selection made again does."""
    edit(out)
    path = out / "data/part-00001.parquet"
    data = path.read_bytes()

    def believe(content: dict[str, Any]) -> None:
        content["files"][f"data/{path.name}"] |= {
            "bytes": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
        }

    reseal(out, believe)
    assert dsir.verify(out, quick=True).stands
    found = dsir.verify(out, threads=1)
    assert found.rows is not None
    assert found.rows.other_content == 1
    assert found.rows.stand == found.rows.derived - 1 == 39
    assert kinds(found) == {"row"}
    row = feather.read_table(out / f"_dsir/rows/{path.stem}.arrow")["source_row"][0].as_py()
    assert f"row {row} of " in messages(found)
    assert "has other content" in messages(found)


def _believed(reseal, out: Path, *paths: Path) -> None:
    """Seal a folder again after an edit, so that no checksum tells."""

    def believe(content: dict[str, Any]) -> None:
        for path in paths:
            data = path.read_bytes()
            content["files"][path.relative_to(out).as_posix()] |= {
                "bytes": len(data),
                "sha256": hashlib.sha256(data).hexdigest(),
            }

    reseal(out, believe)


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
@pytest.mark.parametrize("column", ["log_weight", "target"])
def test_what_a_selection_adds_is_no_content(form, column, request, tmp_path, reseal):
    """A row that differs in its log-weight or its target alone is counted once, by that name."""
    raw = request.getfixturevalue(form)
    out = tmp_path / "out"
    sea, law = ["ship sail anchor tide"] * 30, ["court judge statute clause"] * 30
    dsir.select(raw, {"sea": sea, "law": law}, targets="separate", n=20, min_tokens=20, out=out,
                progress=False)  # fmt: skip
    if form == "parquet":
        path = out / "data/part-00000.parquet"
        table = pq.read_table(path)
    else:
        path = out / "_dsir/weights/part-00000.arrow"
        table = feather.read_table(path)
    values = table[column].to_pylist()
    values[0] = values[0] + 1 if column == "log_weight" else {"sea": "law", "law": "sea"}[values[0]]
    place = table.schema.get_field_index(column)
    table = table.set_column(place, table.schema.field(place), pa.array(values))
    if form == "parquet":
        pq.write_table(table, path)
    else:
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
    _believed(reseal, out, path)
    found = dsir.verify(out, target={"sea": sea, "law": law}, threads=1)
    assert found.rows is not None
    counted = found.rows.describe()
    kind = {"log_weight": "other_weight", "target": "other_target"}[column]
    assert counted == dict.fromkeys(counted, 0) | {"derived": 20, "stand": 19, kind: 1}
    assert [one.kind for one in found.findings] == ["row"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("seed", 1), ("min_tokens", 40), ("n", 39), ("smoothing", 0.5), ("method", "top-k")],
)
def test_other_settings_give_other_rows(out, name, value, reseal):
    reseal(out, lambda content: content["settings"].update({name: value}))
    assert dsir.verify(out, quick=True).stands
    found = dsir.verify(out, threads=1)
    assert not found.stands
    assert found.rows is not None
    assert found.rows.stand < found.rows.derived or found.rows.extra
    reasons = messages(found)
    assert "not in the output" in reasons or "not selected" in reasons or "log-weight" in reasons


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["metrics"]["rows"].update(read=1), "metrics.rows.read is 1"),
        (lambda c: c.update(model="0" * 16), "model is 0000"),
        (lambda c: c["settings"].update(out="/etc"), "knows no setting 'out'"),
        (lambda c: c["settings"].update(workdir="w"), "knows no setting 'workdir'"),
        (lambda c: c["settings"].update(overwrite=True), "knows no setting 'overwrite'"),
        (lambda c: c["settings"].update(seed="1"), "seed='1'"),
        (lambda c: c["settings"].update(seed=True), "seed=True"),
        (lambda c: c["settings"].update(features=[]), "features=[]"),
        (lambda c: c["settings"]["features"].update(unicode="1.0"), "features.unicode"),
        (lambda c: c["settings"]["features"].update(buckets=-1), "buckets=-1"),
        (lambda c: c["settings"].pop("seed"), "'seed' is missing"),
        (lambda c: c["settings"].update(text=7), "setting text is missing"),
        (lambda c: c["inputs"].update(target=None), "what the target was"),
        (lambda c: c["inputs"]["raw"][0].update(path="../raw.parquet"), "which is not a path"),
        (lambda c: c["inputs"]["raw"][0].update(path="/etc/passwd"), "unknown file type"),
        (lambda c: c["inputs"]["raw"][0].update(size=1), "was selected from: size was 1"),
        (lambda c: c["inputs"]["raw"][0].update(rows=1), "raw[0] were 1; made again they are 22"),
        (lambda c: c["inputs"].update(raw=[]), ""),
        (lambda c: c["outputs"].reverse(), "outputs"),
        (lambda c: c["outputs"].append("../../part-00000.parquet"), "../../part-00000.parquet"),
    ],
)  # fmt: skip
def test_an_edited_manifest_is_found(out, change, message, reseal):
    reseal(out, change)
    found = dsir.verify(out, threads=1)
    assert not found.stands
    assert message in messages(found)


@pytest.mark.parametrize("name", ["../x.parquet", "/etc/hostname", "a/../../x", "_dsir/../../x"])
def test_no_name_leads_out_of_the_folder(out, name, reseal):
    entry = {"bytes": 1, "rows": 1, "sha256": "0" * 64}
    reseal(out, lambda content: content["files"].update({name: entry}))
    found = dsir.verify(out, quick=True)
    assert kinds(found) == {"manifest"}
    assert "which no selection has" in messages(found)


def test_a_folder_that_is_a_link_is_refused(out):
    (out / "_dsir/rows").rename(out.parent / "rows")
    (out / "_dsir/rows").symlink_to(out.parent / "rows")
    assert "is a link" in messages(dsir.verify(out, quick=True))


def test_a_changed_input_is_found(small_world, target, tmp_path):
    (raw,) = small_world.write_parquet(tmp_path / "raw", parts=1)
    out = tmp_path / "out"
    dsir.select(raw, target, out=out, **MEAN)
    state = raw.stat()
    os.utime(raw, ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    touched = dsir.verify(out, threads=1)
    assert kinds(touched) == {"input"}
    assert "another time of last change" in messages(touched)
    assert touched.rows is not None
    assert touched.rows.stand == touched.rows.derived
    assert dsir.verify(out, ignore_times=True, threads=1).stands
    assert dsir.verify(out, quick=True).stands
    moved = Path(shutil.move(raw, tmp_path / "elsewhere.parquet"))
    gone = dsir.verify(out)
    assert "no such file" in messages(gone)
    assert gone.rows is None
    assert dsir.verify(out, raw=moved, threads=1).stands
    rows = small_world.table()
    pq.write_table(rows.slice(1), moved)
    other = dsir.verify(out, raw=moved, threads=1)
    assert not other.stands
    assert "is not the input that was selected from" in messages(other)
    assert other.rows is not None
    assert other.rows.stand < other.rows.derived


def test_what_was_in_memory_is_asked_for(small_world, world, tmp_path):
    raw = small_world.write_parquet(tmp_path / "raw")
    out = tmp_path / "out"
    dsir.select(raw, world.target, out=out, **MEAN)
    found = dsir.verify(out)
    assert kinds(found) == {"input"}
    assert "target=" in messages(found)
    assert dsir.verify(out, target=world.target, threads=1).stands
    other = dsir.verify(out, target=world.target[1:], threads=1)
    assert "is not the input that was selected from" in messages(other)
    two = tmp_path / "memory"
    dsir.select(small_world.texts, world.target, out=two, **MEAN)
    assert dsir.verify(two, raw=small_world.texts, target=world.target, threads=1).stands


def test_no_selection(tmp_path, out, reseal):
    with pytest.raises(dsir.OutputError, match="there is no such folder"):
        dsir.verify(tmp_path / "nothing")
    with pytest.raises(dsir.OutputError, match="holds no selection"):
        dsir.verify(tmp_path)
    reseal(out, lambda content: content.update(format=4))
    with pytest.raises(dsir.OutputError, match="format 4"):
        dsir.verify(out)


def test_a_selection_in_the_earlier_layout_is_one_clear_error(tmp_path, out, invoke_dsir):
    earlier = tmp_path / "earlier"
    (earlier / "_rows").mkdir(parents=True)
    (earlier / "selection.json").write_text('{"format": 2}')
    (earlier / "part-00000.parquet").write_bytes(b"PAR1")
    for call in (lambda: dsir.verify(earlier), lambda: dsir.diff(earlier, out)):
        with pytest.raises(dsir.OutputError, match="layout of an earlier version of dsir; select"):
            call()
    done = invoke_dsir("verify", earlier)
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"dsir: error: {earlier}: holds a selection in the layout of")


def test_notes_of_what_else_is_there(out):
    (out / "README").write_text("mine")
    found = dsir.verify(out, quick=True)
    assert found.stands
    assert "README" in found.notes[0]


def test_the_command(invoke_dsir, run_dsir, written, tmp_path):
    out = written / "out"
    done = run_dsir("verify", out, "--threads", 1)
    assert done.returncode == 0, done.stderr
    assert "rows: 40 of 40 verified" in done.stdout
    assert f"{out}: verified (" in done.stdout
    copy = Path(shutil.copytree(out, tmp_path / "copy"))
    truncate(copy)
    done = invoke_dsir("verify", copy, "--quick", "--json")
    assert done.returncode == 1
    assert all(line.startswith("dsir check: ") for line in done.stderr.splitlines())  # Progress.
    told = json.loads(done.stdout)
    assert told["stands"] is False
    assert told["findings"][0]["kind"] == "file"
    done = invoke_dsir("verify", tmp_path / "none")
    assert done.returncode == 1
    assert done.stderr.startswith("dsir: error: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_memory_bounds_what_is_compared(
    kind, small_world, target, tmp_path, monkeypatch, invoke_dsir
):
    write = small_world.write_parquet if kind == "parquet" else small_world.write_jsonl
    out = tmp_path / "out"
    dsir.select(write(tmp_path / "raw"), target, out=out, **MEAN)
    held = []

    def watched(*arguments: Any) -> Any:
        for rows in part_rows(*arguments):
            held.append(rows.content.nbytes)
            yield rows

    monkeypatch.setattr("dsir.check.verify.part_rows", watched)
    assert dsir.verify(out, threads=1).stands
    whole = max(held)
    held.clear()
    small = MemoryLimit(ReadLimits(batch_bytes=1500, row_bytes=1 << 20))
    monkeypatch.setattr("dsir.settings.machine.memory_limit", lambda memory, threads: small)
    found = dsir.verify(out, threads=1, memory="300MB")
    assert found.stands
    assert found.rows is not None
    assert found.rows.stand == 40
    assert max(held) < whole / 2
    monkeypatch.undo()
    with pytest.raises(dsir.SettingError, match="is too little for 2 threads"):
        dsir.verify(out, quick=True, threads=2, memory="1MB")
    done = invoke_dsir("verify", out, "--memory", "400MB", "--threads", 1)
    assert (done.returncode, "40 of 40 verified" in done.stdout) == (0, True)
