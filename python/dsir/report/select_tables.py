"""The tables of a selection's page: shares, closeness, coverage, n-grams, duplicates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dsir.model.decontamination import CONTAMINATED
from dsir.model.resemblance import NEAR, WIDTH
from dsir.plural import counted
from dsir.report import charts
from dsir.report.charts import bar, plain
from dsir.report.facts import Contribution, NearPair, SelectionFacts, Shares
from dsir.report.markup import Child, Markup, joined, tag
from dsir.report.page import facts_list, note
from dsir.report.sample_text import marked_text
from dsir.report.wording import NOTHING, TIMES, cut, nats, percent, sentence, words


def shares(facts: SelectionFacts) -> Markup:
    """Return the shares of input files and of the values of columns."""
    if not facts.shares:
        return note(
            "There is one input file, and no column that says where rows come from (source, "
            "domain, host, url, language, license, ...)."
        )
    return joined(map(share_table, facts.shares))


def share_table(one: Shares) -> Markup:
    """Return the shares of the values of one column."""
    most = max((max(value.selected, value.raw or 0.0) for value in one.values), default=1.0)
    known = any(value.raw is not None for value in one.values)
    rows = [
        tag(
            "tr",
            tag("th", tag("bdi", cut(value.value, 60)), scope="row"),
            tag(
                "td",
                bar(value.selected, most, "selected"),
                bar(value.raw or 0.0, most, "raw") if known else None,
                class_="bars",
            ),
            tag("td", percent(value.selected)),
            tag("td", percent(value.raw)) if value.raw is not None else None,
            tag("td", _ratio(value.selected, value.raw)) if value.raw is not None else None,
            class_="rest" if value.is_rest else None,
        )
        for value in one.values
    ]
    names = ["", "selected", "raw", "ratio"] if known else ["", "selected"]
    head = tag(
        "tr",
        tag("th", words(one.column), scope="col"),
        [tag("th", n, scope="col") if n else tag("td") for n in names],
    )
    remark = one.note if known else f"{one.note} Shares in raw are unknown."
    return tag(
        "figure",
        tag("h3", f"By {cut(words(one.column), 60)}"),
        tag("div", tag("table", tag("thead", head), tag("tbody", rows)), class_="scroll"),
        tag("figcaption", f"{remark} {counted(one.distinct, 'value')} in the selection."),
    )


def _ratio(selected: float, raw: float | None) -> str:
    if not raw:
        return NOTHING
    return f"{TIMES}{plain(selected / raw)}"


def closeness(facts: SelectionFacts) -> Markup:
    """Return the KL reductions, each beside that of a random draw."""
    if not facts.closeness:
        return note("Not measured: ", sentence(facts.unknown.get("closeness", "the run did not")))
    known = [one.by_chance for one in facts.closeness if one.by_chance is not None]
    least, most = (
        min(0.0, *known, *(one.value for one in facts.closeness)),
        max(0.0, *(one.value for one in facts.closeness)),
    )
    rows = []
    for one in facts.closeness:
        name = one.target or ("mean of the targets" if len(facts.closeness) > 1 else "selection")
        marks = {"selection": (one.value, "selected")}
        if one.by_chance is not None:
            marks["random draw"] = (one.by_chance, "raw")
        between = (
            "not computed"
            if one.low is None or one.high is None
            else f"{nats(one.low)} to {nats(one.high)}"
        )
        rows.append(
            tag(
                "tr",
                tag("th", tag("bdi", name), scope="row"),
                tag("td", charts.on_line(marks, least, most), class_="bars"),
                tag("td", nats(one.value)),
                tag("td", between),
                tag("td", "unknown" if one.by_chance is None else nats(one.by_chance)),
            )
        )
    names = ("selection", "95 % interval", "random draw")
    head = tag(
        "tr",
        tag("th", "KL reduction", scope="col"),
        tag("td"),
        [tag("th", n, scope="col") for n in names],
    )
    interval = "The interval is that of selections with other documents of the same kinds"
    if facts.unknown.get("interval"):
        interval = f"No interval: {facts.unknown['interval']}"
    remark = f"{interval}. The value of a random draw is an estimate."
    return joined(
        tag("div", tag("table", tag("thead", head), tag("tbody", rows)), class_="scroll"),
        note(remark),
    )


def coverage(facts: SelectionFacts) -> Markup:
    """Return how much of each target's n-grams the selection has."""
    if not facts.coverage:
        return note(
            "Not measured: ", sentence(facts.unknown.get("coverage", "the model has no counts"))
        )
    parts: list[Child] = []
    for one in facts.coverage:
        lines = (
            ("selection", one.selected, "selected"),
            ("random draw of the same size, about", one.by_chance, "raw"),
            ("all of raw", one.raw, "raw"),
        )
        rows = [
            tag(
                "tr",
                tag("th", name, scope="row"),
                tag("td", bar(value, 1.0, style), class_="bars"),
                tag("td", percent(value)),
            )
            for name, value, style in lines
        ]
        caption = f"Target {one.target}" if one.target else "The target"
        parts.append(
            tag(
                "table",
                tag("caption", f"{caption}: {one.buckets:,} distinct hashed n-grams"),
                tag("tbody", rows),
            )
        )
        if one.missing:
            parts.append(_missing(one.missing))
    parts.append(
        note(
            "The value of a random draw is that of single n-grams; documents repeat theirs, so "
            "documents drawn at random cover somewhat less."
        )
    )
    buckets = (facts.settings.get("features") or {}).get("buckets", 0)
    if all(one.selected > 0.999 for one in facts.coverage):
        parts.append(
            note(
                f"With {buckets:,} buckets nearly every bucket is filled, so coverage says little "
                'here; method="coverage" has 1,048,576.'
            )
        )
    if "coverage" in facts.unknown:
        parts.append(note(sentence(facts.unknown["coverage"])))
    return joined(parts)


