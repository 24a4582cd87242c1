"""Several targets: their names, their corpora, and how they are combined."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from dsir.arguments.values import one_of, shown
from dsir.corpus import Corpus, OnError, resolve
from dsir.corpus.batches import ReadLimits
from dsir.errors import SettingError
from dsir.model.proportions import of_percent, shares

TargetMode = Literal["pooled", "separate", "mixture"]
Proportions = Mapping[str, float] | Sequence[float] | None
MAX_TARGETS = 1024


@dataclass(frozen=True, slots=True)
class TargetCorpora:
    """The targets of a run, in order.

    Attributes:
        names: names of the targets; empty for a single target without a name.
        corpora: one per target.
        negatives: what a classifier learns to tell the targets from; None for raw.
    """

    names: tuple[str, ...]
    corpora: tuple[Corpus, ...]
    negatives: Corpus | None = None

    @property
    def all_corpora(self) -> tuple[Corpus, ...]:
        """The targets, and the negatives if there are any."""
        return self.corpora if self.negatives is None else (*self.corpora, self.negatives)

    def each(self, change: Callable[[Corpus], Corpus]) -> TargetCorpora:
        """Return the same targets and negatives, each corpus changed."""
        negatives = None if self.negatives is None else change(self.negatives)
        return TargetCorpora(self.names, tuple(map(change, self.corpora)), negatives)

    def limited(self, limits: ReadLimits) -> TargetCorpora:
        """Return the same targets, with this much of each file in memory at a time."""
        return self.each(lambda corpus: corpus.limited(limits))

    def identity(self) -> Any:
        """Return JSON values that identify the targets and their order."""
        lists = [[shard.identity() for shard in corpus.first_shards] for corpus in self.corpora]
        if not self.names:
            return lists[0] if lists else None
        named = zip(self.names, lists, strict=True)
        return [{"name": name, "shards": shards} for name, shards in named]


NO_TARGETS = TargetCorpora((), ())
"""Of a run with a model that has been fitted before."""


def names_of_targets(target: object) -> tuple[str, ...]:
    """Return the names of the targets; none for a single target without a name.

    Raises:
        SettingError: a name is not printable text, or there are no targets or too many.
    """
    if not isinstance(target, Mapping):
        return ()
    check_target_names(list(target))
    return tuple(target)


def resolve_targets(
    target: object,
    text: str,
    target_text: str | Mapping[str, str] | None = None,
    encoding: str | None = None,
    on_error: OnError = "raise",
    negatives: object = None,
) -> TargetCorpora:
    """Return the corpora of the targets: one for each name, or one without a name.

    Args:
        target: the targets, given as in `dsir.select`.
        text: the text column of raw.
        target_text: that of the targets, or of some of them by name; None for the same.
        encoding: the encoding of text columns of bytes; None if these are no texts.
        on_error: with "skip", links that lead nowhere are shards that cannot be read.
        negatives: what a classifier learns to tell the targets from, with the text column of raw;
            None for raw.

    Raises:
        SettingError: a name is not printable text, there are no targets or too many, or
            `target_text` is for names that they do not have; see also `resolve`.
        InputError: a source cannot be found.
    """
    names = names_of_targets(target)
    by_name = target_text if isinstance(target_text, Mapping) else {}
    unknown = [name for name in by_name if name not in names]
    if unknown:
        raise SettingError(
            f"target_text: is given for {_listed(unknown)}, but the targets are {_listed(names)}"
        )
    same = target_text if isinstance(target_text, str) else text
    unwanted = None
    if negatives is not None:
        unwanted = resolve(
            negatives, text=text, name="negatives", encoding=encoding, on_error=on_error
        )
    if not isinstance(target, Mapping):
        corpus = resolve(target, text=same, name="target", encoding=encoding, on_error=on_error)
        return TargetCorpora((), (corpus,), unwanted)
    corpora = (
        resolve(
            one,
            text=by_name.get(name, same),
            name=f"target {name}",
            encoding=encoding,
            on_error=on_error,
        )
        for name, one in target.items()
    )
    return TargetCorpora(names, tuple(corpora), unwanted)


def check_target_names(names: Sequence[object]) -> None:
    """Raise SettingError unless there are names, not too many, and all are printable text."""
    if not names:
        raise SettingError("target: the dict of targets is empty")
    if len(names) > MAX_TARGETS:
        raise SettingError(
            f"target: expected at most {MAX_TARGETS:,} targets, found {len(names):,}"
        )
    for name in names:
        if not isinstance(name, str) or not name or not name.isprintable():
            raise SettingError(f"target: {name!r} is not a name; expected printable text")


def check_targets(targets: str, names: Sequence[str]) -> None:
    """Raise SettingError unless the mode is known, and there are names if it needs them."""
    if isinstance(targets, str) and ("." in targets or "/" in targets):
        raise SettingError(
            f"targets={shown(targets)}: says how several targets are combined: "
            f"{', '.join(get_args(TargetMode))}; files go to target=..."
        )
    one_of("targets", targets, get_args(TargetMode))
    if targets != "pooled" and not names:
        raise SettingError(
            f'targets="{targets}": needs targets by name: target={{"name": source, ...}}'
        )


def in_order(proportions: Proportions, names: Sequence[str], targets: str) -> list[float] | None:
    """Return proportions in the order of the targets, or None if none are given.

    Args:
        proportions: by name, or in the order of the targets; they need not add up to 1.
        names: names of the targets.
        targets: the mode.

    Raises:
        SettingError: the proportions do not fit the targets, are out of range, or are given for
            pooled targets.
    """
    if proportions is None:
        return None
    if targets == "pooled":
        raise SettingError('proportions: are for targets="separate" or "mixture"')
    if isinstance(proportions, Mapping):
        if set(proportions) != set(names):
            raise SettingError(
                f"proportions: are given for {_listed(proportions)}, but the targets are "
                f"{_listed(names)}"
            )
        proportions = [proportions[name] for name in names]
    shares("proportions", proportions)
    if len(proportions) != len(names):
        raise SettingError(
            f"proportions: expected one per target, found {len(proportions)} for {len(names)} "
            "targets"
        )
    return [float(of_percent(value)) for value in proportions]  # type: ignore[arg-type]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(str, names)) or "none"
