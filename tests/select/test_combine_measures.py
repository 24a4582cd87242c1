"""combine: columns of numbers and models beside the weights of DSIR."""

from __future__ import annotations

import csv
import functools
import json
import math
import re
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dsir
from dsir import _core

sys.path.insert(0, str(Path(__file__).parents[1] / "model"))

from fasttext_file import FastTextFile

WORDS = ["</s>", "the", "a", "of", "ship", "sail", "court", "judge", "sea", "law", "oven", "dough"]
SETTINGS = {"min_tokens": 20, "length": "mean", "temperature": 0.3, "progress": False}


@pytest.fixture(scope="module")
def qualities(world):
    """A number for each row of the world."""
    return np.round(np.random.default_rng(5).normal(size=len(world.rows)), 3)


@pytest.fixture(scope="module")
def rows(world, qualities):
    """The world with a number beside the text and one in another column."""
    return [
        {
            "id": row["id"],
            "text": row["text"],
            "domain": row["domain"],
            "size": row["id"] * 7 % 101,
            "meta": {"quality": quality},
        }
        for row, quality in zip(world.rows, qualities.tolist(), strict=True)
    ]


@pytest.fixture(scope="module")
def raw(rows, tmp_path_factory):
    """The same in every format, of two files each: a function of the format."""
    folder = tmp_path_factory.mktemp("raw")

    @functools.cache
    def write(form):
        paths = []
        for number, part in enumerate((rows[:250], rows[250:])):
            path = folder / form / f"part-{number}.{form}"
            path.parent.mkdir(exist_ok=True)
            if form == "parquet":
                pq.write_table(pa.Table.from_pylist(part), path, row_group_size=60)
            elif form == "jsonl":
                path.write_text("".join(json.dumps(row) + "\n" for row in part))
            else:
                with path.open("w", newline="") as file:
                    writer = csv.writer(file)
                    writer.writerow(["id", "text", "meta.quality", "size"])
                    writer.writerows(
                        [row["id"], row["text"], row["meta"]["quality"], row["size"]]
                        for row in part
                    )
            paths.append(path)
        return paths

    return write


