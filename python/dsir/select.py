"""select(): the documents of a corpus that are most like a target."""

from __future__ import annotations

import contextlib
import platform
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from dsir.arguments import whole_number
from dsir.atomic import write_json
from dsir.bad_limits import Most, check_bad_limits
from dsir.budget import Budget
from dsir.byte_size import parse_byte_size
from dsir.combining import Combine, check_combine
from dsir.corpus import Corpus, OnError, resolve
from dsir.engine import Engine
from dsir.errors import InputError, OutputError, SettingError
from dsir.features import HashedNgrams
from dsir.fit import check_fit_settings, check_on_error
from dsir.importance import ImportanceModel
from dsir.length import Length
from dsir.output import AddedColumns
from dsir.output.folder import (
    RUN_FILE,
    check_output_folder,
    check_writable,
    clear_output_folder,
    remove_unfinished,
)
from dsir.output.manifest import described_input, write_manifest
from dsir.output.rejects import write_rejects
from dsir.output.writer import FileAccount
from dsir.pipeline import FitSettings, FitTokens, Pipeline, Spooled, open_engine
from dsir.preprocessing import Filters, Named, Preprocessing, check_preprocessing
from dsir.progress import reporter
from dsir.sampling import KeyRule, Method
from dsir.selection import (
    Selection,
    accounts_of,
    add_kl_reduction,
    join_tables,
    warn_of_top_k,
)
from dsir.stage_folders import rows_workdir, score_workdir, separate_targets
from dsir.stages.draw import Draw
from dsir.stages.draw_settings import DrawSettings
from dsir.stages.keeping import kept_folder, plan_keeping
from dsir.stages.kept_rows import Keep
from dsir.stages.lost_units import without_unnumbered
from dsir.stages.plan import OutputShard
from dsir.stages.sample import ShardRows
from dsir.stages.score import ShardScores
from dsir.stages.skipped import Skipped
from dsir.stages.units import file_ranges, placed, skipped_in_files, unit_layout
from dsir.targets import Proportions, TargetCorpora, TargetMode, resolve_targets
from dsir.version import __version__
from dsir.workdir import Workdir, make_folder
from dsir.workdir import remove_unfinished as remove_unfinished_results
from dsir.workdir_lock import locked

_FEATURES = HashedNgrams()


