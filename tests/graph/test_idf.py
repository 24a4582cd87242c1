import copy
import math
import pickle

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dsir import ModelError, SettingError
from dsir.graph import (
    Idf,
    LexRank,
    lexrank,
)

# Most texts here are few and of words drawn at random, so scores are often equal.
pytestmark = pytest.mark.filterwarnings("error", "ignore:LexRank. :dsir.DsirWarning")

DOCUMENTS = ["The ship sails", "A ship", "the court, the judge", "", None, "..."]


def test_idf_of_terms():
    idf = Idf().fit(DOCUMENTS)
    assert (idf.documents, idf.terms) == (3, 6)
    assert idf["ship"] == pytest.approx(math.log(3 / 2), rel=1e-15)
    assert idf["judge"] == pytest.approx(math.log(3), rel=1e-15)
    assert idf["never"] == pytest.approx(math.log(4), rel=1e-15)
    assert idf[""] == idf["never"]


def test_parts_merge_to_the_whole(tmp_path, units):
    whole = Idf().fit(units)
    parts = Idf().fit(units[60:], threads=3).merge(Idf().fit(units[:60]))
    twice = Idf().fit(units[:60]).fit(units[60:])
    for number, idf in enumerate((whole, parts, twice)):
        idf.save(tmp_path / f"{number}")
    assert len({(tmp_path / f"{number}").read_bytes() for number in range(3)}) == 1


def test_a_corpus_of_files(tmp_path):
    pq.write_table(pa.table({"body": DOCUMENTS}), tmp_path / "a.parquet")
    idf = Idf(stopwords="en").fit(tmp_path / "a.parquet", text="body")
    assert (idf.documents, idf.terms) == (3, 4)


def test_saved_and_loaded(tmp_path):
    idf = Idf(stopwords=["ship"], punctuation=True).fit(DOCUMENTS)
    idf.save(tmp_path / "x.idf")
    loaded = Idf.load(tmp_path / "x.idf")
    assert loaded.documents == idf.documents == 4
    assert loaded["..."] == idf["..."] == math.log(4)
    loaded.fit(["ship court ..."])
    idf.fit(["ship court ..."])
    loaded.save(tmp_path / "y.idf")
    idf.save(tmp_path / "z.idf")
    assert (tmp_path / "y.idf").read_bytes() == (tmp_path / "z.idf").read_bytes()


def test_damaged_files_are_refused(tmp_path):
    path = tmp_path / "x.idf"
    with pytest.raises(ModelError, match="cannot be read"):
        Idf.load(path)
    Idf().fit(DOCUMENTS).save(path)
    good = path.read_bytes()
    for at in range(0, len(good), 7):
        path.write_bytes(good[:at] + bytes([good[at] ^ 4]) + good[at + 1 :])
        with pytest.raises(ModelError):
            Idf.load(path)
    for size in (0, 8, 40, len(good) - 1):
        path.write_bytes(good[:size])
        with pytest.raises(ModelError):
            Idf.load(path)


def test_wrong_calls():
    with pytest.raises(SettingError, match="expected an Idf"):
        Idf().merge("idf")


@pytest.mark.parametrize("stopwords", [None, "en", ["ship", "the"]])
def test_pickled_and_copied(stopwords, tmp_path, units):
    idf = Idf(stopwords=stopwords, punctuation=stopwords is None).fit(units)
    idf.save(tmp_path / "whole")
    whole = (tmp_path / "whole").read_bytes()
    for twin in (pickle.loads(pickle.dumps(idf)), copy.copy(idf), copy.deepcopy(idf)):
        twin.save(tmp_path / "twin")
        assert (tmp_path / "twin").read_bytes() == whole
        twin.fit(["another ship"])
        assert (twin.documents, idf.documents) == (idf.documents + 1, idf.documents)


def test_lexrank_with_an_idf_can_be_cloned(units):
    base = pytest.importorskip("sklearn.base")
    ranks = LexRank(0.2, idf=Idf().fit(units), stopwords="en")
    twin = base.clone(ranks)
    np.testing.assert_array_equal(twin.fit(units).scores_, ranks.fit(units).scores_)


def test_stop_words_of_the_idf_are_left_out_of_the_texts(units):
    idf = Idf(stopwords=["ship", "the"]).fit(units)
    expected = lexrank(units, 0.2, idf=idf, stopwords=["ship", "the"])
    np.testing.assert_array_equal(lexrank(units, 0.2, idf=idf), expected)
    tokens = pa.array([["the", "ship", "sail"], ["the", "sail"], ["ship"], ["court"]])
    scores = lexrank(tokens, 0.2, idf=idf)
    assert scores[0] == scores[1] > 0
    assert scores[2] == 0
    with pytest.raises(SettingError, match="fitted without 'the' and other stop words"):
        lexrank(units, 0.2, idf=idf, stopwords=["ship"])
    with pytest.raises(SettingError, match=r"Idf\(punctuation=True\)"):
        lexrank(units, 0.2, idf=idf, punctuation=True)
