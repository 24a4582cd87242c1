"""What texts are written in, and what that asks of the features: scripts, marks, normal forms."""

from __future__ import annotations

import functools
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from dsir.model.features import HashedNgrams

_UNSPACED = ("Han", "Hiragana", "Katakana", "Thai", "Lao", "Khmer", "Myanmar")
"""Scripts without spaces between words."""

_NAMED_OTHERWISE = {"CJK": "Han", "IDEOGRAPHIC": "Han"}
_MUCH = 0.1
"""The share of the letters or texts from which on something is worth saying."""


@dataclass(frozen=True, slots=True)
class Writing:
    """What texts are written in.

    Attributes:
        letters: the number of letters by script, most first. A script is called by the first word
            of its characters' names in Unicode, such as Latin; Chinese characters are Han.
        marks: vowel signs and accents that no normal form joins with their letter, by script.
        composed: texts with letters that Unicode can write as a letter and an accent.
        decomposed: texts with such letters in two characters (form NFD).
    """

    letters: dict[str, int]
    marks: dict[str, int]
    composed: int
    decomposed: int

    @classmethod
    def of(cls, texts: Iterable[str]) -> Writing:
        """Look at texts, all of each."""
        letters: Counter[str] = Counter()
        marks: Counter[str] = Counter()
        composed = decomposed = 0
        for text in texts:
            joined = text if text.isascii() else unicodedata.normalize("NFC", text)
            for character, count in Counter(joined).items():
                kind, script = _character(character)
                if kind == "L":
                    letters[script] += count
                elif kind == "M":
                    marks[script] += count
            if not text.isascii():
                decomposed += len(joined) < len(text)
                composed += len(unicodedata.normalize("NFD", text)) > len(text)
        return cls(dict(letters.most_common()), dict(marks), composed, decomposed)

    @property
    def shares(self) -> dict[str, float]:
        """The share of each script among the letters, in 0 to 1, most first."""
        total = sum(self.letters.values())
        return {script: count / total for script, count in self.letters.items()}

    @property
    def decomposed_share(self) -> float | None:
        """The share of NFD among the texts that show their form; None if none does."""
        shown = self.composed + self.decomposed
        return self.decomposed / shown if shown else None


@functools.lru_cache(maxsize=1 << 14)
def _character(character: str) -> tuple[str, str]:
    """Return the first letter of a character's category, and its script."""
    name = unicodedata.name(character, "").partition(" ")[0].partition("-")[0]
    return unicodedata.category(character)[0], _NAMED_OTHERWISE.get(name, name.capitalize())


def advise_on_scripts(name: str, writing: Writing, features: HashedNgrams) -> list[str]:
    """Say which tokenizer fits texts that the given one cuts badly.

    Args:
        name: what messages call the corpus.
        writing: what it is written in.
        features: the features that it is to be counted with.

    Returns:
        A line for each thing to say; empty if the tokenizer fits, or is not of the core.
    """
    advice = []
    shares = writing.shares
    unspaced = [script for script in _UNSPACED if shares.get(script, 0) >= _MUCH / 10]
    if sum(shares[script] for script in unspaced) >= _MUCH and features.tokenizer in (
        *("wordpunct", "word_tokenize", "whitespace"),
    ):
        advice.append(
            f"{name}: {_percent(sum(shares[script] for script in unspaced))} of the letters are "
            f"{_listed(unspaced)}, which put no spaces between words, so that "
            f"tokenizer={features.tokenizer!r} makes one token of a whole phrase; "
            "tokenizer='unicode' cuts them into characters"
        )
    marked = [
        script
        for script, count in writing.marks.items()
        if shares.get(script, 0) >= _MUCH and count >= _MUCH / 2 * writing.letters[script]
    ]
    if marked and features.tokenizer == "wordpunct":
        advice.append(
            f"{name}: {_listed(marked)} has vowel signs or accents after its letters, at which "
            "tokenizer='wordpunct' cuts words; tokenizer='unicode' keeps words whole"
        )
    return advice


def advise_on_form(raw: Writing, name: str, target: Writing, features: HashedNgrams) -> str | None:
    """Say that raw and a target write accents in two ways, so that equal words are other tokens.

    Args:
        raw: what raw is written in.
        name: what messages call the target.
        target: what the target is written in.
        features: the features that both are counted with.

    Returns:
        What to tell the user; None if the forms are alike, or brought into one.
    """
    here, there = raw.decomposed_share, target.decomposed_share
    if here is None or there is None or abs(here - there) < _MUCH:
        return None
    if features.normalize is not None or features.own_tokenizer is not None:
        return None
    return (
        f"{name}: {_percent(there)} of its accented texts have their accents as characters of "
        f"their own (form NFD), and {_percent(here)} of those of raw, so the same word is not the "
        "same tokens; normalize='NFC' of the features makes them one form"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
