"""Recorded runs of the command line, of the stages on their own, of `verify` and of `diff`."""

from __future__ import annotations

import json
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

from run_set import (
    ARROW,
    COPIED_LINES,
    COPIES,
    DOCUMENTS,
    LINES,
    PARQUET,
    SEA,
    THREE,
    Done,
    Place,
    Result,
    dsir_command,
    recorded,
    well,
)

import dsir


@recorded
def command_select(place: Place) -> Result:
    """Options from a file and from the line, which wins."""
    config = place.folder / "work" / "run.json"  # Names this folder: no result.
    config.parent.mkdir()
    options = {
        "raw": place.of(PARQUET),
        "target": place.inputs / SEA,
        "n": 10,
        "length": "mean",
        "min-tokens": 12,
        "ngrams": 3,
        "buckets": 5000,
        "max-per": "domain=0.5",
    }
    config.write_text(json.dumps(options, default=str))
    words = ["--config", config, "--n", 40, "--seed", 7, "--out", place.out, "--json"]
    done = well("select", *words, "--threads", place.threads, "-q")
    return Result({"said": done.said})


@recorded
def command_as_process(place: Place) -> Result:
    """The installed command, in a process of its own."""
    command = Path(sysconfig.get_path("scripts")) / "dsir"
    targets = [f"--target={name}={path}" for name, path in place.target(*THREE).items()]
    words = [*place.of(LINES), *targets, "--targets", "separate", "--tokens", "4000"]
    words += ["--proportions", "law=0.5,sea=0.25,bake=0.25", "--min-tokens", "12", "--json"]
    words += ["--chunk-tokens", "30", "--hash", "sha256", "--threads", str(place.threads)]
    words += ["--out", str(place.out), "--quiet"]
    done = subprocess.run([command, "select", *words], capture_output=True, text=True, timeout=120)
    return Result({"said": Done(done.returncode, done.stdout, done.stderr).said})


def _stages(
    place: Place, raw: list[str], fit: list[str], score: list[str], sample: list[str]
) -> Result:
    """The stages on their own, scores in two jobs, then checked."""
    model, scores, rows = (place.folder / name for name in ("model.dsir", "scores", "rows"))
    threads = ["--threads", str(place.threads), "-q"]
    well("fit", *raw, *fit, "--out", model, *threads)
    for part in ("1/2", "0/2"):
        well("score", *raw, "--model", model, "--out", scores, "--part", part, *score, *threads)
    drawn = well("sample", scores, "--out", rows, *sample, "--json", *threads)
    written = well("write", rows, "-m", model, "-o", place.out, "--json", *threads)
    verified = dsir_command("verify", place.out, "--json", *threads)
    said = verified.said
    del said["notes"]
    return Result(
        {"drawn": drawn.said, "written": written.said, "verified": said, "code": verified.code}
    )


@recorded
def stages_parquet(place: Place) -> Result:
    fit = ["-t", str(place.inputs / SEA), "--ngrams", "2", "--fit-tokens", "9000"]
    score = ["--dedup", "exact", "--groups", "source,lang"]
    sample = ["--n", "50", "--seed", "5", "--dedup", "exact", "--max-per", "source=0.4,lang=30"]
    return _stages(place, place.of(COPIES), fit, score, [*sample, "--min-tokens", "12"])


@recorded
def stages_jsonl(place: Place) -> Result:
    fit = [f"--target={name}={path}" for name, path in place.target(*THREE).items()]
    fit += ["--targets", "separate", "--proportions", "sea=0.5,law=0.25,bake=0.25"]
    fit += ["--chunk-tokens", "24", "--length", "mean", "--smoothing", "0.2"]
    score = ["--chunk-tokens", "24", "--filters", "min_words=10,max_repeated=0.3"]
    sample = ["--tokens", "3000", "--temperature", "0.3", "--min-tokens", "10"]
    return _stages(place, place.of(LINES, ARROW), fit, score, sample)


@recorded
def stages_damaged(place: Place) -> Result:
    skip = ["--on-error", "skip", "--max-bad-rows", "50%"]
    fit = ["-t", str(place.inputs / SEA), *skip]
    raw = place.of("damaged/b.jsonl", "damaged/c.parquet", "damaged/d.jsonl")
    return _stages(place, raw, fit, skip, ["--fraction", "0.1", "--method", "top-k"])


@recorded
def command_explain_and_status(place: Place) -> Result:
    raw, work = place.of(PARQUET), place.folder / "work"
    words = ["-t", place.inputs / SEA, "-n", 20, "--workdir", work, "--min-tokens", 12, "-q"]
    well("select", *raw, *words, "--out", place.out, "--threads", place.threads)
    text = "A ship, a court, a loaf."
    explained = well("explain", work / "model.dsir", text, "--top", 5, "--json")
    status = well("status", work, "--json")
    dry = well("select", *raw, *words, "--out", place.folder / "other", "--dry-run")
    return Result(
        {"explained": explained.said, "status": status.said},
        {"dry_run": dry.out},
    )


@recorded
def verify_and_diff(place: Place) -> Result:
    raw = place.of(COPIES)
    first, second, third = (place.folder / name for name in ("first", "second", "third"))
    settings: dict[str, Any] = {**DOCUMENTS, "length": "mean", "threads": place.threads}
    dsir.select(raw, place.target("sea", "law"), n=40, out=first, targets="separate", **settings)
    dsir.select(raw, place.target("law", "sea"), n=60, out=second, targets="separate", **settings)
    dsir.select(raw, place.inputs / SEA, n=40, out=third, dedup="exact", **settings)
    values: dict[str, Any] = {
        "stands": _findings(dsir.verify(first, threads=place.threads)),
        "quick": _findings(dsir.verify(third, quick=True)),
        "elsewhere": _findings(dsir.verify(third, raw=place.of(COPIED_LINES), ignore_times=True)),
        "diff": dsir.diff(first, second, by="source").describe(),
        "other": dsir.diff(second, third).describe(),
        "said": dsir_command("diff", first, third, "--by", "lang", "--json").said,
    }
    damaged = third / "data/part-00000.parquet"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"x")
    (third / "data/part-00009.parquet").write_bytes(b"")
    values["damaged"] = _findings(dsir.verify(third))
    done = dsir_command("verify", third, "--json", "-q")
    values["code"] = [done.code, done.said["stands"]]
    (third / "data/part-00009.parquet").unlink()
    damaged.unlink()
    return Result(values)


def _findings(found: dsir.Verification) -> dict[str, Any]:
    described = found.describe()
    described["findings"] = [one["kind"] for one in described["findings"]]
    described["notes"] = len(described["notes"])
    return described
