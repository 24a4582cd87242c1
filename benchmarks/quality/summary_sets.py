"""The sets that summaries are measured on.

The papers of two parts of aclsum choose, everything else reports. All were fixed before a method
was measured on them, but for `choose-bodies`, which came when methods were known on `choose`. The
table of `papers` was seen once before edges had a direction, so it is not fully blind. The
rules below (which documents, which reference, how many words) are part of the measurement: change
them only together with every table made from them.

| set | documents | reference | words |
|---|---|---|---|
| `choose` | 150 papers: abstract, introduction, conclusion (aclsum, train, val) | by people | 60 |
| `choose-bodies` | the whole bodies of the same 150 papers | their abstracts | 120 |
| `papers` | 100 other papers (aclsum, test) | by people | 60 |
| `bodies` | the whole bodies of the same 100 papers | their abstracts | 120 |
| `opinosis` | 51 topics of review sentences | 4 or 5 by people each | 25 |
| `news` | 200 articles of Reuters without their first sentence | that sentence | 30 |
| `german` | 120 manual pages without the first paragraph of the description | that paragraph | 40 |
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pyarrow.parquet as pq

from dsir.graph import sentences

_NEWS = 200
_PAGES = 120
_FEWEST_SENTENCES = 8
_REFERENCE_WORDS = 15


@dataclass(frozen=True, slots=True)
class Case:
    """Sentences to choose from, in their order, and what a summary is compared with."""

    lines: list[str]
    references: list[str]


@dataclass(frozen=True, slots=True)
class SummarySet:
    """Cases that are measured together.

    Attributes:
        name: the name in tables.
        words: how many words a summary may have.
        english: whether ROUGE compares stems of English words, or words as they are.
        cases: the cases.
        apart: whether each sentence of a case is by another author, and no order is known.
    """

    name: str
    words: int
    english: bool
    cases: list[Case]
    apart: bool = False


def opinosis(data: Path) -> list[Case]:
    """Read the topics of Opinosis, in order of their names."""
    folder = data / "opinosis"
    found = []
    for path in sorted((folder / "topics").glob("*.data")):
        text = path.read_text(encoding="utf-8", errors="replace")
        name = path.name.removesuffix(".data").removesuffix(".txt")
        gold = sorted((folder / "summaries-gold" / name).glob("*.gold"))
        summaries = [one.read_text(encoding="utf-8", errors="replace").strip() for one in gold]
        found.append(Case([line.strip() for line in text.splitlines() if line.strip()], summaries))
    return found


def _papers(splits: tuple[str, ...]) -> Iterator[dict[str, object]]:
    # The data are read without importing aclsum, which needs a library of its own for that.
    for split in splits:
        with (_aclsum() / f"{split}.jsonl").open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)


def _aclsum() -> Path:
    found = find_spec("aclsum")
    if found is None or found.origin is None:
        raise SystemExit("the papers need aclsum: pip install 'dsir[graph-peers]'")
    return Path(found.origin).parent / "dataset"


def papers(*splits: str) -> list[Case]:
    """Read papers with the summaries that people wrote of three aspects, as one reference."""
    found = []
    for paper in _papers(splits):
        parts, summary = paper["sentences"], paper["summary"]
        assert isinstance(parts, dict)
        assert isinstance(summary, dict)
        lines = [
            line for part in ("abstract", "introduction", "conclusion") for line in parts[part]
        ]
        reference = " ".join(summary[aspect] for aspect in ("challenge", "approach", "outcome"))
        found.append(Case([line for line in lines if line.strip()], [reference]))
    return found


def bodies(*splits: str) -> list[Case]:
    """Read the bodies of the papers of `papers`, with their abstracts as references."""
    found = []
    for paper in _papers(splits):
        path = _aclsum() / "paper_jsons" / f"{paper['id']}.json"
        content = json.loads(path.read_text(encoding="utf-8"))
        text = [part["text"] for part in content["pdf_parse"]["body_text"]]
        abstract = " ".join(part["text"] for part in content["pdf_parse"]["abstract"])
        lines = [line for one in sentences(text).to_pylist() for line in one]
        if len(abstract.split()) >= _REFERENCE_WORDS and len(lines) >= _FEWEST_SENTENCES:
            found.append(Case(lines, [abstract]))
    return found


def _documents(data: Path, source: str) -> Iterator[str]:
    for path in sorted((data / "raw").glob("*.parquet")):
        table = pq.read_table(path, columns=["source", "text"])
        for row in table.to_pylist():
            if row["source"] == source and row["text"]:
                yield row["text"]


def news(data: Path) -> list[Case]:
    """Take the first sentence of an article as the summary of the others."""
    found: list[Case] = []
    for text in _documents(data, "reuters"):
        body = re.sub(r"\s*reuter\W*$", "", " ".join(text.split()), flags=re.IGNORECASE)
        lead, *lines = sentences(body)
        if len(lead.split()) >= _REFERENCE_WORDS and len(lines) >= _FEWEST_SENTENCES:
            found.append(Case(lines, [lead]))
        if len(found) == _NEWS:
            break
    return found


def german(data: Path) -> list[Case]:
    """Take the first paragraph of a page's description as the summary of the other prose."""
    found: list[Case] = []
    for text in _documents(data, "man_de"):
        _, heading, description = text.partition("\nBESCHREIBUNG\n")
        prose = [
            " ".join(paragraph.split())
            for paragraph in re.split(r"\n\s*\n|\n\.\w+.*\n", description)
            if len(paragraph.split()) >= _FEWEST_SENTENCES
        ]
        if not heading or not prose or len(prose[0].split()) < _REFERENCE_WORDS:
            continue
        lines = [line for one in sentences(prose[1:]).to_pylist() for line in one]
        if len(lines) >= _FEWEST_SENTENCES:
            found.append(Case(lines, [prose[0]]))
        if len(found) == _PAGES:
            break
    return found


SETS: dict[str, Callable[[Path], SummarySet]] = {
    "choose": lambda _: SummarySet("choose", 60, True, papers("train", "val")),
    "choose-bodies": lambda _: SummarySet("choose-bodies", 120, True, bodies("train", "val")),
    "papers": lambda _: SummarySet("papers", 60, True, papers("test")),
    "bodies": lambda _: SummarySet("bodies", 120, True, bodies("test")),
    "opinosis": lambda data: SummarySet("opinosis", 25, True, opinosis(data), apart=True),
    "news": lambda data: SummarySet("news", 30, True, news(data)),
    "german": lambda data: SummarySet("german", 40, False, german(data)),
}
