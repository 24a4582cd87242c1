"""Model files of fastText: what is in them, and files that are damaged or made to do harm."""

from __future__ import annotations

import pickle
import random
import struct
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from fasttext_file import END, KINDS, FastTextFile

import dsir
from dsir.model.fasttext_model import FastTextModel

TEXTS = ["the ship and the sea", "court of law über 海", "", "nothing known", "the " * 500]


@pytest.fixture
def write(tmp_path):
    def write(data: bytes, name: str = "model.bin"):
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_every_kind(kind, write):
    file = KINDS[kind]
    model = dsir.load_model(write(file.encode()))
    assert isinstance(model, dsir.FastTextModel)
    assert model.labels == tuple(file.labels)
    found = model.score(TEXTS, threads=2)
    assert found.dtype == np.float32
    assert found.shape == (len(TEXTS), len(file.labels))
    assert np.isfinite(found).all()
    assert (found >= 0).all()
    if file.loss in ("softmax", "hs"):
        assert found.sum(1) == pytest.approx(1, abs=1e-3)
    again = pickle.loads(pickle.dumps(model))
    assert again.score(TEXTS).tobytes() == found.tobytes()


def test_probabilities_are_the_softmax_of_the_mean():
    file = FastTextFile(word_ngrams=1, bucket=0)
    rows = file.matrix(file.rows, 2).astype(np.float64)[[1, 2, 1, 0]]  # "the", "ship", "the", END
    scores = file.output.astype(np.float64) @ rows.mean(0)
    expected = np.exp(scores) / np.exp(scores).sum()
    found = FastTextModel(file.encode()).score(["the ship the what"])[0]
    assert found == pytest.approx(expected + 1e-5, abs=1e-6)


def test_texts_without_a_known_word_have_no_probabilities():
    model = FastTextModel(FastTextFile(words=("the", "sea"), word_ngrams=1, bucket=0).encode())
    found = model.score(pa.array(["the", "ship", "", None]))
    assert (found[0] > 0).all()
    assert not found[1:].any()


def test_null_has_none_and_the_empty_text_has_some():
    model = FastTextModel(KINDS["softmax"].encode())
    found = model.score(pa.array(["", None]))
    assert (found[0] > 0).all()
    assert not found[1].any()


def test_a_text_is_one_line_up_to_the_word_that_ends_lines():
    model = FastTextModel(KINDS["softmax"].encode())
    texts = ["the ship\nand sea", "the\tship and  sea ", f"the ship and sea {END} court of law"]
    found = model.score(texts)
    assert found.tobytes() == model.score(["the ship and sea"] * 3).tobytes()


def test_labels_in_a_text_are_left_out():
    model = FastTextModel(KINDS["softmax"].encode())
    found = model.score(["__label__sea the ship __label__other", "the ship"])
    assert found[0].tobytes() == found[1].tobytes()


@pytest.mark.parametrize("kind", ["softmax", "many labels", "one-vs-all", "tree"])
@pytest.mark.parametrize("threads", [2, 5])
def test_threads_and_batches_change_no_bit(kind, threads):
    model = FastTextModel(KINDS[kind].encode())
    draw = random.Random(3)
    words = [*KINDS[kind].words, "unknown", "__label__a"]
    texts = [" ".join(draw.choices(words, k=draw.randrange(300))) for _ in range(300)]
    whole = model.score(texts)
    assert model.score(texts, threads=threads).tobytes() == whole.tobytes()
    parts = [model.score(texts[i : i + 7]) for i in range(0, 300, 7)]
    assert np.concatenate(parts).tobytes() == whole.tobytes()


def test_texts_that_are_not_utf8_are_told():
    model = FastTextModel(KINDS["softmax"].encode())
    bad = pa.array([b"the", b"\xff"], pa.binary()).view(pa.string())
    with pytest.raises(dsir.RowError, match="row 1: the text is not UTF-8"):
        model.score(bad)


def test_save_writes_the_same_bytes(write, tmp_path):
    data = KINDS["quantised"].encode()
    dsir.load_model(write(data)).save(tmp_path / "again.ftz")
    assert (tmp_path / "again.ftz").read_bytes() == data
    assert dsir.load_model(tmp_path / "again.ftz").labels == KINDS["quantised"].labels


def test_old_files_have_no_subwords():
    old = FastTextModel(FastTextFile(version=11, minn=1, maxn=3).encode())
    assert (
        old.score(TEXTS).tobytes() == FastTextModel(FastTextFile().encode()).score(TEXTS).tobytes()
    )
    assert (
        old.score(TEXTS).tobytes()
        != FastTextModel(FastTextFile(minn=1, maxn=3).encode()).score(TEXTS).tobytes()
    )


# Files that are no models, or harm.


