"""Counting and scoring over every layout of an Arrow column of text: whole, sliced, in pieces."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsir import _core

SPEC = _core.FeatureSpec(n=2, buckets=500, hash="fast")
RATIO = np.random.default_rng(1).normal(size=500)
TABLE = _core.LogRatioTable(RATIO[np.newaxis])
SUM, MEAN = _core.Weighing(), _core.Weighing(alpha=1.0)
TEXT, NULL, INVALID = 0, 1, _core.INVALID_UTF8
STRING = pa.string()

ROWS = [
    "the queen of hearts",
    None,
    "",
    "she made some tarts",
    "Tarts!",
    None,
    "ΟΔΟΣ été 中文 😀",
    "all on a summer's day, " * 40,
    " \n ",
    "the queen of hearts",
]


def dictionary(index: pa.DataType, values: pa.DataType = STRING) -> Callable[..., pa.Array]:
    def build(rows: list[str | None]) -> pa.Array:
        return pa.array(rows, values).dictionary_encode().cast(pa.dictionary(index, values))

    return build


def of_type(kind: pa.DataType) -> Callable[..., pa.Array]:
    return lambda rows: pa.array(rows, kind)


def dictionary_with_a_null_value(rows: list[str | None]) -> pa.Array:
    values = pa.array([None, *(row or "" for row in rows)], pa.string())
    indices = [0 if row is None else i + 1 for i, row in enumerate(rows)]
    return pa.DictionaryArray.from_arrays(pa.array(indices, pa.int32()), values)


def sliced_out_of_the_middle(kind: pa.DataType) -> Callable[..., pa.Array]:
    return lambda rows: pa.array(["before", None, "it", *rows, "after"], kind)[3 : 3 + len(rows)]


INTEGERS = [pa.int8(), pa.uint8(), pa.int16(), pa.uint16(), pa.int32(), pa.uint32(), pa.int64()]
LAYOUTS: dict[str, Callable[..., object]] = {
    "string": of_type(pa.string()),
    "large_string": of_type(pa.large_string()),
    "string_view": of_type(pa.string_view()),
    **{f"dictionary of {index}": dictionary(index) for index in [*INTEGERS, pa.uint64()]},
    "dictionary of large_string": dictionary(pa.int32(), pa.large_string()),
    "dictionary with a null value": dictionary_with_a_null_value,
    "sliced string": sliced_out_of_the_middle(pa.string()),
    "sliced large_string": sliced_out_of_the_middle(pa.large_string()),
    "sliced string_view": sliced_out_of_the_middle(pa.string_view()),
    "sliced dictionary": lambda rows: dictionary(pa.int8())(["x", None, *rows, "y"])[2:-1],
}


def score(array: object, weighing: _core.Weighing = SUM, **options: object) -> list[list[float]]:
    log_weight, *rest = _core.score(array, SPEC, TABLE, weighing, **options)
    assert log_weight.shape == (1, len(rest[0]))
    return [part.tolist() for part in (log_weight[0], *rest)]


def count(array: object, **options: object) -> tuple[int, int, int, int, list[int], list[int]]:
    counts = np.zeros(500, dtype=np.int64)
    *numbers, invalid = _core.count(array, SPEC, counts, **options)
    return (*numbers, invalid.tolist(), counts.tolist())


def score_plainly(rows: list[str | None], length: str = "sum") -> list[list[float]]:
    fixed = [round(ratio * 2.0**44) for ratio in RATIO.tolist()]
    log_weight = []
    for row in rows:
        buckets = [bucket for _, bucket in _core.named_ngrams(row or "", SPEC)]
        weight = float(sum(fixed[bucket] for bucket in buckets)) * 2.0**-44
        log_weight.append(weight / len(buckets) if length == "mean" and buckets else weight)
    return [
        log_weight,
        [len(_core.wordpunct_tokens(row or "")) for row in rows],
        [len((row or "").encode()) for row in rows],
        [NULL if row is None else TEXT for row in rows],
    ]


def count_plainly(rows: list[str | None]) -> tuple[int, int, int, int, list[int], list[int]]:
    buckets = [bucket for row in rows for _, bucket in _core.named_ngrams(row or "", SPEC)]
    tokens = [len(_core.wordpunct_tokens(row or "")) for row in rows]
    counts = np.bincount(buckets, minlength=500).tolist()
    return len(rows), len(buckets), sum(map(bool, tokens)), sum(tokens), [], counts


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
@pytest.mark.parametrize("threads", [1, 3])
def test_every_layout(layout, threads):
    array = layout(ROWS)
    assert score(array, threads=threads) == score_plainly(ROWS)
    assert score(array, MEAN, threads=threads) == score_plainly(ROWS, "mean")
    assert count(array, threads=threads) == count_plainly(ROWS)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
@given(st.lists(st.one_of(st.none(), st.text(max_size=30)), max_size=30), st.data())
def test_any_rows_and_slices(layout, rows, data):
    array = layout(rows)
    first = data.draw(st.integers(0, len(rows)))
    last = data.draw(st.integers(first, len(rows)))
    assert score(array[first:last]) == score_plainly(rows[first:last])
    assert count(array[first:last]) == count_plainly(rows[first:last])


def test_chunk_pieces_add_up():
    chunked = pa.chunked_array([ROWS[:3], ROWS[3:4], [], ROWS[4:]], pa.string())
    counts = np.zeros(500, dtype=np.int64)
    numbers = np.zeros(4, dtype=np.int64)
    parts = []
    for chunk in chunked.chunks:
        numbers += _core.count(chunk, SPEC, counts)[:4]
        parts.append(score(chunk))
    assert (*numbers.tolist(), [], counts.tolist()) == count_plainly(ROWS)
    whole = [[value for part in parts for value in part[i]] for i in range(4)]
    assert whole == score_plainly(ROWS)


def test_polars():
    array = pl.Series(ROWS).to_arrow()
    assert score(array) == score_plainly(ROWS)
    assert count(array) == count_plainly(ROWS)


class Producer:
    """An Arrow producer that is no library's."""

    def __init__(self, array: pa.Array) -> None:
        self.array = array

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        return self.array.__arrow_c_array__(requested_schema)


