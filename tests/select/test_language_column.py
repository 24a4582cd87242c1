"""language_column: the language of each document, by a model of fastText, as a column of raw."""

from __future__ import annotations

import gzip
import json
import pickle
import random

import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest

import dsir
from dsir.model.language_column import LanguageColumn, LanguageShard

fasttext = pytest.importorskip("fasttext", reason="needs the wheel of fastText")
fasttext.FastText.eprint = lambda *_: None

pytestmark = pytest.mark.filterwarnings("ignore::dsir.DsirWarning")  # Of small targets.

WORDS = {
    "en": ["the", "ship", "sails", "over", "the", "sea", "and", "the", "wind", "is", "strong"],
    "de": ["das", "schiff", "segelt", "über", "das", "meer", "und", "der", "wind", "ist", "stark"],
    "fr": ["le", "navire", "vogue", "sur", "la", "mer", "et", "le", "vent", "est", "fort"],
}


def document(language: str, seed: int) -> str:
    draw = random.Random(seed)
    return " ".join(draw.choice(WORDS[language]) for _ in range(30))


LANGUAGES = [list(WORDS)[i * i % 7 % 3] for i in range(90)]
TEXTS = [document(language, i) for i, language in enumerate(LANGUAGES)]
TARGET = dsir.texts([document(language, 1000 + i) for i in range(4) for language in WORDS])
SETTINGS = {"min_tokens": 1, "progress": False, "language_column": "lang"}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lid")
    lines = [f"__label__{name} {document(name, i)}" for i in range(100) for name in WORDS]
    (folder / "train.txt").write_text("\n".join(lines), encoding="utf-8")
    trained = fasttext.train_supervised(
        str(folder / "train.txt"), epoch=20, lr=1.0, dim=8, thread=1, verbose=0
    )
    trained.save_model(str(folder / "lid.ftz"))
    return folder / "lid.ftz"


