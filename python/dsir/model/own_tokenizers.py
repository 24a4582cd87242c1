"""The kinds of tokenizers that are not of the core, and how a caller or a file names one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dsir.arguments.values import shown
from dsir.errors import SettingError
from dsir.model import callable_tokenizer, vocabulary
from dsir.model.callable_tokenizer import CallableTokenizer
from dsir.model.kernels import TokenizerKernel
from dsir.model.own_code import names_code, object_in
from dsir.model.own_part import OwnPart, known, remember
from dsir.model.own_tokenizer import OwnTokenizer
from dsir.model.vocabulary import Vocabulary

# To add a kind, add its class here, and what stands for it to `own_tokenizer_of`.
KINDS: tuple[type[OwnTokenizer], ...] = (Vocabulary, TokenizerKernel, CallableTokenizer)

_FILES = (".json", vocabulary.MODEL_SUFFIX)


def own_tokenizer_of(given: object, names: Iterable[str]) -> OwnTokenizer:
    """Return the tokenizer that a caller gave, and remember it.

    Args:
        given: a tokenizer; the path of a tokenizer.json or of a model with a vocabulary; a
            tokenizer of the library `tokenizers` or `transformers`; a function.
        names: the tokenizers of the core, for the message.

    Raises:
        SettingError: it is none of these, or a file of a vocabulary cannot be read.
    """
    own: OwnTokenizer
    if isinstance(given, OwnTokenizer):
        own = given
    elif isinstance(given, Path) or (isinstance(given, str) and given.endswith(_FILES)):
        own = Vocabulary.read(given)
    elif vocabulary.is_vocabulary(given):
        own = vocabulary.of_library(given)
    elif callable(given) and not isinstance(given, OwnPart):
        own = callable_tokenizer.of_function(given)
    else:
        raise SettingError(
            f"tokenizer={shown(given)}: expected {', '.join(map(repr, names))}, the path of a "
            "tokenizer.json, a tokenizers.Tokenizer, a dsir.kernel('tokenizer'), or a function"
        )
    remember(own)
    return own


def tokenizer_in(text: str) -> object:
    """Read --tokenizer: what names code, such as kernels.py:camel_case, or the text as it is.

    Raises:
        SettingError: the code cannot be imported, or is no tokenizer.
    """
    if not names_code(text):
        return text
    return object_in(
        OwnTokenizer.argument,
        text,
        lambda one: callable(one) or isinstance(one, OwnTokenizer) or vocabulary.is_vocabulary(one),
        "a function from a text to its tokens, or one that is decorated with "
        "dsir.kernel('tokenizer')",
    )


def described_tokenizer(described: Mapping[str, Any]) -> OwnPart:
    """Return the tokenizer that `OwnTokenizer.describe` described.

    Raises:
        ModelError: this process has made no such tokenizer.
        KeyError: it is not described.
    """
    kind, name, digest = (
        described[key] for key in ("tokenizer", "tokenizer_name", "tokenizer_digest")
    )
    return known(KINDS, kind, name, digest)
