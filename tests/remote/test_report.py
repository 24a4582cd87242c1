"""Pages about selections in stores."""

from __future__ import annotations

import dsir

GIVEN = {"length": "mean", "n": 40, "min_tokens": 20, "progress": False}


def test_a_page_of_a_selection_in_a_store(small_world, target, s3, tmp_path, invoke_dsir):
    for path in small_world.write_parquet(tmp_path / "raw", parts=2):
        s3.put(path, f"raw/{path.name}")
    wanted = s3.put(target, "t.jsonl")
    out = f"{s3.url}/out"
    dsir.select(f"{s3.url}/raw", wanted, out=out, **GIVEN)
    done = invoke_dsir("report", out, "--card")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"{out}/_dsir/report.html", f"{out}/_dsir/card.md"]
    page = s3.read("out/_dsir/report.html").decode()
    assert page.count('class="sample"') == 20
    assert "Raw is not shown" not in page
    assert dsir.verify(out, quick=True, progress=False).notes == []
    done = invoke_dsir("explain", out, "--row", 3, "--top", 1)
    assert "row 3 (part-" in done.stdout
    dsir.select(f"{s3.url}/raw", wanted, out=out, overwrite=True, **GIVEN)
    assert not [key for key in s3.keys("out/") if "report" in key or "card" in key]


def test_inputs_in_a_store_that_are_gone(small_world, target, s3, tmp_path):
    s3.put(small_world.write_parquet(tmp_path / "raw", parts=1)[0], "raw/part-0.parquet")
    out = tmp_path / "out"
    selection = dsir.select(f"{s3.url}/raw", target, out=out, **GIVEN)
    s3.ask("DELETE", "raw/part-0.parquet")
    page = selection.report().read_text(encoding="utf-8")
    assert "Raw is not shown" in page
    assert "part-0.parquet" in page
