"""The page says how many selected rows have a near copy, and shows a few pairs."""

from __future__ import annotations

import re
from itertools import combinations

import pyarrow as pa
import pytest

import dsir
from dsir.report import near
from dsir.report.gather import selection_facts
from dsir.report.near import told_apart

GIVEN = {"n": 200, "method": "top-k", "min_tokens": 1, "allow_fewer": True, "progress": False}
WORDS = "ship sail sea keel mast wind tide port crew rope anchor deck wave storm gale"


def document(number, changed=()):
    words = [WORDS.split()[(number * number + place * (number + 3)) % 15] for place in range(60)]
    for place in changed:
        words[place] = f"other{number}"
    return " ".join([*words, f"log {number}"])


@pytest.fixture(scope="module")
def texts():
    found = [document(number) for number in range(40)]
    found += [document(number, [7]) for number in range(0, 40, 4)]
    found += [document(number, range(0, 60, 6)) for number in range(1, 40, 4)]
    return [*found, found[3], "ship sea", ""]


@pytest.fixture(scope="module")
def folder(texts, tmp_path_factory):
    out = tmp_path_factory.mktemp("near") / "out"
    table = pa.table({"text": texts})
    dsir.select(table, texts[:9], out=out, **GIVEN)
    return out


def runs_of(text):
    tokens = text.split()
    return {tuple(tokens[at : at + 5]) for at in range(len(tokens) - 4)}


def near_rows(texts):
    sets = [runs_of(text) for text in texts]
    pairs = {
        (a, b): len(sets[a] & sets[b]) / len(sets[a] | sets[b])
        for a, b in combinations(range(len(texts)), 2)
        if sets[a] and 5 * len(sets[a] & sets[b]) >= 4 * len(sets[a] | sets[b])
    }
    return pairs, sum(1 for one in sets if one)


def test_counts_and_pairs_are_those_of_all_pairs(folder, texts):
    selected = dsir.load(folder).to_pandas()["text"].tolist()
    pairs, compared = near_rows(selected)
    found = selection_facts(folder).near
    assert found.rows == len(selected)
    assert found.compared == compared
    assert found.with_copy == len({row for pair in pairs for row in pair}) == 22
    assert found.complete
    values = [one.resemblance for one in found.pairs]
    assert values == sorted(values, reverse=True)
    assert values[0] == max(pairs.values()) == 1
    assert values[-1] == min(pairs.values())
    for one in found.pairs:
        rows = [int(where.rpartition(" ")[2]) for where in one.where]
        a, b = (runs_of(texts[row]) for row in rows)
        assert one.resemblance == len(a & b) / len(a | b)
        for row, text in zip(rows, one.texts, strict=True):
            assert "".join(piece for piece, _ in text.pieces) == texts[row][:600]


def test_the_page_says_and_shows_it(folder, page_of):
    page = page_of(folder)
    said = page.text("dl")
    assert "22 (36.1 %) of 61 rows with 5 tokens or more." in said.replace("\xa0", " ")
    assert "80 % of the different runs of 5 tokens" in said
    assert page.text("article").count("Resemblance") == 3
    assert page.unbalanced == []


def test_a_selection_without_near_copies_says_none(page_of, tmp_path):
    rows = [" ".join(f"w{number}x{place}" for place in range(9)) for number in range(30)]
    dsir.select(pa.table({"text": rows}), rows[:9], out=tmp_path / "out", **GIVEN)
    page = page_of(tmp_path / "out")
    assert "none of 30 rows with 5 tokens or more" in page.text("dl")
    assert "Resemblance" not in page.text("article")


def test_more_text_than_is_compared_is_spread(folder, page_of, monkeypatch):
    size = dsir.load(folder).metrics.text_bytes.selected
    monkeypatch.setattr(near, "TEXT_BYTES", size // 3 + 1)
    found = selection_facts(folder).near
    assert found.rows == 21
    assert "spread over the selection" in page_of(folder).text("dl")


def test_results_do_not_depend_on_threads_or_batches(folder, texts, monkeypatch, tmp_path):
    found = selection_facts(folder).near
    monkeypatch.setenv("DSIR_THREADS", "1")
    assert selection_facts(folder).near == found
    halves = [texts[:30], texts[30:]]
    files = [pa.table({"text": half}) for half in halves]
    dsir.select(files, texts[:9], out=tmp_path / "out", shard_size=10, **GIVEN)
    other = selection_facts(tmp_path / "out").near
    assert other[:4] == found[:4]
    assert [one.resemblance for one in other.pairs] == [one.resemblance for one in found.pairs]
    assert [one.texts for one in other.pairs] == [one.texts for one in found.pairs]


def test_windows_tokens_and_other_tokenizers(texts, tmp_path, page_of):
    for number, given in enumerate(
        ({"chunk_tokens": 30}, {"features": dsir.HashedNgrams(tokenizer="chars")})
    ):
        out = tmp_path / str(number)
        dsir.select(pa.table({"text": texts}), texts[:9], out=out, **{**GIVEN, **given})
        assert selection_facts(out).near.with_copy > 0


def test_hostile_near_copies_stay_texts(tmp_path, page_of):
    attack = (
        "</article><script>document.title = 'taken'</script> \u202e ship sail sea " + "x" * 9**5
    )
    rows = [attack + " " + WORDS, attack + " " + WORDS + " wind"]
    dsir.select(pa.table({"text": rows * 2}), [attack] * 9, out=tmp_path / "out", **GIVEN)
    page = page_of(tmp_path / "out")
    assert page.text("article").count("Resemblance") > 0
    assert page.unbalanced == []
    assert len(page.all("script")) == 1
    assert "\u202e" not in page.html


def test_what_the_other_lacks_is_marked():
    one, other = told_apart("the <b>ship</b> sails far", "the <b>boat</b> sails far away")
    assert [piece for piece, amount in one.pieces if amount] == ["ship"]
    assert [piece for piece, amount in other.pieces if amount] == ["boat", " ", "away"]
    assert one.left_out == 0
    long, _ = told_apart("a " * 900, "b")
    assert long.left_out == 1200
    assert not re.search("[^a ]", "".join(piece for piece, _ in long.pieces))
