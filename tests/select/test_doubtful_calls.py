"""Calls that run, but hardly mean what they say, are warned of."""

import json
import shutil
import unicodedata
import warnings

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dsir

TEXTS = [f"a ship number {number} sails out to sea" for number in range(30)]
WANTED = {"sea": ["a ship sails out to sea"] * 5, "law": ["the court heard the judge"] * 5}


@pytest.mark.parametrize("given", [[3, 1], {"sea": "30%", "law": "10%"}, [0.3, 0.1]])
def test_proportions_that_do_not_add_up_to_one(given):
    settings = {"targets": "mixture", "min_tokens": 0, "progress": False}
    with pytest.warns(dsir.DsirWarning, match=r"proportions: add up to .*scaled to 0\.75, 0\.25"):
        scaled = dsir.select(TEXTS, WANTED, n=3, proportions=given, **settings)
    exact = dsir.select(TEXTS, WANTED, n=3, proportions=[0.75, 0.25], **settings)
    assert scaled.rows.tolist() == exact.rows.tolist()


def test_proportions_that_add_up_but_for_rounding_are_no_warning():
    dsir.fit(TEXTS, WANTED, targets="mixture", proportions=[1 / 3, 2 / 3], progress=False)
    dsir.fit(TEXTS, WANTED, targets="separate", proportions=[0.1 + 0.2, 0.7], progress=False)


def test_a_target_that_is_raw_itself(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": TEXTS}), path)
    (tmp_path / "link.parquet").symlink_to(path)
    for target in (path, tmp_path / "link.parquet", [str(path)]):
        with pytest.warns(dsir.DsirWarning, match="target: is the same as raw"):
            dsir.fit(path, target, progress=False)
    for raw, target in ((TEXTS, TEXTS), (TEXTS, list(TEXTS)), (TEXTS, {"x": TEXTS})):
        with pytest.warns(dsir.DsirWarning, match="is the same as raw"):
            dsir.fit(raw, target, progress=False)


def test_a_target_beside_raw_is_no_warning(tmp_path):
    raw, target = tmp_path / "raw", tmp_path / "target"
    raw.mkdir()
    pq.write_table(pa.table({"text": TEXTS}), raw / "a.parquet")
    pq.write_table(pa.table({"text": TEXTS}), raw / "b.parquet")
    shutil.copytree(raw, target)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dsir.fit(raw, target, progress=False)
        dsir.fit(raw, raw / "a.parquet", progress=False)
        dsir.fit(TEXTS, TEXTS[:5], progress=False)
        dsir.select(raw, target, n=2, min_tokens=1, progress=False)


@pytest.mark.parametrize("way", ["path", "link", "list", "one of two"])
def test_a_target_that_is_part_of_raw(tmp_path, way):
    raw, link = tmp_path / "raw", tmp_path / "link.jsonl"
    raw.mkdir()
    for name in "abc":
        lines = [json.dumps({"text": f"{text} {name}"}) + "\n" for text in TEXTS]
        (raw / f"{name}.jsonl").write_text("".join(lines))
    link.symlink_to(raw / "b.jsonl")
    path = raw / "b.jsonl"
    target = {"path": path, "link": link, "list": [path], "one of two": {"x": TEXTS, "y": path}}
    with pytest.warns(dsir.DsirWarning, match=r"file of it is part of raw \(.*; leave them out of"):
        dsir.select(raw, target[way], n=2, min_tokens=1, progress=False)


def test_an_iterator_that_is_used_up():
    texts = iter(TEXTS)
    dsir.fit(texts, WANTED, targets="mixture", progress=False)
    reader = pa.RecordBatchReader.from_batches(pa.schema([("text", pa.string())]), [])
    for used in (texts, reader):
        with pytest.raises(dsir.EmptyCorpusError, match=r"raw: has no rows .* make it again"):
            dsir.select(used, WANTED, n=1, progress=False)
        with pytest.raises(dsir.EmptyCorpusError, match=r"target: has no rows .* make it again"):
            dsir.fit(TEXTS, used, progress=False)


def test_a_target_of_a_few_words(tmp_path, invoke_dsir):
    with pytest.warns(
        dsir.DsirWarning, match=r"target: has only 5 tokens in 2 rows, too few"
    ) as told:
        dsir.fit(TEXTS, ["a ship", "the wide sea"], progress=False)
    assert [warning.filename for warning in told] == [__file__]
    with pytest.warns(dsir.DsirWarning, match=r"target law: has only 2 tokens in 1 row, too few"):
        dsir.fit(TEXTS, {"sea": WANTED["sea"], "law": ["a judge"]}, progress=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dsir.fit(TEXTS, [" ".join(["sea"] * 20)], progress=False)
    raw, target = tmp_path / "raw.jsonl", tmp_path / "target.jsonl"
    raw.write_text("".join(f'{{"text": "{text}"}}\n' for text in TEXTS))
    target.write_text('{"text": "a ship"}\n')
    done = invoke_dsir("fit", raw, "-t", target, "-o", tmp_path / "m.dsir")
    assert done.returncode == 0
    assert "dsir: warning: target: has only 2 tokens in 1 row" in done.stderr


@pytest.mark.parametrize("forms", [("NFD", "NFC"), ("NFC", "NFD")])
def test_accents_in_two_forms(tmp_path, forms, invoke_dsir):
    french = "la règle de l'école et le procès jugé hier où l'évidence a été déjà entendue"
    raw = [unicodedata.normalize(forms[0], french)] * 20 + TEXTS
    target = [unicodedata.normalize(forms[1], french)] * 5
    path, sample = tmp_path / "raw.parquet", tmp_path / "target.parquet"
    pq.write_table(pa.table({"text": raw}), path)
    pq.write_table(pa.table({"text": target}), sample)
    for corpus in (raw, path):
        with pytest.warns(dsir.DsirWarning, match=r"^target: .*\(form NFD\).*normalize='NFC'"):
            dsir.fit(corpus, target, progress=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dsir.fit(path, sample, features=dsir.HashedNgrams(normalize="NFC"), progress=False)
        dsir.fit(path, raw[:20], progress=False)
    done = invoke_dsir("select", path, "-t", sample, "-n", 3, "-o", tmp_path / "out", "--dry-run")
    assert done.returncode == 0
    assert "accents as characters of their own" in done.stderr
    assert "--normalize NFC" in done.stderr


def test_accents_are_not_looked_at_in_columns_of_token_numbers():
    ids = pa.table({"text": pa.array([[1, 2, 3], [4, 5, 6]] * 20)})
    features = dsir.HashedNgrams(tokenizer="ids")
    dsir.fit(ids, ids.slice(1), text_encoding="token-ids", features=features, progress=False)
