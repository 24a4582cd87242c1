"""The page of a comparison."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest

import dsir
from dsir.report.write import MOST_BYTES

HOSTILE = "<script>alert(1)</script> \u202eevil <b>&amp;"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def folder(parquet, target, tmp_path_factory):
    out = tmp_path_factory.mktemp("compare-page") / "compared"
    dsir.compare(
        parquet,
        target,
        methods={"coverage": {"method": "coverage"}, "top-k": {"method": "top-k"}},
        budgets=["10%", "n=40"],
        seeds=2,
        shares_by="domain",
        min_tokens=20,
        out=out,
        progress=False,
    )
    return out


def changed(folder, tmp_path, change):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    path = copy / "_dsir/compare.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")
    return copy


def test_one_budget_has_no_charts(small_world, tmp_path, page_of):
    dsir.compare(
        small_world.table(),
        small_world.target,
        methods=["top-k"],
        budgets="n=9",
        seeds=1,
        min_tokens=1,
        out=tmp_path / "out",
        progress=False,
    )
    page = page_of(tmp_path / "out")
    assert "By budget" not in page.text("main")
    assert "Budget n=9" in page.text("caption")


@pytest.mark.parametrize(
    ("budgets", "said"),
    [
        ("1", "budgets='1': tokens=1 is less than"),
        ("bytes=2", "budgets='bytes=2': bytes=2 is less than"),
        ("500,n=999", "budgets='n=999': "),
    ],
)
@pytest.mark.parametrize("method", ["coverage", "top-k"])
def test_a_budget_that_cannot_be_met_is_named_with_the_method(method, budgets, said, small_world):
    with pytest.raises(dsir.BudgetError) as raised:
        dsir.compare(
            small_world.table(),
            small_world.target,
            methods=[method],
            budgets=budgets,
            seeds=1,
            min_tokens=1,
            progress=False,
        )
    assert str(raised.value).startswith(said)
    assert str(raised.value).endswith(f"(method '{method}')")


def test_it_shows_ranking_charts_and_recommendation(folder, page_of):
    page = page_of(folder)
    found = dsir.Comparison.load(folder)
    assert page.unbalanced == []
    text = page.text("main")
    assert found.recommendation.reasons[0] in text
    for method in ("coverage", "top-k", "random"):
        assert page.text("table").count(method) >= 4
    titles = [one for one in page.all("svg") if one.get("role") == "img"]
    assert len(titles) == 3
    ids = [one["id"] for _, one in page.elements if "id" in one]
    assert len(ids) == len(set(ids))
    assert all(one["aria-labelledby"].split()[0] in ids for one in titles)
    assert "Tokens by domain" in text
    assert len(page.html.encode()) < MOST_BYTES


def test_it_has_the_command_that_repeats_it(folder, page_of, parquet, target, invoke_dsir):
    command = re.search(r'<code id="command">(.*?)</code>', page_of(folder).html, re.DOTALL)
    settings = dsir.Comparison.load(folder).settings
    assert command is not None
    assert settings["command"].startswith("dsir compare ")
    import shlex

    words = shlex.split(settings["command"])
    done = invoke_dsir(*words[1:], "--json", "-q")
    assert done.returncode == 0, done.stderr
    again = json.loads(done.stdout)
    mine = json.loads((folder / "_dsir/compare.json").read_text())
    for content in (again, mine):
        for cell in content["cells"]:
            del cell["fit_seconds"], cell["draw_seconds"]
    assert again["cells"] == mine["cells"]


def test_the_page_beside_the_comparison_is_that_of_report(folder, page_of):
    assert (folder / "_dsir/report.html").read_text(encoding="utf-8") == page_of(folder).html


def test_hostile_names_become_no_tags(folder, page_of, tmp_path):
    def change(content):
        for rows in (content["table"], content["cells"], content["overlaps"], content["shares"]):
            for row in rows:
                for name in ("method", "other", "value"):
                    if name in row:
                        row[name] = f"{HOSTILE}{row[name]}"
                row["budget"] = f"{HOSTILE}{row['budget']}"
        content["recommendation"]["method"] = HOSTILE
        content["recommendation"]["reasons"] = [HOSTILE, "x" * 1_000_000]
        settings = content["settings"]
        settings |= {"target": [HOSTILE], "raw": [HOSTILE], "shares_by": HOSTILE}
        settings |= {
            "command": HOSTILE,
            "documents": [[1, 2]] * 9999,
            "methods": {HOSTILE: {HOSTILE: HOSTILE}},
        }

    page = page_of(changed(folder, tmp_path, change))
    assert page.unbalanced == []
    assert len(page.all("script")) == 1
    assert not page.all("b")
    assert "\u202e" not in page.html
    assert len(page.html.encode()) < MOST_BYTES


def test_the_names_of_many_files_are_cut_off(folder, page_of, tmp_path):
    paths = [f"/data/corpus/part-{number}.parquet" for number in range(100_000)]

    def change(content):
        content["settings"] |= {"raw": paths, "command": " ".join(paths)}

    page = page_of(changed(folder, tmp_path, change))
    assert len(page.html.encode()) < MOST_BYTES
    assert "The command is long; compare.json has it." in page.text("main")


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.pop("table"),
        lambda content: content.update(table=[]),
        lambda content: content.update(format=2),
        lambda content: content["table"][0].update(perplexity="high"),
        lambda content: content["table"][0].update(perplexity=0),
        lambda content: content["recommendation"].update(reasons=3),
        lambda content: content.update(shares=[1]),
        lambda content: content.update(settings=None),
    ],
)
def test_what_is_no_comparison_is_refused(change, folder, page_of, tmp_path):
    copy = changed(folder, tmp_path, change)
    with pytest.raises(dsir.OutputError, match=r"compare\.json: (does not hold|has the format)"):
        page_of(copy)
    with pytest.raises(dsir.OutputError, match=r"compare\.json: (does not hold|has the format)"):
        dsir.Comparison.load(copy)


def test_one_seed_and_one_budget_are_enough_for_a_page(tmp_path, page_of):
    from dsir.report.compare_page import compare_page

    texts = [f"ship {number} sail the sea {number % 9} and back again" for number in range(60)]
    found = dsir.compare(
        texts, texts[:40], methods="top-k", budgets="n=9", seeds=1, min_tokens=1, progress=False
    )
    assert found.report(tmp_path / "page.html") == tmp_path / "page.html"
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert html == compare_page(found.describe())
    assert "no command repeats the comparison" in html
    assert "shares-heading" not in html


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
def test_a_browser_shows_it_without_complaints(folder, tmp_path):
    page = (folder / "_dsir/report.html").as_uri()
    done = subprocess.run(
        [
            str(CHROMIUM),
            *("--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"),
            *("--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={tmp_path / 'user'}"),
            *("--dump-dom", page),
        ],
        capture_output=True,
        timeout=120,
    )
    if done.returncode:
        pytest.skip("Chromium does not start here")
    assert b"CONSOLE" not in done.stderr
    assert b'id="ranking-heading"' in done.stdout
