"""Scores that say nothing are said to say nothing."""

import json
import warnings

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dsir import DsirWarning, SettingError
from dsir.graph import Idf, LexRank, centrality, lexrank, similarity_join, summarize

APART = ["one ship", "two courts", "three ovens", "four masts"]
CHINESE = ["他昨天去了北京的一家书店。", "她今天在上海的图书馆看书。", "他们明天要去北京的图书馆。"]
JAPANESE = ["私は昨日東京の大きな本屋に行きました。", "彼女は今日図書館で本を読みました。"]
THAI = ["เมื่อวานเขาไปร้านหนังสือที่กรุงเทพ", "วันนี้เธออ่านหนังสือที่ห้องสมุด"]


def test_a_graph_without_edges():
    for call in (
        lambda: lexrank(APART, 0.5),
        lambda: LexRank(0.5).fit(APART),
        lambda: summarize(APART, method="lexrank", threshold=0.5, split=False),
        lambda: lexrank(similarity_join(APART, threshold=0.5)),
    ):
        with pytest.warns(DsirWarning, match="no two of 4 units have a cosine.*has no edges"):
            call()


@pytest.mark.parametrize(
    "call",
    [
        lambda: lexrank(APART, 0.5),
        lambda: centrality(APART, 0.5),
        lambda: LexRank(0.5).fit(APART),
        lambda: lexrank(["a b", "b c", "c a d"], 0.1, max_iterations=1),
        lambda: summarize(APART, method="lexrank", threshold=0.5, split=False),
        lambda: summarize(APART, query="bakery"),
        lambda: summarize(CHINESE),
        lambda: Idf().fit(CHINESE),
        lambda: similarity_join(CHINESE, threshold=0.5),
    ],
)
def test_warnings_point_at_the_line_of_the_caller(call):
    with pytest.warns(DsirWarning) as caught:
        call()
    assert {one.filename for one in caught} == {__file__}


def test_scores_that_are_all_equal():
    for call in (lambda: lexrank(APART, None), lambda: lexrank(["a b", "b c", "c a"], 0.1)):
        with pytest.warns(DsirWarning, match="units have the same score"):
            call()


def test_scores_that_differ_are_no_warning(units):
    lexrank(units, 0.2)
    lexrank(APART[:2], 0.5)  # Two units always have equal scores.
    lexrank([], 0.5)


@pytest.mark.parametrize("texts", [CHINESE, JAPANESE, THAI, ["english words", *CHINESE]])
def test_words_that_are_not_cut(texts):
    for call in (lambda: Idf().fit(texts), lambda: similarity_join(texts, threshold=0.5)):
        with pytest.warns(DsirWarning, match=r"no spaces between words.*tokenizer=jieba\.lcut"):
            call()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        summarize(texts)
    assert any("no spaces between words" in str(one.message) for one in caught)


@pytest.mark.parametrize(
    "texts",
    [
        ["他 昨天 去 了 北京", "她 今天 在 上海"],
        ["English with one 北京的一家书店 name in it", "and more English after it"],
        ["書店 北京", "上海"],
        ["한국어는 띄어쓰기를 합니다", "Русский язык"],
    ],
)
def test_words_that_are_cut_are_no_warning(texts):
    Idf().fit(texts)


def test_summaries_of_tokens_see_the_words():
    def cut(sentence):
        return [*sentence, " "]  # One character each is the plainest way to cut.

    sentences = [
        *("北京的书店很大很新。", "上海的图书馆很大。", "北京的图书馆很新。"),
        "羊吃草。",
    ]
    summary = summarize("".join(sentences), sentences=1, method="lexrank", tokenizer=cut)
    spaced = [" ".join(one) for one in sentences]
    expected = lexrank(spaced, None)
    assert summary.positions.tolist() == [int(np.argmax(expected))]
    assert summary.scores[0] == expected.max()
    with pytest.raises(SettingError, match="tokenizer='jieba'"):
        summarize("A text.", tokenizer="jieba")


@pytest.mark.parametrize("summary", [[], ["--summary", "1"]])
def test_groups_are_counted_in_one_line(tmp_path, invoke_dsir, summary):
    texts = [*APART, *APART, "the ship", "a ship sails", "ship of the line"]
    groups = ["a"] * 4 + ["b"] * 4 + ["c"] * 3
    pq.write_table(pa.table({"text": texts, "topic": groups}), tmp_path / "a.parquet")
    options = ["--group-by", "topic", "--threshold", "0.9", "--idf", "group", "--json", *summary]
    options += ["--method", "lexrank"] if summary else []
    done = invoke_dsir("lexrank", tmp_path / "a.parquet", "-o", tmp_path / "o", *options)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["groups"] == 3
    said = [line for line in done.stderr.splitlines() if "LexRank" in line]
    assert len(said) == 1
    assert "(so in 3 of 3 groups)" in said[0] or "(so in 2 of 3 groups)" in said[0]


def test_an_uncut_corpus_is_said_on_the_command_line(tmp_path, invoke_dsir):
    pq.write_table(pa.table({"text": CHINESE}), tmp_path / "a.parquet")
    for options in ([], ["--summary", "1"]):
        done = invoke_dsir(
            *["lexrank", tmp_path / "a.parquet", "-o", tmp_path / "o", "--overwrite", "-q"],
            *options,
        )
        assert done.returncode == 0, done.stderr
        assert "no spaces between words" in done.stderr
