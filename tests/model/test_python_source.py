"""What tells functions of users apart: their source, and everything that they use."""

from __future__ import annotations

import functools
import re
import subprocess
import sys

import numpy as np
import pytest

import dsir
from dsir.model.python_source import source_of

pytestmark = pytest.mark.filterwarnings("ignore::dsir.DsirWarning")  # That functions are slow.


class Cutter:
    """Is called like a function."""

    def __init__(self, separator):
        self.separator = separator
        self.calls = object()  # No constant.

    def __call__(self, text):
        return self.cut(text)

    def cut(self, text):
        return text.split(self.separator)


def _in_comprehension(words):
    return lambda text: [word for word in text.split() if word not in words]


def _by_default(value):
    def cut(text, separator=value):
        return text.split(separator)

    return cut


def _by_keyword(value):
    def cut(text, *, separator=value):
        return text.split(separator)

    return cut


def _in_closure(value):
    return lambda text: [text, value]


DIFFERENT = {
    "a set in a comprehension": (_in_comprehension({"a", "b"}), _in_comprehension({"a", "c"})),
    "a dict": (_in_closure({"a": 1}), _in_closure({"a": 2})),
    "a list of tuples": (_in_closure([(1, 2)]), _in_closure([(1, 3)])),
    "an array": (_in_closure(np.zeros(3)), _in_closure(np.ones(3))),
    "the type of an array": (_in_closure(np.zeros(2, "u4")), _in_closure(np.zeros(1, "u8"))),
    "a number of NumPy": (_in_closure(np.uint64(1)), _in_closure(np.uint64(2))),
    "a pattern": (_in_closure(re.compile("a")), _in_closure(re.compile("b"))),
    "the flags of a pattern": (_in_closure(re.compile("a")), _in_closure(re.compile("a", re.I))),
    "a default": (_by_default("a"), _by_default("b")),
    "a default of a keyword": (_by_keyword("a"), _by_keyword("b")),
    "methods of patterns": (re.compile("a").findall, re.compile("b").findall),
    "methods that are not in Python": (str.split, str.splitlines),
    "a partial function": (
        functools.partial(_by_default("a"), separator="c"),
        functools.partial(_by_default("a"), separator="d"),
    ),
    "an object": (Cutter("a"), Cutter("b")),
    "a method": (Cutter("a").cut, Cutter("b").cut),
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_functions_that_differ_are_different_features(what):
    one, other = (dsir.HashedNgrams(tokenizer=function) for function in DIFFERENT[what])
    assert one != other
    assert one.fingerprint != other.fingerprint
    assert source_of(DIFFERENT[what][0]) == source_of(DIFFERENT[what][0])


@pytest.mark.parametrize(
    "made",
    [
        lambda: Cutter("a"),
        lambda: Cutter("a").cut,
        lambda: re.compile("a").findall,
        lambda: _in_closure(np.arange(5)),
        lambda: _in_comprehension({"x", "y", "z"}),
        lambda: functools.partial(_by_default("a"), separator="b"),
    ],
)
def test_the_same_function_made_anew_is_the_same(made):
    assert source_of(made()) == source_of(made())


def test_a_function_that_was_typed_in_is_the_same_in_every_process():
    code = (
        "from dsir.model.python_source import source_of\n"
        'exec(\'W = {"a", "b", "c"}\\ndef f(t): return [w for w in t if (lambda: w)() in W]\')\n'
        "print(source_of(f))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    }
    assert len(found) == 1


def test_a_table_that_a_kernel_uses_is_part_of_it():
    pytest.importorskip("numba")

    def made(table):
        @dsir.kernel("features")
        def one(tokens, buckets, out):
            for place in range(len(tokens)):
                out[place] = table[tokens[place] % 4]
            return len(tokens)

        return one

    assert made(np.arange(4)) == made(np.arange(4))
    assert made(np.arange(4)) != made(np.arange(4)[::-1].copy())
