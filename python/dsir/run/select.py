"""select(): the documents of a corpus that are most like a target."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from dsir.arguments import parse_byte_size, whole_number
from dsir.corpus import OnError, resolve
from dsir.engine import LOCAL, Engine, open_engine
from dsir.errors import SettingError
from dsir.model.features import HashedNgrams
from dsir.model.length import Length
from dsir.model.targets import Proportions, TargetCorpora, TargetMode, resolve_targets
from dsir.output import AddedColumns
from dsir.progress import reporter
from dsir.remote import RemotePath, folder_of, location_of
from dsir.run.accounts import warn_of_top_k
from dsir.run.combining import check_combine
from dsir.run.fit import check_fit_settings, check_on_error
from dsir.run.pipeline import Pipeline
from dsir.run.select_run import SelectionRun
from dsir.run.selection import Selection
from dsir.sampling import KeyRule, Method
from dsir.settings.bad_data import Most, check_bad_limits
from dsir.settings.budget import Budget
from dsir.settings.documents import Filters, Named, check_preprocessing
from dsir.settings.draw import DrawSettings
from dsir.settings.fit import FitTokens
from dsir.settings.memory import memory_limit
from dsir.settings.quotas import Dedup, MaxPer, check_dedup, check_quotas

_FEATURES = HashedNgrams()


def select(
    raw: object,
    target: object,
    *,
    n: int | None = None,
    fraction: float | None = None,
    tokens: int | None = None,
    bytes: int | str | None = None,  # noqa: A002
    max_per: MaxPer | None = None,
    group_by: str | None = None,
    dedup: Dedup | None = None,
    text: str = "text",
    features: HashedNgrams = _FEATURES,
    method: Method = "resample",
    temperature: float = 1.0,
    combine: Mapping[str, float] | None = None,
    candidates: float = 4.0,
    length: Length = "sum",
    seed: int = 0,
    min_tokens: int = 100,
    smoothing: float = 0.0,
    targets: TargetMode = "pooled",
    proportions: Proportions = None,
    fit_tokens: FitTokens = "auto",
    chunk_tokens: int | None = None,
    chunk_stride: int | None = None,
    filters: Filters = None,
    preprocessing: Named = "none",
    out: str | Path | RemotePath | None = None,
    workdir: str | Path | RemotePath | None = None,
    overwrite: bool = False,
    allow_fewer: bool = False,
    shard_size: int | str = "256MB",
    weight_column: str = "log_weight",
    target_column: str = "target",
    engine: str | Engine = LOCAL,
    threads: int | None = None,
    memory: int | str | None = None,
    on_error: OnError = "raise",
    max_bad_rows: Most = None,
    max_bad_shards: Most = None,
    progress: bool = True,
) -> Selection:
    """Select the documents of `raw` that are distributed like `target` (DSIR).

    Fits an importance model, computes the log-weight of every document, draws without replacement
    in proportion to the weights, and writes the rows. For given inputs, settings and seed the
    selected rows and their log-weights are the same to the last bit for any number of threads.
    Source: Xie et al. 2023 (arXiv 2302.03169).

    Args:
        raw: what to select from: a path, pattern or folder of Parquet, JSON Lines (plain, .gz,
            .zst, .bz2, .lz4) or Arrow files, on this machine or by URL (s3://, gs://, hf://,
            https://; docs/remote.md); a list of these; or in memory, anything that speaks Arrow
            (pyarrow, polars, pandas, datasets) or an iterable of str.
        target: a sample of what is wanted: the same kinds; or several by name,
            {"name": source, ...}.
        n: documents to select; exactly one of n, fraction, tokens and bytes.
        fraction: of the rows read, rounded down.
        tokens: documents are taken by descending key until the next would pass this.
        bytes: the same for bytes of text (UTF-8); a number, or a size such as "10GB".
        max_per: the most that any one value of a column may take, by column: a share of the budget
            (a float, such as {"source": 0.2}) or a number of documents (an int). See
            docs/concepts.md.
        group_by: a column; the budget is then that of every value of it, each drawn on its own.
        dedup: "exact": of rows with the same text, byte for byte, only the first may be selected.
        text: the text column; dots lead into nested columns.
        features: the n-grams.
        method: "resample", or "top-k" without noise.
        temperature: divides the log-weights before the noise is added; above 1 flattens the draw.
        combine: weights of two measures, such as {"dsir": 1.0, "lexrank": 0.2}: of the documents
            that DSIR puts first, those that are also central among each other (`dsir.graph`); see
            `dsir.run.combining`. None for DSIR alone. The candidates' texts are held in memory.
        candidates: with `combine`, how many times the budget is drawn to choose from.
        length: "sum" over the n-grams (the reference), their "mean", a number from 0 to 1 in
            between, or "poisson"; see `ImportanceModel`.
        seed: of the noise, 0 to 2**64 - 1.
        min_tokens: documents with fewer are never selected.
        smoothing: pseudo-count added to every bucket of a target.
        targets: what becomes of several targets: "pooled" to one; "separate": each draws its
            proportion, one after the other, and what one took the next cannot; or "mixture": one
            draw by the weight log Σ proportion_k exp(log-weight_k).
        proportions: of separate or mixed targets, by name or in order; None for their shares of
            n-grams.
        fit_tokens: n-grams of raw to fit on; see `dsir.fit`.
        chunk_tokens: cut documents of raw and target into windows of so many tokens, each a row of
            its own, with its source row, its span of characters and the document's other columns;
            None for whole documents.
        chunk_stride: tokens from one window to the next, 1 to `chunk_tokens`; None for
            `chunk_tokens`, so that windows do not overlap.
        filters: what a row must meet to be selected: `QualityFilters`, "paper", or thresholds by
            name. Rows that fail are counted by reason; they still count in the fit.
        preprocessing: "paper" for what the paper does: `chunk_tokens=128`, `filters="paper"`, and
            features of `tokenizer="word_tokenize"`; whatever else is given wins.
        out: folder to write to, also by URL, in the format of the input; None to get the rows in
            `Selection.table`.
        workdir: folder that keeps every stage's results, also by URL (s3://, gs://); the same call
            again goes on where it stopped, another call is refused.
        overwrite: replace a selection in `out`.
        allow_fewer: take all eligible documents where the budget asks for more.
        shard_size: text in an output shard, in bytes or as "256MB".
        weight_column: name of the column of log-weights in the output.
        target_column: name of the column that says which of separate targets took a row.
        engine: "local", or an Engine.
        threads: how many to use; None for every core this process may use.
        memory: about how much to take, in bytes or as "2GB": bounds what is read at a time. None
            for batches of 8 MB a thread. See docs/concepts.md.
        on_error: "raise", or "skip": what cannot be read is listed in `Selection.skipped`, and with
            `out` in its file `_rejects.jsonl`.
        max_bad_rows: with "skip", the bad rows that raw, and each target, may have: a number, as
            soon as it is passed, or a share such as "1%" of its rows, once all are read. None for
            any number. The error is the same for any number of threads.
        max_bad_shards: the same of shards that cannot be read.
        progress: show progress on standard error.

    Raises:
        SettingError: the call is wrong.
        InputError: something cannot be read.
        ModelError: the raw corpus or the target has no n-grams.
        BudgetError: the budget cannot be met.
        WorkdirError: the work directory belongs to another run.
        OutputError: the output cannot be written.
        BadDataError: more is bad than `max_bad_rows` or `max_bad_shards`.

    Warns:
        DsirWarning: the effective sample size is so small that the sample is a top-k.
    """
    check_on_error(on_error)
    limits = check_bad_limits(max_bad_rows, max_bad_shards, on_error)
    prepared = check_preprocessing(preprocessing, chunk_tokens, chunk_stride, filters)
    if preprocessing == "paper" and features is _FEATURES:
        features = HashedNgrams(tokenizer="word_tokenize")
    target_corpora = resolve_targets(target, text)
    names = target_corpora.names
    fit_settings = check_fit_settings(
        features, targets, proportions, names, smoothing, length, fit_tokens
    )
    combined = check_combine(combine, candidates, targets)
    min_tokens = whole_number("min_tokens", min_tokens, 0)
    prepared.refuse_short_windows(min_tokens)
    quotas = check_quotas(max_per, group_by)
    if combined is not None and quotas:
        raise SettingError(f"combine: cannot be used with {quotas}")
    draw_settings = DrawSettings(
        Budget(n, fraction, tokens, bytes),
        KeyRule(seed, method, temperature),
        min_tokens,
        allow_fewer,
        check_dedup(dedup),
        quotas,
    )
    engine = open_engine(engine, threads)
    limit = memory_limit(memory, engine.threads)
    folder = None if out is None else location_of(out)
    pipeline = Pipeline(engine, reporter(progress), on_error, limits, limit)
    corpus = prepared.cut(resolve(raw, text=text, name="raw").limited(limit.reading), features)
    target_corpora = prepared.cut_targets(target_corpora.limited(limit.reading), features)
    run = SelectionRun(
        raw=pipeline.in_units(corpus),
        target=TargetCorpora(names, tuple(map(pipeline.in_units, target_corpora.corpora))),
        preprocessing=prepared,
        fit_settings=fit_settings,
        draw_settings=draw_settings,
        combine=combined,
        out=folder,
        overwrite=overwrite,
        shard_size=parse_byte_size("shard_size", shard_size),
        added=AddedColumns(weight_column, target_column, names if targets == "separate" else ()),
        pipeline=pipeline,
    )
    if workdir is not None:
        with folder_of(location_of(workdir)) as place:
            selection = run.in_workdir(place, kept=True)
    elif run.raw.in_memory or not engine.shares_files:
        # Workers that do not see a folder of this machine hand their results back to it.
        selection = run.run(None)
    else:
        # A few numbers per document: on disk, so that memory does not grow with the corpus.
        with tempfile.TemporaryDirectory(prefix="dsir-") as scratch:
            selection = run.in_workdir(Path(scratch), kept=False)
    if method == "resample":
        warn_of_top_k(selection.metrics)
    return selection
