"""Kernels that numba compiles: tokenizers and makers of features (extra: numba)."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dsir
from dsir.model import own_part

pytest.importorskip("numba")

pytestmark = pytest.mark.filterwarnings("ignore::dsir.DsirWarning")  # Of small targets.

from dsir.kernels import bucket_of, extend_hash  # noqa: E402 - needs numba


@dsir.kernel("tokenizer")
def at_spaces(text, at, starts, ends):
    """Cut at spaces, at most five tokens a call."""
    found = 0
    while found < 5:
        while at < len(text) and text[at] == 32:
            at += 1
        if at == len(text):
            break
        starts[found] = at
        while at < len(text) and text[at] != 32:
            at += 1
        ends[found] = at
        found += 1
    return found


@dsir.kernel("features", features_per_token=2)
def pairs(tokens, buckets, out):
    """Make the n-grams of order 1 and 2."""
    found = 0
    for place in range(len(tokens)):
        out[found] = bucket_of(tokens[place], buckets)
        found += 1
        if place > 0:
            out[found] = bucket_of(extend_hash(tokens[place - 1], tokens[place]), buckets)
            found += 1
    return found


TEXTS = st.lists(
    st.text(st.sampled_from("abAB \u00c9\u0130\u6771\U0001f600"), max_size=60), max_size=8
)


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.booleans(), st.sampled_from([None, "NFC"]))
def test_a_tokenizer_kernel_cuts_as_its_twin_of_the_core(texts, lower, normalize):
    given_to = {"lower": lower, "normalize": normalize, "buckets": 500}
    own = dsir.HashedNgrams(tokenizer=at_spaces, **given_to)
    twin = dsir.HashedNgrams(tokenizer="whitespace", **given_to)
    assert (own.counts(dsir.texts(texts)) == twin.counts(dsir.texts(texts))).all()
    for text in texts:
        assert own.tokens(text) == twin.tokens(text)
        assert own.ngrams(text) == twin.ngrams(text)


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_a_features_kernel_makes_the_same_features_as_the_core(texts):
    own = dsir.HashedNgrams(extractor=pairs, buckets=500)
    twin = dsir.HashedNgrams(n=2, buckets=500)
    assert (own.counts(dsir.texts(texts)) == twin.counts(dsir.texts(texts))).all()


def test_the_hashes_of_kernels_are_those_of_the_core():
    # 2^32 and more in every factor, and the largest bucket.
    for shorter, token in [(0, 0), (1 << 63, 3), ((1 << 64) - 1, (1 << 64) - 1), (12345, 1 << 40)]:
        a, b = shorter ^ 0xA54FF53A5F1D36F1, token ^ 0x510E527FADE682D1
        product = a * b
        expected = (product & ((1 << 64) - 1)) ^ (product >> 64)
        assert extend_hash(np.uint64(shorter), np.uint64(token)) == expected
        for buckets in (2, 1000, 1 << 24):
            assert bucket_of(np.uint64(expected), buckets) == (expected * buckets) >> 64


def test_selections_with_kernels_do_not_depend_on_threads(tmp_path):
    raw = [f"document {i} of {'ships' if i % 3 else 'stocks'} {i % 11}" for i in range(300)]
    target = dsir.texts(["ships sail the sea"] * 9)
    chosen = [
        dsir.select(
            raw,
            target,
            n=30,
            min_tokens=1,
            features=dsir.HashedNgrams(tokenizer=tokenizer, extractor=extractor),
            threads=threads,
        ).rows.tolist()
        for tokenizer, extractor, threads in (
            (at_spaces, pairs, 1),
            (at_spaces, pairs, 2),
            ("whitespace", None, 1),
        )
    ]
    assert chosen[0] == chosen[1] == chosen[2]


def test_a_model_says_which_kernel_it_needs(tmp_path, monkeypatch):
    features = dsir.HashedNgrams(tokenizer=at_spaces, extractor=pairs)
    model = dsir.fit(["a b c", "d e"], dsir.texts(["a b"] * 9), features=features)
    model.save(tmp_path / "m.dsir")
    assert dsir.ImportanceModel.load(tmp_path / "m.dsir").features == features
    monkeypatch.setattr(own_part, "_known", {})
    with pytest.raises(
        dsir.ModelError,
        match=r"m\.dsir: the features need the kernel at_spaces .* import the module",
    ):
        dsir.ImportanceModel.load(tmp_path / "m.dsir")
    monkeypatch.setattr(own_part, "_known", {at_spaces.digest: at_spaces})
    with pytest.raises(dsir.ModelError, match=r"need the features kernel pairs .* import the mod"):
        dsir.ImportanceModel.load(tmp_path / "m.dsir")


def test_another_source_constant_or_option_is_another_kernel():
    def made(step, **options):
        @dsir.kernel("features", **options)
        def one(tokens, buckets, out):
            for place in range(len(tokens)):
                out[place] = (tokens[place] + step) % buckets
            return len(tokens)

        return one

    same, other, more = made(1), made(2), made(1, features_per_token=3)
    assert same == made(1)
    assert len({same, other, more}) == 3
    assert dsir.HashedNgrams(extractor=same).fingerprint != (
        dsir.HashedNgrams(extractor=other).fingerprint
    )


def test_kernels_are_pickled_by_their_name():
    assert pickle.loads(pickle.dumps(at_spaces)) is at_spaces
    assert b"while" not in pickle.dumps(at_spaces)


KERNELS = """
import dsir
from dsir.kernels import bucket_of