def test_any_producer():
    assert score(Producer(pa.array(ROWS))) == score_plainly(ROWS)


BAD = {
    "lone byte": b"\xff",
    "truncated": b"a b \xe4\xb8",
    "overlong": b"\xc0\xaf",
    "surrogate": b"x \xed\xa0\x80 y",
    "too high": b"\xf4\x90\x80\x80",
    "after two stretches": b"word, " * 1000 + b"\x80",
    "latin-1": "déjà vu".encode("latin-1"),
}


def array_of_bytes(rows: list[bytes | None], kind: pa.DataType = STRING) -> pa.Array:
    """Text that pyarrow has not looked at, as a file may hold it."""
    binary = pa.array(rows, pa.large_binary() if kind == pa.large_string() else pa.binary())
    return pa.Array.from_buffers(kind, len(binary), binary.buffers())


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()], ids=str)
@pytest.mark.parametrize("threads", [1, 3])
def test_invalid_rows_are_flagged_and_add_nothing(bad, kind, threads):
    texts = [row.encode() if row is not None else None for row in ROWS]
    array = array_of_bytes([bad, *texts[:4], bad, *texts[4:], bad], kind)
    places = [0, 5, len(ROWS) + 2]
    rows, *numbers, invalid, counts = count(array, threads=threads)
    assert invalid == places
    assert rows == len(ROWS) + 3
    expected = count_plainly(ROWS)
    assert (*numbers, counts) == (*expected[1:4], expected[-1])
    found = score(array, threads=threads)
    for place in places:
        assert [part[place] for part in found] == [0.0, 0, len(bad), INVALID]
    for part, expected in zip(found, score_plainly(ROWS), strict=True):
        assert [x for i, x in enumerate(part) if i not in places] == expected


def test_counts_are_added_to_what_is_there():
    counts = np.full(500, 7, dtype=np.int64)
    _core.count(pa.array(ROWS), SPEC, counts)
    assert (counts - 7).tolist() == count_plainly(ROWS)[-1]


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_limit(threads):
    ngrams = [count_plainly([row])[1] for row in ROWS]
    for limit in range(-1, sum(ngrams) + 2):
        expected = next(
            (i + 1 for i in range(len(ROWS)) if 0 <= limit < sum(ngrams[: i + 1])), len(ROWS)
        )
        found = count(pa.array(ROWS), limit=limit, threads=threads)
        assert found == count_plainly(ROWS[:expected])