def _missing(missing: Sequence[tuple[str, int]]) -> Markup:
    named = [
        tag("span", tag("span", cut(name, 40), class_="gram"), f" {count:,}{TIMES}", class_="whole")
        for name, count in missing
    ]
    return note(
        "The selection lacks, of the n-grams in the target's first documents, most often: ",
        Markup(", ".join(named)),
        ".",
    )


def ngrams(facts: SelectionFacts) -> Markup:
    """Return the n-grams that raise and that lower log-weights most."""
    if not facts.explained:
        return note(
            "Not measured: ", sentence(facts.unknown.get("n-grams", "no document was explained"))
        )
    most = max((abs(one.amount) for one in (*facts.lifting, *facts.lowering)), default=1.0)
    up = contributions("Raise it, in selected documents", facts.lifting, most, "selected")
    down = contributions(f"Lower it, in {facts.lowering_of}", facts.lowering, most, "against")
    remark = note(
        f"Mean contribution to the log-weight of a document, over {facts.explained:,} selected "
        "documents and up to 200 others, spread evenly; the first 4,000 characters of each."
    )
    return joined(tag("div", up, down, class_="pair"), remark)


def contributions(caption: str, found: Sequence[Contribution], most: float, style: str) -> Markup:
    """Return n-grams with what they contribute.

    Args:
        caption: what the table is of.
        found: the n-grams.
        most: the contribution that fills its cell.
        style: class of the colour.
    """
    rows = [
        tag(
            "tr",
            tag("th", tag("span", cut(one.ngram, 60), class_="gram"), scope="row"),
            tag("td", bar(abs(one.amount), most, style), class_="bars"),
            tag("td", charts.signed(one.amount)),
        )
        for one in found
    ]
    return tag("table", tag("caption", caption), tag("tbody", rows or tag("tr", tag("td", "none"))))


def duplicates(facts: SelectionFacts, characters: int) -> Markup:
    """Return what is known of duplicates.

    Args:
        facts: what is known.
        characters: how much to show of each text.
    """
    found = facts.metrics.get("duplicates")
    lines: list[tuple[str, Child]] = []
    if found is None:
        said = 'not looked for; dedup="exact" or "near" selects the first of equal or similar texts'
    elif facts.settings.get("dedup") == "near":
        said = "passed over: the text of an earlier row, or nearly that"
        said = f"{counted(found['rows'], 'row')} {said}"
    else:
        said = f"{counted(found['rows'], 'row')} passed over: the text of an earlier row"
    lines.append(("In raw", said))
    lines.append(("Near duplicates that are selected", _near(facts)))
    filtered = facts.metrics["rows"]["passed_over"].get("filtered")
    shared = (filtered or {}).get(CONTAMINATED) if isinstance(filtered, Mapping) else None
    if shared is None:
        said = "not looked for; decontaminate=... leaves out rows that share text with benchmarks"
    elif shared == 0:
        said = "no row shares text with the texts that rows were compared with"
    else:
        listed = "; see _dsir/contaminated.jsonl" if facts.folder else ""
        said = f"{counted(shared, 'row')} left out{listed}"
    lines.append(("Contamination", said))
    pairs = [_near_pair(one, characters) for one in facts.near.pairs] if facts.near else []
    if not pairs:
        return facts_list(lines)
    title = tag("h3", "Near duplicates: the most alike, one in the middle, and the least alike")
    told = note("Words with a dotted line are not in the other text.")
    return joined(facts_list(lines), title, told, pairs)


def _near(facts: SelectionFacts) -> str:
    """Say how many rows have a near copy, and among how many."""
    near = facts.near
    if near is None:
        return "not looked for: the rows are token numbers, not texts"
    share = percent(near.with_copy / max(1, near.compared))
    more = "" if near.complete else "at least "
    found = f"{more}{near.with_copy:,} ({share})" if near.with_copy else "none"
    said = f"{found} of {near.compared:,} rows with {WIDTH} tokens or more"
    if near.rows < facts.metrics["rows"]["selected"]:
        said += ", spread over the selection (copies among the other rows are not seen)"
    least = 100 * NEAR[0] // NEAR[1]
    return (
        f"{said}. Near duplicates are two rows that both have at least {least} % of the "
        f"different runs of {WIDTH} tokens that one of them has (their resemblance)"
    )


def _near_pair(pair: NearPair, characters: int) -> Markup:
    texts = [
        tag(
            "div",
            tag("header", tag("bdi", where)),
            marked_text(text, characters),
            class_="sample",
        )
        for where, text in zip(pair.where, pair.texts, strict=True)
    ]
    said = tag("p", f"Resemblance {percent(pair.resemblance)}", class_="note")
    return tag("article", said, tag("div", texts, class_="pair"))
