"""Models of token numbers: they take columns of numbers, and no texts; others take no numbers.

The core takes four bytes of a text for a number, so texts were scored, or skipped as if they were
damaged.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dsir

pytestmark = pytest.mark.filterwarnings("ignore::dsir.DsirWarning")  # Of small targets.

IDS = dsir.HashedNgrams(tokenizer="ids", buckets=100)
WORDS = dsir.HashedNgrams(buckets=100)
NUMBERS = {"text": "ids", "text_encoding": "token-ids"}
CALL = {"n": 9, "min_tokens": 1, "progress": False}


def table_of(first: int, count: int) -> pa.Table:
    """A row has numbers, and a text whose bytes could be numbers."""
    numbers = [[(first + i * j) % 50 for j in range(1, 30)] for i in range(count)]
    return pa.table({"ids": numbers, "text": [" ".join(map("{:03}".format, n)) for n in numbers]})


@pytest.fixture
def files(tmp_path):
    pq.write_table(table_of(0, 60), tmp_path / "raw.parquet")
    pq.write_table(table_of(7, 9), tmp_path / "target.parquet")
    return tmp_path / "raw.parquet", tmp_path / "target.parquet"


@pytest.fixture
def models(files):
    """A model of token numbers, and one of words."""
    return (
        dsir.fit(*files, features=IDS, progress=False, **NUMBERS),
        dsir.fit(*files, features=WORDS, progress=False),
    )


def test_a_fitted_model_selects_from_token_numbers(files, models, tmp_path):
    raw, target = files
    direct = dsir.select(raw, target, features=IDS, **NUMBERS, **CALL)
    chosen = dsir.select(raw, model=models[0], out=tmp_path / "out", **NUMBERS, **CALL)
    assert chosen.rows.tolist() == direct.rows.tolist()
    verified = dsir.verify(tmp_path / "out")
    assert verified.stands, verified.findings
    assert chosen.report(tmp_path / "page.html").is_file()


OTHER_KIND = {
    "select": lambda raw, model, **given: dsir.select(raw, model=model, **CALL, **given),
    "score": lambda raw, model, **given: model.score(raw, **given),
    "score several": lambda raw, model, **given: dsir.score(raw, [model], **given),
    "counts": lambda raw, model, **given: model.features.counts(raw, **given),
    "closeness": lambda raw, model, **given: dsir.kl_reduction(
        raw, raw, raw, features=model.features, **given
    ),
    "fit": lambda raw, model, **given: dsir.fit(
        raw, raw, features=model.features, progress=False, **given
    ),
}


@pytest.mark.parametrize("call", OTHER_KIND)
def test_texts_are_not_taken_for_numbers(call, files, models):
    with pytest.raises(dsir.SettingError, match=r"ids.*token numbers.*text_encoding='token-ids'"):
        OTHER_KIND[call](files[0], models[0])


@pytest.mark.parametrize("call", OTHER_KIND)
def test_numbers_are_not_taken_for_texts(call, files, models):
    with pytest.raises(dsir.SettingError, match=r"text_encoding='token-ids'.*not .*"):
        OTHER_KIND[call](files[0], models[1], **NUMBERS)


def test_skipping_bad_rows_does_not_hide_that_these_are_texts(files, models):
    with pytest.raises(dsir.SettingError, match="token numbers"):
        dsir.select(files[0], model=models[0], on_error="skip", **CALL)


def test_commands_check_the_model_s_tokenizer(files, models, tmp_path, invoke_dsir):
    models[0].save(tmp_path / "m.dsir")
    for command in (
        ("score", files[0], "-m", "m.dsir", "-o", "scores"),
        ("select", files[0], "--model", "m.dsir", "-n", 9, "-o", "out", "--dry-run"),
    ):
        done = invoke_dsir(*command, cwd=tmp_path)
        assert done.returncode == 2
        assert "--text-encoding token-ids" in done.stderr
        numbers = ("--text", "ids", "--text-encoding", "token-ids")
        done = invoke_dsir(*command, *numbers, cwd=tmp_path)
        assert done.returncode == 0, done.stderr


def test_a_model_of_another_tokenizer_than_the_core_s_cuts_no_windows(files):
    model = dsir.fit(*files, features=dsir.HashedNgrams(tokenizer=str.split), progress=False)
    with pytest.raises(dsir.SettingError, match=r"chunk_tokens: windows are cut by tokenizers of"):
        dsir.select(files[0], model=model, chunk_tokens=5, **CALL)


@pytest.mark.parametrize("explain", ["row", "command", "all"])
def test_why_token_numbers_cannot_be_explained(explain, files, tmp_path, invoke_dsir):
    out = tmp_path / "out"
    selection = dsir.select(*files, features=IDS, out=out, **NUMBERS, **CALL)
    if explain == "row":
        with pytest.raises(dsir.SettingError, match="n-grams have no names; only selections of"):
            selection.explain(0)
        return
    done = invoke_dsir("explain", out, *(["--all"] if explain == "all" else ["--row", 0]))
    assert done.returncode == 2
    assert "n-grams have no names" in done.stderr
