"""Results show themselves in one short line, and as a small table in a notebook."""

from __future__ import annotations

import html.parser
from pathlib import Path

import numpy as np
import pytest

import dsir
from dsir import graph
from dsir.facts import Facts, cut, table_of

TEXTS = [f"the court number {i} and {i} of the law {i % 7} {'x ' * (i % 5)}" for i in range(60)]
pytestmark = pytest.mark.filterwarnings("ignore::dsir.DsirWarning")

QUIET = {"progress": False}
GIVEN = {"min_tokens": 1, "length": "mean", "progress": False}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("reprs")


@pytest.fixture(scope="module")
def results(folder) -> dict[str, object]:
    raw = folder / "raw.jsonl"
    raw.write_text("".join(f'{{"text": "{text}"}}\n' for text in TEXTS))
    out = folder / "a <b>folder</b>"
    selection = dsir.select(raw, TEXTS[:9], n=20, out=out, **GIVEN)
    dsir.select(raw, TEXTS[:9], n=25, seed=3, out=folder / "other", **GIVEN)
    several = {f"a target with a long name {i}": TEXTS[i : i + 9] for i in range(12)}
    numbers = np.random.default_rng(0).normal(size=(80, 3))
    return {
        "selection": selection,
        "several": dsir.select(TEXTS, several, n=24, targets="separate", **GIVEN),
        "model": selection.model,
        "relevance": dsir.fit(TEXTS, several, estimator="relevance", targets="separate", **QUIET),
        "several model": dsir.fit(TEXTS, several, targets="mixture", progress=False),
        "verification": dsir.verify(out, target=TEXTS[:9]),
        "failed verification": dsir.verify(out, target=TEXTS[:8]),
        "difference": dsir.diff(out, folder / "other"),
        "idf": graph.Idf(stopwords=[f"word{i}" for i in range(500)]).fit(TEXTS),
        "lexrank": graph.LexRank(stopwords=[f"word{i}" for i in range(500)]),
        "ranked": graph.LexRank(threshold=None).fit(TEXTS),
        "centrality": graph.centrality(TEXTS),
        "join": graph.similarity_join(TEXTS, threshold=0.3),
        "neighbours": graph.neighbours(numbers),
        "summary": graph.summarize(["One <b>thing</b> is bold. " + "Another is not. " * 40]),
        "gais": graph.GAIS(reduction=0.75, epochs=2).fit(numbers, numbers[:, 0] > 0),
        "random": graph.RandomSelection(reduction=0.5),
        "texts": dsir.texts(TEXTS),
        "files": dsir.files(["a"] * 400),
        "interval": dsir.kl_reduction(TEXTS[:20], TEXTS, TEXTS[:9], bootstrap=20),
        "features": dsir.HashedNgrams(),
        "filters": dsir.QualityFilters(min_words=5, max_numeric=0.5),
    }


def test_one_short_line(results):
    for name, result in results.items():
        line = repr(result)
        assert "\n" not in line, name
        assert len(line) < 200, name
        assert " at 0x" not in line, name


def test_the_line_has_what_matters(results, folder):
    selection = results["selection"]
    assert "rows: 20 of 60" in repr(selection)
    assert f"{selection.metrics.kl_reduction:.4f}" in repr(selection)
    assert f"{selection.metrics.random_kl_reduction:.4f}" in repr(selection)
    assert "stands: yes" in repr(results["verification"])
    assert "stands: no" in repr(results["failed verification"])
    shared = results["difference"].rows
    assert f"common rows: {shared.common}, only in a: {shared.only_a}" in repr(
        results["difference"]
    )
    assert repr(results["gais"]) == "GAIS(reduction=0.75, epochs=2)"
    assert "documents: 60" in repr(results["idf"])
    assert repr(results["texts"]) == "dsir.texts(60 texts)"


class _Tags(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.seen.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_table_is_whole_escaped_and_of_the_page_s_colours(results):
    shown = [one for one in results.values() if hasattr(one, "_repr_html_")]
    assert len(shown) >= 15
    for result in [*shown, results["selection"].metrics, results["several"].metrics]:
        table = result._repr_html_()
        tags = _Tags()
        tags.feed(table)
        assert not tags.open
        assert tags.seen <= {"table", "caption", "tbody", "tr", "th", "td"}
        assert "color" not in table
        assert len(table) < 20_000
        assert table.count("<tr>") <= 41
    assert "a &lt;b&gt;folder&lt;/b&gt;" in results["verification"]._repr_html_()
    assert "One &lt;b&gt;thing&lt;/b&gt; is bold." in results["summary"]._repr_html_()


def test_the_table_has_more_than_the_line(results):
    failed = results["failed verification"]
    assert failed.findings[0].kind in failed._repr_html_()
    assert "rows selected" in results["gais"]._repr_html_()
    assert "seed" in results["difference"]._repr_html_()
    metrics = results["selection"].metrics
    assert "rows passed over not drawn" in metrics._repr_html_()


def test_a_title_and_a_value_may_hold_anything():
    table = table_of("<script>", [("a & b", '"<img>"'), ("lines", "one\n\ntwo")])
    assert "<script>" not in table
    assert "<img>" not in table
    assert "one two" in table
    assert cut("x" * 10, 4) == "xxx…"


def test_every_public_result_has_a_table():
    """A class that is returned, and holds arrays or lists, is not shown with all its content."""
    for module in (dsir, graph):
        for name in module.__all__:
            kind = getattr(module, name)
            if isinstance(kind, type) and "array" in str(getattr(kind, "__annotations__", "")):
                assert issubclass(kind, Facts), name


def test_metrics_show_themselves_in_one_line(results):
    metrics = results["selection"].metrics
    shown = repr(metrics)
    assert len(shown) < 120
    assert "rows: 20 of 60" in shown
    assert "describe()" in shown
