"""The page of a selection: its facts as sections, from what was asked to how to repeat it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dsir.plural import counted
from dsir.report import charts
from dsir.report.charts import Stream, plain
from dsir.report.facts import Histogram, SelectionFacts
from dsir.report.markup import Markup, joined, tag
from dsir.report.page import Figure, Section, note, page
from dsir.report.sample_text import samples_of
from dsir.report.select_settings import asked, settings_and_command
from dsir.report.select_tables import closeness, coverage, duplicates, ngrams, shares
from dsir.report.wording import nats, percent, sentence, short, words


def select_page(facts: SelectionFacts, *, sample_characters: int) -> Markup:
    """Return the page of a selection.

    Args:
        facts: what is known of it.
        sample_characters: how much of each sample to show.
    """
    sections = [
        Section(
            "asked",
            "What was asked",
            "The inputs and the settings that decide most.",
            asked(facts),
        ),
        Section(
            "accounts",
            "What became of every row",
            "Bars are rows. Streams that turn down leave the selection, each with its reason.",
            _accounts(facts),
        ),
        Section(
            "weights",
            "Log-weights",
            "How typical of the target a document is. The further right the selection lies of "
            "raw, the more it differs from it.",
            _weights(facts),
        ),
        Section(
            "length",
            "Length",
            "Tokens per document. A selection that is much longer or shorter than the target was "
            "partly chosen by length.",
            _lengths(facts),
        ),
        Section(
            "shares",
            "Where the rows come from",
            "The share of each value among selected rows, above its share in raw.",
            shares(facts),
        ),
        Section(
            "closeness",
            "Closeness to the target",
            "KL reduction says how much nearer the n-grams of the selection are to those of the "
            "target than raw is, in nats. It depends on the size, so it is shown beside that of a "
            "random draw of the same size.",
            closeness(facts),
        ),
        Section(
            "coverage",
            "Coverage",
            "The share of the target's n-grams that occur in the selection at all.",
            coverage(facts),
        ),
        Section(
            "ngrams",
            "N-grams for and against",
            "What raises the log-weights of selected documents, and what lowers log-weights.",
            ngrams(facts),
        ),
        Section(
            "duplicates",
            "Duplicates",
            "Rows with the text of another row, or nearly so.",
            duplicates(facts, sample_characters),
        ),
        Section(
            "samples",
            "Documents",
            "The beginnings of documents. Shaded tokens raise the log-weight; tokens with a "
            "dotted line lower it. The darker, the more.",
            _samples(facts, sample_characters),
        ),
        Section(
            "settings",
            "Settings, and how to repeat it",
            "The same inputs and settings give the same rows, bit for bit.",
            settings_and_command(facts),
        ),
    ]
    return page(
        title=facts.name,
        kind="Selection",
        lead=lead_of(facts),
        figures=list(_figures(facts)),
        sections=sections,
    )


def _rows_word(facts: SelectionFacts) -> str:
    return "windows of documents" if facts.settings.get("chunk_tokens") else "documents"


def lead_of(facts: SelectionFacts) -> str:
    """Return the main finding, in a sentence or two."""
    rows = facts.metrics["rows"]
    said = f"{rows['selected']:,} of {rows['read']:,} {_rows_word(facts)} were selected"
    targets = ", ".join(_target_names(facts))
    said += f" to resemble {targets}." if targets else " with a fitted model."
    first = facts.closeness[0] if facts.closeness else None
    if first is not None and first.by_chance is not None:
        nearer = "nearer to" if first.value > first.by_chance else "no nearer to"
        said += f" They are {nearer} the target than a random draw of the same size"
        said += f", by {abs(first.value - first.by_chance):.3f} nats per n-gram."
    return said


def _target_names(facts: SelectionFacts) -> list[str]:
    described = facts.content["inputs"].get("target") or []
    if described and "shards" in described[0]:
        return [str(one.get("name")) for one in described]
    names = [str(one.get("path") or one.get("name") or "").rpartition("/")[2] for one in described]
    return names if len(names) < 4 else [f"{len(names):,} files"]


def _figures(facts: SelectionFacts) -> Iterator[Figure]:
    metrics = facts.metrics
    rows, tokens = metrics["rows"], metrics["tokens"]
    share = rows["selected"] / max(1, rows["read"])
    yield Figure("Selected", f"{rows['selected']:,}", f"{percent(share)} of {rows['read']:,} read")
    yield Figure("Tokens", short(tokens["selected"]), f"of {short(tokens['eligible'])} eligible")
    if facts.closeness:
        first = facts.closeness[0]
        by_chance = first.by_chance
        beside = "" if by_chance is None else f"random draw about {nats(by_chance, 3)}"
        yield Figure("KL reduction", nats(first.value, 3), beside)
    if facts.coverage:
        least = min(facts.coverage, key=lambda one: one.selected)
        beside = f"random draw about {percent(least.by_chance)}"
        yield Figure("Coverage of the target", percent(least.selected), beside)
    size = metrics.get("effective_sample_size")
    if size is not None:
        yield Figure("Effective sample size", short(size), "of the eligible weights")


def _accounts(facts: SelectionFacts) -> Markup:
    rows, shards = facts.metrics["rows"], facts.metrics["shards"]
    passed_over = dict(rows["passed_over"])
    not_drawn = passed_over.pop("not_drawn")
    streams = []
    for reason, count in passed_over.items():
        if isinstance(count, Mapping):
            streams += [Stream(f"{words(name)} ({words(reason)})", n) for name, n in count.items()]
        else:
            streams.append(Stream(words(reason), count))
    streams.append(Stream("bad", rows["bad"]))
    drawing = charts.flow(
        rows["read"], streams, rows["eligible"], [Stream("not drawn", not_drawn)], rows["selected"]
    )
    lines = [("read", rows["read"]), *((one.label, one.rows) for one in streams)]
    lines += [("eligible", rows["eligible"]), ("not drawn", not_drawn)]
    lines += [("selected", rows["selected"])]
    body = [
        tag(
            "tr",
            tag("th", label, scope="row"),
            tag("td", count),
            tag("td", percent(count / max(1, rows["read"]))),
        )
        for label, count in lines
    ]
    head = tag("tr", [tag("th", one, scope="col") for one in ("rows", "number", "share of read")])
    remarks = []
    rejects = "_dsir/rejects.jsonl" if facts.folder else "selection.skipped"
    if rows["documents"] != rows["read"]:
        remarks.append(note(f"The rows are windows of {rows['documents']:,} documents."))
    if shards["skipped"]:
        remarks.append(
            note(f"{counted(shards['skipped'], 'file')} could not be read; see {rejects}.")
        )
    for kind, count in rows.get("bad_by_kind", {}).items():
        remarks.append(note(f"Bad rows, {words(kind)}: {count:,}."))
    table = tag("table", tag("thead", head), tag("tbody", body))
    return joined(tag("figure", drawing), charts.numbers(table), remarks)


def _weights(facts: SelectionFacts) -> Markup:
    found = facts.weights
    if found is None:
        return note("There are no log-weights to show.")
    method = "relevance" if facts.settings.get("estimator") == "relevance" else "log-weight"
    drawn = _distribution(found, "weights", "Distribution of log-weights", method)
    return joined(drawn, _raw_note(facts), _target_note(facts))


def _lengths(facts: SelectionFacts) -> Markup:
    if facts.lengths is None:
        return note("No selected document has a token.")
    return _distribution(facts.lengths, "lengths", "Distribution of lengths", "tokens per document")


def _distribution(found: Histogram, name: str, title: str, unit: str) -> Markup:
    medians = ", ".join(f"{series} {plain(value)}" for series, value in found.medians.items())
    drawn = charts.distribution(
        found, title=title, summary=f"Medians of {unit}: {medians}.", unit=unit, name=name
    )
    return joined(tag("figure", drawn), charts.table_of(found, unit))


def _raw_note(facts: SelectionFacts) -> Markup | None:
    if "raw" in facts.unknown:
        return note(
            "Raw is not shown: ",
            sentence(facts.unknown["raw"]),
            " A selection keeps the log-weights of its own rows only.",
        )
    if "raw files" in facts.unknown:
        return note(
            f"Raw is estimated from {facts.raw_read:,} rows; some could not be read: ",
            sentence(facts.unknown["raw files"]),
        )
    rows = facts.metrics["rows"]["read"]
    if facts.raw_read < rows:
        return note(
            f"Raw is estimated from {facts.raw_read:,} of {rows:,} rows, read at places that are "
            "spread over the files."
        )
    return None


def _target_note(facts: SelectionFacts) -> Markup | None:
    if "target" in facts.unknown:
        return note("The target is not shown: ", sentence(facts.unknown["target"]))
    if "target files" in facts.unknown:
        return note(
            "Some of the target's documents are not shown: ",
            sentence(facts.unknown["target files"]),
        )
    return note(
        "The target's documents were part of the fit, so their log-weights are somewhat higher "
        "than those of new documents of the same kind."
    )


def _samples(facts: SelectionFacts, characters: int) -> Markup:
    if not facts.samples:
        return note("None: ", sentence(facts.unknown.get("samples", "the selection has no rows")))
    missing = facts.unknown.get("near misses")
    said = None if missing is None else note("Near misses are not shown: ", sentence(missing))
    return joined(samples_of(facts.samples, characters), said)