@pytest.fixture(scope="module")
def fasttext(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "topics.bin"
    path.write_bytes(FastTextFile(words=WORDS).encode())
    return path


@pytest.fixture(scope="module")
def law(world, tmp_path_factory):
    """A model of another target, in a file."""
    texts = [row["text"] for row in world.rows if row["domain"] == "law" and row["text"]]
    path = tmp_path_factory.mktemp("models") / "law.dsir"
    dsir.fit(world.texts, texts[:50], length="mean", progress=False).save(path)
    return path


def z(values):
    return (values - np.mean(values)) / np.std(values)


def greedy(order, domains, most, n):
    """The first n rows of an order, no more than `most` of a domain."""
    taken, counts = [], dict.fromkeys(domains, 0)
    for row in order.tolist():
        if counts[domains[row]] < most and len(taken) < n:
            counts[domains[row]] += 1
            taken.append(row)
    return np.array(taken)


def by_hand(world, target, weights, measures, most=None):
    """The 40 selected rows, from the draw of 160 candidates on, in numpy."""
    model = dsir.fit(world.texts, target, length="mean", progress=False)
    settings = _core.KeySettings(seed=0, temperature=0.3, noise=True)
    keys = _core.keys(settings, model.score(world.texts), 0)
    tokens = np.array([len(model.features.tokens(text or "")) for text in world.texts])
    keys[tokens < 20] = -np.inf
    order = np.argsort(-keys, kind="stable")
    order = order[np.isfinite(keys[order])]
    most = len(order) if most is None else most
    candidates = np.sort(greedy(order, world.domains, 4 * most, 160))
    scores = weights[0] * z(keys[candidates])
    for weight, measure in zip(weights[1:], measures, strict=True):
        scores = scores + weight * z(np.asarray(measure, dtype=np.float64)[candidates])
    best = candidates[np.argsort(-scores, kind="stable")]
    return sorted(greedy(best, world.domains, most, 40).tolist())


@pytest.mark.parametrize("form", ["parquet", "jsonl", "csv"])
def test_columns_in_every_format(form, raw, world, target, qualities, rows):
    sizes = [row["size"] for row in rows]
    combine = {"column:size": -0.5, "dsir": 1, "column:meta.quality": 0.8}
    found = dsir.select(raw(form), target, n=40, combine=combine, **SETTINGS)
    assert found.rows.tolist() == by_hand(world, target, (1, 0.8, -0.5), (qualities, sizes))
    plain = dsir.select(raw(form), target, n=40, **SETTINGS)
    assert found.rows.tolist() != plain.rows.tolist()


def test_models_by_their_files(raw, world, target, fasttext, law):
    combine = {"dsir": 0.5, f"model:{law}": 1, f"model:{fasttext}:sea": 2.5}
    found = dsir.select(raw("parquet"), target, n=40, combine=combine, **SETTINGS)
    measures = [
        dsir.load_model(law).score(world.texts),
        dsir.load_model(fasttext).for_label("sea").score(world.texts),
    ]
    weights = (0.5, 1, 2.5)
    if str(fasttext) < str(law):
        weights, measures = (0.5, 2.5, 1), measures[::-1]
    assert found.rows.tolist() == by_hand(world, target, weights, measures)


def test_models_in_memory_are_those_of_their_files(raw, target, fasttext, law, tmp_path):
    files = {"dsir": 1, f"model:{law}": -1, f"model:{fasttext}:sea": 2}
    names = {"dsir": 1, "model:law": -1, "model:topics:sea": 2}
    models = {"law": dsir.load_model(law), "topics": dsir.load_model(fasttext)}
    expected = dsir.select(raw("jsonl"), target, n=40, combine=files, **SETTINGS)
    out = tmp_path / "out"
    found = dsir.select(
        raw("jsonl"), target, n=40, combine=names, combine_models=models, out=out, **SETTINGS
    )
    assert found.rows.tolist() == expected.rows.tolist()
    assert dsir.verify(out, quick=True).stands
    [finding] = dsir.verify(out).findings
    assert "the model 'law' was in memory" in str(finding)


def test_all_measures_at_once_are_the_same_for_threads_and_restarts(
    raw, target, fasttext, tmp_path, contents
):
    combine = {"dsir": 1, "lexrank": 0.5, "column:meta.quality": 0.3, f"model:{fasttext}:law": 1}
    given = {"tokens": 4000, "combine": combine, "dedup": "exact", "filters": "min_words=30",
             **SETTINGS}  # fmt: skip
    paths = raw("parquet")
    one = dsir.select(paths, target, out=tmp_path / "a", threads=1, **given)
    expected = contents(tmp_path / "a")
    assert 3700 < one.metrics["tokens"]["selected"] <= 4000
    for _ in range(2):
        dsir.select(
            paths, target, out=tmp_path / "b", threads=3, workdir=tmp_path / "work", **given
        )
        assert contents(tmp_path / "b") == expected
    again = {**given, "combine": {**combine, "column:meta.quality": 3}}
    other = dsir.select(
        paths, target, out=tmp_path / "c", workdir=tmp_path / "work", **again
    )  # The scores are kept, and the selection is another.
    assert other.rows.tolist() != one.rows.tolist()


@pytest.mark.parametrize("given", [{"chunk_tokens": 30}, {"bytes": 9000}, {"method": "cap"}])
def test_windows_bytes_and_cap(given, raw, target, fasttext):
    budget = {} if "bytes" in given else {"n": 20}
    combine = {"dsir": 1, "column:size": 0.5, f"model:{fasttext}:sea": 0.5}
    settings = {**SETTINGS, **budget, **given}
    if given.get("method") == "cap":
        del settings["length"], settings["temperature"]
    found = [
        dsir.select(raw(form), target, combine=combine, **settings) for form in ("parquet", "jsonl")
    ]
    assert found[0].rows.tolist() == found[1].rows.tolist()
    assert found[0].log_weights.tobytes() == found[1].log_weights.tobytes()
    if budget:
        assert len(found[0]) == 20
    else:
        assert 8000 < found[0].metrics["text_bytes"]["selected"] <= 9000


@pytest.mark.parametrize("most", [0.4, 16])
def test_quotas_hold_for_candidates_and_selection(most, raw, world, target, qualities):
    combine = {"dsir": 1, "column:meta.quality": 1}
    found = dsir.select(
        raw("parquet"), target, n=40, combine=combine, max_per={"domain": most}, **SETTINGS
    )
    assert found.rows.tolist() == by_hand(world, target, (1, 1), (qualities,), most=16)
    groups = found.metrics["groups"]["domain"]["most"]
    domains = [world.domains[row] for row in found.rows]
    assert {one["value"]: one["selected"] for one in groups} == {
        one: domains.count(one) for one in set(world.domains)
    }


def test_a_budget_for_each_value(raw, world, target):
    combine = {"dsir": 1, "column:meta.quality": 1}
    found = dsir.select(raw("jsonl"), target, n=7, combine=combine, group_by="domain", **SETTINGS)
    domains = [world.domains[row] for row in found.rows]
    assert {one: domains.count(one) for one in set(domains)} == dict.fromkeys(domains, 7)


def test_a_given_model_is_combined_and_verified(raw, target, law, tmp_path, world):
    model = dsir.fit(world.texts, world.target, length="mean", progress=False)
    model.save(tmp_path / "model.dsir")
    given = {name: one for name, one in SETTINGS.items() if name != "length"}
    combine = {"dsir": 1, f"model:{law}": -0.5, "column:size": 0.2}
    out = tmp_path / "out"
    found = dsir.select(
        raw("parquet"), model=tmp_path / "model.dsir", n=30, combine=combine, out=out, **given
    )
    fitted = dsir.select(raw("parquet"), target, n=30, combine=combine, **SETTINGS)
    assert found.rows.tolist() == fitted.rows.tolist()
    assert dsir.verify(out).findings == []
    page = dsir.load(out).report(tmp_path / "r.html").read_text()
    assert "--candidates" not in page
    assert f"model:{law}=-0.5" in page


def test_it_is_recorded_and_verified(raw, target, fasttext, tmp_path, invoke_dsir):
    out, other = tmp_path / "out", tmp_path / "other"
    call = ["select", *raw("parquet"), "-t", target, "-n", 30, "--min-tokens", 20, "-q"]
    words = f"dsir=1,column:meta.quality=0.3,model:{fasttext.name}:sea=50%"
    done = invoke_dsir(*call, "-o", out, "--combine", words, cwd=fasttext.parent)
    assert done.returncode == 0, done.stderr
    told = json.loads((out / "_dsir/selection.json").read_text())["settings"]["combine"]
    name = f"{fasttext}:__label__sea"
    assert list(told) == ["dsir", "column:meta.quality", f"model:{name}", "candidates", "models"]
    assert (told[f"model:{name}"], told["candidates"]) == (0.5, 4.0)
    assert list(told["models"]) == [name]
    assert dsir.verify(out).findings == []
    assert "Combined by" in dsir.load(out).report(tmp_path / "r.html").read_text()
    assert invoke_dsir("explain", out, "--row", 0).returncode == 0
    done = invoke_dsir(*call, "-o", other, "--config", out / "_dsir/selection.json")
    assert done.returncode == 0, done.stderr
    assert dsir.diff(out, other).describe()["rows"]["only_a"] == 0
    good = fasttext.read_bytes()
    try:
        fasttext.write_bytes(FastTextFile(words=WORDS, seed=9).encode())
        [finding] = dsir.verify(out).findings
        assert "is not the file that was used" in str(finding)
    finally:
        fasttext.write_bytes(good)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "null"),
        (math.nan, "nan"),
        (math.inf, "inf"),
        ("good", "'good'"),
        ("1_0", "'1_0'"),
        (["a"], "['a']"),
    ],
)
@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_what_is_no_number_is_an_error_that_names_the_row(value, said, form, target, tmp_path):
    rows = [{"text": "ship and sail and sea", "q": 1.5} for _ in range(9)]
    rows[6]["q"] = value
    path = tmp_path / f"raw.{form}"
    if form == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif isinstance(value, list):
        pq.write_table(pa.table({"text": ["a"] * 9, "q": [[1]] * 9}), path)
        said = "is list"
    elif isinstance(value, str):
        pq.write_table(
            pa.table({"text": ["a b"] * 9, "q": ["1"] * 6 + [value] + ["2e3"] * 2}), path
        )
    else:
        pq.write_table(pa.Table.from_pylist(rows), path)
    given = {**SETTINGS, "min_tokens": 1, "candidates": 3}
    with pytest.raises(dsir.InputError, match=re.escape(said)) as caught:
        dsir.select(path, target, n=3, combine={"dsir": 1, "column:q": 1}, **given)
    if said != "is list":
        assert "row 6: column 'q'" in str(caught.value)


