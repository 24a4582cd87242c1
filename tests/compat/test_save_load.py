"""save() and load(): own format, and pickles of the reference refused and converted."""

from __future__ import annotations

import hashlib
import pickle
import struct

import numpy as np
import pytest

import dsir
from dsir import compat


@pytest.fixture
def fitted(corpus, tmp_path, capfd):
    """An object that has fitted and weighed."""
    made = compat.HashedNgramDSIR(
        *corpus,
        tmp_path / "cache",
        num_proc=3,
        ngrams=3,
        num_buckets=500,
        min_example_length=20,
        separate_targets=True,
        target_proportions=[2, 1],
        target_laplace_smoothing=0.25,
    )
    made.fit_importance_estimator()
    made.compute_importance_weights()
    return made


def parse(example):
    return example["text"]


def same(found, expected):
    assert type(found) is type(expected)
    if isinstance(expected, np.ndarray):
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)
    else:
        assert found == expected


def test_everything_comes_back(fitted, tmp_path, contents):
    fitted.resample(tmp_path / "before", 30, top_k=True)
    fitted.save(tmp_path / "deep" / "state")
    other = compat.HashedNgramDSIR([], [], tmp_path / "other")
    other.load(str(tmp_path / "deep" / "state"))
    assert vars(other).keys() == vars(fitted).keys()
    for name, value in vars(fitted).items():
        same(getattr(other, name), value)
    other.resample(tmp_path / "after", 30, top_k=True)
    assert contents(tmp_path / "after") == contents(tmp_path / "before")


def test_before_anything_is_fitted(corpus, tmp_path):
    made = compat.HashedNgramDSIR(*corpus, tmp_path)
    made.save(tmp_path / "state")
    other = compat.HashedNgramDSIR([], [], tmp_path / "other")
    other.load(tmp_path / "state")
    assert other.log_diff is None
    assert other.raw_datasets == corpus[0]


def test_keys_can_be_excluded(fitted, tmp_path):
    fitted.save(tmp_path / "state")
    other = compat.HashedNgramDSIR([], [], tmp_path / "other", num_proc=1)
    kept = ["raw_datasets", "cache_dir", "num_proc", "log_importance_weights_dir"]
    other.load(tmp_path / "state", exclude_keys=kept)
    assert other.raw_datasets == []
    assert other.num_proc == 1
    assert other.cache_dir == tmp_path / "other"
    same(other.log_diff, fitted.log_diff)


def test_attributes_of_a_subclass(tmp_path):
    class Own(compat.DSIR):
        pass

    made = Own(["a"], ["b"], tmp_path)
    made.slope = np.array([[0.5, -2.0]], dtype=np.float32).T
    made.nested = {"list": [1, 2.5, None, True, "é\udc80"], "tuple": (float("inf"), {})}
    made.scalar = np.float64(3.5)
    made.save(tmp_path / "state")
    other = Own([], [], tmp_path)
    other.load(tmp_path / "state")
    same(other.slope, made.slope)
    assert other.nested == made.nested
    assert other.scalar == 3.5
    made.thing = object()
    with pytest.raises(dsir.SettingError, match="thing: the type object cannot be saved"):
        made.save(tmp_path / "state")
    other.load(tmp_path / "state")  # The file of before is still there.


def test_a_function_is_not_saved_and_says_so_when_it_is_called(corpus, tmp_path):
    made = compat.HashedNgramDSIR(*corpus, tmp_path, raw_parse_example_fn=parse)
    made.fit_importance_estimator()
    made.save(tmp_path / "state")
    other = compat.HashedNgramDSIR([], [], tmp_path)
    other.load(tmp_path / "state")  # As in the reference, which pickles the name of the function.
    same(other.raw_probs, made.raw_probs)
    same(other.log_diff, made.log_diff)
    assert other.raw_datasets == made.raw_datasets
    advice = "raw_parse_example_fn=parse, a function, .* set raw_parse_example_fn to the function"
    with pytest.raises(dsir.ModelError, match=advice):
        other.raw_parse_example_fn({"text": "x"})
    with pytest.raises(dsir.ModelError, match=advice):
        other.fit_importance_estimator()
    assert "set raw_parse_example_fn to it" in repr(other.raw_parse_example_fn)
    # Saved again it is the same function that is missing; copies say the same.
    other.save(tmp_path / "again")
    third = compat.HashedNgramDSIR([], [], tmp_path)
    third.load(tmp_path / "again")
    with pytest.raises(dsir.ModelError, match=advice):
        pickle.loads(pickle.dumps(third)).raw_parse_example_fn()
    third.raw_parse_example_fn = parse
    third.fit_importance_estimator()
    same(third.log_diff, made.log_diff)