@pytest.mark.parametrize("hashing", ["fast", "sha256"])
@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_any_number_of_threads_gives_the_same_bytes(n, hashing):
    random = np.random.default_rng(n)
    words = np.array(["a", "the", "Queen", "été", "...", "x" * 40, "中文"])
    rows = [" ".join(random.choice(words, size=random.integers(60))) for _ in range(300)]
    spec = _core.FeatureSpec(n=n, buckets=500, hash=hashing)
    results = set()
    for threads in (1, 2, 3, 16):
        counts = np.zeros(500, dtype=np.int64)
        ngrams = _core.count(pa.array(rows), spec, counts, threads=threads)[:2]
        scores = _core.score(pa.array(rows), spec, TABLE, SUM, threads=threads)
        results.add((*ngrams, counts.tobytes(), *(part.tobytes() for part in scores)))
    assert len(results) == 1


def test_log_weight_is_the_sum_of_log_ratios():
    """To 1e-9 relative, as promised; the fixed point is far closer."""
    for row, weight in zip(ROWS, score(pa.array(ROWS))[0], strict=True):
        buckets = [bucket for _, bucket in _core.named_ngrams(row or "", SPEC)]
        assert weight == pytest.approx(math.fsum(RATIO[buckets]), rel=1e-12, abs=1e-12)


def test_types_and_lengths_of_the_answers():
    log_weight, tokens, size, status = _core.score(pa.array(ROWS), SPEC, TABLE, SUM)
    kinds = [part.dtype.name for part in (log_weight, tokens, size, status)]
    assert kinds == ["float64", "uint32", "uint32", "uint8"]
    assert log_weight.shape == (1, len(ROWS))
    assert {len(part) for part in (tokens, size, status)} == {len(ROWS)}
    empty = _core.score(pa.array([], pa.string()), SPEC, TABLE, SUM)
    assert [part.size for part in empty] == [0, 0, 0, 0]


@given(
    st.lists(st.tuples(st.integers(0, 10**12), st.integers(0, 10**12)), min_size=2, max_size=50),
    st.sampled_from([0.0, 1.0, 0.01]),
)
def test_log_ratio(pairs, smoothing):
    target = np.array([1, *(pair[0] for pair in pairs)], dtype=np.int64)
    raw = np.array([1, *(pair[1] for pair in pairs)], dtype=np.int64)
    p_target = (target + smoothing) / (target + smoothing).sum()
    p_raw = raw / raw.sum()
    expected = np.log(p_target + 1e-8) - np.log(p_raw + 1e-8)
    np.testing.assert_allclose(
        _core.log_ratio(target, raw, smoothing), expected, rtol=1e-12, atol=1e-14
    )


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (pa.array([1, 2]), "found Arrow format 'l'"),
        (pa.array([b"a"]), "found Arrow format 'z'"),
        (pa.array([None]), "found Arrow format 'n'"),
        (pa.array([["a"]]), "found Arrow format '\\+l'"),
        (pa.array([1, 2]).dictionary_encode(), "found Arrow format 'l'"),
        (pa.record_batch({"a": ["b"]}), "found Arrow format '\\+s'"),
    ],
    ids=lambda value: getattr(value, "type", None) and str(value.type),
)
def test_other_types_are_refused(array, message):
    for call in (score, count):
        with pytest.raises(_core.ArrowTypeError, match=message):
            call(array)
    assert issubclass(_core.ArrowTypeError, TypeError)


def test_a_dictionary_index_out_of_range_is_refused():
    values = pa.array(["a", "b"])
    broken = pa.DictionaryArray.from_arrays(pa.array([0, 2], pa.int8()), values, safe=False)
    for threads in (1, 2):
        with pytest.raises(_core.ArrowTypeError, match="dictionary index is out of range"):
            score(broken, threads=threads)
        with pytest.raises(_core.ArrowTypeError, match="dictionary index is out of range"):
            count(broken, threads=threads)


