"""Lines put aside while they are counted: gzip is read once where the fit is on all rows."""

from __future__ import annotations

import gzip
import json

import pytest

import dsir
from dsir.corpus.jsonl import JsonLinesShard

SETTINGS = {"n": 40, "min_tokens": 20, "length": "mean", "temperature": 0.3, "progress": False}


@pytest.fixture
def parsed(monkeypatch):
    """The shards whose texts are read, one entry a time."""
    names = []
    text_batches = JsonLinesShard.text_batches

    def noted(self, **keywords):
        if not self.path.endswith(".lines"):
            names.append(self.name)
        return text_batches(self, **keywords)

    monkeypatch.setattr(JsonLinesShard, "text_batches", noted)
    # The first look reads a few texts as well.
    monkeypatch.setattr("dsir.run.first_look.sample_texts", lambda corpus: [])
    return names


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr("dsir.corpus.line_blocks.BLOCK_BYTES", 3000)


@pytest.mark.parametrize("threads", [1, 3])
def test_decompressed_once_the_same_files(
    jsonl, world, tmp_path, contents, parsed, small_batches, monkeypatch, threads
):
    settings = {**SETTINGS, "threads": threads}
    dsir.select(jsonl, world.target, out=tmp_path / "a", fit_tokens="all", **settings)
    slow = [path for path in jsonl if path.suffix == ".gz"]
    assert 0 < len(slow) < len(jsonl)
    assert sorted(parsed) == sorted(map(str, [*jsonl, *(set(jsonl) - set(slow))]))
    monkeypatch.setattr("dsir.stages.kept.lines._MOST_BYTES", 0)
    parsed.clear()
    dsir.select(jsonl, world.target, out=tmp_path / "b", fit_tokens="all", **settings)
    assert sorted(parsed) == sorted(map(str, [*jsonl, *jsonl]))
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_a_fit_on_a_part_puts_nothing_aside(jsonl, world, parsed, small_batches, monkeypatch):
    selection = dsir.select(jsonl, world.target, fit_tokens=3000, **SETTINGS)
    assert len(parsed) == 2 * len(jsonl)
    # Even where it looked as if all would be counted.
    monkeypatch.setattr("dsir.stages.kept.lines._NGRAMS_PER_BYTE", 0)
    again = dsir.select(jsonl, world.target, fit_tokens=3000, **SETTINGS)
    assert len(parsed) == 4 * len(jsonl)
    assert again.rows.tolist() == selection.rows.tolist()


def test_bad_rows_and_blank_lines_are_told_of_as_before(tmp_path, world, small_batches):
    lines = []
    for number, text in enumerate(world.texts):
        lines.append(json.dumps({"text": text}).encode())
        lines += [b""] * (number % 7 == 3) + [b'{"text": 3}', b'{"text": "\\ud800"}'] * (
            number == 70
        )
    path = tmp_path / "raw.jsonl.gz"
    path.write_bytes(gzip.compress(b"\n".join(lines) + b"\n\n"))
    found = [
        dsir.select(path, world.target, on_error="skip", fit_tokens=fit_tokens, **SETTINGS)
        for fit_tokens in ("all", 10**6)
    ]
    for selection in found:
        assert [entry.row for entry in selection.skipped] == [71, 72]
        assert selection.metrics["rows"]["blank_lines"] == lines.count(b"") + 1
        assert selection.metrics["rows"]["bad"] == 2
    assert found[0].rows.tolist() == found[1].rows.tolist()
    assert found[0].metrics["rows"] == found[1].metrics["rows"]


def test_a_restart_decodes_again(jsonl, world, tmp_path, parsed, contents):
    """After the counts are made and before the scores are."""
    settings = {**SETTINGS, "workdir": tmp_path / "w", "out": tmp_path / "a"}
    dsir.select(jsonl, world.target, fit_tokens="all", **settings)
    expected = contents(tmp_path / "a")
    for path in (tmp_path / "w" / "scores").glob("0*"):
        path.unlink()
    parsed.clear()
    dsir.select(jsonl, world.target, fit_tokens="all", **settings)
    assert sorted(parsed) == sorted(map(str, jsonl))
    assert contents(tmp_path / "a") == expected
    assert not (tmp_path / "w" / "kept").exists()
