"""Types become one type only where every value of both is a value of it."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsir.corpus.cast_columns import cast_column
from dsir.output.shared_types import readable_type, wider_type

TEXT = [pa.string(), pa.large_string()]
DICT = pa.dictionary(pa.int32(), pa.string())
LEVELS = pa.dictionary(pa.int32(), pa.string(), ordered=True)

WIDER = [
    (pa.string(), pa.large_string(), pa.large_string()),
    (DICT, pa.string(), pa.string()),
    (DICT, pa.large_string(), pa.large_string()),
    (DICT, LEVELS, DICT),
    (DICT, pa.dictionary(pa.int64(), pa.large_string()), pa.dictionary(pa.int64(), TEXT[1])),
    (pa.dictionary(pa.int32(), pa.int32()), pa.int64(), pa.int64()),
    (pa.binary(), pa.large_binary(), pa.large_binary()),
    (pa.binary(2), pa.binary(3), pa.binary()),
    (pa.null(), pa.map_(pa.string(), pa.int8()), pa.map_(pa.string(), pa.int8())),
    (pa.int32(), pa.int64(), pa.int64()),
    (pa.uint8(), pa.int8(), pa.int16()),
    (pa.uint32(), pa.int32(), pa.int64()),
    (pa.uint16(), pa.uint64(), pa.uint64()),
    (pa.float16(), pa.float32(), pa.float32()),
    (pa.float32(), pa.float64(), pa.float64()),
    (pa.int8(), pa.float16(), pa.float16()),
    (pa.int16(), pa.float16(), pa.float32()),
    (pa.int32(), pa.float32(), pa.float64()),
    (pa.uint8(), pa.float64(), pa.float64()),
    (pa.decimal128(9, 2), pa.decimal128(9, 4), pa.decimal128(11, 4)),
    (pa.decimal128(38, 0), pa.decimal128(38, 2), pa.decimal256(40, 2)),
    (pa.date32(), pa.date64(), pa.date64()),
    (pa.time32("s"), pa.time32("ms"), pa.time32("ms")),
    (pa.time32("ms"), pa.time64("ns"), pa.time64("ns")),
    (pa.timestamp("s"), pa.timestamp("us"), pa.timestamp("us")),
    (pa.timestamp("ms", "UTC"), pa.timestamp("us", "UTC"), pa.timestamp("us", "UTC")),
    (pa.duration("ms"), pa.duration("us"), pa.duration("us")),
    (pa.list_(pa.int32()), pa.large_list(pa.int64()), pa.large_list(pa.int64())),
    (pa.list_(pa.int32(), 2), pa.list_(pa.int64(), 2), pa.list_(pa.int64(), 2)),
    (pa.list_(pa.int32(), 2), pa.list_(pa.int32(), 3), pa.list_(pa.int32())),
    (
        pa.struct([pa.field("a", pa.int8(), nullable=False)]),
        pa.struct([("a", pa.int16())]),
        pa.struct([("a", pa.int16())]),
    ),
    (
        pa.map_(pa.string(), pa.null()),
        pa.map_(pa.large_string(), pa.int8()),
        pa.map_(pa.large_string(), pa.int8()),
    ),
]
APART = [
    (pa.string(), pa.binary()),
    (pa.string(), pa.int64()),
    (DICT, pa.int64()),
    (pa.bool_(), pa.int8()),
    (pa.int64(), pa.uint64()),
    (pa.int64(), pa.float64()),
    (pa.uint64(), pa.float64()),
    (pa.decimal128(9, 2), pa.int32()),
    (pa.decimal256(76, 0), pa.decimal128(3, 1)),
    (pa.date32(), pa.timestamp("us")),
    # 9999-12-31 has microseconds, and no nanoseconds.
    (pa.timestamp("us"), pa.timestamp("ns")),
    (pa.timestamp("us"), pa.timestamp("us", "UTC")),
    (pa.timestamp("us", "Europe/Paris"), pa.timestamp("us", "UTC")),
    (pa.duration("s"), pa.duration("ns")),
    (pa.struct([("a", pa.int8())]), pa.struct([("b", pa.int8())])),
    (pa.struct([("a", pa.int8())]), pa.struct([("a", pa.string())])),
    (pa.list_(pa.int8()), pa.list_(pa.string())),
    (pa.list_(pa.int8()), pa.int8()),
]


@pytest.mark.parametrize(("one", "other", "wider"), WIDER, ids=str)
def test_a_type_holds_the_values_of_both(one, other, wider):
    assert wider_type(one, other) == wider_type(other, one) == wider
    assert wider_type(wider, one) == wider_type(other, wider) == wider
    assert readable_type(wider) == wider


@pytest.mark.parametrize(("one", "other"), APART, ids=str)
def test_types_without_such_a_type_stay_apart(one, other):
    assert wider_type(one, other) is None
    assert wider_type(other, one) is None
    assert wider_type(pa.list_(one), pa.list_(other)) is None


VIEW = pa.string_view()
READABLE = [
    (VIEW, pa.large_string()),
    (pa.binary_view(), pa.large_binary()),
    (pa.run_end_encoded(pa.int16(), VIEW), pa.large_string()),
    (pa.run_end_encoded(pa.int32(), pa.dictionary(pa.int8(), VIEW)), None),
    (pa.dictionary(pa.uint32(), VIEW), pa.dictionary(pa.int32(), pa.large_string())),
    (pa.dictionary(pa.int8(), pa.string(), ordered=True), LEVELS),
    (pa.dictionary(pa.uint64(), pa.string()), pa.dictionary(pa.int64(), pa.string())),
    (pa.list_view(VIEW), pa.list_(pa.large_string())),
    (pa.large_list_view(pa.int8()), pa.large_list(pa.int8())),
    (pa.list_(VIEW, 3), pa.list_(pa.large_string(), 3)),
    (pa.map_(VIEW, pa.list_view(VIEW)), pa.map_(pa.large_string(), pa.list_(pa.large_string()))),
    (pa.map_(pa.string(), DICT), pa.map_(pa.string(), pa.string())),
    (pa.map_(pa.string(), pa.list_(DICT)), pa.map_(pa.string(), pa.list_(pa.string()))),
    (pa.struct([("a", VIEW), ("b", DICT)]), pa.struct([("a", pa.large_string()), ("b", DICT)])),
    *((kind, kind) for kind in (*TEXT, DICT, pa.int8(), pa.null(), pa.timestamp("ns", "UTC"))),
]


@pytest.mark.parametrize(("came", "written"), READABLE, ids=str)
def test_types_that_libraries_do_not_read_are_written_in_others(came, written):
    written = written or pa.dictionary(pa.int32(), pa.large_string())
    assert readable_type(came) == written
    assert readable_type(written) == written


whole = st.sampled_from([8, 16, 32, 64]).flatmap(
    lambda bits: st.sampled_from(
        [
            (getattr(pa, f"int{bits}")(), -(2 ** (bits - 1)), 2 ** (bits - 1) - 1),
            (getattr(pa, f"uint{bits}")(), 0, 2**bits - 1),
        ]
    )
)


@settings(max_examples=200, deadline=None)
@given(one=whole, other=whole | st.sampled_from([pa.float16(), pa.float32(), pa.float64()]))
def test_no_number_changes_when_it_is_widened(one, other):
    kind, least, most = one
    wider = wider_type(kind, other[0] if isinstance(other, tuple) else other)
    if wider is not None:
        values = [least, least + 1, most - 1, most, 0, 1]
        assert cast_column(pa.array(values, kind), wider).to_pylist() == values