def select(
    raw: object,
    target: object,
    *,
    n: int | None = None,
    fraction: float | None = None,
    tokens: int | None = None,
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
    out: str | Path | None = None,
    workdir: str | Path | None = None,
    overwrite: bool = False,
    allow_fewer: bool = False,
    shard_size: int | str = "256MB",
    weight_column: str = "log_weight",
    target_column: str = "target",
    engine: str | Engine = "local",
    threads: int | None = None,
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
            .zst, .bz2, .lz4) or Arrow files; a list of these; or in memory, anything that speaks
            Arrow (pyarrow, polars, pandas, datasets) or an iterable of str.
        target: a sample of what is wanted: the same kinds; or several by name,
            {"name": source, ...}.
        n: documents to select; exactly one of n, fraction and tokens.
        fraction: of the rows read, rounded down.
        tokens: documents are taken by descending key until the next would pass this.
        text: the text column; dots lead into nested columns.
        features: the n-grams.
        method: "resample", or "top-k" without noise.
        temperature: divides the log-weights before the noise is added; above 1 flattens the draw.
        combine: weights of two measures, such as {"dsir": 1.0, "lexrank": 0.2}: of the documents
            that DSIR puts first, those that are also central among each other (`dsir.graph`); see
            `dsir.combining`. None for DSIR alone. The candidates' texts are held in memory.
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
        out: folder to write to, in the format of the input; None to get the rows in
            `Selection.table`.
        workdir: folder that keeps every stage's results; the same call again goes on where it
            stopped, another call is refused.
        overwrite: replace a selection in `out`.
        allow_fewer: take all eligible documents where the budget asks for more.
        shard_size: text in an output shard, in bytes or as "256MB".
        weight_column: name of the column of log-weights in the output.
        target_column: name of the column that says which of separate targets took a row.
        engine: "local", or an Engine.
        threads: how many to use; None for every core this process may use.
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
    draw_settings = DrawSettings(
        Budget(n, fraction, tokens), KeyRule(seed, method, temperature), min_tokens, allow_fewer
    )
    folder = None if out is None else Path(out).expanduser().absolute()
    pipeline = Pipeline(open_engine(engine, threads), reporter(progress), on_error, limits)
    target_corpora = prepared.cut_targets(target_corpora, features)
    run = _Run(
        raw=pipeline.in_units(prepared.cut(resolve(raw, text=text, name="raw"), features)),
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
        selection = run.in_workdir(Path(workdir).expanduser().absolute(), kept=True)
    elif run.raw.in_memory:
        selection = run.run(None)
    else:
        # A few numbers per document: on disk, so that memory does not grow with the corpus.
        with tempfile.TemporaryDirectory(prefix="dsir-") as scratch:
            selection = run.in_workdir(Path(scratch), kept=False)
    if method == "resample":
        warn_of_top_k(selection.metrics)
    return selection


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One call of select(), checked."""

    raw: Corpus
    target: TargetCorpora
    preprocessing: Preprocessing
    fit_settings: FitSettings
    draw_settings: DrawSettings
    combine: Combine | None
    out: Path | None
    overwrite: bool
    shard_size: int
    added: AddedColumns
    pipeline: Pipeline

    def settings(self) -> dict[str, Any]:
        """Everything but the inputs that the result depends on."""
        rule = self.draw_settings.rule
        return {
            **self.draw_settings.budget.describe(),
            **self.fit_settings.describe(),
            **self.preprocessing.describe(),
            "text": self.raw.shards[0].text,
            "method": rule.method,
            "temperature": rule.temperature,
            "combine": None if self.combine is None else self.combine.describe(),
            "seed": rule.seed,
            "min_tokens": self.draw_settings.min_tokens,
            "allow_fewer": self.draw_settings.allow_fewer,
            "shard_size": self.shard_size,
            "weight_column": self.added.weight,
            "target_column": self.added.target,
            "on_error": self.pipeline.on_error,
        }

    def inputs(self) -> dict[str, Any]:
        """What tells the inputs from others."""
        return {
            "raw": [shard.identity() for shard in self.raw.files],
            "target": self.target.identity(),
        }

    def units(self) -> dict[str, Any]:
        """How the inputs are cut into units."""
        return {
            "raw": unit_layout(self.raw.shards),
            "target": [unit_layout(corpus.shards) for corpus in self.target.corpora],
        }

    def in_workdir(self, path: Path, *, kept: bool) -> Selection:
        """Run with results on disk."""
        if kept and any(shard.kind == "memory" for shard in self.raw.shards):
            raise SettingError(
                "workdir: keeps the results of files, but raw is in memory; leave it out"
            )
        settings = {**self.settings(), "out": None if self.out is None else str(self.out)}
        make_folder(path)
        with locked(path):
            workdir = Workdir(path, settings, self.inputs(), units=self.units(), durable=kept)
            remove_unfinished_results(path)
            return self.run(workdir)

    def run(self, workdir: Workdir | None) -> Selection:
        """Run all stages."""
        begun = time.time()
        resuming = workdir is not None and (workdir.path / "outputs").is_dir()
        self._check_output(resuming)
        if self.out is not None:
            remove_unfinished(self.out)
        with kept_folder(workdir) as kept:
            return self._select(workdir, kept, resuming, begun)

    def _select(
        self, workdir: Workdir | None, kept: Path | None, resuming: bool, begun: float
    ) -> Selection:
        """Fit, score, draw and write."""
        model, fitted = self.pipeline.fit(self.raw, self.target, self.fit_settings, workdir, kept)
        if workdir is not None and workdir.durable:
            model.save(workdir.path / "model.dsir")
        scores, drawn, rows = self._draw(model, workdir, kept, fitted.spooled)
        shards = placed(self.raw.shards, [part.source_rows for part in scores])
        if self.combine is not None:
            drawn, rows = self.pipeline.choose(
                shards, rows, drawn, self.draw_settings, self.combine
            )
        outputs = self.pipeline.plan(shards, rows, self.shard_size)
        for output in outputs:
            self.added.refuse_taken_names(output.schema)
        skipped = fitted.skipped + skipped_in_files(shards, [part.skipped for part in scores])
        rows_read = [
            sum(part.rows for part in scores[first:stop]) for first, stop in file_ranges(shards)
        ]
        described = self._described_inputs(rows_read, fitted.target_rows)
        return self._write(
            outputs, model, scores, drawn, rows, skipped, described, workdir, resuming, begun
        )

    def _check_output(self, resuming: bool) -> None:
        """Find what would stop the last stage before the first begins."""
        if self.out is not None:
            check_output_folder(self.out, overwrite=self.overwrite, resuming=resuming)
            check_writable(self.out)
            for shard in (s for c in (self.raw, *self.target.corpora) for s in c.files):
                if shard.file is not None and self.out in shard.file.parents:
                    raise OutputError(
                        f"{self.out}: holds {shard.name}, which is an input; give another out"
                    )
        # One shard tells for all of its kind, as a rule; the plan of the output looks at the rest.
        first = {shard.kind: shard for shard in reversed(self.raw.files)}
        for shard in first.values():
            with contextlib.suppress(InputError):  # Whoever reads it deals with that.
                self.added.refuse_taken_names(shard.schema())

    def _draw(
        self,
        model: ImportanceModel,
        workdir: Workdir | None,
        kept: Path | None,
        spooled: Spooled,
    ) -> tuple[list[ShardScores], Draw, list[ShardRows]]:
        filters = self.preprocessing.filters
        separate = separate_targets(model)
        shares = [1.0] if separate is None else separate["shares"]
        settings = self.draw_settings
        if self.combine is not None:
            settings = self.combine.widened(settings)
        if workdir is None:
            scores = self.pipeline.score(self.raw, model, filters, None)
            scores = without_unnumbered(self.raw.shards, scores)
            return scores, *self.pipeline.sample(scores, settings, shares, None)
        path, durable = workdir.path, workdir.durable
        on_error = self.pipeline.on_error
        folder = score_workdir(path / "scores", self.raw, model, filters, on_error, durable=durable)
        keeps: tuple[Keep | None, ...] = ()
        if kept is not None:
            keeps = plan_keeping(self.raw.shards, settings, shares, kept)
        scores = self.pipeline.score(self.raw, model, filters, folder, keeps=keeps, spooled=spooled)
        scores = without_unnumbered(self.raw.shards, scores)
        manifest = folder.manifest
        drawn, rows = self.pipeline.sample(
            scores,
            settings,
            shares,
            lambda: rows_workdir(path / "rows", manifest, settings, durable=durable),
        )
        return scores, drawn, rows

    def _write(
        self,
        outputs: Sequence[OutputShard],
        model: ImportanceModel,
        scores: Sequence[ShardScores],
        drawn: Draw,
        rows: Sequence[ShardRows],
        skipped: list[Skipped],
        inputs: dict[str, Any],
        workdir: Workdir | None,
        resuming: bool,
        begun: float,
    ) -> Selection:
        paths: list[Path] = []
        files: list[FileAccount] = []
        table: pa.Table | None = None
        if self.out is None:
            gathered = self.pipeline.gather(outputs, self.added, model.features)
            table = join_tables([part.table for part in gathered])
            counts = np.sum([part.counts for part in gathered], axis=0)
        else:
            if self.overwrite and not resuming:
                clear_output_folder(self.out)
            written = self.pipeline.write(outputs, self.out, self.added, model.features, workdir)
            paths, counts = written.paths, written.counts
            files = written.files + write_rejects(self.out, skipped)
        filters = self.preprocessing.filters
        active = () if filters is None else filters.active
        metrics = accounts_of(
            scores, drawn, rows, self.added.target_names, active, files=len(self.raw.files)
        )
        add_kl_reduction(metrics, model, counts)
        loaded = [(part.first_row, part.load()) for part in rows]
        selection = Selection(
            paths=paths,
            table=table,
            rows=np.concatenate([first + part.shard_row for first, part in loaded]),
            log_weights=np.concatenate([part.log_weight for _, part in loaded]),
            target=(
                np.concatenate([part.target for _, part in loaded if part.target is not None])
                if self.added.target_names
                else None
            ),
            metrics={
                **metrics,
                "stages": {name: t.describe() for name, t in self.pipeline.times.items()},
            },
            skipped=skipped,
            model=model,
        )
        if self.out is not None:
            described = {
                "settings": {**self.settings(), **self.pipeline.limits.describe()},
                "inputs": inputs,
                "model": model.fingerprint,
                "metrics": metrics,
                "outputs": [path.name for path in paths],
                "skipped": [entry.to_json() for entry in skipped],
            }
            self._write_run(self.out, selection, begun)
            # Last: it says that the selection is whole.
            write_manifest(self.out, described, files)
        return selection

    def _described_inputs(
        self, raw_rows: list[int], target_rows: list[list[int]]
    ) -> dict[str, Any]:
        """Describe the inputs for the manifest, with the rows of each file."""
        names = self.target.names
        targets = [
            [described_input(*one) for one in zip(corpus.files, rows, strict=True)]
            for corpus, rows in zip(self.target.corpora, target_rows, strict=True)
        ]
        return {
            "raw": [described_input(*one) for one in zip(self.raw.files, raw_rows, strict=True)],
            "target": (
                [
                    {"name": name, "shards": shards}
                    for name, shards in zip(names, targets, strict=True)
                ]
                if names
                else targets[0]
            ),
        }

    def _write_run(self, out: Path, selection: Selection, begun: float) -> None:
        """Write how the run went.

        Apart from `selection.json`, which depends on data, settings and seed alone, so that two
        runs can be compared byte by byte.
        """
        run = {
            "dsir": __version__,
            "python": platform.python_version(),
            "pyarrow": pa.__version__,
            "machine": platform.machine(),
            "threads": self.pipeline.engine.threads,
            "begun": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(begun)),
            "seconds": round(time.time() - begun, 3),
            "stages": selection.metrics["stages"],
        }
        write_json(out / RUN_FILE, run)
