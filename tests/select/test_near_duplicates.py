"""dedup="near": no selected row has nearly the text of an earlier row."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dsir
from dsir import _core
from dsir.model.counted_model import CountedModel
from dsir.model.estimator import Estimator
from dsir.stages import repeats

pytestmark = pytest.mark.filterwarnings("ignore::dsir.DsirWarning")

MEAN: dict[str, Any] = {"min_tokens": 5, "length": "mean", "progress": False}
TARGET = [f"the ship sails over the sea with the mast and the tide {one}" for one in range(20)]
WORDS = [f"w{number}" for number in range(400)] + ["ship", "sea", "tide", "mast"] * 20
BANDS, ROWS, ORDER = _core.MINHASH_BANDS, _core.MINHASH_ROWS, _core.MINHASH_ORDER


def texts_with_copies(documents: int, seed: int = 0) -> list[str | None]:
    """Texts; after each some copies in which no word, one word, or most words are others."""
    source = random.Random(seed)
    texts: list[str | None] = []
    for number in range(documents):
        words = source.choices(WORDS, k=source.choice((3, 8, 40, 200)))
        texts.append(" ".join(words))
        for _ in range(number % 3):
            changed = list(words)
            for _ in range(source.choice((0, 1, 1, 2, len(words)))):
                changed[source.randrange(len(words))] = source.choice(WORDS)
            texts.append(" ".join(changed))
    texts += [None, "", "   "]
    source.shuffle(texts)
    return texts


def ngrams(text: str) -> set[tuple[str, ...]]:
    words = text.split()
    order = min(ORDER, len(words))
    return {tuple(words[at : at + order]) for at in range(len(words) - order + 1)}


def repeated_of(texts: list[str | None], min_tokens: int) -> list[bool]:
    """By the rule, from the keys of each pair: an earlier row that might be selected is near."""
    features = dsir.HashedNgrams()
    keys = _core.band_keys(pa.array(texts, pa.large_string()), features.spec).T
    found: list[bool] = []
    earlier: list[int] = []
    for row, text in enumerate(texts):
        if len((text or "").split()) < max(1, min_tokens):
            found.append(False)
            continue
        found.append(any(bool((keys[row] == keys[one]).any()) for one in earlier))
        earlier.append(row)
    return found


@pytest.fixture(scope="module")
def texts() -> list[str | None]:
    return texts_with_copies(150)


@pytest.fixture(scope="module")
def raw(texts, tmp_path_factory) -> Path:
    path: Path = tmp_path_factory.mktemp("near") / "raw.parquet"
    lengths = [len(text or "") % 5 for text in texts]
    pq.write_table(pa.table({"text": texts, "kind": lengths}), path, row_group_size=40)
    return path


def test_rows_with_an_earlier_near_duplicate_are_passed_over(raw, texts):
    selection = dsir.select(
        raw, TARGET, fraction=1.0, dedup="near", allow_fewer=True, method="top-k", **MEAN
    )
    repeated = repeated_of(texts, MEAN["min_tokens"])
    long = [len((text or "").split()) >= MEAN["min_tokens"] for text in texts]
    expected = [
        row
        for row, (is_long, is_near) in enumerate(zip(long, repeated, strict=True))
        if is_long and not is_near
    ]
    assert sorted(selection.rows.tolist()) == expected
    assert selection.metrics["duplicates"]["rows"] == sum(repeated) > 30
    assert selection.metrics["rows"]["passed_over"]["duplicates"] == sum(repeated)


def test_what_is_passed_over_is_near_by_the_words_themselves(texts):
    """Rows that share most 5-grams are found, and rows that share few are not."""
    some = [text for text in texts if text and len(text.split()) >= 40]
    keys = _core.band_keys(pa.array(some, pa.large_string()), dsir.HashedNgrams().spec).T
    sets = [ngrams(text) for text in some]
    near = far = 0
    for row, one in enumerate(sets):
        for other in range(row):
            resemblance = len(one & sets[other]) / len(one | sets[other])
            shared = bool((keys[row] == keys[other]).any())
            if resemblance > 0.95:
                near += 1
                assert shared
            elif resemblance < 0.2:
                far += 1
                assert not shared
    assert near > 20
    assert far > 1000


def test_white_space_and_case_make_no_difference(raw):
    text = "The ship sails over the sea, with the mast and the tide of the morning"
    rows = [text, text.upper(), text.replace(" ", "\n  "), text + " "]
    selection = dsir.select(rows, TARGET, n=4, dedup="near", allow_fewer=True, **MEAN)
    assert selection.rows.tolist() == [0]
    selection = dsir.select(rows, TARGET, n=4, dedup="exact", allow_fewer=True, **MEAN)
    assert len(selection) == 4


def test_keys_are_a_file_format():
    """They are in folders of scores: other values need another name than minhash-1."""
    found = _core.band_keys(
        pa.array(["the ship and the sea", "a b", " ".join(map(str, range(500)))]),
        dsir.HashedNgrams().spec,
    )
    assert found.shape == (14, 3)
    assert _core.MINHASH == "minhash-1"
    assert [hex(key) for key in found[0].tolist()] == GOLDEN_FIRST
    assert hex(int(np.bitwise_xor.reduce(found, axis=None))) == GOLDEN_ALL


GOLDEN_FIRST = ["0x831f153c8559b28e", "0xf5c257f8b050d9f8", "0xeac44ad875453c15"]
GOLDEN_ALL = "0x8a702b4e80c58f7a"


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"max_per": {"kind": 0.4}},
        {"group_by": "kind", "n": 8},
        {"method": "coverage", "n": 20},
        {"chunk_tokens": 12},
        {"targets": "separate"},
        {"filters": "max_words=150"},
        {"estimator": "classifier", "length": "sum"},
        {"normalize": "NFKC"},
        {"decontaminate": ["w1 w2 w3 w4 w5", *TARGET], "decontaminate_ngram": 2},
    ],
    ids=lambda settings: "-".join(settings) or "plain",
)
def test_the_same_files_for_threads_passes_and_a_restart(
    raw, tmp_path, contents, monkeypatch, settings
):
    settings = dict(settings)
    if "normalize" in settings:
        settings = {"features": dsir.HashedNgrams(normalize=settings["normalize"])}
    if "decontaminate" in settings:
        given = tmp_path / "benchmark.jsonl"
        given.write_text(
            "".join(f"{json.dumps({'text': one})}\n" for one in settings["decontaminate"])
        )
        settings["decontaminate"] = given
    keywords = {"n": 60, **MEAN, "dedup": "near", "allow_fewer": True, **settings}
    target = {"a": TARGET, "b": TARGET[:9]} if "targets" in settings else TARGET
    dsir.select(raw, target, out=tmp_path / "one", threads=1, **keywords)
    work = tmp_path / "work"
    # Scores that lack the keys gain them; then there is a pass for each of a few keys.
    dsir.select(raw, target, out=tmp_path / "none", workdir=work, **{**keywords, "dedup": "none"})
    monkeypatch.setattr(
        "dsir.run.duplicates.find_repeats",
        lambda shards, settings, _: repeats.find_repeats(shards, settings, 700),
    )
    for number, place in enumerate((None, work, work)):
        out = tmp_path / f"out-{number}"
        dsir.select(raw, target, out=out, workdir=place, threads=3, **keywords)
        assert contents(out) == contents(tmp_path / "one")
    verified = dsir.verify(tmp_path / "one", target=target, threads=1)
    assert verified.stands, [str(finding) for finding in verified.findings]


@pytest.mark.parametrize("estimator", ["ratio", "relevance", "classifier"])
@pytest.mark.parametrize("decontaminate", [{}, {"decontaminate_ngram": 3}], ids=["near", "both"])
def test_the_pass_that_scores_makes_the_keys(
    texts, tmp_path, contents, monkeypatch, estimator, decontaminate
):
    """No text is cut again, and the files are those of passes of their own; bad rows or not."""
    rows = [None if text is None else text.encode() for text in texts]
    rows[7:7] = [b"the ship \xff sails over the sea with the mast and the tide"] * 2
    raw = tmp_path / "raw.parquet"
    pq.write_table(pa.table({"text": pa.array(rows, pa.binary())}), raw)
    keywords = {"n": 60, **MEAN, "dedup": "near", "allow_fewer": True, "estimator": estimator}
    if decontaminate:
        keywords |= {"decontaminate": dsir.texts(TARGET[:3]), **decontaminate}
    if estimator == "classifier":
        keywords |= {"length": "sum"}
    if estimator == "relevance":
        keywords |= {"method": "cap", "length": "sum"}

    def select(out: str) -> dsir.Selection:
        return dsir.select(
            raw, TARGET, text_encoding="utf-8", on_error="skip", out=tmp_path / out, **keywords
        )

    with monkeypatch.context() as patched:
        patched.setattr(CountedModel, "score_and_watch", Estimator.score_and_watch)
        expected = select("apart")
    monkeypatch.delattr(_core, "band_keys")
    assert select("one").metrics["duplicates"]["rows"] > 20
    assert contents(tmp_path / "one") == contents(tmp_path / "apart")
    assert expected.metrics["rows"]["bad"] == 2


def test_the_commands(raw, tmp_path, invoke_dsir, contents):
    def run(*arguments: object, code: int = 0) -> str:
        done = invoke_dsir(*arguments, "-q")
        assert done.returncode == code, done.stderr
        return str(done.stderr)

    target = tmp_path / "target.jsonl"
    target.write_text(json.dumps({"text": TARGET[0]}) + "\n", encoding="utf-8")
    mean = ("--length", "mean", "--min-tokens", 5)
    run("select", raw, "-t", target, "-o", tmp_path / "out", "-n", 40, "--dedup", "near", *mean)
    model, scores, rows = (tmp_path / name for name in ("model.dsir", "scores", "rows"))
    run("fit", raw, "-t", target, "-o", model, "--length", "mean")
    run("score", raw, "-m", model, "-o", scores, "--dedup", "exact")
    error = run("sample", scores, "-n", 40, "-o", rows, "--dedup", "near", *mean[2:], code=2)
    assert "error: --dedup near: " in error
    assert "make it with 'dsir score --dedup near'" in error
    run("score", raw, "-m", model, "-o", tmp_path / "near", "--dedup", "near")
    run("sample", tmp_path / "near", "-n", 40, "-o", rows, "--dedup", "near", *mean[2:])
    run("write", rows, "-m", model, "-o", tmp_path / "stages")
    parts = [pq.read_table(tmp_path / name / "data") for name in ("out", "stages")]
    assert parts[0].equals(parts[1])
    assert run("verify", tmp_path / "stages") == ""
    work, planned = tmp_path / "work", tmp_path / "planned"
    given = ("-t", target, "-n", 40, "--dedup", "near", *mean, "--workdir", work, "-o", planned)
    run("plan", raw, *given)
    run("work", work)
    run("finish", work)
    assert contents(planned) == contents(tmp_path / "out")


def test_tokens_in_a_column(tmp_path):
    """Ids are compared as they are, without a text."""
    source = random.Random(3)
    ids = [[source.randrange(5000) for _ in range(300)] for _ in range(50)]
    copies = [[*one[:30], 7, *one[31:]] for one in ids[:20]]
    path = tmp_path / "ids.parquet"
    pq.write_table(pa.table({"ids": pa.array(ids + copies, pa.list_(pa.int32()))}), path)
    target = tmp_path / "target.parquet"
    pq.write_table(pa.table({"ids": pa.array(ids[:5], pa.list_(pa.int32()))}), target)
    selection = dsir.select(
        path,
        target,
        n=70,
        text="ids",
        text_encoding="token-ids",
        features=dsir.HashedNgrams(tokenizer="ids"),
        dedup="near",
        allow_fewer=True,
        **MEAN,
    )
    assert sorted(selection.rows.tolist()) == list(range(50))


@pytest.mark.parametrize("quota", [{}, {"max_per": {"kind": 1.0}}], ids=["plain", "quota"])
def test_a_budget_that_duplicates_leave_too_little_for_says_so(raw, texts, quota):
    repeated = sum(repeated_of(texts, MEAN["min_tokens"]))
    with pytest.raises(dsir.BudgetError, match=f"min_tokens=5, {repeated} duplicates\\)"):
        dsir.select(raw, TARGET, fraction=1.0, dedup="near", **quota, **MEAN)
    with pytest.raises(dsir.BudgetError, match=r"min_tokens=5, \d+ duplicates, \d+ filtered\)"):
        dsir.select(
            raw, TARGET, fraction=1.0, dedup="near", filters="min_words=30", **quota, **MEAN
        )


def test_the_table_of_accounts_says_which_duplicates(raw, tmp_path, invoke_dsir):
    target = tmp_path / "target.jsonl"
    target.write_text(json.dumps({"text": TARGET[0]}) + "\n", encoding="utf-8")
    given = (raw, "-t", target, "-n", 40, "--length", "mean", "--min-tokens", 5, "--dedup")
    for dedup, words in (("exact", "same text as"), ("near", "nearly the text of")):
        out, work = tmp_path / f"{dedup}-planned", tmp_path / f"{dedup}-work"
        selected = invoke_dsir("select", *given, dedup, "-o", tmp_path / dedup)
        invoke_dsir("plan", *given, dedup, "-o", out, "--workdir", work)
        for ran in (selected, invoke_dsir("finish", work)):
            assert re.search(rf"duplicates +\d+ +{words} an earlier row", ran.stdout)


def test_workers_say_options_as_the_plan_has_them(raw, tmp_path, invoke_dsir):
    target, work = tmp_path / "target.jsonl", tmp_path / "work"
    target.write_text(json.dumps({"text": TARGET[0]}) + "\n", encoding="utf-8")
    given = ("-n", 300, "--min-tokens", 5, "--dedup", "near", "-o", tmp_path / "out")
    planned = invoke_dsir("plan", raw, "-t", target, *given, "--workdir", work)
    assert planned.returncode == 0, planned.stderr
    for command in ("work", "finish"):
        ran = invoke_dsir(command, work, "-q")
        assert ran.returncode == 1
        assert "error: --n 300 asks for 300 documents" in ran.stderr
        assert "lower --min-tokens, or give --allow-fewer to take" in ran.stderr
