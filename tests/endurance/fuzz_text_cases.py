"""More files that fuzz_readers.py changes: plain text, CSV, and models that others have trained."""

from __future__ import annotations

import bz2
import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
from fuzz_cases import FEATURES, TEXTS, Case, loading, read_all, reading, require

import dsir
from dsir.model.estimators import load_model

_FASTTEXT = Path(__file__).parents[2] / "cpp" / "fuzz" / "seeds" / "fasttext"
_PLAIN = "\r\n".join(f"{text or ''} {row}" for row, text in enumerate(TEXTS * 3)).encode()


def txt(folder: Path) -> Case:
    """Plain text: every line that is not blank is a row, byte for byte."""
    path = folder / "a.txt"

    def check(data: bytes) -> bool:
        path.write_bytes(data)
        texts = read_all(path)
        lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
        lines = [line.removesuffix(b"\r") for line in lines if line.strip(b" \t\r")]
        require(texts == lines, f"{texts!r} of {lines!r}")
        return True

    seeds = [_PLAIN, b"\xef\xbb\xbfa b\n\n \t\nc", b"one line"]
    for seed in seeds:
        check(seed)
    return Case(seeds, check)


def csv(folder: Path) -> Case:
    """Comma-separated values: read or refused."""
    rows = [
        f'{row},"{(text or "").replace(chr(34), chr(34) * 2)}",{row / 2}'
        for row, text in enumerate(TEXTS * 3)
    ]
    table = "\r\n".join(["id,text,weight", *rows, '7,"a ""b""\nof two lines",1.5', ""]).encode()
    return reading(folder / "a.csv", [table, b'text\n"a b"\nc\n', b"text,n\na,1\n,\n"])


def compressed(suffix: str, compress: Callable[[bytes], bytes]) -> Callable[[Path], Case]:
    """Plain text that was compressed: read or refused."""
    return lambda folder: reading(folder / f"a.txt{suffix}", [compress(_PLAIN)])


def classifier(folder: Path) -> Case:
    """Model files of the other estimators: a changed one is never loaded."""
    seeds = []
    texts = [f"{text or 'a ship'} {row}" for row, text in enumerate(TEXTS * 20)]
    target = [f"the ship and the sea {row}" for row in range(40)]
    for estimator in ("classifier", "relevance"):
        model = dsir.fit(
            texts, target, features=FEATURES, estimator=estimator, progress=False, threads=1
        )
        model.save(folder / "model.dsir")
        seeds.append((folder / "model.dsir").read_bytes())
    return loading(folder / "model.dsir", seeds, load_model)


def fasttext(folder: Path) -> Case:
    """Models of fastText, which have no checksum: finite probabilities, or refused."""
    path = folder / "model.bin"

    def check(data: bytes) -> bool:
        path.write_bytes(data)
        found = load_model(path).score(["the ship and the sea", "", "a"])
        require(bool(np.isfinite(found).all()), "a probability that is not finite")
        return True

    seeds = [file.read_bytes() for file in sorted(_FASTTEXT.iterdir())]
    for seed in seeds:
        check(seed)
    return Case(seeds, check)


CASES: dict[str, Callable[[Path], Case]] = {
    "txt": txt,
    "csv": csv,
    "txt-gz": compressed(".gz", lambda data: gzip.compress(data, mtime=0)),
    "txt-bz2": compressed(".bz2", bz2.compress),
    "classifier": classifier,
    "fasttext": fasttext,
}