@dsir.kernel("tokenizer")
def whole(text, at, starts, ends):
    if at == len(text):
        return 0
    starts[0], ends[0] = at, len(text)
    return 1


@dsir.kernel("features")
def first(tokens, buckets, out):
    out[0] = bucket_of(tokens[0], buckets)
    return 1


def _double(buckets, counts, log_ratio, tokens):
    return 2 * log_ratio[buckets[0]]


double = dsir.kernel("scorer")(_double)
"""
SENDING = """
import pickle
import sys

import dsir
import lab

features = dsir.HashedNgrams(tokenizer=lab.whole, extractor=lab.first)
model = dsir.fit(["a", "b"], ["a"] * 9, features=features, scorer=lab.double, progress=False)
sys.stdout.buffer.write(pickle.dumps((model, model.score(["a", "c"]).tolist())))
"""
RECEIVING = """
import pickle
import sys

model, scores = pickle.load(sys.stdin.buffer)
assert model.score(["a", "c"]).tolist() == scores
"""


def _run(program, folder, given=b""):
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        input=given,
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(folder)])},
    )


def test_a_model_brings_its_kernels_to_another_process(tmp_path):
    (tmp_path / "lab.py").write_text(KERNELS)
    sent = _run(SENDING, tmp_path)
    assert sent.returncode == 0, sent.stderr
    received = _run(RECEIVING, tmp_path, sent.stdout)
    assert received.returncode == 0, received.stderr
    (tmp_path / "lab.py").write_text(KERNELS.replace("return 2 *", "return 3 *"))
    received = _run(RECEIVING, tmp_path, sent.stdout)
    assert b"the module lab, as this process imports it, does not define" in received.stderr
    (tmp_path / "lab.py").unlink()
    received = _run(RECEIVING, tmp_path, sent.stdout)
    assert b"define it at the top of a module that every process can import" in received.stderr


def test_what_a_kernel_returns_is_checked():
    @dsir.kernel("tokenizer")
    def overlapping(text, at, starts, ends):
        starts[0], ends[0] = at, at + 2
        starts[1], ends[1] = at + 1, at + 3
        return 2

    @dsir.kernel("tokenizer")
    def raising(text, at, starts, ends):
        if len(text) > 3:
            raise ValueError("too long")
        return 0

    @dsir.kernel("features")
    def too_large(tokens, buckets, out):
        out[0] = buckets
        return 1

    texts = dsir.texts(["some text"])
    with pytest.raises(dsir.KernelError, match="must lie in order"):
        dsir.HashedNgrams(tokenizer=overlapping).counts(texts)
    with pytest.raises(dsir.KernelError, match="raised an exception"):
        dsir.HashedNgrams(tokenizer=raising).counts(texts)
    with pytest.raises(dsir.KernelError, match="returned the bucket 10000"):
        dsir.HashedNgrams(extractor=too_large).counts(texts)


@dsir.kernel("tokenizer")
def of_short_texts(text, at, starts, ends):
    """Take the whole text for a token, but return -1 tokens of long ones."""
    if len(text) > 20:
        return -1
    if at == len(text):
        return 0
    starts[0], ends[0] = at, len(text)
    return 1


@dsir.kernel("features")
def of_few_tokens(tokens, buckets, out):
    """Return more features than there is room for if there are more than three tokens."""
    for place in range(len(tokens)):
        out[place] = place
    return len(tokens) + (len(tokens) > 3)


@dsir.kernel("scorer")
def of_few_features(buckets, counts, log_ratio, tokens):
    """Return nan if there are more than three tokens."""
    return np.nan if tokens > 3 else 1.0


def in_python(text):
    """Cut at spaces, but fail on long texts."""
    if len(text) > 20:
        raise LookupError("long")
    return text.split()


SHORT, LONG = "ship at sea", "a ship is now far at sea"
ROWS = [SHORT] * 37 + [LONG] + [SHORT] * 6 + [LONG]
FAILING = [
    ({"tokenizer": of_short_texts}, "tokenizer=of_short_texts", "returned -1 tokens"),
    ({"extractor": of_few_tokens}, "extractor=of_few_tokens", "returned 8 features"),
    ({"tokenizer": in_python}, "tokenizer=in_python", "raised LookupError: long"),
    ({"scorer": of_few_features}, "scorer=of_few_features", "returned nan"),
]


def _files(tmp_path):
    table = pa.table({"text": ROWS})
    pq.write_table(table, tmp_path / "raw.parquet", row_group_size=10)
    lines = "".join(json.dumps({"text": text}) + "\n" for text in ROWS)
    (tmp_path / "raw.jsonl").write_text(lines)
    return {
        "raw": ROWS,
        "raw.parquet": "raw.parquet",
        "raw.jsonl": "raw.jsonl",
    }


def _fails_on_row_37(call, source, name, says):
    with pytest.raises(dsir.KernelError) as found:
        call()
    said = str(found.value)
    assert said.startswith(f"{source}: row 37: {name} ("), said
    assert "test_kernels.py:" in said
    assert says in said
    assert repr(LONG) in said
    assert (found.value.row, found.value.path) == (37, source)
    copy = pickle.loads(pickle.dumps(found.value))
    assert (str(copy), copy.row, copy.path) == (said, 37, source)


@pytest.mark.parametrize(("wrong", "name", "says"), FAILING)
@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_names_the_kernel_and_the_first_row_on_which_it_fails(
    wrong, name, says, threads, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    wanted = dsir.texts([SHORT] * 9)
    scorer = wrong.get("scorer")
    features = None if scorer else dsir.HashedNgrams(**wrong)
    arguments = {"n": 3, "progress": False, "threads": threads, "min_tokens": 1}
    model = dsir.fit([SHORT, "court of law"], wanted, features=features, scorer=scorer)
    for source, raw in _files(tmp_path).items():
        for call in (
            lambda raw=raw: dsir.select(raw, model=model, **arguments),
            lambda raw=raw: dsir.select(raw, wanted, features=features, scorer=scorer, **arguments),
        ):
            _fails_on_row_37(call, source, name, says)
    _fails_on_row_37(lambda: model.score(ROWS, threads=threads), "texts", name, says)
    _fails_on_row_37(lambda: dsir.score(ROWS, [model], threads=threads), "texts", name, says)
    if features is not None:
        _fails_on_row_37(lambda: features.counts(ROWS), "texts", name, says)
        _fails_on_row_37(
            lambda: dsir.fit([SHORT], ROWS, features=features, threads=threads),
            *("target", name, says),
        )
        _fails_on_row_37(
            lambda: dsir.fit(
                [SHORT], ROWS, features=features, threads=threads, estimator="classifier"
            ),
            *("target", name, says),
        )


def test_an_error_in_a_window_names_the_row_of_its_document():
    def of_two_features(buckets, counts, log_ratio, tokens):
        return np.nan if len(buckets) <= 2 else 1.0

    rows = [f"{SHORT} " * 3] * 4 + ["sea sea sea"]
    arguments = {"n": 1, "min_tokens": 1, "chunk_tokens": 3, "progress": False}
    with pytest.raises(dsir.KernelError, match=r"^raw: row 4: scorer=.*; the text begins 'sea sea"):
        dsir.select(rows, [SHORT] * 9, scorer=of_two_features, **arguments)


def test_what_numba_cannot_compile_is_a_setting_error():
    with pytest.raises(dsir.SettingError, match=r"numba cannot compile unknown_name: .*nowhere"):

        @dsir.kernel("tokenizer")
        def unknown_name(text, at, starts, ends):
            return nowhere(text)  # noqa: F821


@pytest.mark.parametrize("wrong", [3, len, dict, None])
def test_what_is_no_function_is_a_setting_error(wrong):
    with pytest.raises(dsir.SettingError, match="decorate a function that is written in Python"):
        dsir.kernel("tokenizer")(wrong)


@dsir.kernel("features", features_per_token=3)
def uneven(tokens, buckets, out):
    """Make as many features of a token as its hash says."""
    found = 0
    for place in range(len(tokens)):
        for turn in range(tokens[place] % 4):
            out[found] = bucket_of(tokens[place] + np.uint64(turn), buckets)
            found += 1
    return found


@pytest.mark.parametrize("extractor", [pairs, uneven])
@pytest.mark.parametrize("quota", [{}, {"max_per": {"source": 0.6}}])
def test_coverage_counts_the_features_of_a_kernel(extractor, quota, tmp_path, monkeypatch):
    """What a kernel makes of a document is no function of its number of tokens."""
    texts = [
        f"{'sail' if i % 3 else 'verdict'} {i % 7} {'tide ' * (i % 5)}{i % 11} mast"
        for i in range(60)
    ]
    raw = tmp_path / "raw.parquet"
    pq.write_table(pa.table({"text": texts, "source": [f"s{i % 2}" for i in range(60)]}), raw)
    arguments = {"n": 12, "min_tokens": 1, "method": "coverage", "progress": False, **quota}
    features = dsir.HashedNgrams(extractor=extractor, buckets=5000)
    target = dsir.texts([*texts[1:40:3]])
    found = dsir.select(raw, target, features=features, out=tmp_path / "own", **arguments)
    assert len(found.rows) == 12
    assert dsir.verify(tmp_path / "own", target=target).stands
    if extractor is pairs:
        core = dsir.select(raw, target, features=dsir.HashedNgrams(buckets=5000), **arguments)
        assert found.rows.tolist() == core.rows.tolist()
        assert found.log_weights.tolist() == core.log_weights.tolist()


def test_features_of_kernels_have_no_names():
    model = dsir.fit(
        ["a b", "c"], dsir.texts(["a b"] * 9), features=dsir.HashedNgrams(extractor=pairs)
    )
    with pytest.raises(dsir.SettingError, match=r"^extractor=pairs: .* have no names"):
        model.explain("a b")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"extractor": at_spaces}, "extractor="),
        ({"tokenizer": pairs}, "tokenizer="),
        ({"tokenizer": of_few_features}, "tokenizer="),
        ({"extractor": pairs, "hash": "sha256"}, "fast"),
        ({"extractor": len}, "extractor="),
    ],
)
def test_kernels_in_the_wrong_place(wrong, says):
    with pytest.raises(dsir.SettingError, match=says):
        dsir.HashedNgrams(**wrong)


def returning(kind: str, value: object):
    """Return a function of a kind of kernel that returns a value."""
    if kind == "tokenizer":
        return lambda text, at, starts, ends: value
    if kind == "features":
        return lambda tokens, buckets, out: value
    return lambda buckets, counts, log_ratio, tokens: value


@pytest.mark.parametrize("kind", ["tokenizer", "features", "scorer"])
@pytest.mark.parametrize("value", [0.5, True, 0])
def test_what_a_kernel_returns_is_of_the_right_kind(kind, value):
    function = returning(kind, value)
    function.__name__ = "named"
    if value is True or (value == 0.5 and kind != "scorer"):
        with pytest.raises(dsir.SettingError, match=r"^dsir\.kernel: named returns .*; return a "):
            dsir.kernel(kind)(function)
    else:
        assert dsir.kernel(kind)(function).address


@pytest.mark.parametrize("kind", ["tokenizer", "features", "scorer"])
def test_a_kernel_that_returns_nothing_or_takes_other_arguments_says_so(kind):
    function = returning(kind, None)
    function.__name__ = "named"
    with pytest.raises(dsir.SettingError, match=r"^dsir\.kernel: named returns none; return a "):
        dsir.kernel(kind)(function)
    with pytest.raises(dsir.SettingError, match=r"does not take the [34] arguments .*: missing a"):
        dsir.kernel(kind)(lambda one, two, three, four, five: 0)
    with pytest.raises(dsir.SettingError, match=r"does not take the [34] arguments .*: too many"):
        dsir.kernel(kind)(lambda text: 0)


@pytest.mark.parametrize("kind", ["tokenizer", "scorer"])
def test_features_per_token_is_of_features(kind):
    with pytest.raises(dsir.SettingError, match=r"^features_per_token=3: is for dsir\.kernel"):
        dsir.kernel(kind, features_per_token=3)
