"""A look at the first texts of a corpus reads little, and stops at nothing."""

import json

import pyarrow as pa
import pyarrow.parquet as pq

from dsir.corpus import resolve
from dsir.corpus.sample_texts import sample_texts


def test_a_few_of_a_few_files(tmp_path):
    for number in range(9):
        table = pa.table({"text": [f"{number} {row} é" for row in range(100)]})
        pq.write_table(table, tmp_path / f"{number}.parquet", row_group_size=7)
    found = sample_texts(resolve(tmp_path))
    assert len(found) == 4 * 64
    assert [text for text in found if text.endswith(" 0 é")] == [f"{n} 0 é" for n in (0, 2, 4, 6)]
    assert sample_texts(resolve([found[:3]])) == found[:3]


def test_long_texts_are_cut_between_characters():
    assert sample_texts(resolve(["é" * 10_000])) == ["é" * 2000]


def test_what_cannot_be_read_is_left_to_those_who_read_it(tmp_path):
    (tmp_path / "a.jsonl").write_text("{broken\n" + json.dumps({"text": "fine"}) + "\n")
    (tmp_path / "b.parquet").write_bytes(b"PAR1 no footer PAR1")
    (tmp_path / "c.jsonl").write_text(json.dumps({"text": None}) + '\n{"text": ""}\n')
    bad = pa.array([b"caf\xe9 au lait", None], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"text": bad}), tmp_path / "d.parquet")
    assert sample_texts(resolve(tmp_path)) == ["fine", "caf\ufffd au lait"]


def test_all_types_of_texts():
    for kind in (pa.string(), pa.large_string(), pa.string_view()):
        table = pa.table({"text": pa.array(["one", None, "two"], kind)})
        assert sample_texts(resolve(table)) == ["one", "two"]
    coded = pa.table({"text": pa.array(["one", None, "two", "one"]).dictionary_encode()})
    assert sample_texts(resolve(coded)) == ["one", "two", "one"]


def test_token_numbers_are_no_texts():
    assert sample_texts(resolve(pa.table({"text": [[1, 2], [3]]}), encoding="token-ids")) == []
