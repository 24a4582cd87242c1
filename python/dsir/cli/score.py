"""dsir score."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from dsir.arguments.declared import arguments_of
from dsir.cli import options
from dsir.cli.command import command
from dsir.cli.piped import refuse_pipes
from dsir.corpus import Corpus, Paths, resolve
from dsir.errors import SettingError
from dsir.model.estimators import load_estimator
from dsir.model.language_column import with_languages
from dsir.model.scorers import Scorers, stem_of
from dsir.plural import counted
from dsir.remote import folder_of, location_of
from dsir.run.folders import score_to_folder
from dsir.run.inputs import cut
from dsir.run.pipeline import Pipeline
from dsir.run.score_columns import score_columns_to_folder
from dsir.settings.documents import DocumentOptions, DocumentSettings
from dsir.settings.draw import DrawSettings
from dsir.settings.extra_columns import ExtraColumns
from dsir.settings.language import LanguageSettings
from dsir.settings.machine import Machine, MachineOptions
from dsir.settings.quotas import check_dedup
from dsir.settings.reading import ReadSettings
from dsir.settings.tokens import check_tokens
from dsir.stages.shard_scores import ShardScores

_ARGUMENTS = {
    **arguments_of(ReadSettings, LanguageSettings, DocumentOptions, MachineOptions),
    "dedup": arguments_of(DrawSettings)["dedup"],
}
for _name in ("target_text", "preprocessing"):  # They are for the fit: a model has its tokenizer.
    del _ARGUMENTS[_name]
_OF_WEIGHTS = {*arguments_of(DocumentOptions, LanguageSettings), "dedup", "groups", "label"}


@command(_ARGUMENTS, resumable=lambda _: True, reads_models=True)
def score(
    raw: options.Raw,
    out: Annotated[
        str,
        typer.Option("--out", "-o", metavar="PATH", help="Folder for the scores, e.g. scores/."),
    ],
    model: options.ModelIfAny = None,
    with_: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            metavar="[NAME=]PATH",
            help="In place of --model: a model whose numbers become a column of a table, of any "
            "kind, also of fastText, e.g. --with quality.bin --with hq=classifier.dsir; give one "
            "for each model. All are computed in one pass over RAW.",
        ),
    ] = None,
    part: Annotated[
        str,
        typer.Option(
            metavar="I/N",
            help="This job's share of the units of work: I from 0 to N-1, e.g. 3/64 for the fourth "
            "of 64 jobs; 0/1 is all of them.",
        ),
    ] = "0/1",
    groups: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN,...",
            help="Columns whose values are stored with the scores, e.g. source,lang, so that "
            "'dsir sample' can apply quotas by them (--max-per, --group-by). By default none.",
        ),
    ] = None,
    label: options.Label = None,
    quiet: options.Quiet = False,
    **given: Any,
) -> None:
    """Compute the log-weight of every document of RAW.

    Writes a file for each unit of work (a shard, or a part of a large shard). So the jobs of an
    array can share a folder, and a job that died can run again. With --with in place of --model the
    files are Parquet tables in OUT/data: the source, the row in it, and the columns of each model.

    **Examples**

    `dsir score corpus/*.parquet --model model.dsir --out scores/`

    `dsir score corpus/ -m model.dsir -o scores/ --part $SLURM_ARRAY_TASK_ID/64`

    `dsir score corpus/ --with quality.bin --with law=law.dsir -o columns/`
    """
    refuse_pipes(raw, None, "'dsir write' reads the documents again")
    reading, documents = ReadSettings.of(given), DocumentSettings.of(given)
    extra = ExtraColumns.of(check_dedup(given.get("dedup")), _columns_of(groups))
    share = _part_of(part)
    machine = Machine.of({**given, "progress": not quiet})
    if (model is None) == (not with_):
        both = "neither is given" if model is None else "both are given"
        raise SettingError(
            f"--model, --with: {both}; give --model for weights to sample by, or --with for each "
            "model that is to be a column of a table"
        )
    if with_:
        for name, value in {**given, "groups": groups, "label": label}.items():
            if name in _OF_WEIGHTS and value is not None:
                raise SettingError(
                    f"--{name.replace('_', '-')}: is for weights to sample by, --model; "
                    "leave it out"
                )
        scorers = Scorers(_models_of(with_), "--with")
        found = _resolved(raw, reading).limited(machine.memory.reading)
        scored = score_columns_to_folder(
            Pipeline(machine, reading), found, scorers, location_of(out), share
        )
        _say(out, scored, quiet=quiet)
        return
    assert model is not None, "one of the two is given"
    loaded = load_estimator(model, label=label)
    check_tokens(reading, documents, loaded.features)
    documents.check_texts(loaded.features)
    found = with_languages(_resolved(raw, reading), LanguageSettings.of(given).column())
    corpus = cut(found, documents, loaded.features, machine)
    with folder_of(location_of(out)) as folder:
        scores = score_to_folder(
            Pipeline(machine, reading), corpus, loaded, documents.row_filters, folder, share, extra
        )
    _say(out, scores, quiet=quiet)


def _resolved(raw: list[str], reading: ReadSettings) -> Corpus:
    return resolve(
        Paths(raw),
        text=reading.text,
        name="raw",
        encoding=reading.text_encoding,
        on_error=reading.on_error,
    )


def _say(out: str, scores: Sequence[ShardScores], *, quiet: bool) -> None:
    if not quiet:
        rows = sum(shard.rows for shard in scores)
        typer.echo(f"{out}: {counted(rows, 'row')} of {counted(len(scores), 'unit')}")


def _models_of(given: list[str]) -> list[str] | dict[str, str]:
    """Return models of "PATH" and "NAME=PATH": in a list if none has a name."""
    pairs = [_name_and_path(one) for one in given]
    if not any(name for name, _ in pairs):
        return [path for _, path in pairs]
    named = {name or stem_of(location_of(path).name): path for name, path in pairs}
    if len(named) < len(pairs):
        raise SettingError(f"--with {' --with '.join(given)}: give each model another NAME=")
    return named


def _name_and_path(given: str) -> tuple[str, str]:
    name, equals, path = given.partition("=")
    # The folders of a partitioned corpus have the sign in their names.
    if not equals or "/" in name or location_of(given).exists():
        return "", given
    return name, path


def _columns_of(groups: str | None) -> tuple[str, ...]:
    columns = tuple(name.strip() for name in (groups or "").split(",")) if groups else ()
    if not all(columns) or len(set(columns)) < len(columns):
        raise SettingError(f"--groups {groups}: expected columns, separated by commas, each once")
    return columns


def _part_of(part: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)/(\d+)", part)
    if match is None or not int(match[1]) < int(match[2]):
        raise SettingError(f"--part {part}: expected I/N with I from 0 to N-1, such as 0/64")
    return int(match[1]), int(match[2])
