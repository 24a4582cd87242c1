"""Damage beside the texts, met only when rows are written: the row group is lost, and no more."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dsir
from dsir.stages import units
from dsir.stages.kept import plan as keeping

SETTINGS: dict[str, Any] = {
    "min_tokens": 5,
    "length": "mean",
    "temperature": 0.5,
    "shard_size": "3kB",
    "on_error": "skip",
    "progress": False,
}
GROUP = 50
WHOLE = 1 << 40
# Of 600 rows: so few are kept as they pass, so many are fetched from the input.
FEW, MANY = 24, 120


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda handle: None)


def damaged(path: Path, table: pa.Table, groups: dict[int, str]) -> Path:
    """A Parquet file with a flipped bit in one column of some row groups."""
    plain: dict[str, Any] = {"use_dictionary": False, "write_page_checksum": True}
    pq.write_table(table, path, row_group_size=GROUP, compression="none", **plain)
    data = bytearray(path.read_bytes())
    for group, name in groups.items():
        of_group = pq.read_metadata(path).row_group(group)
        columns = [of_group.column(i) for i in range(of_group.num_columns)]
        [column] = [one for one in columns if one.path_in_schema == name]
        data[column.data_page_offset + column.total_compressed_size - 3] ^= 4
    path.write_bytes(data)
    return path


@pytest.fixture
def raw(world, tmp_path) -> Path:
    """A file of which three row groups have damage beside their texts, and one in them."""
    groups = {1: "id", 4: "meta.body", 6: "text", 9: "tags.list.element"}
    return damaged(tmp_path / "raw.parquet", world.table(), groups)


def lost_groups(selection: dsir.Selection) -> dict[int, str]:
    for entry in selection.skipped:
        assert (entry.kind, entry.rows, entry.row % GROUP) == ("damaged_row_group", GROUP, 0)
    return {entry.row // GROUP: entry.reason for entry in selection.skipped}


def drawn_by_hand(
    selection: dsir.Selection, texts: list[str | None], n: int, seed: int
) -> list[int]:
    """Draw from all rows but those of row groups that are lost, by the model of the selection."""
    weights = selection.model.score([text or "" for text in texts])
    tokens = np.array([len(re.findall(r"\w+|[^\w\s]+", text or "")) for text in texts])
    eligible = tokens >= SETTINGS["min_tokens"]
    for group in lost_groups(selection):
        eligible[group * GROUP : (group + 1) * GROUP] = False
    weights[~eligible] = -np.inf
    rows = dsir.sample(weights, n, seed=seed, temperature=SETTINGS["temperature"])
    return sorted(rows.tolist())


@pytest.mark.parametrize("n", [FEW, MANY])
@pytest.mark.parametrize("fit_tokens", ["all", 3000])
def test_the_row_group_is_lost_alone(
    n, fit_tokens, raw, world, target, tmp_path, contents, monkeypatch
):
    keywords = {**SETTINGS, "n": n, "fit_tokens": fit_tokens}
    expected = dsir.select(raw, target, out=tmp_path / "whole", **keywords)
    lost = lost_groups(expected)
    assert 6 in lost
    assert len(lost) > 1
    assert all(f"row group {group} cannot be read: " in reason for group, reason in lost.items())
    names = {1: "'id'", 4: "'meta'", 9: "'tags'"}
    assert all(f"column {names[group]}: " in lost[group] for group in lost if group != 6)
    # As many as were asked for, of what can be read.
    assert expected.rows.tolist() == drawn_by_hand(expected, world.texts, n, 0)
    assert expected.metrics["rows"]["bad"] == GROUP * len(lost)
    assert expected.metrics["shards"] == {"read": 1, "skipped": 0}
    ids = pa.concat_tables([pq.read_table(one) for one in expected.paths])["id"].to_pylist()
    assert ids == expected.rows.tolist()
    rejects = (tmp_path / "whole" / "_dsir/rejects.jsonl").read_bytes().splitlines()
    assert [json.loads(line)["row"] // GROUP for line in rejects] == sorted(lost)
    in_memory = dsir.select(raw, target, **keywords)
    assert in_memory.table["id"].to_pylist() == ids
    for threads, size, share in ((1, WHOLE, 0.0), (2, 1, 0.05), (3, 4000, 0.0), (2, 4000, 1.0)):
        monkeypatch.setattr(units, "UNIT_BYTES", size)
        monkeypatch.setattr(keeping, "_LARGEST_SHARE", share)
        out, work = tmp_path / f"out-{threads}-{size}", tmp_path / f"work-{threads}-{size}"
        for _ in range(2):  # The second time from the results on disk.
            found = dsir.select(raw, target, out=out, workdir=work, threads=threads, **keywords)
            assert contents(out) == contents(tmp_path / "whole")
            assert found.skipped == expected.skipped
    verified = dsir.verify(tmp_path / "whole")
    assert verified.stands, [str(finding) for finding in verified.findings]


@pytest.mark.parametrize(
    "more",
    [{"chunk_tokens": 20}, {"dedup": "exact", "max_per": {"domain": 0.5}}, {"overwrite": True}],
    ids=str,
)
def test_windows_and_quotas(more, raw, world, target, tmp_path, contents, monkeypatch):
    lines = tmp_path / "b.jsonl"
    lines.write_text("".join(json.dumps({**row, "id": 7}) + "\n" for row in world.rows[:300]))
    keywords = {**SETTINGS, "n": MANY, **more}
    if "overwrite" in more:  # More parts than there will be.
        small = {**SETTINGS, "n": MANY, "shard_size": "1kB"}
        dsir.select(lines, target, out=tmp_path / "out", **small)
    found = dsir.select([raw, lines], target, out=tmp_path / "out", **keywords)
    assert len(lost_groups(found)) > 1
    assert len(found) == MANY
    assert len(list((tmp_path / "out").glob("data/part-*"))) == len(found.paths)
    assert dsir.verify(tmp_path / "out").stands
    monkeypatch.setattr(units, "UNIT_BYTES", 4000)
    dsir.select([lines, raw][::-1], target, out=tmp_path / "units", threads=2, **keywords)
    assert contents(tmp_path / "units") == contents(tmp_path / "out")


def test_killed_at_every_file_and_resumed(raw, target, tmp_path, contents, monkeypatch):
    keywords = {**SETTINGS, "n": MANY, "threads": 1}
    dsir.select(raw, target, out=tmp_path / "whole", **keywords)
    expected = contents(tmp_path / "whole")
    from dsir.storage.atomic import UnfinishedFile

    commit = UnfinishedFile.commit
    out, work = tmp_path / "out", tmp_path / "work"
    for kills in range(1000):  # noqa: B007
        left = [8]  # The last step writes six files, which are written again after a kill.

        def dying(self: Any, left: list[int] = left) -> None:
            left[0] -= 1
            if not left[0]:
                raise KeyboardInterrupt
            commit(self)

        monkeypatch.setattr(UnfinishedFile, "commit", dying)
        try:
            dsir.select(raw, target, out=out, workdir=work, **keywords)
            break
        except KeyboardInterrupt:
            assert not (out / "_dsir/selection.json").exists() or contents(out) == expected
    assert kills > 5
    assert contents(out) == expected


def test_limits_count_what_is_lost(raw, target, tmp_path):
    keywords = {**SETTINGS, "n": MANY}
    found = dsir.select(raw, target, **keywords)
    bad = GROUP * len(lost_groups(found))
    dsir.select(raw, target, max_bad_rows=bad, **keywords)
    for most in (bad - 1, "9%"):
        with pytest.raises(dsir.BadDataError, match=rf"max_bad_rows={most}"):
            dsir.select(raw, target, max_bad_rows=most, **keywords)


def test_without_skipping_the_column_is_named(world, target, tmp_path, invoke_dsir):
    raw = damaged(tmp_path / "raw.parquet", world.table(), dict.fromkeys(range(12), "meta.body"))
    for n in (FEW, MANY):
        with pytest.raises(dsir.ShardError) as caught:
            dsir.select(raw, target, threads=1, **{**SETTINGS, "n": n, "on_error": "raise"})
        group = caught.value.row_group
        assert (caught.value.path, group is None) == (str(raw), False)
        assert f"{raw}: row group {group} cannot be read: column 'meta': " in str(caught.value)
        assert 'repair the file and start again, or give on_error="skip"' in str(caught.value)
    model, scores, rows = (tmp_path / name for name in ("m.dsir", "scores", "rows"))
    skip = ("--on-error", "skip", "-q")
    for call in (
        ("fit", raw, "-t", target, "-o", model, *skip),
        ("score", raw, "-m", model, "-o", scores, *skip),
        ("sample", scores, "-n", MANY, "--min-tokens", 5, "-o", rows, "-q"),
    ):
        assert invoke_dsir(*call).returncode == 0
    done = invoke_dsir("write", rows, "-m", model, "-o", tmp_path / "out", "-q")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert re.search(r"row group \d+ cannot be read: column 'meta': ", done.stderr)
    assert "repair the file and score it again, or select with 'dsir select" in done.stderr
    assert not (tmp_path / "out" / "_dsir/selection.json").exists()


def test_a_note_that_was_changed(raw, target, tmp_path):
    work = tmp_path / "work"
    keywords = {**SETTINGS, "n": MANY, "workdir": work, "out": tmp_path / "out"}
    dsir.select(raw, target, **keywords)
    note = work / "damaged.json"
    note.write_bytes(note.read_bytes().replace(b"row group 4", b"row group 5"))
    with pytest.raises(dsir.WorkdirError, match=r"damaged\.json: cannot be read .*; remove it"):
        dsir.select(raw, target, **keywords)
    note.unlink()
    dsir.select(raw, target, **keywords)