def test_malformed_offsets_and_views_are_refused():
    # Spoilt behind pyarrow's back, which looks at them when an array is made.
    offsets = np.array([0, 3], dtype=np.int32)
    array = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(offsets), pa.py_buffer(b"abc")]
    )
    assert score(array)[1:] == [[1], [3], [TEXT]]
    for spoilt in ([0, -5], [-1, 3], [3, 0]):
        offsets[:] = spoilt
        with pytest.raises(_core.ArrowTypeError, match="offsets are not in order"):
            score(array)
    view = np.array([20, 0, 0, 4], dtype=np.int32)
    buffers = [None, pa.py_buffer(view), pa.py_buffer(b"x" * 24)]
    array = pa.Array.from_buffers(pa.string_view(), 1, buffers)
    for spoilt, message in [
        ([-1, 0, 0, 0], "negative length"),
        ([20, 0, 1, 0], "a buffer that does not exist"),
        ([20, 0, 0, 5], "beyond its buffer"),
        ([20, 0, 0, -1], "beyond its buffer"),
    ]:
        view[:] = spoilt
        with pytest.raises(_core.ArrowTypeError, match=message):
            score(array)


def test_what_is_no_array():
    for wrong in (["a"], "a", None, pa.chunked_array([["a"]])):
        with pytest.raises(ValueError, match="expected an Arrow array"):
            score(wrong)


def test_arguments_are_checked():
    texts = pa.array(["a"])
    counts = np.zeros(500, dtype=np.int64)
    for n in (0, 9):
        with pytest.raises(ValueError, match="n must be 1 to 8"):
            _core.FeatureSpec(n=n, buckets=10, hash="fast")
    for buckets in (0, 1, (1 << 24) + 1):
        with pytest.raises(ValueError, match="buckets must be 2 to 2"):
            _core.FeatureSpec(n=1, buckets=buckets, hash="fast")
    with pytest.raises(ValueError, match="hash must be 'fast' or 'sha256'"):
        _core.FeatureSpec(n=1, buckets=10, hash="md5")
    for keywords, message in [
        ({"targets": 0}, "there must be at least one target"),
        ({"alpha": -0.1}, "alpha must be 0 to 1"),
        ({"alpha": math.nan}, "alpha must be 0 to 1"),
        ({"lengths": [(1.0, 1.0)] * 2}, "lengths must have one pair per target"),
        ({"lengths": [(1.0, 0.0)]}, "lengths must be above 0"),
        ({"shares": [0.5, 0.5]}, "shares must have one entry per target"),
        ({"shares": [-1.0]}, "shares must be 0 or more"),
        ({"shares": [0.0]}, "at least one share must be above 0"),
    ]:
        with pytest.raises(ValueError, match=message):
            _core.Weighing(**keywords)
    with pytest.raises(ValueError, match="same number of targets"):
        _core.score(texts, SPEC, TABLE, _core.Weighing(targets=2))
    with pytest.raises(ValueError, match="the axes targets and buckets"):
        _core.LogRatioTable(np.zeros(500))
    for call in (score, count):
        with pytest.raises(ValueError, match="threads must be at least 1"):
            call(texts, threads=0)
    with pytest.raises(ValueError, match="one entry per bucket"):
        _core.count(texts, SPEC, counts[:-1])
    with pytest.raises(ValueError, match="one entry per bucket"):
        _core.score(texts, SPEC, _core.LogRatioTable(np.zeros((1, 499))), SUM)
    for wrong in (counts.astype(np.int32), counts.astype(np.float64), np.zeros(1000, int)[::2]):
        with pytest.raises(TypeError):
            _core.count(texts, SPEC, wrong)
    counts.setflags(write=False)
    with pytest.raises(ValueError, match="writeable"):
        _core.count(texts, SPEC, counts)
    for wrong in (math.nan, math.inf, 24.0, -30.0):
        with pytest.raises(ValueError, match="finite and below 24"):
            _core.LogRatioTable(np.array([[0.0, wrong]]))
    assert (_core.MAX_ORDER, _core.MIN_BUCKETS, _core.MAX_BUCKETS) == (8, 2, 1 << 24)
