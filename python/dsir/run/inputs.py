"""The inputs of a run: found, cut into windows if asked for, and cut into units of work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dsir.corpus import Corpus, LeftOut, OnError, resolve
from dsir.corpus.units import Units
from dsir.corpus.windows.shard import WINDOW_KEYS, chunked
from dsir.model.features import HashedNgrams
from dsir.model.language_column import LanguageColumn, with_languages
from dsir.model.targets import NO_TARGETS, TargetCorpora, resolve_targets
from dsir.progress import Reporter
from dsir.settings.documents import WindowSettings
from dsir.settings.machine import Machine
from dsir.stages import units as units_of_work

Look = Callable[[Corpus, TargetCorpora], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The corpora of a run, in units of work.

    Attributes:
        raw: the corpus to select from.
        target: the targets.
    """

    raw: Corpus
    target: TargetCorpora

    @property
    def left_out(self) -> list[LeftOut]:
        """Files that were found beside these and are not read."""
        return [one for corpus in (self.raw, *self.target.all_corpora) for one in corpus.left_out]

    def identity(self) -> dict[str, Any]:
        """Return, as JSON values, what distinguishes these inputs from others.

        The way documents are cut into windows is a setting, and is not included.
        """
        found = {
            "raw": [_without_windows(shard.identity()) for shard in self.raw.first_shards],
            "target": _without_windows(self.target.identity()),
        }
        negatives = self.target.negatives
        if negatives is not None:
            shards = negatives.first_shards
            found["negatives"] = [_without_windows(shard.identity()) for shard in shards]
        return found

    def units(self) -> dict[str, Any]:
        """Return how the inputs are cut into units, JSON values."""
        found: dict[str, Any] = {
            "raw": units_of_work.unit_layout(self.raw.shards),
            "target": [units_of_work.unit_layout(one.shards) for one in self.target.corpora],
        }
        if self.target.negatives is not None:
            found["negatives"] = units_of_work.unit_layout(self.target.negatives.shards)
        return found


def _without_windows(identity: Any) -> Any:
    if isinstance(identity, list):
        return [_without_windows(entry) for entry in identity]
    if isinstance(identity, dict):
        return {
            name: _without_windows(value)
            for name, value in identity.items()
            if name not in WINDOW_KEYS
        }
    return identity


def open_inputs(
    raw: object,
    target: object,
    *,
    text: str,
    target_text: str | Mapping[str, str] | None = None,
    text_encoding: str | None = None,
    language: LanguageColumn | None = None,
    on_error: OnError = "raise",
    windows: WindowSettings,
    features: HashedNgrams,
    machine: Machine,
    look: Look | None = None,
    negatives: object = None,
) -> Inputs:
    """Return raw and the target, prepared for the stages.

    Args:
        raw: the corpus, given as in `dsir.select`.
        target: the target, given as in `dsir.select`; None for no targets.
        text: the text column.
        target_text: the text column of the targets, or of some by name; None for the same.
        text_encoding: the encoding of text columns of bytes; None if these are no texts.
        language: the column of languages that raw gets; None for none.
        on_error: with "skip", links that lead nowhere are shards that cannot be read.
        windows: how to cut documents into windows.
        features: the features whose tokens windows are counted in.
        machine: what the run may use.
        look: checks the corpora before they are cut into windows and units; see `run.first_look`.
        negatives: what a classifier learns to tell the target from; None for raw.

    Raises:
        InputError: an input cannot be found or read.
        SettingError: `raw` or `target` cannot be read as a corpus.
        DsirError: see `look`.
    """
    targets = NO_TARGETS
    if target is not None:
        targets = resolve_targets(target, text, target_text, text_encoding, on_error, negatives)
    found = resolve(raw, text=text, name="raw", encoding=text_encoding, on_error=on_error)
    found = with_languages(found, language)
    # Every footer is read once: the look and the cut into units know it from here.
    found = surveyed(found, machine)
    targets = targets.each(lambda corpus: surveyed(corpus, machine))
    if look is not None:
        look(found, targets)
    return Inputs(
        raw=prepared(found, windows, features, machine),
        target=targets.each(lambda corpus: prepared(corpus, windows, features, machine)),
    )


def surveyed(corpus: Corpus, machine: Machine) -> Corpus:
    """Return a corpus whose shards know their footers."""
    if corpus.in_memory:
        return corpus
    shards = machine.engine.run_short(units_of_work.survey_shard, corpus.shards)
    return replace(corpus, shards=tuple(shards))


def prepared(
    corpus: Corpus, windows: WindowSettings, features: HashedNgrams, machine: Machine
) -> Corpus:
    """Return a corpus as stages take it: documents or windows, in units of work."""
    return in_units(cut(corpus, windows, features, machine), machine)


def cut(
    corpus: Corpus, windows: WindowSettings, features: HashedNgrams, machine: Machine
) -> Corpus:
    """Return a corpus of documents or windows that is read within the machine's memory limit."""
    corpus = corpus.limited(machine.memory.reading)
    if windows.chunk_tokens is None or windows.chunk_stride is None:
        return corpus
    assert isinstance(features.tokenizer, str), "the settings refuse windows of other tokenizers"
    return chunked(
        corpus,
        windows.chunk_tokens,
        windows.chunk_stride,
        features.tokenizer,
        features.normalize,
    )


def in_units(corpus: Corpus, machine: Machine) -> Corpus:
    """Return a corpus with its large files cut into units of work; see `stages.units`."""
    if corpus.in_memory:
        return corpus
    tasks = [units_of_work.CutTask(shard, units_of_work.UNIT_BYTES) for shard in corpus.shards]
    parts = machine.engine.run_short(units_of_work.cut_shard, tasks)
    return replace(corpus, shards=Units.of(parts))


def note_left_out(reporter: Reporter, *corpora: Corpus) -> None:
    """Tell of the files that were found beside those of corpora and are not read."""
    for corpus in corpora:
        for line in described_left_out(corpus):
            reporter.note(line)


def described_left_out(corpus: Corpus) -> list[str]:
    """Say in a line for each reason what was left out of a corpus; nothing when nothing was."""
    by_reason: dict[str, list[str]] = {}
    for one in corpus.left_out:
        reason, _, other = one.reason.partition(" as ")
        by_reason.setdefault(f"{reason} as another" if other else reason, []).append(one.path)
    return [
        f"{corpus.name}: left out {paths[0]}"
        + (f" and {len(paths) - 1:,} more" if len(paths) > 1 else "")
        + f": {reason}"
        for reason, paths in by_reason.items()
    ]
