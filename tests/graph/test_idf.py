import math

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dsir import ModelError, SettingError
from dsir.graph import Idf

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
