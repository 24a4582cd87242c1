"""Strings are locations or texts, all of them; a model is never trained on the names of files."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dsir
from dsir.corpus import names_or_texts, resolve
from dsir.errors import SettingError, ShardError


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """Three files in want/, seen from the folder that holds it."""
    (tmp_path / "want").mkdir()
    for name in ("a.jsonl", "b.jsonl", "c d.jsonl"):
        line = json.dumps({"text": f"text of {name}"})
        (tmp_path / "want" / name).write_text(line + "\n")
    (tmp_path / "notes.txt").write_text("a text")
    monkeypatch.chdir(tmp_path)
    return tmp_path


NAMES = ["want/a.jsonl", "want/b.jsonl", "want/c d.jsonl"]


def texts_of(source) -> list[str | None]:
    return [
        text
        for shard in resolve(source, name="target").shards
        for batch in shard.text_batches(on_error="raise")
        for text in batch.text.to_pylist()
    ]


FROM_FILES = ["text of a.jsonl", "text of b.jsonl", "text of c d.jsonl"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: NAMES,
        lambda: tuple(NAMES),
        lambda: (name for name in NAMES),
        lambda: map(str, sorted(Path("want").glob("*"))),
        lambda: sorted(Path("want").iterdir()),
        lambda: (path for path in sorted(Path("want").iterdir())),
        lambda: sorted(os.scandir("want"), key=lambda entry: entry.name),
        lambda: dict(enumerate(NAMES)).values(),
        lambda: dict.fromkeys(NAMES).keys(),
        lambda: reversed([*reversed(NAMES)]),
        lambda: itertools.chain(NAMES[:1], NAMES[1:]),
        lambda: filter(None, NAMES),
        lambda: np.array(NAMES),
        lambda: np.array(NAMES, dtype=object),
        lambda: Path("want/*.jsonl"),
        lambda: "want/*.jsonl",
        lambda: ["want/*.jsonl"],
        lambda: ["want"],
        lambda: dsir.files(NAMES),
        lambda: dsir.files(name for name in NAMES),
        lambda: dsir.files(map(Path, NAMES)),
    ],
)
def test_names_of_files_are_read_as_files(folder, make):
    assert texts_of(make()) == FROM_FILES


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: pa.array(NAMES), r"an element names a file \('want/a.jsonl'\); .*dsir.files"),
        (lambda: pd.Series(NAMES), "an element names a file"),
        (lambda: pl.Series(NAMES), "an element names a file"),
        (lambda: pa.array(NAMES).dictionary_encode(), "an element names a file"),
        (lambda: [name + "\n" for name in NAMES], "looks like the name of a file"),
        (lambda: ["gone/a.parquet", "gone/b.parquet"], "there is none of that name"),
        (lambda: ["a.jsonl.zstd"], "there is none of that name"),
        (lambda: ["part-0.csv", "part-1.csv"], "there is none of that name"),
        (lambda: ["no/such/a", "no/such/b"], "there is none of that name"),
        (lambda: (f"gone/{i}.parquet" for i in range(3)), "there is none of that name"),
        (lambda: np.array(["gone/a.parquet"]), "there is none of that name"),
        (lambda: ["want/e f.jsonl"], "there is none of that name"),
        (lambda: [*NAMES, "and a text"], "element 0 names a file .* element 3 does not"),
        (lambda: ["and a text", *NAMES], "element 1 names a file .* element 0 does not"),
        (lambda: ["some words", "https://example.org/a.parquet"], "element 1 names a file"),
        (lambda: ["some words", "package.json"], "element 1 looks like the name"),
        (lambda: [*NAMES, None], "names a file"),
        (lambda: dsir.files("want/a.jsonl"), "put it in a list"),
        (lambda: dsir.files([1]), "element 0 is int"),
        (lambda: dsir.texts("a text"), "put it in a list"),
        (lambda: dsir.texts(["a", 1]), "element 1 is int"),
    ],
)
def test_what_is_unclear_is_refused_with_the_way_out(folder, make, message):
    with pytest.raises(SettingError, match=message):
        resolve(make(), name="target")


@pytest.mark.parametrize(
    "texts",
    [
        ["Update package.json", "Fix the path in tsconfig.json", "Bump setup.json to 2"],
        ["see src/a/b for more", "n/a", "TCP/IP", "and/or"],
        ["a", "b", ""],
        [".", "..", "a sentence", "~", "/", "..."],
        ["What is https://example.org for?", "x"],
        [None, "a text", None],
        ["x" * 5000, "a\nb.jsonl", "tab\tand.parquet end"],
        ["~nobody/x and more", "[a] *b* ?"],
    ],
)
def test_texts_are_texts(folder, texts):
    assert texts_of(texts) == texts
    assert texts_of(text for text in texts) == texts
    assert texts_of(pa.array(texts)) == texts
    assert texts_of(dsir.texts(texts)) == texts


def test_texts_by_name_whatever_they_look_like(folder):
    assert texts_of(dsir.texts(NAMES)) == NAMES
    assert texts_of(dsir.texts(["https://a.b/c"])) == ["https://a.b/c"]


def test_files_by_name_whatever_they_look_like(folder):
    (folder / "two words.jsonl").write_text('{"text": "x"}\n')
    assert texts_of(dsir.files(["two words.jsonl"])) == ["x"]
    with pytest.raises(ShardError, match="no such file or folder"):
        resolve(dsir.files(["two words"]))


@given(st.lists(st.text(min_size=1), min_size=1, max_size=5))
def test_any_strings_are_read_or_refused(strings):
    """Never another error; and strings that say that they are texts are always taken."""
    try:
        assert texts_of(strings) == strings
    except SettingError:
        pass
    except ShardError:
        assert any("/" in one or "." in one for one in strings)
    sound = [one.encode("utf-8", "replace").decode() for one in strings]
    assert texts_of(dsir.texts(sound)) == sound


def test_a_model_is_explained_by_its_text_alone(folder, invoke_dsir):
    """A text that is the name of a file is a text."""
    model = dsir.fit(dsir.texts(["a b c"] * 3), dsir.texts(["a"] * 20), progress=False)
    model.save("m.dsir")
    done = invoke_dsir("explain", "m.dsir", "want/a.jsonl", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "jsonl" in done.stdout
    by_file = invoke_dsir("explain", "m.dsir", "--file", "want/a.jsonl", "--json", cwd=folder)
    assert '"text of a' not in done.stdout
    assert "of" in [row["ngram"] for row in json.loads(by_file.stdout)["ngrams"]]
    both = invoke_dsir("explain", "m.dsir", "x", "--file", "want/a.jsonl", cwd=folder)
    assert (both.returncode, "not both" in both.stderr) == (2, True)


def test_a_text_in_place_of_a_list_of_texts_is_told_so(tmp_path):
    text = "Oil prices rose on Monday, they said."
    model = dsir.fit(["oil and prices"] * 9, ["oil and the prices of the day"] * 40, progress=False)
    hint = r"no such file or folder; for a text give a list: \[text\] or dsir.texts\(\[text\]\)"
    for call in (
        lambda: model.score(text),
        lambda: dsir.select(["oil and prices"] * 9, text, n=1, progress=False),
        lambda: dsir.kl_reduction(text, ["oil"], ["oil"]),
    ):
        with pytest.raises(dsir.InputError, match=hint):
            call()
    for path in ("corpora/none", dsir.files([text]), tmp_path / "a b"):
        with pytest.raises(dsir.InputError, match=r"no such file or folder$"):
            model.score(path)


def test_the_disk_is_not_asked_about_sentences(folder, monkeypatch):
    """The first sentence is too long for a file name, and so is the last folder before a name."""
    sentence = "It is said of a ship that it goes where the wind goes. "
    texts = [sentence * 5 + "and/or not", "ship/b " * 2 + sentence * 5, "a ship"]
    asked = []
    stat = os.stat
    monkeypatch.setattr(os, "stat", lambda path, **how: asked.append(path) or stat(path, **how))
    assert texts_of(texts) == texts
    assert [path for path in asked if "ship" in str(path)] == ["a ship"]


def test_names_with_a_line_end(folder, monkeypatch):
    """Such a name is a file that is there, and otherwise a text."""
    name = "new\nline.jsonl"
    assert texts_of([name]) == [name]
    Path(name).write_text('{"text": "of a file"}\n')
    assert texts_of([name]) == ["of a file"]
    with pytest.raises(SettingError, match=r"element 1 names a file .* element 0 does not"):
        resolve(["a ship\nat sea", name], name="target")
    # Only what ends as files do is looked for.
    monkeypatch.setattr(names_or_texts, "exists", lambda name: pytest.fail(name))
    for text in ("a ship\nat sea.", "a\nship.\n" * 9, "one\nship and line.jsonl of it"):
        assert texts_of([text, text]) == [text, text]


def test_a_long_name_in_a_folder_that_is_there_is_a_name(folder):
    with pytest.raises(SettingError, match="looks like the name of a file"):
        resolve(["want/" + "long name " * 30 + ".jsonl"], name="target")
    texts = ["wanted/" + "long name " * 30 + ".jsonl", "want/" + "long name " * 30]
    assert texts_of(texts) == texts


def test_elements_of_other_types_are_named_by_their_position():
    many = ["text"] * 70_000
    with pytest.raises(SettingError, match="element 70000 is int"):
        resolve([*many, 3], name="target")
    with pytest.raises(SettingError, match="element 70001 holds half a surrogate pair"):
        resolve([*many, None, "\ud800"], name="target")
    assert texts_of([np.str_("a"), None, "b"]) == ["a", None, "b"]
