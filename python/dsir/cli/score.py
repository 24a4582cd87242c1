"""dsir score."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from dsir.cli import options, quota_options
from dsir.cli.failures import reported
from dsir.corpus import Paths, resolve
from dsir.engine import open_engine
from dsir.errors import SettingError
from dsir.model.estimators import load_model
from dsir.progress import reporter
from dsir.remote import folder_of, location_of
from dsir.run.fit import check_on_error
from dsir.run.folders import score_to_folder
from dsir.run.pipeline import Pipeline
from dsir.settings.bad_data import check_bad_limits
from dsir.settings.documents import check_preprocessing
from dsir.settings.extra_columns import ExtraColumns
from dsir.settings.memory import memory_limit
from dsir.settings.quotas import check_dedup


def score(
    raw: options.Raw,
    model: options.ModelOption,
    out: Annotated[str, typer.Option("--out", "-o", metavar="PATH", help="Folder for the scores.")],
    part: Annotated[
        str, typer.Option(help="I/N: this job's share of the units of work, I from 0 to N-1.")
    ] = "0/1",
    text: options.Text = "text",
    chunk_tokens: options.ChunkTokens = None,
    chunk_stride: options.ChunkStride = None,
    filters: options.Filters = None,
    dedup: quota_options.Dedup = "none",
    groups: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN,...",
            help="Columns that 'dsir sample' may have quotas by (--max-per, --group-by).",
        ),
    ] = None,
    threads: options.Threads = None,
    memory: options.Memory = None,
    on_error: options.OnError = "raise",
    max_bad_rows: options.MaxBadRows = None,
    max_bad_shards: options.MaxBadShards = None,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Compute the log-weight of every document of RAW.

    A file per unit of work (a shard, or a part of a large one), so that jobs of an array share a
    folder, and a job that died is run again.

    **Examples**

    `dsir score corpus/*.parquet --model model.dsir --out scores/`

    `dsir score corpus/ -m model.dsir -o scores/ --part $SLURM_ARRAY_TASK_ID/64`
    """
    with reported(debug=debug, resumable=True):
        check_on_error(on_error)
        engine = open_engine(threads=threads)
        limit = memory_limit(memory, engine.threads)
        pipeline = Pipeline(
            engine,
            reporter(not quiet),
            on_error,  # type: ignore[arg-type]
            check_bad_limits(max_bad_rows, max_bad_shards, on_error),
            limit,
        )
        prepared = check_preprocessing("none", chunk_tokens, chunk_stride, filters)
        loaded = load_model(model)
        resolved = resolve(Paths(raw), text=text, name="raw").limited(limit.reading)
        corpus = prepared.cut(resolved, loaded.features)
        extra = ExtraColumns(check_dedup(dedup) == "exact", _columns_of(groups))
        with folder_of(location_of(out)) as folder:
            scores = score_to_folder(
                pipeline, corpus, loaded, prepared.filters, folder, _part_of(part), extra
            )
        if not quiet:
            rows = sum(shard.rows for shard in scores)
            typer.echo(f"{out}: {rows:,} rows of {len(scores):,} units")


def _columns_of(groups: str | None) -> tuple[str, ...]:
    columns = tuple(name.strip() for name in (groups or "").split(",")) if groups else ()
    if not all(columns) or len(set(columns)) < len(columns):
        raise SettingError(f"--groups {groups}: expected columns, separated by commas")
    return columns


def _part_of(part: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)/(\d+)", part)
    if match is None or not int(match[1]) < int(match[2]):
        raise SettingError(f"--part {part}: expected I/N with I from 0 to N-1, such as 0/64")
    return int(match[1]), int(match[2])