def test_the_functions_of_the_object_that_loads_are_kept(corpus, tmp_path):
    made = compat.HashedNgramDSIR(*corpus, tmp_path, raw_parse_example_fn=parse)
    made.save(tmp_path / "state")
    other = compat.HashedNgramDSIR([], [], tmp_path)
    other.load(tmp_path / "state", exclude_keys=["raw_parse_example_fn"])
    assert other.raw_parse_example_fn is compat.default_parse_example_fn
    other.raw_parse_example_fn = parse
    other.load(tmp_path / "state")
    assert other.raw_parse_example_fn is parse
    plain = compat.HashedNgramDSIR(*corpus, tmp_path)
    plain.save(tmp_path / "state")
    other.load(tmp_path / "state")
    assert other.raw_parse_example_fn is compat.default_parse_example_fn


def test_a_pickle_of_the_reference(pair, corpus, tmp_path, contents):
    both = pair(*corpus, num_proc=2, num_buckets=500, min_example_length=20)
    both.both(lambda made: made.fit_importance_estimator())
    path = tmp_path / "state.pkl"
    both.reference.save(str(path))
    with pytest.raises(dsir.ModelError, match=r"is a pickle.*from_reference\(the_loaded_object\)"):
        both.ours.load(path)
    with path.open("rb") as file:
        loaded = pickle.load(file)
    converted = compat.HashedNgramDSIR.from_reference(loaded)
    converted.save(path)
    both.ours.load(path)
    assert both.ours.cache_dir == both.reference.cache_dir
    both.both(lambda made: made.compute_importance_weights())
    both.ours.resample(tmp_path / "ours-out", 30, top_k=True)
    both.reference.resample(str(tmp_path / "out"), 30, top_k=True)
    assert contents(tmp_path / "ours-out") == contents(tmp_path / "out")
    with pytest.raises(dsir.SettingError, match="expected a HashedNgramDSIR of data-selection"):
        compat.HashedNgramDSIR.from_reference(pair)


def test_pickles_of_every_protocol_are_refused(fitted, tmp_path):
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        (tmp_path / "state").write_bytes(pickle.dumps({}, protocol))
        with pytest.raises(dsir.ModelError, match="is a pickle, which dsir never opens"):
            fitted.load(tmp_path / "state")


def test_damaged_files(fitted, tmp_path):
    path = tmp_path / "state"
    fitted.save(path)
    whole = path.read_bytes()
    before = dict(vars(fitted))
    for at in (*range(0, 20, 3), 200, len(whole) // 2, len(whole) - 1):
        damaged = bytearray(whole)
        damaged[at] ^= 0x10
        path.write_bytes(damaged)
        with pytest.raises(dsir.ModelError):
            fitted.load(path)
    for length in (0, 5, 19, 60, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(dsir.ModelError):
            fitted.load(path)
    with pytest.raises(dsir.ModelError, match="cannot be read: No such file"):
        fitted.load(tmp_path / "nowhere")
    assert vars(fitted) == before


def with_header(header):
    body = struct.pack("<8sIQ", b"dsirstat", 1, len(header)) + header
    return body + hashlib.sha256(body).digest()


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"{", "its header is not JSON"),
        (b"[]", "its header is not valid"),
        (b'{"unicode": "1.0", "attributes": {}}', "the tables of Unicode 1.0"),
        (b'{"unicode": "14.0.0"}', "its header is not valid"),
        (b'{"unicode": "14.0.0", "attributes": {"a": {"code": "x"}}}', "not valid"),
        (b'{"unicode": "14.0.0", "attributes": {"a": {"known": "open"}}}', "not valid"),
        (b'{"unicode": "14.0.0", "attributes": {"a": {"array": ["|O", [1], 0]}}}', "not valid"),
        (b'{"unicode": "14.0.0", "attributes": {"a": {"array": ["<f8", [9], 0]}}}', "not valid"),
        (b'{"unicode": "14.0.0", "attributes": {"a": {"array": ["<f8", [-1], 0]}}}', "not valid"),
        (b'{"unicode": "14.0.0", "attributes": {"a": {"array": ["<f8", [0], -8]}}}', "not valid"),
    ],
)
def test_headers_that_are_made_up(fitted, tmp_path, header, message):
    (tmp_path / "state").write_bytes(with_header(header))
    with pytest.raises(dsir.ModelError, match=message):
        fitted.load(tmp_path / "state")
