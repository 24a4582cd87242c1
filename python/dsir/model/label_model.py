"""LabelModel: weighs texts by the log-odds of one label of a fastText model."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from dsir import _core
from dsir.errors import SettingError
from dsir.facts import Fact, Facts
from dsir.model import model_file
from dsir.model.estimator import Estimator, TextScores, Watch
from dsir.model.explanation import contributions_table
from dsir.model.features import HashedNgrams, utf8_of
from dsir.model.token_counter import TokenCounter
from dsir.plural import counted

_PREFIX = "__label__"
_LOSSES = {
    1: "hierarchical softmax",
    2: "negative sampling",
    3: "softmax",
    4: "one-vs-all",
}
_INDEPENDENT = (2, 4)
_SETTINGS = ("dim", "word_ngrams", "loss", "bucket", "minn", "maxn")


class LabelModel(Facts, Estimator):
    """The log-weight of a text is log(p / (1 - p)), where p is the probability of a label.

    Log-odds tell texts apart where probabilities are all close to 0 or 1, and are computed from the
    model's scores, not from rounded probabilities. A text without a word that the model knows has
    the log-odds of scores that are all 0. Tokens, for `min_tokens` and token budgets, are the words
    between white space.

    Args:
        scorer: the scores of the labels.
        label: one of the labels, with or without "__label__".

    Raises:
        SettingError: there is no such label, or no other.

    Example:
        >>> model = dsir.load_model("quality.bin").for_label("hq")  # doctest: +SKIP
        >>> dsir.select("corpus/", model=model, n=1000)  # doctest: +SKIP
    """

    kind: ClassVar[str] = "fasttext"

    def __init__(self, scorer: _core.FastTextScorer, label: str) -> None:
        self._scorer = scorer
        self._labels = labels_of(scorer)
        self._number = label_number(self._labels, label)
        if len(self._labels) == 1 and scorer.settings["loss"] not in _INDEPENDENT:
            raise SettingError(
                f"label={label!r:.80}: is the only label of the model, and so always certain"
            )
        self._features = HashedNgrams(n=1, tokenizer="whitespace")
        self._counter = TokenCounter(self._features)

    @property
    def features(self) -> HashedNgrams:
        """The words between white space, in which a selection is counted."""
        return self._features

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels of the model, in the order of its file."""
        return self._labels

    @property
    def label(self) -> str:
        """The label that log-weights are the log-odds of."""
        return self._labels[self._number]

    def score_batch(self, texts: pa.Array, *, threads: int = 1) -> TextScores:
        """Compute the log-odds of the label; see `Estimator.score_batch`."""
        return self.score_and_watch(texts, Watch(), threads=threads)

    def score_and_watch(self, texts: pa.Array, watch: Watch, *, threads: int = 1) -> TextScores:
        """Do both, with the other work in the pass that counts tokens."""
        counted = self._counter.count(texts, watch, threads=threads)
        log_odds = self._scorer.log_odds(texts, self._number, threads=threads)
        log_weight = np.where(counted.tokens > 0, log_odds, 0.0)
        return counted._replace(log_weight=log_weight[np.newaxis])

    def explain(self, text: str, *, target: str | None = None) -> pa.Table:
        """Show what each word, word n-gram and subword contributes; see `Estimator.explain`.

        `bucket` is the feature's row of the model's input matrix. For models of two labels and
        one-vs-all the contributions are exact. Otherwise log-odds are not a sum over features: each
        feature has what the derivatives of the log-odds give it, and an equal share of the rest.
        """
        if target is not None:
            raise SettingError(f"target={target!r:.80}: this model has no targets")
        utf8 = utf8_of(text)
        found: list[tuple[bytes, int, float]] = []
        if self._features.tokens(text):
            found = self._scorer.explain(utf8, self._number)
        counts = Counter((name, row) for name, row, _ in found)
        totals: defaultdict[tuple[bytes, int], float] = defaultdict(float)
        for name, row, contribution in found:
            totals[name, row] += contribution
        return contributions_table(
            (name.decode("utf-8", "replace"), row, count, totals[name, row])
            for (name, row), count in counts.items()
        )

    def describe(self) -> dict[str, Any]:
        """Return what the log-weights depend on besides the model's numbers, as JSON values."""
        settings = self._scorer.settings
        return {
            "estimator": self.kind,
            "features": self._features.describe(),
            "label": self.label,
            "labels": list(self._labels),
            "loss": _LOSSES[settings["loss"]],
        }

    def content(self) -> model_file.Content:
        """Return the content of the model file: the dictionary, and the scores of every feature."""
        settings = {
            "features": self._features.describe(),
            "label": self.label,
            "scorer": self._scorer.settings,
        }
        return model_file.Content(self.kind, settings, self._scorer.arrays())

    @classmethod
    def from_content(cls, content: model_file.Content) -> LabelModel:
        """Return the model with this content; see `Estimator.from_content`."""
        HashedNgrams.from_json(content.settings["features"])
        settings = content.settings["scorer"]
        given: dict[str, Any] = {**{name: settings[name] for name in _SETTINGS}, **content.arrays}
        scorer = _core.FastTextScorer(**given)
        return cls(scorer, content.settings["label"])

    def _facts(self) -> Iterator[Fact]:
        """Give the label, and among how many it is."""
        yield "label", self.label
        yield "of", counted(len(self._labels), "label")

    def _more_facts(self) -> Iterator[Fact]:
        """Give the fingerprint."""
        yield "fingerprint", self.fingerprint


def labels_of(scorer: _core.FastTextScorer) -> tuple[str, ...]:
    """Return the labels of a model.

    Raises:
        ValueError: a label is not UTF-8.
    """
    try:
        return tuple(label.decode("utf-8") for label in scorer.labels)
    except UnicodeDecodeError as error:
        raise ValueError("a label is not UTF-8") from error


def label_number(labels: Sequence[str], label: object) -> int:
    """Return the position of a label, which may be named without its prefix.

    Raises:
        SettingError: there is no such label.
    """
    for name in (label, f"{_PREFIX}{label}"):
        if isinstance(label, str) and name in labels:
            return labels.index(name)
    shown = ", ".join(map(repr, labels[:10])) + (", ..." if len(labels) > 10 else "")
    raise SettingError(f"label={label!r:.80}: the labels of the model are {shown}")
