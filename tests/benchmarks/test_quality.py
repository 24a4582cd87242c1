"""Measurements of selections: the cells that are kept, the worlds, the methods, the small model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from benchmarks.quality import constants, neural, selection, worlds
from benchmarks.quality.cells import Cells, against, geometric_mean
from benchmarks.quality.selectors import BOUND, FASTTEXT, KnownWeights, Selectors, hashes_of

import dsir

WORDS = {
    "sea": "ship sail anchor harbour tide wave mast crew reef keel deck rope captain storm gull",
    "law": "court judge clause plea statute appeal verdict trial bench witness oath brief tort",
}
pytestmark = pytest.mark.filterwarnings("ignore::dsir.DsirWarning")


def texts_of(topic: str, documents: int, seed: int) -> list[str]:
    draw = np.random.default_rng(seed)
    found = []
    for length in draw.integers(110, 160, documents):
        own = draw.choice(WORDS[topic].split(), length)
        common = draw.choice(["the", "of", "and", "to", "in", "was"], length)
        found.append(" ".join(np.where(draw.random(length) < 0.5, own, common).tolist()))
    return found


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder like that of the measurements: two sources, and a target of its own."""
    monkeypatch.setattr(worlds, "SOURCES", ["law"])
    folder = tmp_path / "data"
    rows = [("sea", text) for text in texts_of("sea", 60, 1)]
    rows += [("law", text) for text in texts_of("law", 90, 2)]
    order = np.random.default_rng(3).permutation(len(rows)).tolist()
    tables = {
        "raw/part-0": [rows[i] for i in order[:100]],
        "raw/part-1": [rows[i] for i in order[100:]],
        "targets/sea": [("sea", text) for text in texts_of("sea", 50, 4)],
    }
    for name, found in tables.items():
        path = folder / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        source, text = zip(*found, strict=True)
        pq.write_table(pa.table({"source": source, "text": text}), path)
    return folder


def cell(method: str, perplexity: float, target: str = "a", **more: object) -> dict[str, object]:
    given = {"target": target, "seed": 0, "budget": "2%", "tuned": True, **more}
    return {**given, "method": method, "perplexity": perplexity}


def test_cells_are_kept_and_paired_with_the_reference(tmp_path: Path):
    cells = Cells(tmp_path / "cells.jsonl")
    for one in (cell("b", 6.0), cell("reference", 3.0), cell("b", 1.0, "c"), cell("b", 9.0, "d")):
        cells.add(one)
    cells.add(cell("reference", 2.0, "c"))
    again = Cells(tmp_path / "cells.jsonl")
    assert ("a", 0, "2%", "b") in again
    assert ("a", 1, "2%", "b") not in again
    assert again.of() == cells.of()
    [(method, tuned, budget, pairs)] = against(again.of(), "reference")
    assert (method, tuned, budget) == ("b", True, "2%")
    ratios = [one["perplexity"] / other["perplexity"] for one, other in pairs]
    assert ratios == [2.0, 0.5]  # "d" has no reference.
    assert geometric_mean(ratios) == pytest.approx(1)


def test_what_is_taken_out_of_raw_is_a_target(data: Path):
    world = worlds.World(data, 0)
    assert {name: one.tuned for name, one in world.targets.items()} == {"sea": True, "law": False}
    assert (len(world.everything), len(world.raw)) == (150, 120)
    raw = set(world.raw["text"].to_pylist())
    assert raw.isdisjoint(world.targets["law"].texts.to_pylist())
    given, out = world.halves("sea")
    assert sorted(given.to_pylist() + out.to_pylist()) == sorted(texts_of("sea", 50, 4))


def test_right_sources_come_first(data: Path, tmp_path: Path):
    world = worlds.World(data, 0)
    arguments = Selectors(world, "sea", tmp_path).arguments(BOUND)
    found = dsir.select(world.raw, n=60, seed=1, progress=False, **arguments)
    assert found.table is not None
    assert set(found.table["source"].to_pylist()) == {"sea"}


