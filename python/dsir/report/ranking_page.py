"""The page of a ranking or of summaries by LexRank."""

from __future__ import annotations

from collections.abc import Sequence

from dsir.plural import counted
from dsir.report import charts
from dsir.report.charts import Stream, plain
from dsir.report.markup import Markup, joined, tag
from dsir.report.page import Figure, Section, facts_list, note, page
from dsir.report.ranking import RankedText, RankingFacts, Sentence
from dsir.report.settings_table import inputs_list, settings_table
from dsir.report.wording import value_of

_GROUPS = {"highest": "Most central", "middle": "In the middle", "lowest": "Least central"}


def ranking_page(facts: RankingFacts, *, sample_characters: int) -> Markup:
    """Return the page of a ranking.

    Args:
        facts: what is known of it.
        sample_characters: how much of each text to show.
    """
    accounts = facts.content["accounts"]
    rows, written = accounts["rows"], accounts["written"]
    summaries = facts.scores is None
    what = "sentences" if summaries else "rows"
    groups = accounts.get("groups", 1)
    figures = [
        Figure("Rows", f"{rows:,}", f"in {counted(len(facts.inputs), 'file')}"),
        Figure("Groups", f"{groups:,}", "ranked apart" if groups > 1 else "all rows together"),
        Figure("Written", f"{written:,}", what),
    ]
    sections = [
        Section(
            "asked",
            "What was asked",
            "The inputs and the settings that decide most.",
            _asked(facts),
        ),
        Section(
            "accounts", "What became of every row", "Bad rows have no score.", _accounts(facts)
        ),
    ]
    if summaries:
        about = "The sentences of each summary, in the order of the texts. Rank 0 was chosen first."
        sections.append(
            Section("summaries", "Summaries", about, _summaries(facts, sample_characters))
        )
    else:
        sections += [
            Section(
                "scores",
                "Scores",
                "How central a row is: how often a reader who walks from text to similar text "
                "comes by. A narrow peak means that the texts hardly differ in centrality.",
                _scores(facts),
            ),
            Section(
                "texts",
                "Texts",
                "The beginnings of texts. Central ones say what many others say as well.",
                _texts(facts.texts, sample_characters),
            ),
        ]
    sections.append(
        Section(
            "settings",
            "Settings",
            "The same inputs and settings give the same scores.",
            settings_table(facts.content["settings"]),
        )
    )
    done = f"{written:,} {what} of {counted(rows, 'row')}"
    lead = (
        f"Summaries of {counted(groups, 'group')}: {done}."
        if summaries
        else f"A ranking: {done} were written."
    )
    return page(title=facts.name, kind="LexRank", lead=lead, figures=figures, sections=sections)


def _asked(facts: RankingFacts) -> Markup:
    settings = facts.content["settings"]
    inputs = [one if isinstance(one, dict) else {"path": one} for one in facts.inputs]
    found = [("Raw", inputs_list(inputs))]
    shown = {
        "group_by": "Groups by",
        "top": "Most central",
        "summary": "Sentences a summary",
        "summary_words": "Words a summary",
        "threshold": "Neighbours from a cosine of",
        "damping": "Damping",
        "idf": "Document frequencies",
        "stopwords": "Stop words",
    }
    lines = [
        (name, value_of(settings[key]))
        for key, name in shown.items()
        if settings.get(key) is not None
    ]
    return facts_list([*found, *lines])


def _accounts(facts: RankingFacts) -> Markup:
    accounts = facts.content["accounts"]
    bad, rows, written = accounts.get("bad", 0), accounts["rows"], accounts["written"]
    if facts.scores is None:
        return facts_list(
            [
                ("Rows read", f"{rows:,}"),
                ("Bad rows", f"{bad:,}"),
                ("Sentences chosen", f"{written:,}"),
            ]
        )
    ranked = rows - bad
    drawing = charts.flow(
        rows,
        [Stream("bad", bad)],
        ranked,
        [Stream("not among the most central", ranked - written)],
        written,
        names=("read", "ranked", "written"),
    )
    return tag("figure", drawing)


def _scores(facts: RankingFacts) -> Markup:
    if facts.scores is None:
        return note("There are no scores.")
    unit = "score, as a multiple of the average" if facts.relative else "score within the group"
    median = plain(facts.scores.medians["rows"])
    drawn = charts.distribution(
        facts.scores,
        title="Distribution of scores",
        summary=f"The median is {median}.",
        unit=unit,
        name="scores",
    )
    return joined(tag("figure", drawn), charts.table_of(facts.scores, unit))


def _texts(texts: Sequence[RankedText], characters: int) -> Markup:
    parts = []
    for group, title in _GROUPS.items():
        there = [one for one in texts if one.group == group]
        if there:
            parts += [tag("h3", title), *(_text(one, characters) for one in there)]
    return joined(parts) if parts else note("No row was written.")


def _text(one: RankedText, characters: int) -> Markup:
    head = tag("header", tag("strong", f"score {plain(one.score)}"), tag("span", one.where))
    return tag("article", head, _beginning(one.text, characters), class_="sample")


def _beginning(text: str, characters: int) -> Markup:
    hidden = len(text) - characters
    told = tag("span", f"… {hidden:,} more characters", class_="quiet") if hidden > 0 else None
    return tag("p", text[:characters], told, class_="text", dir="auto")


def _summaries(facts: RankingFacts, characters: int) -> Markup:
    parts = [
        joined(
            tag("h3", tag("bdi", "All rows" if group is None else group[:200])),
            tag("ol", [_sentence(one, characters) for one in sentences], class_="summary"),
        )
        for group, sentences in facts.summaries.items()
    ]
    if facts.groups > len(facts.summaries):
        parts.append(
            note(
                f"And {facts.groups - len(facts.summaries):,} more groups, in "
                "data/summaries.parquet."
            )
        )
    return joined(parts) if parts else note("No sentence was chosen.")


def _sentence(one: Sentence, characters: int) -> Markup:
    where = tag("span", f" rank {one.rank}, row {one.row:,}", class_="quiet")
    hidden = len(one.text) - characters
    told = f"… {hidden:,} more characters" if hidden > 0 else None
    return tag("li", tag("bdi", one.text[:characters]), told, where)
