"""Work directories: the same call goes on, another call is refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from small_run import SETTINGS

import dsir
from dsir.storage.place import Place
from dsir.storage.workdir import Workdir
from dsir.storage.workdir_manifest import read_manifest


def test_the_same_call_again_reuses_everything(raw, goal, tmp_path, expected, calls, contents):
    keywords = {**SETTINGS, "out": tmp_path / "out", "workdir": tmp_path / "work"}
    first = dsir.select(raw, goal, **keywords)
    assert calls["score"] > 0
    assert contents(tmp_path / "out") == expected
    work = contents(tmp_path / "work")
    stamps = {path: path.stat().st_mtime_ns for path in first.paths}
    calls.clear()
    again = dsir.select(raw, goal, **{**keywords, "threads": 2})
    assert calls == {}
    assert contents(tmp_path / "out") == expected
    assert contents(tmp_path / "work") == work
    assert {path: path.stat().st_mtime_ns for path in again.paths} == stamps
    assert again.rows.tolist() == first.rows.tolist()
    assert again.log_weights.tobytes() == first.log_weights.tobytes()
    assert {k: v for k, v in again.metrics.items() if k != "stages"} == {
        k: v for k, v in first.metrics.items() if k != "stages"
    }


def test_lost_output_is_written_again(raw, goal, tmp_path, expected, calls, contents):
    keywords = {**SETTINGS, "out": tmp_path / "out", "workdir": tmp_path / "work"}
    first = dsir.select(raw, goal, **keywords)
    first.paths[1].unlink()
    (tmp_path / "out" / "_dsir/selection.json").unlink()
    calls.clear()
    dsir.select(raw, goal, **keywords)
    assert calls["score"] == 0
    assert calls["count"] > 0  # The rows of one shard, for the metrics.
    assert contents(tmp_path / "out") == expected
    shutil.rmtree(tmp_path / "out")
    dsir.select(raw, goal, **keywords)
    assert contents(tmp_path / "out") == expected


def test_output_that_another_run_replaced_is_written_again(raw, goal, tmp_path, expected, contents):
    """Two runs that share an output folder may well write files of the same size."""
    keywords = {**SETTINGS, "out": tmp_path / "out", "workdir": tmp_path / "work"}
    dsir.select(raw, goal, **keywords)
    for name, data in expected.items():
        if name.endswith((".parquet", ".jsonl")):
            (tmp_path / "out" / name).write_bytes(data[::-1])
    dsir.select(raw, goal, **keywords)
    assert contents(tmp_path / "out") == expected


def test_without_out(raw, goal, tmp_path, calls):
    keywords = {**SETTINGS, "n": 4, "workdir": tmp_path / "work"}
    first = dsir.select(raw[:1], goal, **keywords)
    calls.clear()
    again = dsir.select(raw[:1], goal, **keywords)
    assert calls["score"] == 0
    assert again.table.equals(first.table)


DRAWN = {"counts", "scores"}
WRITTEN = {"counts", "scores", "rows"}


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({"n": 21}, DRAWN),
        ({"n": None, "fraction": 0.5}, DRAWN),
        ({"seed": 1}, DRAWN),
        ({"method": "top-k"}, DRAWN),
        ({"temperature": 2.0}, DRAWN),
        ({"min_tokens": 6}, DRAWN),
        ({"allow_fewer": True}, DRAWN),
        ({"dedup": "exact"}, {"counts"}),
        ({"dedup": "near"}, {"counts"}),
        ({"max_per": {"domain": 0.9}}, {"counts"}),
        ({"keep_types": True}, WRITTEN),
        ({"estimator": "relevance"}, set()),
        ({"shard_size": "5kB"}, WRITTEN),
        ({"weight_column": "w"}, WRITTEN),
        ({"combine": {"dsir": 1.0, "lexrank": 0.5}}, DRAWN),
        ({"length": "sum"}, {"counts"}),
        ({"smoothing": 1.0}, {"counts"}),
        ({"filters": {"min_words": 8}}, {"counts"}),
        # All of raw is counted either way, so that the model is the same.
        ({"fit_tokens": "all"}, {"scores", "rows"}),
        ({"text": "domain"}, set()),
        ({"on_error": "skip"}, set()),
        ({"features": dsir.HashedNgrams(buckets=99)}, set()),
        ({"features": dsir.HashedNgrams(hash="sha256")}, set()),
        ({"chunk_tokens": 9, "min_tokens": 5}, set()),
    ],
)
@pytest.mark.filterwarnings("ignore::dsir.DsirWarning")
def test_other_settings_repeat_the_stages_that_depend_on_them(
    raw, goal, tmp_path, contents, change, kept
):
    """And what comes of it is what a run without a work directory gives."""
    keywords = {**SETTINGS, "workdir": tmp_path / "work"}
    dsir.select(raw, goal, out=tmp_path / "first", **keywords)
    before = results(tmp_path / "work")
    if "text" in change:
        keywords["min_tokens"] = 1
    dsir.select(raw, goal, out=tmp_path / "changed", **{**keywords, **change})
    after = results(tmp_path / "work")
    stages = {"counts", "scores", "rows", "outputs"}
    assert {name for name in stages if before[name] == after[name]} == kept
    dsir.select(raw, goal, out=tmp_path / "fresh", **{**keywords, **change, "workdir": None})
    assert contents(tmp_path / "changed") == contents(tmp_path / "fresh")
    # And back again.
    dsir.select(raw, goal, out=tmp_path / "first", overwrite=True, **keywords)


def results(work: Path) -> dict[str, dict[str, int]]:
    """By stage, the inode of every file: a file that is written again has another one."""
    return {
        stage.name: {path.name: path.stat().st_ino for path in stage.iterdir()}
        for stage in work.iterdir()
        if stage.is_dir()
    }


def test_scores_serve_draws_with_fewer_or_other_quotas(raw, goal, tmp_path, contents, calls):
    """Scores with more columns than a draw needs are kept; scores that lack one gain it."""
    keywords = {**SETTINGS, "workdir": tmp_path / "work", "allow_fewer": True}
    quotas = [
        {"max_per": {"domain": 0.5}, "dedup": "exact"},
        {"max_per": {"domain": 3}, "dedup": "exact"},
        {"group_by": "domain"},
        {"dedup": "exact"},
        {"dedup": "near", "group_by": "domain"},
        {},
        {"dedup": "exact"},
        {"max_per": {"meta.chars": 2}},
        {"max_per": {"meta.chars": 1, "domain": 0.5}, "dedup": "exact"},
        {"group_by": "domain"},
    ]
    scored = []
    for number, quota in enumerate(quotas):
        calls.clear()
        dsir.select(raw, goal, out=tmp_path / f"out-{number}", **keywords, **quota)
        scored.append(calls["score"] > 0)
        dsir.select(
            raw, goal, out=tmp_path / f"fresh-{number}", **{**keywords, "workdir": None}, **quota
        )
        assert contents(tmp_path / f"out-{number}") == contents(tmp_path / f"fresh-{number}")
    assert scored == [True, *[False] * 9]


@pytest.mark.parametrize(
    "settings",
    [
        {"chunk_tokens": 9, "min_tokens": 4},
        {"filters": "min_words=6"},
        {"targets": "separate"},
        {"on_error": "skip"},
    ],
    ids=lambda settings: "-".join(settings),
)
def test_columns_are_added_to_scores_of_every_form(raw, goal, tmp_path, contents, calls, settings):
    raw[1].with_name("bad.jsonl").write_text('{"text": 7}\n{"text": "a ship and a sail at sea"}\n')
    inputs = [*raw, raw[1].with_name("bad.jsonl")] if "on_error" in settings else raw
    target = {"a": goal, "b": ["the judge heard the court and the jury"] * 5}
    wanted = target if "targets" in settings else goal
    keywords = {**SETTINGS, "allow_fewer": True, **settings}
    work = tmp_path / "work"
    dsir.select(inputs, wanted, out=tmp_path / "first", workdir=work, **keywords)
    calls.clear()
    quota = {"group_by": "domain", "dedup": "exact"}
    if "on_error" in settings:
        quota = {"dedup": "exact"}  # The broken file has no other column.
    dsir.select(inputs, wanted, out=tmp_path / "more", workdir=work, **keywords, **quota)
    assert calls["score"] == 0
    dsir.select(inputs, wanted, out=tmp_path / "fresh", **keywords, **quota)
    assert contents(tmp_path / "more") == contents(tmp_path / "fresh")


def test_a_run_that_dies_while_columns_are_added(raw, goal, tmp_path, contents, calls, monkeypatch):
    keywords = {**SETTINGS, "workdir": tmp_path / "work", "group_by": "domain", "allow_fewer": True}
    dsir.select(raw, goal, out=tmp_path / "first", **{**keywords, "group_by": None})
    finish = Place.finish
    finished = []

    def dying(place: Place, result: Any) -> None:
        if finished:  # The file of the second shard is there, and its marker is not.
            raise KeyboardInterrupt
        finished.append(place)
        finish(place, result)

    monkeypatch.setattr(Place, "finish", dying)
    with pytest.raises(KeyboardInterrupt):
        dsir.select(raw, goal, out=tmp_path / "out", **keywords)
    monkeypatch.undo()
    calls.clear()
    dsir.select(raw, goal, out=tmp_path / "out", **keywords)
    dsir.select(raw, goal, out=tmp_path / "fresh", **{**keywords, "workdir": None})
    assert contents(tmp_path / "out") == contents(tmp_path / "fresh")


def test_another_output_folder_keeps_what_was_drawn(raw, goal, tmp_path, contents, calls):
    keywords = {**SETTINGS, "workdir": tmp_path / "work"}
    dsir.select(raw, goal, out=tmp_path / "out", **keywords)
    calls.clear()
    dsir.select(raw, goal, out=tmp_path / "elsewhere", **keywords)
    assert calls["score"] == 0
    assert contents(tmp_path / "elsewhere") == contents(tmp_path / "out")


def test_a_changed_call_does_not_write_over_another_selection(raw, goal, tmp_path, contents):
    keywords = {**SETTINGS, "out": tmp_path / "out", "workdir": tmp_path / "work"}
    dsir.select(raw, goal, **keywords)
    written = contents(tmp_path / "out")
    with pytest.raises(dsir.OutputError, match="overwrite=True"):
        dsir.select(raw, goal, **{**keywords, "n": 21})
    assert contents(tmp_path / "out") == written
    dsir.select(raw, goal, **{**keywords, "n": 21, "overwrite": True})
    dsir.select(raw, goal, out=tmp_path / "fresh", **{**SETTINGS, "n": 21})
    assert contents(tmp_path / "out") == contents(tmp_path / "fresh")


@pytest.mark.filterwarnings("ignore:target.* is part of raw:dsir.DsirWarning")
def test_other_inputs_are_refused(raw, goal, small_world, tmp_path):
    keywords = {**SETTINGS, "out": tmp_path / "out", "workdir": tmp_path / "work"}
    dsir.select(raw, goal, **keywords)
    copy = tmp_path / "copy.parquet"
    shutil.copy(raw[0], copy)
    cases = [
        (raw[:1], goal, r"inputs\.raw are 1, were 2"),
        ([copy, raw[1]], goal, r"inputs\.raw\[0\]\.path is .*copy\.parquet.*, was .*part-0"),
        (raw[::-1], goal, r"inputs\.raw\[0\]\.path is"),
        (raw, raw[0], r"inputs\.target\[0\]\.path is"),
        (raw, small_world.target, r"inputs\.target\[0\]"),
        (raw, [goal, raw[0]], r"inputs\.target are 2, were 1"),
    ]
    for other_raw, other_target, named in cases:
        with pytest.raises(dsir.WorkdirError, match=named):
            dsir.select(other_raw, other_target, **keywords)
    raw[1].touch()
    with pytest.raises(dsir.WorkdirError, match=r"part-1\.jsonl\.gz has been written to since"):
        dsir.select(raw, goal, **keywords)
    raw[1].unlink()
    with pytest.raises(dsir.ShardError, match="no such file"):
        dsir.select(raw, goal, **keywords)


def test_another_target_in_memory_is_refused(raw, small_world, tmp_path):
    keywords = {**SETTINGS, "n": 4, "workdir": tmp_path / "work"}
    target = small_world.target
    first = dsir.select(raw[:1], target, **keywords)
    again = dsir.select(raw[:1], list(target), **keywords)
    assert again.rows.tolist() == first.rows.tolist()
    with pytest.raises(dsir.WorkdirError, match=r"inputs\.target\[0\]"):
        dsir.select(raw[:1], [*target[:-1], "another text"], **keywords)


def test_raw_in_memory_is_refused(small_world, raw, tmp_path):
    for source in (small_world.texts, [raw[0], small_world.table()]):
        with pytest.raises(dsir.SettingError, match="raw is in memory"):
            dsir.select(source, small_world.target, workdir=tmp_path / "work", **SETTINGS)
    assert not (tmp_path / "work").exists()


def test_foreign_folders_are_refused(raw, goal, tmp_path):
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "thesis.tex").touch()
    with pytest.raises(dsir.WorkdirError, match="not a work directory of dsir"):
        dsir.select(raw, goal, workdir=foreign, **SETTINGS)
    with pytest.raises(dsir.WorkdirError, match="cannot be used as a work directory"):
        dsir.select(raw, goal, workdir=raw[0], **SETTINGS)
    for content in ("", "{", "[]", '{"format": 99}'):
        (foreign / "manifest.json").write_text(content)
        with pytest.raises(dsir.WorkdirError, match=r"manifest\.json"):
            dsir.select(raw, goal, workdir=foreign, **SETTINGS)


def test_markers_are_names_of_what_they_finish(tmp_path):
    workdir = Workdir(tmp_path / "w", {"a": 1}, {"raw": []})
    place = workdir.stage("scores", {"b": 2}).place(7)
    assert place.path(".arrow") == tmp_path / "w" / "scores" / "00007.arrow"
    assert place.finished() is None
    place.finish({"rows": 3})
    assert place.finished() == {"rows": 3}
    assert Place.at(place.stem, "of another run").finished() is None
    again = Workdir(tmp_path / "w", {"a": 1}, {"raw": []})
    assert again.fingerprint == workdir.fingerprint
    assert again.stage("scores", {"b": 2}).place(7) == place
    assert again.stage("scores", {"b": 3}).place(7).finished() is None
    assert read_manifest(tmp_path / "w") == workdir.manifest
    with pytest.raises(dsir.WorkdirError, match=r"settings\.a is 2, was 1; settings\.b is 3, was"):
        Workdir(tmp_path / "w", {"a": 2, "b": 3}, {"raw": []})


def test_a_work_directory_with_a_skipped_shard(raw, goal, tmp_path):
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"text": "a ship"}\n{"text": 7}\n')
    gone = tmp_path / "gone.parquet"
    gone.write_bytes(b"no")
    keywords = {**SETTINGS, "on_error": "skip", "workdir": tmp_path / "work"}
    keywords["out"] = tmp_path / "out"
    first = dsir.select([bad, *raw, gone], goal, **keywords)
    again = dsir.select([bad, *raw, gone], goal, **keywords)
    assert [(s.path, s.row) for s in first.skipped] == [(str(bad), 1), (str(gone), None)]
    assert again.skipped == first.skipped
    assert again.rows.tolist() == first.rows.tolist()


def test_the_work_directory_holds_the_scores(raw, goal, small_world, tmp_path):
    selection = dsir.select(raw, goal, workdir=tmp_path / "work", out=tmp_path / "out", **SETTINGS)
    model = dsir.ImportanceModel.load(tmp_path / "work" / "model.dsir")
    assert model.fingerprint == selection.model.fingerprint
    parts = [
        pa.ipc.open_file(tmp_path / "work" / "scores" / f"{i:05d}.arrow").read_all()
        for i in range(2)
    ]
    scores = pa.concat_tables(parts)
    assert len(scores) == len(small_world.rows)
    weights = model.score(small_world.texts)
    np.testing.assert_array_equal(scores["log_weight"].to_numpy(), weights)
    draw = dsir.sample(np.where(scores["tokens"].to_numpy() >= 5, weights, -np.inf), 12, seed=0)
    assert draw.tolist() == selection.rows.tolist()


@pytest.mark.parametrize("where", ["{}/out", "memory://refused/out"])
def test_a_refused_call_makes_no_work_directory(raw, goal, tmp_path, where):
    out = where.format(tmp_path)
    dsir.select(raw, goal, out=out, overwrite=True, **SETTINGS)
    with pytest.raises(dsir.OutputError, match="not empty"):
        dsir.select(raw, goal, out=out, workdir=tmp_path / "work", **SETTINGS)
    assert not (tmp_path / "work").exists()
    mixed = {**SETTINGS, "workdir": tmp_path / "work"}
    with pytest.raises(dsir.SettingError, match="cannot be one table"):
        dsir.select(raw, goal, **mixed)
    assert not (tmp_path / "work").exists()
