"""Vocabularies, token numbers and the case of tokens on the command line, each in a new process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import dsir
from dsir.cli.main import app
from dsir.model.carried_features import restore_features
from dsir.model.features import HashedNgrams

RAW = [f"Document {i} on {'Ships and sails' if i % 3 else 'stocks'} {i % 7}" for i in range(90)]
DRAW = ("--n", "9", "--min-tokens", "1", "-q")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A corpus as texts and as token numbers, a target, and a vocabulary."""
    tokenizers = pytest.importorskip("tokenizers")
    found = tmp_path_factory.mktemp("vocabulary")
    library = tokenizers.Tokenizer(tokenizers.models.BPE())
    library.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=300, show_progress=False)
    library.train_from_iterator(RAW, trainer)
    library.save(str(found / "tokenizer.json"))
    ids = [one.ids for one in library.encode_batch(RAW, add_special_tokens=False)]
    pq.write_table(pa.table({"text": RAW}), found / "raw.parquet")
    pq.write_table(pa.table({"ids": ids, "text": RAW}), found / "ids.parquet")
    pq.write_table(pa.table({"text": ["Ships sail on"] * 9}), found / "target.parquet")
    run(found, "select", "raw.parquet", *WITH_VOCABULARY, *DRAW, "-o", "out")
    return found


WITH_VOCABULARY = ("-t", "target.parquet", "--tokenizer", "tokenizer.json")


def run(folder: Path, *arguments: str) -> str:
    program = "import sys; from dsir.cli.main import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def texts_in(out: Path) -> list[str]:
    return pq.read_table(out / "data")["text"].to_pylist()


def test_token_numbers_and_texts_select_the_same(folder):
    columns = ("--text", "ids", "--text-encoding", "token-ids", "--target-text", "text")
    run(folder, "select", "ids.parquet", *WITH_VOCABULARY, *columns, *DRAW, "-o", "of-ids")
    assert texts_in(folder / "of-ids") == texts_in(folder / "out")
    run(folder, "verify", "of-ids")


def test_the_model_of_a_selection_needs_nothing_else(folder):
    assert "\u0120" in run(folder, "explain", "out", "Ships sail")
    run(folder, "score", "raw.parquet", "--model", "out/_dsir/model.dsir", "-o", "scores", "-q")
    run(folder, "verify", "out")


def test_a_selection_is_the_configuration_of_another(folder):
    options = ("--config", "out/_dsir/selection.json", "-q")
    run(folder, "select", "raw.parquet", "-t", "target.parquet", *options, "-o", "again")
    assert texts_in(folder / "again") == texts_in(folder / "out")


def test_workers_have_the_vocabulary(folder):
    planned = ("--n", "9", "--min-tokens", "1", "-o", "planned", "--workdir", "work")
    run(folder, "plan", "raw.parquet", *WITH_VOCABULARY, *planned)
    run(folder, "work", "work", "-q")
    run(folder, "finish", "work", "-q")
    assert texts_in(folder / "planned") == texts_in(folder / "out")


def test_a_damaged_vocabulary_in_a_plan_is_an_error(folder):
    with pytest.raises(dsir.SettingError, match="vocabulary cannot be read"):
        restore_features({"vocabulary": "AAAA"})
    with pytest.raises(dsir.SettingError, match="vocabulary cannot be read"):
        restore_features({"vocabulary": "?"})


def test_a_configuration_that_needs_a_function_says_so(folder, tmp_path):
    content = json.loads((folder / "out/_dsir/selection.json").read_text())
    content["settings"]["features"] |= {"tokenizer": "kernel", "tokenizer_name": "camel_case"}
    path = tmp_path / "selection.json"
    path.write_text(json.dumps(content))
    command = ["select", "raw.parquet", "-t", "t.parquet", "--config", str(path), "-o", "x"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 2
    assert "give --tokenizer FILE.py:camel_case" in done.stderr


def test_a_model_without_a_vocabulary_is_no_tokenizer(tmp_path):
    dsir.fit(RAW, dsir.texts(RAW[:30])).save(tmp_path / "m.dsir")
    with pytest.raises(dsir.SettingError, match="it has no vocabulary"):
        HashedNgrams(tokenizer=str(tmp_path / "m.dsir"))
    with pytest.raises(dsir.SettingError, match="cannot be read"):
        HashedNgrams(tokenizer=str(tmp_path / "missing.dsir"))


def test_lower_case_can_be_turned_off(tmp_path):
    pq.write_table(pa.table({"text": RAW}), tmp_path / "raw.parquet")
    pq.write_table(pa.table({"text": RAW[:30]}), tmp_path / "target.parquet")
    run(tmp_path, "select", "raw.parquet", "-t", "target.parquet", "--no-lower", *DRAW, "-o", "out")
    settings = json.loads((tmp_path / "out/_dsir/selection.json").read_text())["settings"]
    assert settings["features"]["lower"] is False
    again = ("--config", "out/_dsir/selection.json", "-q", "-o", "again")
    run(tmp_path, "select", "raw.parquet", "-t", "target.parquet", *again)
    other = json.loads((tmp_path / "again/_dsir/selection.json").read_text())["settings"]
    assert other["features"] == settings["features"]