@pytest.mark.parametrize("kind", KINDS)
def test_every_truncation_is_refused(kind):
    data = KINDS[kind].encode()
    draw = random.Random(5)
    assert FastTextModel(data)
    # Every byte of the header and the dictionary, and of small files all.
    places = range(len(data)) if len(data) < 2500 else draw.sample(range(len(data)), 300)
    for size in [*range(400), *places]:
        with pytest.raises(dsir.ModelError, match="the model: cannot be used"):
            FastTextModel(data[:size])
    with pytest.raises(dsir.ModelError, match="3 bytes behind its end"):
        FastTextModel(data + b"abc")


@pytest.mark.parametrize("kind", KINDS)
def test_flipped_bits_give_an_error_or_a_model(kind):
    data = KINDS[kind].encode()
    draw = random.Random(7)
    for place in [*range(400), *(draw.randrange(len(data)) for _ in range(100))]:
        damaged = bytearray(data)
        damaged[place] ^= 1 << draw.randrange(8)
        try:
            model = FastTextModel(bytes(damaged))
        except dsir.ModelError:
            continue
        found = model.score(TEXTS)
        assert np.isfinite(found).all()
        assert ((found >= 0) & (found < 1.01)).all()


def edited(file: FastTextFile, offset: int, form: str, value: int) -> bytes:
    data = bytearray(file.encode())
    struct.pack_into(form, data, offset, value)
    return bytes(data)


_HEADER = 8 + 12 * 4 + 8  # Where the sizes of the dictionary begin.


@pytest.mark.parametrize(
    ("offset", "form", "value", "message"),
    [
        (0, "<i", 7, "not a fastText model"),
        (4, "<i", 13, "version 13"),
        (8, "<i", 0, "dimension is below 1"),
        (8, "<i", 2**31 - 1, "does not have the model's dimension"),
        (28, "<i", 1000, "length of word n-grams"),
        (32, "<i", 9, "the loss"),
        (36, "<i", 1, "word vectors and no labels"),
        (40, "<i", -5, "number of buckets is negative"),
        (40, "<i", 0, "n-grams but no buckets"),
        (40, "<i", 2**31 - 1, "input matrix has too few rows"),
        (48, "<i", 2**31 - 1, "length of subwords"),
        (_HEADER, "<i", 2**31 - 1, "ends early"),
        (_HEADER, "<i", -1, "negative"),
        (_HEADER + 4, "<i", 2**31 - 1, "do not add up"),
        (_HEADER + 20, "<q", 2**62, "kept n-grams"),
    ],
)
def test_numbers_that_make_no_sense(offset, form, value, message):
    with pytest.raises(dsir.ModelError, match=message):
        FastTextModel(edited(FastTextFile(), offset, form, value))


def test_matrices_that_claim_more_than_there_is():
    file = FastTextFile()
    data = file.encode()
    sizes = struct.pack("<qq", file.rows, file.dim)
    for rows in (2**40, 2**62, -1):
        with pytest.raises(dsir.ModelError, match=r"early|dimension"):
            FastTextModel(data.replace(sizes, struct.pack("<qq", rows, file.dim)))


def test_quantised_matrices_may_not_grow_without_bound():
    """One byte for a row would become a thousand numbers."""
    labels = [f"__label__{i}" for i in range(300)]
    file = FastTextFile(labels=labels, dim=1000, dsub=1000, spare_rows=100_000)
    with pytest.raises(dsir.ModelError, match="more than 64 times the memory of the file"):
        FastTextModel(file.encode())


def test_numbers_that_are_not_finite():
    file = FastTextFile()
    for number in (np.nan, np.inf):
        row = file.output[0].copy()
        row[0] = number
        with pytest.raises(dsir.ModelError, match="not finite"):
            FastTextModel(file.encode().replace(file.output[0].tobytes(), row.tobytes()))


def test_counts_that_make_no_tree():
    for count in (-1, 10**15):
        file = replace(KINDS["tree"], counts=[count] * 7)
        with pytest.raises(dsir.ModelError, match="count of a label"):
            FastTextModel(file.encode())


def test_labels_among_words():
    data = FastTextFile().encode()
    at = data.index(b"ship\0") + 5 + 8
    damaged = data[:at] + b"\x01" + data[at + 1 :]
    with pytest.raises(dsir.ModelError, match="a label stands among its words"):
        FastTextModel(damaged)
    with pytest.raises(dsir.ModelError, match="a label is not UTF-8"):
        FastTextModel(data.replace(b"__label__law", b"__label__\xff\xff\xff"))


def test_files_that_are_not_there_or_no_models(tmp_path, write):
    with pytest.raises(dsir.ModelError, match=r"none\.bin: cannot be read"):
        dsir.load_model(tmp_path / "none.bin")
    with pytest.raises(dsir.ModelError, match=r"model\.bin: is not a dsir model"):
        dsir.load_model(write(b"something else" * 10))
    with pytest.raises(dsir.ModelError, match=r"short\.ftz: cannot be used as a supervised model"):
        dsir.load_model(write(KINDS["softmax"].encode()[:50], "short.ftz"))
