"""Whatever is given for an argument of a public function: dsir's own errors, or an answer."""

from __future__ import annotations

import datetime
import decimal
import inspect
import io
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset
import pytest

import dsir
from dsir import graph

TEXTS = [f"the ship {number} sails out to sea tonight {number * 7}" for number in range(30)]
STORY = ["The ship sails. It is out at sea. The sea is wide. The ship is back."] * 3
X = np.random.default_rng(0).normal(size=(40, 3))
Y = np.array(["a", "b"] * 20)
CALLS: dict[str, tuple[Callable[..., object], dict[str, object]]] = {
    "select": (dsir.select, {"raw": TEXTS, "target": TEXTS[:6], "n": 3, "min_tokens": 2}),
    "fit": (dsir.fit, {"raw": TEXTS, "target": TEXTS[:6]}),
    "sample": (dsir.sample, {"log_weights": np.arange(10.0), "n": 3}),
    "kl_reduction": (dsir.kl_reduction, {"selected": TEXTS, "raw": TEXTS, "target": TEXTS[:6]}),
    "summarize": (graph.summarize, {"texts": STORY, "sentences": 2}),
    "lexrank": (graph.lexrank, {"units": TEXTS}),
    "GAIS": (graph.GAIS, {}),
    "GAIS.fit": (graph.GAIS().fit, {"X": X, "y": Y}),
    "RandomSelection.fit": (graph.RandomSelection().fit, {"X": X, "y": Y}),
}
ARGUMENTS = [
    (name, argument)
    for name, (call, _) in CALLS.items()
    for argument, parameter in inspect.signature(call).parameters.items()
    if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
]
# A function that the user gives may raise what it likes, and a class is a function.
FUNCTIONS = {("summarize", "tokens")}


class NoTruth:
    """Raises when it is asked whether it is true, as arrays and frames do."""

    def __bool__(self) -> bool:
        raise RuntimeError("has no truth value")


def values() -> list[Any]:
    """Values of many types, made anew for each call: some can be read only once."""
    found: list[Any] = [
        *(None, True, False, 0, -1, 5, 2**70, 1.5, float("nan"), float("inf"), -0.0, 1 + 2j),
        *(
            "",
            "x",
            "\ud800",
            "a\0b",
            "5%",
            "1e400",
            b"x",
            b"\xff",
            bytearray(b"x"),
            memoryview(b"a"),
        ),
        *([], [1], [None], ["a", 1], [[]], ["\ud800"], (), (1, 2), {}, {"a": 1}, {1: 2}, set()),
        *({"\ud800": "a"}, {"a": None}, {"a": ["x"]}, {"a"}, frozenset(["a"]), range(3)),
        *(object(), object, len, lambda one: one, NoTruth(), Exception("x"), NotImplemented, ...),
        *(np.array(5), np.array([1.5, np.nan]), np.array([]), np.array(["a"]), np.eye(2)),
        *(np.array([1 + 2j]), np.array([object()]), np.int64(3), np.float32(2.5), np.str_("x")),
        *(np.datetime64("2020-01-01"), pa.array([1]), pa.array(["a"]), pa.table({"a": [1]})),
        *(pa.scalar(3), pa.schema([]), io.StringIO("x"), io.BytesIO(b"x"), iter([1]), iter([])),
        *(datetime.date(2020, 1, 1), decimal.Decimal("1.5"), (one for one in [b"1"])),
    ]
    return [*found, *of_scipy(), *of_pandas(), *of_polars()]


def of_scipy() -> list[Any]:
    sparse = pytest.importorskip("scipy.sparse")
    return [sparse.csr_matrix(np.eye(2)), sparse.coo_matrix(np.eye(2))]


def of_pandas() -> list[Any]:
    pd = pytest.importorskip("pandas")
    half = pd.Series(["a", "\ud800"], dtype=object)
    return [
        pd.DataFrame([["a", "b"]], columns=["text", "text"]),
        pd.DataFrame({"text": pd.arrays.SparseArray([1.0, 0.0])}),
        pd.DataFrame({"text": half}),
        pd.DataFrame({"text": [object()]}),
        pd.DataFrame({("a", "b"): [1]}),
        pd.DataFrame({1: ["a"]}),
        *(half, pd.Series([1, 2]), pd.DataFrame(), pd.NA, pd.NaT, pd.Timestamp("2020")),
    ]


def of_polars() -> list[Any]:
    pl = pytest.importorskip("polars")
    return [pl.DataFrame(), pl.LazyFrame({"text": ["a"]}), pl.Series([1]), pl.Series(["a"])]


def shown(value: object) -> str:
    return f"{type(value).__name__} {ascii(value)[:60]}"


@pytest.mark.parametrize(("name", "argument"), ARGUMENTS)
def test_only_errors_of_dsir(name, argument, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # An output folder may be named "x".
    call, given = CALLS[name]
    if "progress" in inspect.signature(call).parameters:
        given = {**given, "progress": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = values()
        for value in found:
            if (name, argument) in FUNCTIONS and callable(value):
                continue
            try:
                call(**{**given, argument: value})
            except dsir.DsirError:
                pass
            except Exception as error:
                raise AssertionError(f"{name}({argument}={shown(value)})") from error


def test_the_way_out_is_said():
    pd, pl = pytest.importorskip("pandas"), pytest.importorskip("polars")
    for raw, message in (
        (pd.DataFrame([["a", "b"]], columns=["text", "text"]), "text"),
        (
            pl.LazyFrame({"text": TEXTS}),
            r"LazyFrame cannot be read .*; call \.collect\(\) first",
        ),
        (pa.dataset.dataset(pa.table({"text": TEXTS})), r"give its files or folder, or \.to_table"),
        ({"train": TEXTS}, r"give one of its values, such as source\['train'\]"),
        ([{"text": one} for one in TEXTS], r"raw\[0\]: dict .*pyarrow\.Table\.from_pylist"),
        ([{"id": 1, "text": "a"}], r"raw\[0\]: dict .*pyarrow\.Table\.from_pylist"),
        (np.eye(2), "raw: ndarray cannot be read as a corpus; expected a path"),
    ):
        with pytest.raises(dsir.SettingError, match=message):
            dsir.fit(raw, TEXTS[:6], progress=False)
    with pytest.raises(dsir.SettingError, match=r"X: is LazyFrame; call \.collect\(\) first"):
        graph.GAIS().fit(pl.LazyFrame({"a": [1, 2]}), ["a", "b"])
