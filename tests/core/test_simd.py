"""Every kernel width gives the same bits, and a wish for an unknown one is refused."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from dsir import _core

SCORE = """
import hashlib, random
import numpy as np
import pyarrow as pa
from dsir import _core

random.seed(5)
pieces = ["the", "Alice ", " ", "\\n", "été", "É", "ΑΣ", "İ", "中文", "かな、", "!", "...", "_9"]
pieces += ["x" * 70, "😀"]
texts = ["".join(random.choices(pieces, k=random.randrange(600))) for _ in range(300)]
digest = hashlib.sha256()
for targets, n in (3, 3), (11, 2), (1, 1):
    table = _core.LogRatioTable(np.random.default_rng(5).normal(size=(targets, 1000)))
    weighing = _core.Weighing(targets=targets, alpha=0.4, shares=[1 / targets] * targets)
    for kind in ("fast", "sha256"):
        spec = _core.FeatureSpec(n=n, buckets=1000, hash=kind)
        for part in _core.score(pa.array(texts), spec, table, weighing, threads=2):
            digest.update(part.tobytes())
print(_core.simd_level(), _core.has_sha256_instructions(), digest.hexdigest())
"""


def run(code: str, simd: str | None) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "DSIR_SIMD"}
    if simd is not None:
        environment["DSIR_SIMD"] = simd
    environment["PYTHONUTF8"] = "1"
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120
    )


@pytest.fixture(scope="module")
def widest() -> subprocess.CompletedProcess[str]:
    done = run(SCORE, None)
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.parametrize("level", ["scalar", "neon", "avx2", "avx512"])
def test_every_level_gives_the_same_bytes(widest, level):
    narrower = run(SCORE, level)
    if "this CPU does not have it" in narrower.stderr:
        pytest.skip(f"this CPU does not have {level}")
    assert narrower.returncode == 0, narrower.stderr
    *_, digest = widest.stdout.split()
    found, instructions, its_digest = narrower.stdout.split()
    assert (found, its_digest) == (level, digest)
    if level == "scalar":
        assert instructions == "False"


def test_an_empty_wish_is_none():
    code = "from dsir import _core; print(_core.simd_level())"
    assert run(code, "").stdout == run(code, None).stdout != ""


@pytest.mark.parametrize(
    "call",
    ["_core.simd_level()", "_core.wordpunct_tokens('a b')", "_core.has_sha256_instructions()"],
)
def test_an_unknown_wish_is_an_error(call):
    found = run(f"from dsir import _core; {call}", "nonsense")
    assert found.returncode == 1
    last = found.stderr.strip().splitlines()[-1]
    assert last == "ValueError: DSIR_SIMD=nonsense: expected scalar, neon, avx2 or avx512, or unset"


def test_an_unknown_wish_in_a_thread_is_the_same_error():
    code = SCORE.replace("threads=2", "threads=7")
    found = run(code, "nonsense")
    assert found.returncode == 1
    error = "ValueError: DSIR_SIMD=nonsense: expected scalar, neon, avx2 or avx512, or unset"
    assert error in found.stderr


def test_levels():
    assert _core.simd_level() in ("scalar", "neon", "avx2", "avx512")
    assert isinstance(_core.has_sha256_instructions(), bool)
