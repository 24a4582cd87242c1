"""Python orders sets by a seed of its own in every process; no file may show that order."""

from __future__ import annotations

import pytest

FILTERS = "min_words=30,max_words=400"
SELECT = ["--n", 60, "--min-tokens", 20, "--filters", FILTERS, "--max-per", "domain=40",
          "--dedup", "exact"]  # fmt: skip

RUNS = {
    "select": [
        ["select", "raw", "-t", "target.jsonl", *SELECT, "-o", "out", "--workdir", "work"],
    ],
    "coverage": [
        ["select", "raw", "-t", "target.jsonl",
         "--method", "coverage", "--n", 40, "--min-tokens", 1, "--decontaminate", "target.jsonl",
         "-o", "out", "--workdir", "work"],
    ],
    "stages": [
        ["fit", "raw", "-t", "target.jsonl", "-o", "model.dsir"],
        ["score", "raw", "--model", "model.dsir", "-o", "scores", "--filters", FILTERS,
         "--groups", "domain", "--decontaminate", "target.jsonl"],
        ["sample", "scores", "--n", 60, "--min-tokens", 20, "-o", "rows"],
        ["write", "rows", "--model", "model.dsir", "-o", "out"],
    ],
    "planned": [
        ["plan", "raw", "-t", "target.jsonl", *SELECT, "-o", "out", "--workdir", "work"],
        ["work", "work"],
        ["finish", "work"],
    ],
    "lexrank": [["lexrank", "raw", "--group-by", "domain", "-o", "out", "--summary", 2]],
}  # fmt: skip


def timed(name: str) -> bool:
    """Whether a file of a work directory says when something was done, or how long it took."""
    return name.startswith("work/outputs/") or name == "work/fitted.json"


@pytest.mark.parametrize("name", RUNS)
def test_the_order_of_sets_is_in_no_file(
    name, run_dsir, parquet, target, contents, tmp_path, monkeypatch
):
    given = {"raw": parquet[0].parent, "target.jsonl": target}
    found = []
    for seed in (1, 2, 3):
        monkeypatch.setenv("PYTHONHASHSEED", f"{seed}")
        place = tmp_path / "here"  # The same for all, since paths are in the files.
        place.mkdir()
        for arguments in RUNS[name]:
            done = run_dsir(*(given.get(one, one) for one in arguments), cwd=place)
            assert done.returncode == 0, done.stderr
        found.append({name: data for name, data in contents(place).items() if not timed(name)})
        place.rename(tmp_path / f"{seed}")
    assert found[0].keys() == found[1].keys() == found[2].keys()
    for file, data in found[0].items():
        assert data == found[1][file] == found[2][file], file