def test_numbers_of_every_type_and_of_folders(target, tmp_path):
    texts = ["ship and sail and sea"] * 8
    types = [pa.int8(), pa.uint64(), pa.float32(), pa.decimal128(19, 2), pa.bool_(), pa.string()]
    given = {**SETTINGS, "min_tokens": 1, "candidates": 4, "method": "top-k"}
    for kind in types:
        numbers = pa.array([0, 1, 0, 0, 0, 1, 0, 0], pa.int8()).cast(kind)
        table = pa.table({"text": texts, "q": numbers})
        found = dsir.select(table, target, n=2, combine={"dsir": 1, "column:q": 1}, **given)
        assert found.rows.tolist() == [1, 5]
    for year, form in ((2001, "parquet"), (2019, "jsonl"), (2024, "jsonl")):
        folder = tmp_path / "raw" / f"year={year}"
        folder.mkdir(parents=True)
        if form == "jsonl":
            (folder / "a.jsonl").write_text(json.dumps({"text": texts[0]}) + "\n")
        else:
            pq.write_table(pa.table({"text": texts[:1]}), folder / "a.parquet")
    found = dsir.select(
        tmp_path / "raw", target, n=1, combine={"dsir": 1, "column:year": 1}, out=tmp_path / "out",
        **given,
    )  # fmt: skip
    assert found.rows.tolist() == [2]


