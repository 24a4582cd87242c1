"""The examples of docs/how-to/plug-in.md run, each where its library is installed."""

from __future__ import annotations

import pytest
from page_blocks import ROOT, PageRun, code_blocks

PAGE = ROOT / "docs/how-to/plug-in.md"
LIBRARIES = ("pandas", "polars", "duckdb", "dask", "daft", "datasets", "datatrove", "torch")

pytestmark = [
    pytest.mark.skipif(not PAGE.is_file(), reason="the sources are not there"),
    # Of the other libraries, and none of dsir's.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::dsir.DsirWarning"),
]


@pytest.fixture(scope="module")
def blocks():
    return code_blocks(PAGE.read_text("utf-8"))


def test_most_blocks_run(blocks):
    assert len([block for block in blocks if block.why_not]) <= 3 < len(blocks) / 4


@pytest.mark.parametrize("library", [*LIBRARIES, "sklearn"])
def test_the_example_runs(library, blocks, tmp_path, monkeypatch):
    pytest.importorskip(library)
    pytest.importorskip("pandas")
    monkeypatch.chdir(tmp_path)
    page = PageRun(tmp_path)
    first, *rest = blocks
    page.run(first)
    ran = 0
    for block in rest:
        # The adapter's module, or what goes on from the blocks above.
        uses = f"dsir.integrations.{library}" in block.code
        if block.code.startswith("dsir.select("):
            uses = library == "torch"
        elif block.code.startswith("chosen = pl."):
            uses = library == "polars"
        if uses and not block.why_not:
            page.run(block)
            ran += 1
    assert ran, library
