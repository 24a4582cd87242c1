"""Vocabularies of models as tokenizers, and columns of token numbers (extra: tokenizers)."""

from __future__ import annotations

import itertools
import pickle
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dsir
from dsir.model import own_part

tokenizers = pytest.importorskip("tokenizers")

pytestmark = pytest.mark.filterwarnings("ignore::dsir.DsirWarning")  # Of small targets.

RAW = [
    f"Document {i} about {'ships and sails' if i % 3 else 'stocks and bonds'} number {i % 7} \u6771"
    for i in range(300)
]
TARGET = dsir.texts(["ships sail the sea with sails"] * 9)
DRAW = {"n": 30, "min_tokens": 1, "seed": 3}


@pytest.fixture(scope="module")
def library():
    """A small tokenizer of the library, trained on RAW."""
    found = tokenizers.Tokenizer(tokenizers.models.BPE())
    found.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=320, show_progress=False)
    found.train_from_iterator(RAW, trainer)
    return found


def ids_of(library, texts):
    return [library.encode(text, add_special_tokens=False).ids for text in texts]


def test_tokens_are_those_of_the_library(library):
    features = dsir.HashedNgrams(tokenizer=library, n=2)
    for text in (*RAW[:20], "", "\U0001f600 UPPER"):
        names = library.encode(text, add_special_tokens=False).tokens
        assert features.tokens(text) == names
        pairs = [f"{a} {b}" for a, b in itertools.pairwise(names)]
        assert sorted(name for name, _ in features.ngrams(text)) == sorted(names + pairs)


def test_a_file_and_the_library_s_object_are_the_same_tokenizer(library, tmp_path):
    library.save(str(tmp_path / "tokenizer.json"))
    from_file = dsir.HashedNgrams(tokenizer=str(tmp_path / "tokenizer.json"))
    assert from_file == dsir.HashedNgrams(tokenizer=tmp_path / "tokenizer.json")
    assert from_file == dsir.HashedNgrams(tokenizer=library)
    assert from_file.fingerprint == dsir.HashedNgrams(tokenizer=library).fingerprint


def test_truncation_and_padding_do_not_change_features(library):
    plain = dsir.HashedNgrams(tokenizer=library).counts(RAW)
    other = tokenizers.Tokenizer.from_str(library.to_str())
    other.enable_truncation(3)
    other.enable_padding()
    assert (dsir.HashedNgrams(tokenizer=other).counts(RAW) == plain).all()


def test_columns_of_token_numbers_select_what_their_texts_select(library, tmp_path):
    features = dsir.HashedNgrams(tokenizer=library)
    of_texts = dsir.select(RAW, TARGET, features=features, **DRAW)
    for number, kind in enumerate(
        (
            pa.list_(pa.int32()),
            pa.large_list(pa.uint16()),
            pa.list_(pa.int64()),
        )
    ):
        table = pa.table({"ids": pa.array(ids_of(library, RAW), kind), "at": range(len(RAW))})
        path = tmp_path / f"{number}.parquet"
        pq.write_table(table, path)
        of_numbers = dsir.select(
            str(path),
            TARGET,
            features=features,
            text="ids",
            text_encoding="token-ids",
            out=tmp_path / f"out{number}",
            dedup="exact",
            **DRAW,
        )
        written = pq.read_table(tmp_path / f"out{number}" / "data")
        assert written.column("at").to_pylist() == of_numbers.rows.tolist()
        assert written.schema.field("ids").type.value_type == kind.value_type
        again = dsir.select(
            table, TARGET, features=features, text="ids", text_encoding="token-ids", **DRAW
        )
        assert again.rows.tolist() == of_texts.rows.tolist()


def test_token_numbers_without_a_vocabulary(library):
    ids = pa.array(ids_of(library, RAW), pa.list_(pa.int32()))
    table = pa.table({"ids": ids})
    chosen = dsir.select(
        table,
        table.slice(1, 20),
        features=dsir.HashedNgrams(tokenizer="ids"),
        text="ids",
        text_encoding="token-ids",
        method="coverage",
        **DRAW,
    )
    assert len(chosen.rows) == 30


