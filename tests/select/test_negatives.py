"""negatives: what a classifier tells the target from, in dsir.select and its commands."""

from __future__ import annotations

import json
import shutil

import pytest

import dsir

GIVEN = {"n": 30, "estimator": "classifier", "min_tokens": 5, "progress": False,
         "features": dsir.HashedNgrams(buckets=2000), "method": "top-k"}  # fmt: skip
WORDS = ("--n", 30, "--estimator", "classifier", "--buckets", 2000, "--min-tokens", 5,
         "--method", "top-k")  # fmt: skip


@pytest.fixture(scope="module")
def law(world, tmp_path_factory):
    """Unwanted documents in a file, one of which is no text."""
    texts = [row["text"] for row in world.rows if row["domain"] == "law" and row["text"]]
    path = tmp_path_factory.mktemp("law") / "law.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts[:60]))
    return path


def test_it_is_a_fit_and_a_selection(parquet, target, law):
    model = dsir.fit(parquet, target, negatives=law, estimator="classifier",
                     features=GIVEN["features"], progress=False)  # fmt: skip
    found = dsir.select(parquet, target, negatives=law, **GIVEN)
    assert found.model.fingerprint == model.fingerprint
    given = {name: GIVEN[name] for name in ("n", "min_tokens", "progress", "method")}
    expected = dsir.select(parquet, model=model, **given)
    assert found.rows.tolist() == expected.rows.tolist()
    assert found.log_weights.tobytes() == expected.log_weights.tobytes()
    plain = dsir.select(parquet, target, **GIVEN)
    assert plain.model.fingerprint != found.model.fingerprint


def test_it_goes_on_where_it_stopped_and_is_verified(parquet, target, law, tmp_path, contents):
    out, work = tmp_path / "out", tmp_path / "work"
    dsir.select(parquet, target, negatives=law, out=out, **GIVEN)
    expected = contents(out)
    for _ in range(2):
        dsir.select(
            parquet, target, negatives=law, out=tmp_path / "kept", workdir=work, threads=2, **GIVEN
        )
        assert contents(tmp_path / "kept") == expected
    assert list(work.glob("counts/negatives-*.json"))
    with pytest.raises(dsir.WorkdirError, match="negatives"):
        dsir.select(parquet, target, out=tmp_path / "kept", workdir=work, **GIVEN)
    told = json.loads((out / "_dsir/selection.json").read_text())["inputs"]["negatives"]
    assert [(entry["path"], entry["rows"]) for entry in told] == [(str(law), 60)]
    assert dsir.verify(out).findings == []
    page = dsir.load(out).report(tmp_path / "r.html").read_text()
    assert "Told from" in page
    assert f"--negatives {law}" in page


def test_verify_finds_negatives_that_moved_or_changed(parquet, target, law, tmp_path):
    mine, out = tmp_path / "mine.jsonl", tmp_path / "out"
    shutil.copy2(law, mine)
    dsir.select(parquet, target, negatives=mine, out=out, **GIVEN)
    moved = mine.rename(tmp_path / "moved.jsonl")
    assert not dsir.verify(out).stands
    assert dsir.verify(out, negatives=moved).findings == []
    moved.write_text(moved.read_text().replace("court", "tribunal"))
    assert any("negatives" in str(one) for one in dsir.verify(out, negatives=moved).findings)
    other = tmp_path / "other"
    dsir.select(parquet, target, out=other, **GIVEN)
    with pytest.raises(dsir.SettingError, match="selected without any"):
        dsir.verify(other, negatives=moved)
    assert "negatives" in str(dsir.diff(out, other).describe())


def test_rows_that_cannot_be_read_are_rejects(parquet, target, law, tmp_path):
    bad = tmp_path / "bad.jsonl"
    bad.write_text(law.read_text() + '{"text": 5}\n')
    out = tmp_path / "out"
    found = dsir.select(parquet, target, negatives=bad, out=out, on_error="skip", **GIVEN)
    assert [(one.path, one.row) for one in found.skipped] == [(str(bad), 60)]
    with pytest.raises(dsir.RowError, match="row 60"):
        dsir.select(parquet, target, negatives=bad, **GIVEN)


def test_the_commands(parquet, target, law, tmp_path, invoke_dsir, contents):
    call = [*parquet, "-t", target, "--negatives", law, *WORDS]
    assert invoke_dsir("select", *call, "-o", tmp_path / "x", "--dry-run").returncode == 0
    done = invoke_dsir("select", *call, "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    dsir.select(parquet, target, negatives=law, out=tmp_path / "python", **GIVEN)
    assert contents(tmp_path / "out") == contents(tmp_path / "python")
    planned = invoke_dsir("plan", *call, "-o", "workers", "--workdir", "work", "-q", cwd=tmp_path)
    assert planned.returncode == 0, planned.stderr
    for command in ("work", "finish"):
        done = invoke_dsir(command, "work", "-q", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "workers") == contents(tmp_path / "out")
    done = invoke_dsir("verify", "out", "--negatives", law, cwd=tmp_path)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--n", 3), '--negatives: are for --estimator classifier, not "ratio"'),
        (("--n", 3, "--model", "m.dsir"), "both are given"),
        ((*WORDS, "--negatives", "-"), "-: is standard input, and negatives are files"),
        ((*WORDS, "--negatives", "none.jsonl"), "none.jsonl"),
    ],
)
def test_calls_that_are_refused(words, said, parquet, target, law, tmp_path, invoke_dsir):
    call = ["select", *parquet, "-t", target, "--negatives", law, "-o", tmp_path / "out"]
    for more in ([], ["--dry-run"]):
        done = invoke_dsir(*call, *words, *more)
        assert done.returncode in (1, 2)
        assert said in done.stderr.replace("'classifier'", "classifier")


def test_a_model_has_its_negatives(parquet, target, law):
    with pytest.raises(dsir.SettingError, match="negatives: the model is fitted already"):
        dsir.select(parquet, negatives=law, model="m", n=3)
