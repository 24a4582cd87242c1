"""What is wrong with a call, as far as it can be known before rows are read.

A run looks at its inputs before it works, and a dry run looks at them and does nothing else: both
end with the same errors.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dsir.corpus import Corpus, Shard
from dsir.corpus.group_values import find_group_column
from dsir.corpus.listing import identity_of
from dsir.corpus.number_column import find_number_column
from dsir.corpus.sample_texts import sample_texts
from dsir.corpus.text_column import column_given_by
from dsir.engine import Engine
from dsir.errors import BudgetError, InputError, OutputError, warn
from dsir.model.features import HashedNgrams
from dsir.model.targets import TargetCorpora
from dsir.model.writing import Writing, advise_on_form
from dsir.output.folder import check_output_folder, check_writable
from dsir.plural import counted
from dsir.progress import Advance, ignore
from dsir.remote import Location
from dsir.run.pipeline import refuse_no_rows
from dsir.settings.draw import DrawSettings
from dsir.settings.plan import Plan
from dsir.settings.reading import ReadSettings


@dataclass(frozen=True, slots=True)
class _Look:
    """A file to look at: its columns, and its number of rows.

    Attributes:
        shard: the file.
        columns: the quota columns that it must have.
        numbers: the columns of numbers that it must have.
        grades: the column of grades that it must have; None for none.
        skips: whether a file that cannot be used is skipped.
    """

    shard: Shard
    columns: tuple[str, ...]
    skips: bool
    numbers: tuple[str, ...] = ()
    grades: str | None = None


def _look_at(look: _Look, progress: Advance) -> int | None:
    """Return the number of rows of a file; None if only reading tells, or if it is skipped.

    Raises:
        InputError: the file lacks a column.
    """
    del progress
    shard = look.shard
    try:
        schema = shard.schema()
        rows = shard.rows_in_metadata()
    except InputError:
        return None  # The stage that reads the shard says what is wrong with it, and where.
    try:
        if schema is not None and not shard.is_windows:
            shard.text_column(schema)
            for column in look.columns:
                find_group_column(schema, column, shard.name)
    except InputError:
        if look.skips:
            return None
        raise
    for column in look.numbers if schema is not None else ():
        find_number_column(schema, column, shard.name)
    if look.grades is not None and schema is not None:
        find_number_column(schema, look.grades, shard.name, "grades")
    return rows


def look_at_inputs(
    raw: Corpus,
    targets: TargetCorpora,
    engine: Engine,
    reading: ReadSettings,
    draw: DrawSettings | None,
    features: HashedNgrams,
    numbers: tuple[str, ...] = (),
    grades: str | None = None,
) -> None:
    """Check the columns of files whose schema is known, the target's rows, and the budget.

    The first texts of some files tell whether accents are written alike.

    Args:
        raw: the corpus to select from, not cut into units.
        targets: the targets.
        engine: looks at the files.
        reading: how the inputs are read.
        draw: how documents are drawn; None for a fit.
        features: the features that documents are compared by.
        numbers: the columns of raw that `combine` reads.
        grades: the column of the targets that a classifier learns; None for none.

    Warns:
        DsirWarning: a target is raw or a part of it, or has its accents in another normal form.

    Raises:
        InputError: a file lacks the text column or a quota column, or a target has no rows.
        BudgetError: there are fewer rows than the budget asks for.
    """
    for target in targets.corpora:
        if _contents(raw) == _contents(target):
            warn(
                f"{target.name}: is the same as raw, so no document is more like it than others; "
                "give a sample of what is wanted"
            )
        elif draw is not None:
            _warn_of_shared_files(raw, target)
    columns = () if draw is None else draw.quotas.columns
    rows = _rows_of(raw, engine, columns, numbers, skips=reading.skips)
    for target in targets.corpora:
        with column_given_by("target_text"):
            found = _rows_of(target, engine, skips=reading.skips, grades=grades)
        if found is not None:
            refuse_no_rows(target, found, [])
    if targets.negatives is not None:
        found = _rows_of(targets.negatives, engine, skips=reading.skips)
        if found is not None:
            refuse_no_rows(targets.negatives, found, [])
    if rows is not None:
        refuse_no_rows(raw, rows, [])
    _warn_of_forms(raw, targets, features)
    if rows is None or draw is None or draw.allow_fewer:
        return
    wanted = draw.budget.amount
    if draw.budget.unit == "documents" and wanted is not None and wanted > rows:
        raise BudgetError(
            f"{draw.budget} asks for {wanted:,} documents, but raw has "
            f"only {counted(rows, 'row')}; ask for less, or give allow_fewer=True"
        )


def look_as_planned(
    raw: Corpus, targets: TargetCorpora, engine: Engine, plan: Plan, features: HashedNgrams
) -> None:
    """Look at the inputs of a plan; see `look_at_inputs`."""
    look_at_inputs(
        raw,
        targets,
        engine,
        plan.reading,
        plan.draw,
        features,
        plan.numbers,
        plan.fit.grades,
    )


def _warn_of_forms(raw: Corpus, targets: TargetCorpora, features: HashedNgrams) -> None:
    """Warn of a target whose accents are not written as those of raw are."""
    if not targets.corpora or features.normalize is not None:
        return
    written = [(target.name, Writing.of(sample_texts(target))) for target in targets.corpora]
    if all(writing.decomposed_share is None for _, writing in written):
        return  # Raw need not be opened for it.
    of_raw = Writing.of(sample_texts(raw))
    for name, writing in written:
        advice = advise_on_form(of_raw, name, writing, features)
        if advice is not None:
            warn(advice)


def check_output(
    out: Location, shards: Iterable[Shard], *, overwrite: bool, resuming: bool
) -> None:
    """Raise before the first stage what would stop the last one. Nothing is written.

    Whether a store takes files is known when a run locks the folder.

    Args:
        out: the folder to write to.
        shards: the inputs.
        overwrite: whether a selection in `out` is replaced.
        resuming: whether `out` may hold files of an earlier run.

    Raises:
        OutputError: the folder is not empty, cannot be written to, or holds an input.
    """
    check_output_folder(out, overwrite=overwrite, resuming=resuming)
    check_writable(out)
    outside: set[Location] = set()  # Folders of inputs: most files share one with others.
    for shard in shards:
        folder = None if shard.file is None else shard.file.parent
        if folder is None or folder in outside:
            continue
        outside.add(folder)
        if out == folder or out in folder.parents:
            raise OutputError(f"{out}: contains the input {shard.name}; give another out")


def _contents(corpus: Corpus) -> Sequence[object]:
    """Return what equals the same for corpora of the same files, or of equal tables in memory."""
    files = [shard.file for shard in corpus.first_shards]
    if all(file is not None for file in files):
        return sorted(repr(identity_of(file)) for file in files if file is not None)
    return [
        shard.as_stored.read_table() if shard.file is None else shard.file
        for shard in corpus.shards
    ]


def _warn_of_shared_files(raw: Corpus, target: Corpus) -> None:
    """Warn if files of a target are files of raw too, so that its own documents are selected."""
    files = {identity_of(shard.file) for shard in raw.first_shards if shard.file is not None}
    shared = [
        shard.name
        for shard in target.first_shards
        if shard.file is not None and identity_of(shard.file) in files
    ]
    if shared:
        warn(
            f"{target.name}: {counted(len(shared), 'file')} of it "
            f"{'is' if len(shared) == 1 else 'are'} part of raw ({shared[0]}), so the documents "
            "of the target are themselves selected; leave them out of raw unless you want them"
        )


def _rows_of(
    corpus: Corpus,
    engine: Engine,
    columns: tuple[str, ...] = (),
    numbers: tuple[str, ...] = (),
    *,
    skips: bool,
    grades: str | None = None,
) -> int | None:
    """Look at the files of a corpus, and return the number of its rows; None if it is not known."""
    looks = [_Look(shard, columns, skips, numbers, grades) for shard in corpus.shards]
    if corpus.in_memory:
        found: Sequence[int | None] = [_look_at(look, ignore) for look in looks]
    else:
        found = list(engine.run_short(_look_at, looks))
    total = 0
    for rows in found:
        if rows is None:
            return None
        total += rows
    return total