def test_lists_that_are_no_token_numbers_are_bad_rows(library):
    table = pa.table({"ids": pa.array([[1, 2], [3, -1], None, [], [4, None], [5]])})
    options = {
        "features": dsir.HashedNgrams(tokenizer="ids"),
        "text": "ids",
        "text_encoding": "token-ids",
        "n": 2,
        "min_tokens": 1,
    }
    with pytest.raises(dsir.RowError, match="row 1: the text is not token-ids"):
        dsir.select(table, table.slice(0, 1), **options)
    chosen = dsir.select(table, table.slice(0, 1), on_error="skip", **options)
    assert sorted(chosen.rows.tolist()) == [0, 5]
    assert sum(one.rows for one in chosen.skipped) == 2


def test_a_model_file_holds_its_vocabulary(library, tmp_path):
    model = dsir.fit(RAW, TARGET, features=dsir.HashedNgrams(tokenizer=library))
    model.save(tmp_path / "m.dsir")
    program = (
        "import dsir, sys; m = dsir.ImportanceModel.load(sys.argv[1]); "
        "print(m.fingerprint, m.score([sys.argv[2]])[0].hex())"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "m.dsir"), RAW[0]],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.split() == [model.fingerprint, model.score([RAW[0]])[0].hex()]
    copy = pickle.loads(pickle.dumps(model))
    assert (copy.score(RAW) == model.score(RAW)).all()


def test_a_selection_with_a_vocabulary_is_verified(library, tmp_path, monkeypatch):
    pq.write_table(pa.table({"text": RAW}), tmp_path / "raw.parquet")
    target = pa.table({"text": ["ships sail the sea with sails"] * 9})
    pq.write_table(target, tmp_path / "target.parquet")
    dsir.select(
        str(tmp_path / "raw.parquet"),
        str(tmp_path / "target.parquet"),
        features=dsir.HashedNgrams(tokenizer=library),
        out=tmp_path / "out",
        **DRAW,
    )
    monkeypatch.setattr(own_part, "_known", {})
    assert dsir.verify(tmp_path / "out").stands


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"text_encoding": "token-ids"}, "go with tokenizer='ids'"),
        ({"features": dsir.HashedNgrams(tokenizer="ids")}, "text_encoding='token-ids'"),
        (
            {
                "features": dsir.HashedNgrams(tokenizer="ids"),
                "text_encoding": "token-ids",
                "filters": "paper",
            },
            "filters: needs texts",
        ),
    ],
)
def test_settings_that_do_not_go_with_token_numbers(options, says):
    table = pa.table({"text": pa.array([[1, 2]])})
    with pytest.raises(dsir.SettingError, match=says):
        dsir.select(table, table, n=1, **options)


def test_a_list_of_numbers_names_the_way_out():
    table = pa.table({"text": pa.array([[1, 2]])})
    with pytest.raises(dsir.TextColumnError, match="text_encoding='token-ids'"):
        dsir.select(table, table, n=1)


def test_windows_are_not_cut_by_vocabularies(library):
    with pytest.raises(dsir.SettingError, match="chunk_tokens: windows"):
        dsir.select(
            RAW,
            TARGET,
            n=1,
            min_tokens=1,
            chunk_tokens=5,
            features=dsir.HashedNgrams(tokenizer=library),
        )


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"model": 5}'])
def test_files_that_are_no_vocabulary(tmp_path, content):
    (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(dsir.SettingError, match=r"tokenizer\.json.*cannot read it"):
        dsir.HashedNgrams(tokenizer=tmp_path / "tokenizer.json")
    with pytest.raises(dsir.SettingError, match="cannot be read"):
        dsir.HashedNgrams(tokenizer=tmp_path / "missing.json")