def test_a_column_that_is_not_there_is_an_error_before_the_work(raw, target, tmp_path, invoke_dsir):
    call = ["select", *raw("parquet"), "-t", target, "-n", 4, "-o", tmp_path / "o", "--dry-run"]
    done = invoke_dsir(*call, "--combine", "dsir=1,column:quality=1")
    assert done.returncode == 1
    assert "no column 'quality' for combine" in done.stderr
    assert "did you mean meta.quality?" in done.stderr
    done = invoke_dsir(*call, "--combine", "dsir=1,column:domain=1")
    assert done.returncode == 0  # Texts may be numbers; rows tell.


@pytest.mark.parametrize(
    ("combine", "message"),
    [
        ({"dsir": 1, "model:none.bin": 1}, "combine: model:none.bin: "),
        ({"dsir": 1, "model:FASTTEXT": 1}, "has the labels '__label__sea', '__label__law'; say"),
        ({"dsir": 1, "model:FASTTEXT:x": 1}, "the labels of the model are '__label__sea'"),
        ({"dsir": 1, "model:LAW:x": 1}, "which has no labels"),
        ({"model:FASTTEXT:sea": 1, "model:FASTTEXT:__label__sea": 1}, "is given twice"),
    ],
)
def test_models_that_are_none(combine, message, world, fasttext, law):
    named = {
        name.replace("FASTTEXT", str(fasttext)).replace("LAW", str(law)): weight
        for name, weight in combine.items()
    }
    with pytest.raises(dsir.DsirError, match=re.escape(message)):
        dsir.select(world.texts, world.target, n=5, combine=named, **SETTINGS)


@pytest.mark.parametrize(
    ("models", "message"),
    [
        ({"law": 3}, "expected models by name"),
        ("law", "expected models by name"),
        ({"law": "MODEL", "other": "MODEL"}, "'other' is no measure"),
        ({"la/w": "MODEL"}, "expected a name without a colon or slash"),
        ({"two": "TWO"}, "has a log-weight for each of 'a', 'b'"),
    ],
)
def test_loaded_models_that_are_refused(models, message, world, law):
    two = {"a": world.target, "b": ["court and judge"] * 9}
    if isinstance(models, dict):
        made = {
            "MODEL": lambda: dsir.load_model(law),
            "TWO": lambda: dsir.fit(world.texts, two, targets="separate", progress=False),
        }
        models = {name: made[one]() if one in made else one for name, one in models.items()}
    name = "two" if "two" in models else "law"
    combine = {"dsir": 1, f"model:{name}": 1}
    with pytest.raises(dsir.SettingError, match=re.escape(message)):
        dsir.select(
            world.texts, world.target, n=5, combine=combine, combine_models=models, **SETTINGS
        )


def test_a_given_model_of_several_targets_is_refused(world):
    targets = {"a": world.target, "b": ["court and judge"] * 9}
    model = dsir.fit(world.texts, targets, targets="separate", progress=False)
    combine = {"dsir": 1, "column:id": 1}
    with pytest.raises(dsir.SettingError, match="a log-weight for each of 'a', 'b'"):
        dsir.select(world.table(), model=model, n=5, combine=combine, progress=False)


def test_coverage_is_refused_with_the_way_out(world):
    with pytest.raises(dsir.SettingError, match='method="cap" can be combined'):
        dsir.select(
            world.texts, world.target, n=5, method="coverage", combine={"dsir": 1, "lexrank": 1}
        )
