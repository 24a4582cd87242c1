"""The methods that select, and how each is asked for: those of dsir, fastText's, and a bound.

fastText is the usual pipeline: a supervised model tells documents of the target from random
documents of raw, all documents are scored, and those with the highest probability are taken until
the budget is full. It is given lower-cased texts with spaces around punctuation, as its tutorial
has it, which are the tokens of the other methods. "fastText, drawn" draws by the odds instead, with
noise, as filters do that keep some of what they doubt. "right source" draws at random from the
documents of raw whose source is that of the target, which no method can know; when these are used
up, from all others.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

import dsir
from benchmarks.quality.worlds import World, hashes_of, tokenized
from dsir import _core
from dsir.model import model_file
from dsir.model.estimator import Estimator, TextScores

REFERENCE = "reference"
FASTTEXT, DRAWN, BOUND = "fastText", "fastText, drawn", "right source"
METHODS: dict[str, dict[str, Any]] = {
    REFERENCE: {"method": "resample"},
    "top-k": {"method": "top-k"},
    "random": {"method": "random"},
    "mean, smoothing 1": {"method": "top-k", "length": "mean", "smoothing": 1.0},
    "classifier": {"estimator": "classifier", "method": "top-k"},
    "cap": {"method": "cap"},
    "coverage": {"method": "coverage"},
    FASTTEXT: {"method": "top-k"},
    DRAWN: {"method": "resample"},
    BOUND: {"method": "resample"},
}
# As published filters have it, but for fewer buckets, of which these documents fill a part.
_SETTINGS = {"wordNgrams": 2, "dim": 100, "lr": 0.1, "epoch": 5, "bucket": 1 << 18, "minCount": 1}
_NEGATIVES = 3000
_FAR = -1000.0  # No noise bridges this.


class KnownWeights(Estimator):
    """Log-weights of documents that are known beforehand, found by the text.

    Args:
        hashes: uint64[documents], of their texts.
        log_weights: float64[documents].
    """

    kind = "known"

    def __init__(
        self, hashes: npt.NDArray[np.uint64], log_weights: npt.NDArray[np.float64]
    ) -> None:
        self._hashes, first = np.unique(hashes, return_index=True)
        self._log_weights = log_weights[first]
        self._features = dsir.HashedNgrams()
        self._nothing = _core.LogRatioTable(np.zeros((1, self._features.buckets)))

    @property
    def features(self) -> dsir.HashedNgrams:
        """The n-grams whose tokens are counted: those of the other methods."""
        return self._features

    def score_batch(self, texts: pa.Array, *, threads: int = 1) -> TextScores:
        """Look texts up; see `Estimator.score_batch`."""
        _, tokens, size, status = _core.score(
            texts, self._features.spec, self._nothing, _core.Weighing(), threads=threads
        )
        hashes = _core.content_hashes(texts, threads=threads)
        places = np.minimum(np.searchsorted(self._hashes, hashes), len(self._hashes) - 1)
        known = self._hashes[places] == hashes
        found = np.where(known & (tokens > 0), self._log_weights[places], 0.0)
        return TextScores(found[np.newaxis], tokens, size, status, texts)

    def explain(self, text: str, *, target: str | None = None) -> pa.Table:
        """Nothing is known of n-grams."""
        raise NotImplementedError

    def describe(self) -> dict[str, Any]:
        """Return the kind alone."""
        return {"estimator": self.kind, "features": self._features.describe()}

    def content(self) -> model_file.Content:
        """Return hashes and log-weights."""
        arrays = {"hashes": self._hashes, "log_weights": self._log_weights}
        return model_file.Content(self.kind, {"features": self._features.describe()}, arrays)

    @classmethod
    def from_content(cls, content: model_file.Content) -> KnownWeights:
        """Return the model with this content."""
        return cls(content.arrays["hashes"], content.arrays["log_weights"])


class Selectors:
    """What the methods are asked for in a world, for one target.

    Args:
        world: the world.
        target: name of the target.
        cache: folder in which what fastText learns is kept.
    """

    def __init__(self, world: World, target: str, cache: Path) -> None:
        self._world = world
        self._target = target
        self._cache = cache
        self._known: dict[str, KnownWeights] = {}

    def arguments(self, method: str) -> dict[str, Any]:
        """Return the arguments of `select` that a method stands for, its model among them."""
        if method in (FASTTEXT, DRAWN, BOUND):
            kind = BOUND if method == BOUND else FASTTEXT
            if kind not in self._known:
                weights = self._of_source() if kind == BOUND else self._of_fasttext()
                self._known[kind] = KnownWeights(hashes_of(self._world.everything), weights)
            return {**METHODS[method], "model": self._known[kind]}
        return METHODS[method]

    def _of_source(self) -> npt.NDArray[np.float64]:
        right = self._world.sources == self._world.targets[self._target].source
        return np.where(right, 0.0, _FAR)

    def _of_fasttext(self) -> npt.NDArray[np.float64]:
        path = self._cache / f"fasttext-{self._target}-{self._world.seed}.npy"
        if not path.exists():
            texts = self._world.tokenized
            rows = np.random.default_rng(self._world.seed).permutation(self._world.kept)
            wanted = map(tokenized, self._world.halves(self._target)[0].to_pylist())
            others = texts.take(np.sort(rows[:_NEGATIVES])).to_pylist()
            model = fasttext_model(list(wanted), others, self._cache)
            np.save(path, model.for_label("wanted").score(texts))
        found: npt.NDArray[np.float64] = np.load(path)
        return found


def fasttext_model(
    wanted: Sequence[str], others: Sequence[str], folder: Path
) -> dsir.FastTextModel:
    """Return a supervised model that tells wanted documents from others.

    The wanted ones are repeated until there are as many of them as of the others.

    Args:
        wanted: documents of the target, `tokenized`.
        others: random documents of raw, `tokenized`.
        folder: for files that are removed again.
    """
    import fasttext

    lines, rest = ([one for one in side if one] for side in (wanted, others))
    repeated = [lines[i % len(lines)] for i in range(max(len(lines), len(rest)))]
    text, binary = folder / "fasttext.txt", folder / "fasttext.bin"
    with text.open("w", encoding="utf-8") as file:
        file.writelines(f"__label__wanted {line}\n" for line in repeated)
        file.writelines(f"__label__other {line}\n" for line in rest)
    fasttext.train_supervised(str(text), thread=1, verbose=0, **_SETTINGS).save_model(str(binary))
    model = dsir.load_model(binary)
    assert isinstance(model, dsir.FastTextModel)
    text.unlink()
    binary.unlink()
    return model
