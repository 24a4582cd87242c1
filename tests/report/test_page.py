"""The page: one file that anybody can read, in any browser, without the network."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re

import pytest

from dsir.report.page import resource
from dsir.report.write import MOST_BYTES, write_report


def test_it_is_whole_and_its_headings_are_in_order(page):
    assert page.html.startswith("<!doctype html>")
    assert page.unbalanced == []
    assert page.all("html") == [{"lang": "en"}]
    levels = [int(name[1]) for name, _ in page.elements if re.fullmatch("h[1-6]", name)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_a_screen_reader_finds_its_way(page):
    for landmark in ("header", "nav", "main", "footer"):
        assert page.all(landmark), landmark
    ids = [one["id"] for _, one in page.elements if "id" in one]
    assert len(ids) == len({*ids})
    for _, attributes in page.elements:
        for name in (attributes.get("aria-labelledby") or "").split():
            assert name in ids
        href = attributes.get("href")
        assert href is None or href[1:] in ids
    for chart in page.all("svg"):  # Named, or an ornament of numbers that are beside it.
        assert chart.get("aria-labelledby") or chart.get("aria-hidden") == "true"
    for cell in page.all("th"):
        assert cell.get("scope") in ("row", "col")
    for section in page.all("section"):
        assert section["aria-labelledby"]
    for plot in page.all("div"):
        if plot.get("class") == "plot":  # It scrolls, so the keyboard has to reach it.
            assert (plot["tabindex"], bool(plot["aria-label"])) == ("0", True)


def test_it_asks_nobody_for_anything(page):
    assert not {"img", "link", "iframe", "object", "embed", "base"} & {n for n, _ in page.elements}
    for name, attributes in page.elements:
        assert "src" not in attributes
        assert not [one for one in attributes if one.startswith("on")], name
    assert "url(" not in resource("style.css")
    assert "@import" not in resource("style.css")
    assert not re.search(r"fetch|XMLHttp|import\(|https?:", resource("script.js"))


def test_its_policy_lets_no_other_script_run(page):
    [policy] = [one["content"] for one in page.all("meta") if one.get("http-equiv") is not None]
    digest = hashlib.sha256(resource("script.js").encode()).digest()
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{base64.b64encode(digest).decode()}'" in policy
    assert len(page.all("script")) == 1
    assert f"<script>{resource('script.js')}</script>" in page.html


def test_it_is_small_and_the_same_every_time(selected, page, tmp_path):
    assert len(page.html.encode()) < MOST_BYTES // 3
    again = write_report(selected, tmp_path / "again.html")
    assert again.read_text(encoding="utf-8") == page.html


def _colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))


def _themes() -> dict[str, dict[str, str]]:
    style = resource("style.css")
    light, by_system, by_choice = re.findall(
        r":root(?:\[[^]]*\]|:not\([^)]*\))? \{(.*?)\}", style, re.DOTALL
    )
    assert _colours(by_system) == _colours(by_choice)
    assert _colours(light).keys() == _colours(by_choice).keys()
    return {"light": _colours(light), "dark": _colours(by_choice)}


def test_paper_is_always_light():
    style = resource("style.css")
    for dark in (':root:not([data-theme="light"])', ':root[data-theme="dark"]'):
        before = style[: style.index(dark)].rstrip().splitlines()[-1]
        assert before.startswith("@media screen"), dark


def _channels(colour: str) -> list[float]:
    return [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]


def _contrast(one: list[float], other: list[float]) -> float:
    """WCAG 2.2: the ratio of relative luminances."""

    def luminance(channels: list[float]) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_its_colours_can_be_told_apart(theme):
    colours = {name: _channels(value) for name, value in _themes()[theme].items()}
    paper = colours["paper"]
    for name in ("ink", "quiet", "link"):
        assert _contrast(colours[name], paper) >= 4.5, name
    assert _contrast(colours["ink"], colours["card"]) >= 4.5
    for name in ("raw", "selected", "target", "against"):  # Graphics need 3.
        assert _contrast(colours[name], paper) >= 3, name
    mixes = re.findall(r"var\(--(selected|against)\) (\d+)%, transparent", resource("style.css"))
    assert len(mixes) == 6
    for name, part in mixes:
        shade = int(part) / 100
        mixed = [shade * c + (1 - shade) * p for c, p in zip(colours[name], paper, strict=True)]
        assert _contrast(colours["ink"], mixed) >= 4.5, (name, part)