@pytest.fixture(params=["parquet", "jsonl", "jsonl.gz", "arrow"])
def corpus(request, tmp_path):
    """Two files of each format, with ids."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    for part in range(2):
        rows = range(part * 45, part * 45 + 45)
        table = pa.table({"id": list(rows), "text": [TEXTS[row] for row in rows]})
        path = folder / f"part-{part}.{request.param}"
        if request.param == "parquet":
            pq.write_table(table, path, row_group_size=10)
        elif request.param == "arrow":
            with pa.ipc.new_file(path, table.schema) as writer:
                writer.write_table(table)
        else:
            lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in table.to_pylist())
            data = lines.encode()
            path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return folder


def rows_of(out) -> list[dict]:
    found = []
    for path in sorted((out / "data").iterdir()):
        if path.suffix == ".parquet":
            found += pq.read_table(path).to_pylist()
        elif path.suffix == ".arrow":
            with pa.ipc.open_file(path) as reader:
                found += reader.read_all().to_pylist()
        else:
            with pa.input_stream(str(path), compression="detect") as file:
                found += [json.loads(line) for line in file.read().splitlines()]
    return found


def test_quotas_by_language_in_every_format(corpus, model, tmp_path):
    out = tmp_path / "out"
    chosen = dsir.select(
        corpus, TARGET, n=5, group_by="lang", language_model=model, out=out, **SETTINGS
    )
    rows = rows_of(out)
    assert len(rows) == 15
    assert all(row["lang"] == LANGUAGES[row["id"]] for row in rows)
    assert {name: [row["lang"] for row in rows].count(name) for name in WORDS} == dict.fromkeys(
        WORDS, 5
    )
    assert not dsir.verify(out, target=TARGET).findings
    assert dsir.load(out).rows.tolist() == chosen.rows.tolist()
    assert "lang" in (out / "_dsir/selection.json").read_text()
    chosen.report(tmp_path / "report.html")
    assert "lang" in (tmp_path / "report.html").read_text()


def test_selections_with_a_fitted_model_are_verified(corpus, model, tmp_path, invoke_dsir):
    fitted = dsir.fit(corpus, TARGET, progress=False)
    given = {**SETTINGS, "language_model": model, "max_per": {"lang": "40%"}}
    dsir.select(corpus, model=fitted, n=20, out=tmp_path / "out", **given)
    fitted.save(tmp_path / "m.dsir")
    languages = ("--language-column", "lang", "--language-model", model, "--groups", "lang")
    for command in (
        ("score", corpus, "-m", "m.dsir", *languages, "-o", "scores"),
        ("sample", "scores", "-n", 20, "--min-tokens", 1, "--max-per", "lang=40%", "-o", "rows"),
        ("write", "rows", "-m", "m.dsir", "-o", "written"),
    ):
        done = invoke_dsir(*command, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert rows_of(tmp_path / "written") == rows_of(tmp_path / "out")
    for name in ("out", "written"):
        assert not dsir.verify(tmp_path / name).findings


def test_in_memory_and_from_files_and_with_threads(corpus, model, tmp_path):
    given = {**SETTINGS, "max_per": {"lang": "40%"}, "n": 20, "language_model": str(model)}
    one = dsir.select(corpus, TARGET, **given)
    two = dsir.select(corpus, TARGET, threads=2, workdir=tmp_path / "w", **given)
    memory = dsir.select(pa.table({"id": range(90), "text": TEXTS}), TARGET, **given)
    assert one.rows.tolist() == two.rows.tolist() == memory.rows.tolist()
    assert memory.table["lang"].to_pylist() == [LANGUAGES[row] for row in memory.rows]
    assert max(np.unique(memory.table["lang"], return_counts=True)[1]) <= 8


def test_windows_have_the_language_of_their_document(corpus, model, tmp_path):
    out = tmp_path / "out"
    given = {**SETTINGS, "chunk_tokens": 10, "language_model": model, "group_by": "lang"}
    dsir.select(corpus, TARGET, n=7, out=out, **given)
    rows = rows_of(out)
    assert len(rows) == 21
    assert all(row["lang"] == LANGUAGES[row["id"]] for row in rows)
    assert not dsir.verify(out, target=TARGET).findings


def test_the_column_of_a_run_without_quotas_is_written_as_well(corpus, model, tmp_path):
    dsir.select(corpus, TARGET, n=9, out=tmp_path / "out", language_model=model, **SETTINGS)
    assert all(row["lang"] == LANGUAGES[row["id"]] for row in rows_of(tmp_path / "out"))


def test_the_stages_and_the_workers(invoke_dsir, corpus, model, tmp_path):
    pq.write_table(pa.table({"text": [*TARGET]}), tmp_path / "target.parquet")
    language = ["--language-column", "lang", "--language-model", str(model)]
    quota = ["--group-by", "lang", "--n", "4", "--min-tokens", "1"]
    raw, target = str(corpus), ["-t", str(tmp_path / "target.parquet")]
    out, planned = tmp_path / "out", tmp_path / "planned"
    for call in (
        ["select", raw, *target, "-o", str(out), *quota, *language],
        ["select", raw, *target, "-o", str(tmp_path / "x"), *quota, *language, "--dry-run"],
        ["plan", raw, *target, "-o", str(planned), *quota, *language,
         "--workdir", str(tmp_path / "w")],
        ["work", str(tmp_path / "w")],
        ["finish", str(tmp_path / "w")],
        ["fit", raw, *target, "-o", str(tmp_path / "m.dsir")],
        ["score", raw, "-m", str(tmp_path / "m.dsir"), "-o", str(tmp_path / "s"), *language,
         "--groups", "lang"],
        ["sample", str(tmp_path / "s"), "-o", str(tmp_path / "r"), *quota],
        ["write", str(tmp_path / "r"), "-m", str(tmp_path / "m.dsir"),
         "-o", str(tmp_path / "written")],
    ):  # fmt: skip
        done = invoke_dsir(*call)
        assert done.returncode == 0, (call, done.stdout, done.stderr)
    expected = rows_of(out)
    assert len(expected) == 12
    assert rows_of(planned) == expected
    assert [row["id"] for row in rows_of(tmp_path / "written")] == [row["id"] for row in expected]
    assert all(row["lang"] == LANGUAGES[row["id"]] for row in rows_of(tmp_path / "written"))


def test_lexrank_ranks_each_language_by_itself(invoke_dsir, corpus, model, tmp_path):
    language = ["--language-column", "lang", "--language-model", str(model)]
    out = tmp_path / "ranked"
    done = invoke_dsir(
        "lexrank", str(corpus), "-o", str(out), "--group-by", "lang", "--top", "3", *language
    )
    if "--score-in-lines" in done.stderr:
        done = invoke_dsir(
            "lexrank", str(corpus), "-o", str(out), "--group-by", "lang", "--top", "3", *language,
            "--score-in-lines",
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = rows_of(out)
    assert len(rows) == 9
    assert all(row["lang"] == LANGUAGES[row["id"]] for row in rows)


def test_labels_do_not_depend_on_the_layout_and_null_has_none(model):
    raw = pa.table({"text": [None, *TEXTS[:20]], "id": range(21)})
    column = LanguageColumn.of("lang", str(model))
    assert column.values(raw["text"].combine_chunks(), 1).to_pylist() == [
        None, *LANGUAGES[:20],
    ]  # fmt: skip
    for array in (
        pa.array(TEXTS).cast(pa.string_view()),
        pa.array(TEXTS).dictionary_encode(),
        pa.array(TEXTS, pa.large_string()),
    ):
        assert column.values(array, 2).to_pylist() == LANGUAGES


def test_a_column_of_this_name_is_refused(corpus, model, tmp_path):
    given = {**SETTINGS, "language_column": "id", "language_model": model}
    with pytest.raises(dsir.DsirError, match=r"'id' already.*language_column='id_2'"):
        dsir.select(corpus, TARGET, n=5, out=tmp_path / "out", **given)
    with pytest.raises(dsir.DsirError, match="already"):
        dsir.select(pa.table({"text": TEXTS, "id": range(90)}), TARGET, n=5, **given)


def test_another_model_is_another_input(model, tmp_path):
    pq.write_table(pa.table({"text": TEXTS}), tmp_path / "raw.parquet")
    own = tmp_path / "lid.ftz"
    own.write_bytes(model.read_bytes())
    given = {**SETTINGS, "n": 5, "group_by": "lang", "language_model": own}
    out = tmp_path / "out"
    first = dsir.select(tmp_path / "raw.parquet", TARGET, workdir=tmp_path / "w", **given)
    again = dsir.select(tmp_path / "raw.parquet", TARGET, workdir=tmp_path / "w", out=out, **given)
    assert first.rows.tolist() == again.rows.tolist()
    shard = pickle.loads(
        pickle.dumps(LanguageShard(dsir.corpus.resolve(tmp_path / "raw.parquet").shards[0],
                                   LanguageColumn.of("lang", str(own))))
    )  # fmt: skip
    (batch,) = shard.text_batches(on_error="raise", groups=["lang"])
    assert [batch.groups[0].names[code] for code in batch.groups[0].codes] == [
        json.dumps(one) for one in LANGUAGES
    ]
    lines = (tmp_path / "train.txt").open("w", encoding="utf-8")
    with lines:
        lines.writelines(f"__label__x{i % 2} {document('en', i)}\n" for i in range(50))
    fasttext.train_supervised(
        str(tmp_path / "train.txt"), epoch=1, dim=4, thread=1, verbose=0
    ).save_model(str(own))
    with pytest.raises(dsir.WorkdirError, match=r"run: /.*/lid\.ftz has changed since; give"):
        dsir.select(tmp_path / "raw.parquet", TARGET, workdir=tmp_path / "w", **given)
    assert "language_digest" in str(dsir.verify(out, target=TARGET).findings)
    with pytest.raises(dsir.ShardError, match="changed since"):
        list(shard.text_batches(on_error="raise", groups=["lang"]))
    own.unlink()
    assert "lid.ftz" in str(dsir.verify(out, target=TARGET).findings)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"language_column": "lang"}, "language_column: needs language_model"),
        ({"language_model": "lid.ftz"}, "language_model: needs language_column"),
        ({"language_column": "", "language_model": "x"}, "language_column="),
        ({"language_column": "lang", "language_model": 5}, "language_model=5"),
        ({"language_column": "lang", "language_model": "/nowhere/lid.ftz"}, "cannot be read"),
    ],
)
def test_what_is_no_language_column(given, says):
    with pytest.raises(dsir.DsirError, match=says):
        dsir.select(dsir.texts(TEXTS), TARGET, n=5, min_tokens=1, progress=False, **given)


def test_token_numbers_have_no_language(model):
    raw = pa.table({"ids": [[1, 2, 3]] * 5})
    with pytest.raises(dsir.SettingError, match="language_model: needs texts"):
        dsir.select(
            raw, raw, n=1, text="ids", text_encoding="token-ids", language_model=model,
            features=dsir.HashedNgrams(tokenizer="ids"), **SETTINGS,
        )  # fmt: skip
