"""Make docs/how-to/report.png: the page of a small selection, as Chromium shows it.

python docs/report_screenshot.py
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dsir

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "how-to" / "report.png"
SIZE = "1280,1700"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


@contextmanager
def example_folder() -> Iterator[Path]:
    """Make a folder whose name is the same every time, since it is in the picture."""
    folder = Path(tempfile.gettempdir()) / "example"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def main() -> None:
    """Select from the corpus of the examples, write the page, and take its picture."""
    browser = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if browser is None:
        sys.exit(f"none of {', '.join(_NAMES)} is installed")
    with example_folder() as scratch:
        corpus = scratch / "corpus"
        shutil.copytree(ROOT / "examples" / "corpus", corpus)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dsir.DsirWarning)
            selection = dsir.select(
                str(corpus / "raw-*"),
                corpus / "target-satire.jsonl",
                n=60,
                smoothing=1,
                min_tokens=40,
                out=scratch / "satire",
                progress=False,
            )
        page = selection.report(scratch / "report.html")
        options = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")
        where = (f"--screenshot={PICTURE}", f"--window-size={SIZE}", f"file://{page}")
        subprocess.run([browser, *options, *where], check=True, capture_output=True)
    print(PICTURE)


if __name__ == "__main__":
    main()