def test_weights_are_found_by_the_text(data: Path):
    table = worlds.documents_of(data)
    model = KnownWeights(hashes_of(table), np.arange(len(table), dtype=np.float64))
    assert model.score(table["text"].take([7, 3])).tolist() == [7.0, 3.0]
    assert model.score(["never seen"]).tolist() == [0.0]


def test_the_pipeline_of_fasttext_finds_the_target(data: Path, tmp_path: Path):
    pytest.importorskip("fasttext")
    world = worlds.World(data, 0)
    arguments = Selectors(world, "sea", tmp_path).arguments(FASTTEXT)
    found = dsir.select(world.raw, n=40, progress=False, **arguments)
    assert found.table is not None
    assert set(found.table["source"].to_pylist()) == {"sea"}
    assert [path.name for path in tmp_path.glob("fasttext*")] == ["fasttext-sea-0.npy"]


def test_a_table_of_selections(data: Path, tmp_path: Path):
    world = worlds.World(data, 0)
    folder = tmp_path / "raw"
    folder.mkdir()
    cells = selection.measure(
        world,
        world.written(folder),
        "sea",
        ["reference", "coverage", BOUND],
        ["20%"],
        Selectors(world, "sea", tmp_path),
    )
    by_method = {one["method"]: one for one in cells}
    assert set(by_method) == {"reference", "coverage", BOUND, "random"}
    assert by_method["coverage"]["purity"] == by_method[BOUND]["purity"] == 1
    assert by_method["random"]["purity"] < 0.9
    assert "| coverage | chosen on | 20% |" in selection.table(cells)
    assert "| random | 20% | sea |" in selection.table_by_target(cells)
    assert "| reference | chosen on | 20% |" in selection.table(cells, "coverage")


@pytest.mark.parametrize("budget", ["15%", "60%"])
def test_coverage_with_its_constants_is_that_of_the_package(data: Path, budget: str):
    world = worlds.World(data, 0)
    corpus = constants.Corpus(world.raw["text"].combine_chunks())
    given, _ = world.halves("sea")
    amount = int(corpus.tokens.sum() * float(budget.rstrip("%")) / 100)
    target = constants.Documents.of(given, corpus.features)
    rows = corpus.select(target, amount, constants.Constants())
    found = dsir.select(
        world.raw, pa.table({"text": given}), tokens=amount, method="coverage", progress=False
    )
    assert found.rows.tolist() == rows.tolist()


def test_other_constants_are_chosen_on_one_part_and_told_on_the_other(data: Path, tmp_path: Path):
    world = worlds.World(data, 0)
    corpus = constants.Corpus(world.raw["text"].combine_chunks())
    pytest.importorskip("sklearn")
    cells = Cells(tmp_path / "constants.jsonl")
    constants.measure(corpus, world, "sea", "15%", list(constants.VARIANTS), cells)
    found = cells.of()
    assert len(found) == len(constants.VARIANTS)
    [best] = constants.chosen(found)
    assert best["choose"] == min(one["choose"] for one in found)
    assert "| chosen | chosen on | 15% |" in constants.table(found)


def test_a_small_model_prefers_what_it_went_on_with(data: Path, tmp_path: Path):
    pytest.importorskip("torch")
    pytest.importorskip("tokenizers")
    world = worlds.World(data, 0)
    small = neural.Training(
        first_steps=10, steps=10, batch=8, length=16, embedding=16, hidden=16, tried=2000
    )
    cells = Cells(tmp_path / "neural.jsonl")
    measuring = neural.Measuring(world, tmp_path, small)
    measuring.of_target("sea", ["reference", "random", BOUND], ["20%"], cells)
    by_method = {one["method"]: one["perplexity"] for one in cells.of()}
    assert by_method[BOUND] < by_method["random"]
    assert "| random | chosen on | 20% |" in neural.table(cells.of())
    again = neural.Measuring(world, tmp_path, small)
    fresh = Cells(tmp_path / "again.jsonl")
    again.of_target("sea", ["reference"], ["20%"], fresh)
    assert fresh.of()[0]["perplexity"] == by_method["reference"]
