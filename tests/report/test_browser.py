"""The page in a real browser, where there is one."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
BROWSER = next((path for name in NAMES if (path := shutil.which(name))), None)

pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium")


@pytest.fixture
def browse(tmp_path):
    """A function that opens a page without the network and returns what the browser made of it."""

    def browse(html, *options):
        page = tmp_path / "page.html"
        page.write_text(html, encoding="utf-8")
        done = subprocess.run(
            [
                str(BROWSER),
                *("--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"),
                *("--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={tmp_path / 'user'}"),
                *options,
                page.as_uri(),
            ],
            capture_output=True,
            timeout=120,
        )
        if done.returncode:
            pytest.skip("Chromium does not start here")
        return done.stdout.decode(), done.stderr.decode("utf-8", "replace")

    return browse


def test_its_script_runs_and_nothing_is_refused(page, browse):
    dom, log = browse(page.html, "--dump-dom")
    [button] = re.findall(r'<button[^>]*id="theme"[^>]*>([^<]*)</button>', dom)
    assert button in ("Dark page", "Light page")
    assert not re.search(r'id="theme"[^>]*hidden', dom)  # The script has shown it.
    assert "CONSOLE" not in log, log


def test_a_foreign_script_does_not_run(page, browse):
    html = page.html.replace("<main", "<script>document.title = 'taken'</script><main")
    dom, log = browse(html, "--dump-dom")
    assert "<title>taken" not in dom
    assert "Content Security Policy" in log


def test_it_can_be_looked_at(page, browse, tmp_path):
    picture = tmp_path / "page.png"
    browse(page.html, f"--screenshot={picture}", "--window-size=1280,2000")
    assert picture.stat().st_size > 50_000
