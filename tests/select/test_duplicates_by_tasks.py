"""Selections whose duplicates tasks look for: the files of selections that one process makes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dsir
import dsir.run.duplicates as module
from dsir.stages.duplicates import layout as layouts
from dsir.stages.duplicates.slices import SUFFIX

pytestmark = pytest.mark.filterwarnings("ignore::dsir.DsirWarning")

MEAN: dict[str, Any] = {"min_tokens": 3, "length": "mean", "progress": False, "n": 60}
TARGET = [f"the ship sails over the sea with the mast and the tide {one}" for one in range(20)]
TEXTS = [
    f"text {number * number % 97} of the sea and the tide number {number % 60}"
    for number in range(400)
]


@pytest.fixture(scope="module")
def raw(tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("copies")
    paths = []
    for number, first in enumerate(range(0, 400, 130)):
        texts = TEXTS[first : first + 130]
        kinds = [str(len(text) % 5) for text in texts]
        paths.append(folder / f"{number}.parquet")
        pq.write_table(pa.table({"text": texts, "kind": kinds}), paths[-1], row_group_size=40)
    return paths


@pytest.fixture
def by_tasks(monkeypatch):
    """Searches are made by tasks, in spite of their size."""

    def alone(*_):
        raise AssertionError("one process looked for duplicates")

    monkeypatch.setattr(module, "_FEW_PASSES", 0)
    monkeypatch.setattr(module, "_FEW_PASSES_OF_A_DRIVER", 0)
    monkeypatch.setattr(module, "find_repeats", alone)
    for name, value in {"_LEAST": 90, "_SLICE": 3, "RUN_ROWS": 64}.items():
        monkeypatch.setattr(layouts, name, value)
    return monkeypatch


@pytest.mark.parametrize("dedup", ["exact", "near"])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"max_per": {"kind": 0.4}, "allow_fewer": True},
        {"method": "coverage", "n": 20},
        {"chunk_tokens": 8},
        {"targets": "separate"},
        {"filters": "max_words=11"},
        {"memory": "400MB"},
    ],
    ids=lambda settings: "-".join(settings) or "plain",
)
def test_the_files_are_the_same(dedup, settings, raw, by_tasks, tmp_path, contents):
    given = {**MEAN, "dedup": dedup, "allow_fewer": True, **settings}
    target = {"a": TARGET, "b": TARGET[:9]} if "targets" in settings else TARGET
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "_FEW_PASSES", 3)
        patched.setattr(module, "find_repeats", dsir.stages.repeats.find_repeats)
        dsir.select(raw, target, out=tmp_path / "one", threads=1, **given)
    work = tmp_path / "work"
    for number, place in enumerate((None, work, work)):
        out = tmp_path / f"out-{number}"
        dsir.select(raw, target, out=out, workdir=place, threads=3, **given)
        assert contents(out) == contents(tmp_path / "one")
    assert not list((work / "duplicates").glob(f"*{SUFFIX}"))
    verified = dsir.verify(tmp_path / "one", target=target, threads=1)
    assert verified.stands, [str(finding) for finding in verified.findings]


def test_another_seed_looks_at_the_bits_that_are_there(raw, by_tasks, tmp_path, contents):
    given = {**MEAN, "dedup": "near", "workdir": tmp_path / "work"}
    dsir.select(raw, TARGET, out=tmp_path / "one", **given)
    names = ("partition_piece", "match_range", "mark_piece")
    with pytest.MonkeyPatch.context() as patched:
        for name in names:
            patched.setattr(f"dsir.stages.duplicates.search.{name}", None)
        dsir.select(raw, TARGET, out=tmp_path / "seed", seed=5, **given)
    # Other rows could be selected, so others are duplicates.
    other = {**given, "min_tokens": 10, "allow_fewer": True}
    dsir.select(raw, TARGET, out=tmp_path / "other", **other)
    del given["workdir"], other["workdir"]
    dsir.select(raw, TARGET, out=tmp_path / "fresh-seed", seed=5, **given)
    dsir.select(raw, TARGET, out=tmp_path / "fresh-other", **other)
    assert contents(tmp_path / "seed") == contents(tmp_path / "fresh-seed")
    assert contents(tmp_path / "other") == contents(tmp_path / "fresh-other")


@pytest.mark.parametrize("step", ["partition_piece", "match_range", "mark_piece"])
def test_a_selection_that_dies_in_a_search_goes_on(step, raw, by_tasks, tmp_path, contents):
    given = {**MEAN, "dedup": "exact"}
    dsir.select(raw, TARGET, out=tmp_path / "whole", **given)
    where = f"dsir.stages.duplicates.search.{step}"
    with pytest.MonkeyPatch.context() as patched:

        def dying(task, progress):
            raise KeyboardInterrupt

        patched.setattr(where, dying)
        with pytest.raises(KeyboardInterrupt):
            dsir.select(raw, TARGET, out=tmp_path / "out", workdir=tmp_path / "work", **given)
    dsir.select(raw, TARGET, out=tmp_path / "out", workdir=tmp_path / "work", **given)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_the_command_that_draws_alone(raw, by_tasks, tmp_path, invoke_dsir):
    target = tmp_path / "target.parquet"
    pq.write_table(pa.table({"text": TARGET}), target)

    def run(*arguments: object) -> None:
        done = invoke_dsir(*arguments, "-q")
        assert done.returncode == 0, done.stderr

    run("fit", *raw, "-t", target, "-o", tmp_path / "m.dsir", "--length", "mean")
    run("score", *raw, "-m", tmp_path / "m.dsir", "-o", tmp_path / "scores", "--dedup", "near")
    draw = ("-n", 60, "--dedup", "near", "--min-tokens", 3)
    run("sample", tmp_path / "scores", "-o", tmp_path / "rows", *draw)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "_FEW_PASSES", 3)
        patched.setattr(module, "find_repeats", dsir.stages.repeats.find_repeats)
        run("sample", tmp_path / "scores", "-o", tmp_path / "one", *draw)
    found = [
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}
        for name in ("rows", "one")
    ]
    assert found[0] == found[1]
    assert not list(tmp_path.glob("dsir-duplicates-*"))


def test_a_search_that_is_not_resumed_has_a_folder_only_while_it_needs_one(tmp_path, monkeypatch):
    elsewhere = tmp_path / "temporary"
    elsewhere.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(elsewhere))
    place = tmp_path / "beside"
    place.mkdir()
    with module.search_beside(place / "rows") as opened:
        assert opened(False) is None
        assert not list(place.iterdir())
        assert opened(True) is not None
        assert len(list(place.iterdir())) == 1
    assert not list(place.iterdir())
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with module.search_beside(place / "rows") as opened:
        assert opened(True) is not None
        assert not list(place.iterdir())
        assert len(list(elsewhere.iterdir())) == 1
    assert not list(elsewhere.iterdir())
