"""The options that commands share, each in one place: name, type, help."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from dsir import _core
from dsir.arguments import whole_number
from dsir.corpus import Paths
from dsir.errors import SettingError
from dsir.model.features import HashedNgrams
from dsir.model.length import Length, check_length
from dsir.settings.fit import FitTokens, check_fit_tokens

_NAMED_SOURCE = re.compile(r"([\w.-]+)=(.+)", re.DOTALL)

_FEATURES = "N-grams"
_PREPARE = "Preparing documents"
BUDGET_PANEL = "How much (exactly one)"
DRAW_PANEL = "How to draw"
_RUN = "How to run"

Raw = Annotated[
    list[str],
    typer.Argument(
        metavar="RAW",
        help="Files, patterns or folders: Parquet, JSON Lines (.gz, .zst), Arrow; "
        "also by URL: s3://, gs://, hf://, https://.",
    ),
]
Target = Annotated[
    list[str],
    typer.Option(
        "--target",
        "-t",
        metavar="[NAME=]SOURCE",
        help="A sample of what is wanted; several are taken as one, or by name, see --targets.",
    ),
]
Out = Annotated[str, typer.Option("--out", "-o", metavar="PATH", help="Folder for the selection.")]
ModelArgument = Annotated[str, typer.Argument(metavar="MODEL", help="The model file.")]
ModelOption = Annotated[str, typer.Option("--model", "-m", metavar="PATH", help="The model file.")]
SelectionFolder = Annotated[
    str, typer.Argument(metavar="FOLDER", help="The folder of a selection.")
]
Text = Annotated[str, typer.Option(help="The text column; dots lead into nested columns.")]

Ngrams = Annotated[int, typer.Option(help="The longest n-gram, 1 to 8.", rich_help_panel=_FEATURES)]
Buckets = Annotated[
    int, typer.Option(help="Buckets to hash into, 2 to 2^24.", rich_help_panel=_FEATURES)
]
Tokenizer = Annotated[
    str | None,
    typer.Option(
        help="'wordpunct' (the default), or 'word_tokenize' for NLTK's words.",
        rich_help_panel=_FEATURES,
    ),
]
Sentences = Annotated[
    str,
    typer.Option(
        help="With word_tokenize: 'none', or 'punkt' to split sentences with nltk first.",
        rich_help_panel=_FEATURES,
    ),
]
Hash = Annotated[
    str,
    typer.Option(
        "--hash", help="'fast', or 'sha256' for the reference's buckets.", rich_help_panel=_FEATURES
    ),
]
Smoothing = Annotated[
    float,
    typer.Option(
        help="Pseudo-count added to every bucket of the target.", rich_help_panel=_FEATURES
    ),
]
LengthText = Annotated[
    str,
    typer.Option(
        "--length",
        help="Log-weight: 'sum' or 'mean' over the n-grams, a number from 0 to 1 in between, or "
        "'poisson'.",
        rich_help_panel=_FEATURES,
    ),
]
Targets = Annotated[
    str,
    typer.Option(
        help="What becomes of several named targets: 'pooled' to one, 'separate' draws, or one "
        "draw from their 'mixture'.",
        rich_help_panel=_FEATURES,
    ),
]
ProportionsText = Annotated[
    str | None,
    typer.Option(
        "--proportions",
        metavar="NAME=SHARE,...",
        help="Of separate or mixed targets; default: their shares of n-grams.",
        rich_help_panel=_FEATURES,
    ),
]
FitTokensText = Annotated[
    str,
    typer.Option(
        "--fit-tokens",
        help="N-grams of raw to fit on: 'auto' (100,000 a bucket), 'all', or a number.",
        rich_help_panel=_FEATURES,
    ),
]

ChunkTokens = Annotated[
    int | None,
    typer.Option(
        help="Cut documents into windows of so many tokens, each a row.",
        rich_help_panel=_PREPARE,
    ),
]
ChunkStride = Annotated[
    int | None,
    typer.Option(
        help="Tokens from one window to the next; default: they do not overlap.",
        rich_help_panel=_PREPARE,
    ),
]
Filters = Annotated[
    str | None,
    typer.Option(
        help="Quality filters: 'paper', or NAME=VALUE,... such as min_words=40,max_numeric=0.2.",
        rich_help_panel=_PREPARE,
    ),
]
PreprocessingName = Annotated[
    str,
    typer.Option(
        "--preprocessing",
        help="'paper': windows of 128 tokens, its filters, word_tokenize.",
        rich_help_panel=_PREPARE,
    ),
]

N = Annotated[
    int | None, typer.Option("--n", "-n", help="Documents to select.", rich_help_panel=BUDGET_PANEL)
]
Fraction = Annotated[
    float | None, typer.Option(help="Share of the rows read.", rich_help_panel=BUDGET_PANEL)
]
Tokens = Annotated[
    int | None,
    typer.Option(
        help="Tokens: documents until the next would pass it.", rich_help_panel=BUDGET_PANEL
    ),
]
AllowFewer = Annotated[
    bool,
    typer.Option(
        "--allow-fewer",
        help="Take all eligible documents where that is fewer.",
        rich_help_panel=BUDGET_PANEL,
    ),
]

Method = Annotated[
    str, typer.Option(help="'resample', or 'top-k' without noise.", rich_help_panel=DRAW_PANEL)
]
Temperature = Annotated[
    float,
    typer.Option(help="Divides the log-weights; above 1 flattens.", rich_help_panel=DRAW_PANEL),
]
CombineText = Annotated[
    str | None,
    typer.Option(
        "--combine",
        metavar="dsir=W,lexrank=W",
        help="Choose by centrality too: weights, such as dsir=1,lexrank=0.2.",
        rich_help_panel=DRAW_PANEL,
    ),
]
Candidates = Annotated[
    float,
    typer.Option(
        help="With --combine: how many times the budget to choose from.", rich_help_panel=DRAW_PANEL
    ),
]
Seed = Annotated[int, typer.Option(help="Of the noise.", rich_help_panel=DRAW_PANEL)]
MinTokens = Annotated[
    int, typer.Option(help="Documents with fewer are never selected.", rich_help_panel=DRAW_PANEL)
]

Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace a selection in the output folder.")
]
ShardSize = Annotated[str, typer.Option(help="Text in an output shard.")]
WeightColumn = Annotated[str, typer.Option(help="Column of log-weights in the output.")]
TargetColumn = Annotated[
    str, typer.Option(help="Column that says which of separate targets took a row.")
]

Threads = Annotated[int | None, typer.Option(help="Default: every core.", rich_help_panel=_RUN)]
Memory = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE",
        help="About how much memory to take, such as 2GB; default: batches of 8 MB a thread.",
        rich_help_panel=_RUN,
    ),
]
OnError = Annotated[
    str,
    typer.Option(help="'raise', or 'skip' and list what cannot be read.", rich_help_panel=_RUN),
]
MaxBadRows = Annotated[
    str | None,
    typer.Option(
        metavar="N|SHARE%",
        help="With 'skip': stop where more rows of a corpus are bad than this.",
        rich_help_panel=_RUN,
    ),
]
MaxBadShards = Annotated[
    str | None,
    typer.Option(
        metavar="N|SHARE%",
        help="With 'skip': stop where more shards cannot be read than this.",
        rich_help_panel=_RUN,
    ),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress, no table.", rich_help_panel=_RUN)
]
Json = Annotated[
    bool,
    typer.Option("--json", help="The accounts as JSON on standard output.", rich_help_panel=_RUN),
]
Debug = Annotated[
    bool, typer.Option("--debug", help="Tracebacks with errors.", rich_help_panel=_RUN)
]


def _take_config(context: typer.Context, path: Path | None) -> Path | None:
    if path is not None:
        known = {str(parameter.name) for parameter in context.command.params}
        context.default_map = {**(context.default_map or {}), **_read_config(path, known)}
    return path


Config = Annotated[
    Path | None,
    typer.Option(
        help="YAML or JSON file of options; those on the command line win.",
        callback=_take_config,
        is_eager=True,
        rich_help_panel=_RUN,
    ),
]


def _read_config(path: Path, known: set[str]) -> dict[str, Any]:
    try:
        content = path.read_text(encoding="utf-8")
        values = json.loads(content) if path.suffix == ".json" else _read_yaml(content)
    except (OSError, ValueError, RecursionError) as error:
        raise typer.BadParameter(f"{path}: cannot be read: {error}") from error
    if not isinstance(values, dict):
        raise typer.BadParameter(f"{path}: expected names and values")
    named = {str(name).replace("-", "_"): value for name, value in values.items()}
    # Some options are called otherwise inside, where these names are taken.
    inside = {"hash": "hash_name", "json": "as_json", "bytes": "bytes_"}
    named = {inside.get(name, name): value for name, value in named.items()}
    unknown = sorted(set(named) - known)
    if unknown:
        raise typer.BadParameter(f"{path}: unknown option {', '.join(unknown)}")
    for name in ("raw", "target"):
        if isinstance(named.get(name), str):
            named[name] = [named[name]]
    if isinstance(named.get("target"), dict):
        named["target"] = [
            f"{name}={source}"
            for name, sources in named["target"].items()
            for source in (sources if isinstance(sources, list) else [sources])
        ]
    for name in ("proportions", "filters", "combine", "max_per"):
        if isinstance(named.get(name), dict):
            named[name] = ",".join(f"{k}={v}" for k, v in named[name].items())
    return named


def _read_yaml(content: str) -> Any:
    try:
        import yaml
    except ImportError as error:
        raise typer.BadParameter(
            "YAML needs PyYAML: pip install 'dsir[yaml]', or give a .json file"
        ) from error
    try:
        return yaml.safe_load(content)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def features_of(
    ngrams: int,
    buckets: int,
    tokenizer: str | None,
    hash_name: str,
    sentences: str,
    preprocessing: str = "none",
) -> HashedNgrams:
    """Make the features of the options."""
    if tokenizer is None:
        tokenizer = "word_tokenize" if preprocessing == "paper" else "wordpunct"
    whole_number("ngrams", ngrams, 1, _core.MAX_ORDER)
    return HashedNgrams(ngrams, buckets, tokenizer, hash_name, sentences)  # type: ignore[arg-type]


def fit_tokens_of(value: str) -> FitTokens:
    """Read --fit-tokens: a word, or a number.

    Raises:
        SettingError: it is neither.
    """
    number = int(value) if value.lstrip("-").isdecimal() else value
    return check_fit_tokens(number)  # type: ignore[arg-type]


def length_of(value: str) -> Length:
    """Read --length: a word, or a number.

    Raises:
        SettingError: it is neither.
    """
    try:
        return check_length(float(value))
    except ValueError:  # No number, or (SettingError) one that is out of range.
        return check_length(value)  # type: ignore[arg-type]


def targets_of(entries: Sequence[str]) -> Paths | dict[str, Paths]:
    """Read --target: sources, or NAME=SOURCE, several of one name together.

    What exists under the whole of its name is a source, even with an equals sign in it.

    Raises:
        SettingError: only some have names.
    """
    named: dict[str, list[str]] = {}
    plain = []
    for entry in entries:
        match = _NAMED_SOURCE.fullmatch(entry)
        if match is None or Path(entry).exists():
            plain.append(entry)
        else:
            named.setdefault(match[1], []).append(match[2])
    if not named:
        return Paths(plain)
    if plain:
        raise SettingError(f"--target {plain[0]}: has no name, others have; give NAME=SOURCE")
    return {name: Paths(sources) for name, sources in named.items()}


def proportions_of(value: str | None) -> dict[str, float] | None:
    """Read --proportions: NAME=SHARE, separated by commas.

    Raises:
        SettingError: it is not of that form.
    """
    return numbers_by_name("--proportions", value, "web=0.7,books=0.3")


def combine_of(value: str | None) -> dict[str, float] | None:
    """Read --combine: NAME=WEIGHT, separated by commas.

    Raises:
        SettingError: it is not of that form.
    """
    return numbers_by_name("--combine", value, "dsir=1,lexrank=0.2")


def numbers_by_name(option: str, value: str | None, example: str) -> dict[str, float] | None:
    """Read NAME=NUMBER, separated by commas.

    Raises:
        SettingError: it is not of that form.
    """
    if value is None:
        return None
    numbers = {}
    for entry in value.split(","):
        name, _, number = entry.rpartition("=")
        try:
            numbers[name.strip()] = float(number)
        except ValueError:
            raise SettingError(
                f"{option} {value}: expected NAME=NUMBER,NAME=NUMBER, such as {example}"
            ) from None
    return numbers
