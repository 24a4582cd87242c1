"""Rows that share n-grams with given texts are left out, counted and listed."""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from contaminated_documents import CONTAMINATED, shared

import dsir
from dsir.model.decontamination import Decontamination
from dsir.model.row_filters import REASONS, RowFilters
from dsir.model.together import Together
from dsir.settings.plan import Plan

sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))

from process_engine import ProcessEngine

GIVEN = {"n": 60, "min_tokens": 1, "method": "top-k", "progress": False}


@pytest.fixture
def files(corpus, tmp_path):
    documents, texts = corpus
    write(tmp_path / "raw/a.jsonl", documents[:90])
    write(tmp_path / "raw/b.jsonl", documents[90:])
    write(tmp_path / "benchmarks/one.jsonl", texts[:5])
    write(tmp_path / "benchmarks/two.jsonl", texts[5:])
    write(tmp_path / "target.jsonl", documents[:30])
    return tmp_path


def write(path, texts, column="text"):
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps({column: text}) + "\n" for text in texts))


def select(files, **given):
    out = given.pop("out", files / "out")
    return dsir.select(
        files / "raw",
        files / "target.jsonl",
        out=out,
        **{**GIVEN, "n": 196, "decontaminate": str(files / "benchmarks/*.jsonl"), **given},
    )


def listed(out):
    path = out / "_dsir/contaminated.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_contaminated_rows_are_left_out_counted_and_listed(files, corpus):
    found = select(files)
    assert set(range(200)) - set(found.rows.tolist()) == set(CONTAMINATED)
    rows = found.metrics.rows
    assert rows.passed_over.filtered == {"contaminated": 4}
    assert rows.selected + rows.passed_over.not_drawn + 4 == rows.read
    documents, texts = corpus
    expected = shared(documents, texts, 13)
    lines = listed(files / "out")
    assert len(lines) == 4
    for line, row in zip(lines, CONTAMINATED, strict=True):
        ngrams_, text = expected[row]
        assert line["shard"].endswith("a.jsonl" if row < 90 else "b.jsonl")
        assert (line["row"], line["start"]) == (row if row < 90 else row - 90, None)
        assert line["ngrams"] == ngrams_
        assert line["text_file"].endswith("one.jsonl" if text < 5 else "two.jsonl")
        assert line["text_row"] == (text if text < 5 else text - 5)
    assert dsir.verify(files / "out").stands
    assert "contaminated" in found.metrics.describe()["rows"]["passed_over"]["filtered"]


def test_texts_in_memory_give_the_same_rows(files, corpus):
    documents, texts = corpus
    found = select(files)
    in_memory = dsir.select(
        documents, documents[:30], **{**GIVEN, "n": 196}, decontaminate=dsir.texts(texts)
    )
    assert sorted(in_memory.rows) == sorted(found.rows)
    assert in_memory.metrics.rows.passed_over.filtered == {"contaminated": 4}


@pytest.mark.parametrize(
    ("settings", "rows"),
    [
        ({"decontaminate_ngram": 12}, [*CONTAMINATED, 120]),
        ({"decontaminate_ngram": 15}, [40, 41]),
        ({"decontaminate_hits": 2}, [40, 41, 199]),
        ({"decontaminate_hits": "18"}, [41]),
    ],
)
def test_the_length_and_the_number_of_ngrams_are_settings(files, settings, rows):
    found = select(files, **settings, n=195)
    assert sorted({*range(200)} & {*rows}) == sorted(rows)
    assert found.metrics.rows.passed_over.filtered == {"contaminated": len(rows)}
    assert not {*rows} & {*found.rows.tolist()}


@pytest.mark.filterwarnings("ignore:target. the classifier:dsir.DsirWarning")
@pytest.mark.parametrize("estimator", ["ratio", "relevance", "classifier"])
def test_every_estimator_compares(files, estimator):
    found = select(files, estimator=estimator, method="top-k", n=190)
    assert found.metrics.rows.passed_over.filtered == {"contaminated": 4}


def test_methods_and_windows(files):
    covered = select(files, method="coverage", n=150, out=files / "covered")
    assert not {*CONTAMINATED} & {*covered.rows.tolist()}
    cut = select(files, chunk_tokens=40, n=10, out=files / "windows")
    lines = listed(files / "windows")
    assert cut.metrics.rows.passed_over.filtered == {"contaminated": len(lines)}
    assert {line["start"] for line in lines} != {None}
    assert {line["row"] for line in lines if line["shard"].endswith("a.jsonl")} <= {3, 40, 41}


def test_other_filters_do_not_change_how_many_are_contaminated(files):
    found = select(files, filters="min_words=60", n=20, dedup="exact")
    filtered = found.metrics.rows.passed_over.filtered
    assert filtered["contaminated"] == 4
    assert filtered["min_words"] > 0
    rows = found.metrics.rows
    assert rows.selected + rows.passed_over.not_drawn + sum(filtered.values()) == rows.read


def test_the_same_bytes_for_threads_engines_and_a_restart(files, contents):
    select(files, threads=1)
    expected = contents(files / "out")
    assert "_dsir/contaminated.jsonl" in {str(Path(name)) for name in expected}
    select(files, threads=3, out=files / "threads", memory="1GB")
    with ProcessEngine(2) as engine:
        select(files, engine=engine, out=files / "engine")
    for name in ("threads", "engine"):
        assert contents(files / name) == expected
    select(files, workdir=files / "work", out=files / "first")
    before = marks(files / "work")
    select(files, workdir=files / "work", out=files / "again")
    assert contents(files / "first") == contents(files / "again") == expected
    assert marks(files / "work")["scores"] == before["scores"]


def marks(work):
    return {
        stage: sorted(
            (path.name, path.stat().st_mtime_ns)
            for path in (work / stage).glob("*.json")
            if path.name != "manifest.json"
        )
        for stage in ("counts", "scores")
    }


def test_a_changed_text_repeats_the_scores_and_not_the_counts(files):
    work = files / "work"
    select(files, workdir=work, out=files / "first")
    before = marks(work)
    write(files / "benchmarks/two.jsonl", ["word1 " * 20])
    select(files, workdir=work, out=files / "second")
    after = marks(work)
    assert after["counts"] == before["counts"]
    assert after["scores"] != before["scores"]
    assert len(listed(files / "second")) == 2


def test_verify_wants_the_texts_that_were_used(files):
    out = files / "out"
    select(files)
    moved = files / "moved"
    (files / "benchmarks").rename(moved)
    assert not dsir.verify(out).stands
    assert dsir.verify(out, decontaminate=str(moved)).stands
    write(moved / "one.jsonl", ["something else"] * 5)
    found = dsir.verify(out, decontaminate=str(moved))
    assert "not the texts that were used" in found.findings[-1].message


def test_a_plan_is_read_back(files):
    given_ = {"n": 5, "decontaminate": str(files / "benchmarks"), "decontaminate_ngram": 8}
    plan = Plan.of(given_, ())
    assert Plan.from_json(json.loads(json.dumps(plan.describe()))) == plan
    assert "decontaminate" not in Plan.of({"n": 5}, ()).describe()
    texts = plan.documents.decontaminate
    assert pickle.loads(pickle.dumps(texts)) == texts


def test_models_side_by_side_compare_as_well(corpus):
    documents, texts = corpus
    models = [dsir.fit(documents, documents[:30], progress=False)]
    together = Together(models, dsir.HashedNgrams())
    filters = RowFilters(decontamination=Decontamination.of(dsir.texts(texts)))
    for model in (*models, together):
        scored, judged = filters.score(model, pa.array(documents))
        assert np.flatnonzero(judged.reason).tolist() == CONTAMINATED
        assert set(judged.reason.tolist()) == {0, 1 + REASONS.index("contaminated")}
        assert len(scored.tokens) == len(documents)


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        (
            {"decontaminate": dsir.texts(["too short"])},
            "not even the one text .* lower decont",
        ),
        ({"decontaminate": dsir.texts([])}, "decontaminate"),
        ({"decontaminate": "no/such/*.jsonl"}, "decontaminate: no file"),
        ({"decontaminate": dsir.texts(["a"]), "decontaminate_ngram": 0}, "^decontaminate_ngram=0"),
        ({"decontaminate": dsir.texts(["a"]), "decontaminate_hits": 1001}, "^decontaminate_hits="),
        ({"decontaminate_ngram": 8}, "give decontaminate as well"),
        ({"decontaminate_text": "question"}, "give decontaminate as well"),
    ],
)
def test_calls_that_mean_nothing_are_refused(corpus, given_, message):
    with pytest.raises(dsir.DsirError, match=message):
        dsir.select(corpus[0], corpus[0][:9], **GIVEN, **given_)


@pytest.mark.filterwarnings("ignore::dsir.DsirWarning")
def test_a_comparison_leaves_them_out(corpus):
    documents, texts = corpus
    settings = {"budgets": "n=150", "methods": ["top-k", "random"], "seeds": 1, "min_tokens": 1}
    compared = {"decontaminate": dsir.texts(texts), "progress": False}
    dsir.compare(documents, documents[:60], **settings, **compared)
    everything = dsir.texts(documents)
    with pytest.raises(dsir.DsirError, match="contaminated"):
        dsir.compare(documents, documents[:60], **settings, decontaminate=everything)
    with pytest.raises(dsir.SettingError, match="lower decontaminate_ngram"):
        dsir.compare(
            documents, documents[:60], **settings, decontaminate=dsir.texts(["a"]), progress=False
        )


def test_short_texts_are_told(corpus):
    documents, texts = corpus
    with pytest.warns(dsir.DsirWarning, match="1 of 9 texts have fewer than decontaminate_ngram"):
        dsir.select(documents, documents[:9], **GIVEN, decontaminate=dsir.texts([*texts, "a b"]))


def test_damaged_and_other_columns(files):
    path = files / "benchmarks/one.jsonl"
    write(path, ["word1 " * 20], column="question")
    with pytest.raises(dsir.InputError, match="text"):
        select(files)
    select(files, decontaminate=str(path), decontaminate_text="question")
    path.write_text('{"text": "a')
    with pytest.raises(dsir.InputError, match=r"one\.jsonl"):
        select(files, out=files / "damaged")
    path.write_bytes(b"")
    with pytest.raises(dsir.InputError, match=r"0 bytes|nothing to read"):
        select(files, decontaminate=str(path), out=files / "empty")


def test_texts_in_bytes_have_the_encoding_of_raw(files, corpus):
    documents, texts = corpus

    def encoded(name, values):
        path = files / name
        pq.write_table(pa.table({"text": [value.encode("utf-16-le") for value in values]}), path)
        return str(path)

    out = files / "bytes"
    dsir.select(
        encoded("raw.parquet", documents),
        encoded("target.parquet", documents[:30]),
        out=out,
        decontaminate=encoded("benchmark.parquet", texts),
        text_encoding="utf-16-le",
        **{**GIVEN, "n": 196},
    )
    assert [one["row"] for one in listed(out)] == CONTAMINATED
    verified = dsir.verify(out)
    assert verified.stands, verified.findings
    numbers = pa.table({"text": [[1, 2], [3, 4]]})
    with pytest.raises(dsir.SettingError, match="decontaminate: needs texts, not text_encoding"):
        dsir.select(numbers, numbers, n=1, decontaminate=numbers, text_encoding="token-ids")


def test_a_column_of_another_name_is_to_be_named(files, invoke_dsir):
    write(files / "benchmarks/one.jsonl", ["word1 " * 20], column="question")
    for source in (files / "benchmarks/one.jsonl", pa.table({"question": ["word1 " * 20]})):
        with pytest.raises(dsir.TextColumnError, match=r"with decontaminate_text=\.\.\."):
            select(files, decontaminate=source if isinstance(source, pa.Table) else str(source))
    ran = invoke_dsir(
        "select", files / "raw", "-t", files / "target.jsonl", "-n", 1, "-o", files / "o",
        "--decontaminate", files / "benchmarks",
    )  # fmt: skip
    assert "name the right one with --decontaminate-text" in ran.stderr


def test_a_budget_that_contamination_leaves_too_little_for_says_so(corpus):
    documents, _ = corpus
    given_ = {**GIVEN, "min_tokens": 5, "decontaminate": dsir.texts(documents[1:])}
    message = f"only 1 is eligible .*min_tokens=5, {len(documents) - 1} contaminated\\)"
    for combine in (None, {"dsir": 1.0, "lexrank": 0.1}):
        with pytest.raises(dsir.BudgetError, match=message):
            dsir.select(documents, documents[:30], **given_, combine=combine)
    given_["decontaminate"] = dsir.texts(documents)
    with pytest.raises(dsir.BudgetError, match="; raise decontaminate_ngram or decontaminate_hits"):
        dsir.select(documents, documents[:30], **given_)
    with pytest.raises(dsir.BudgetError, match="loosen the filters, or raise decontaminate_ngram"):
        dsir.select([*documents, "a b c d e f g"], documents[:30], **given_, filters="min_words=8")


def test_the_command_and_its_stages(files, invoke_dsir):
    common = ["--min-tokens", "1", "--method", "top-k", "--n", "196", "--quiet"]
    compared = [
        "--decontaminate",
        f"{files / 'benchmarks/one.jsonl'},{files / 'benchmarks/two.jsonl'}",
    ]
    raw, target = files / "raw", files / "target.jsonl"
    out = files / "by-command"
    ran = invoke_dsir("select", raw, "-t", target, "-o", out, *common, *compared)
    assert ran.returncode == 0, ran.stderr
    assert len(listed(out)) == 4
    config = ["--config", out / "_dsir/selection.json"]
    ran = invoke_dsir("select", raw, "-t", target, "-o", files / "config", *config, "--quiet")
    assert ran.returncode == 0, ran.stderr
    assert listed(files / "config") == listed(out)
    model, scores, rows = files / "model.dsir", files / "scores", files / "rows"
    assert invoke_dsir("fit", raw, "-t", target, "-o", model, "--quiet").returncode == 0
    for words in (
        ["score", raw, "-m", model, "-o", scores, *compared, "--quiet"],
        ["sample", scores, "-o", rows, *common],
        ["write", rows, "-m", model, "-o", files / "written", "--quiet"],
    ):
        ran = invoke_dsir(*words)
        assert ran.returncode == 0, (words, ran.stderr)
    written = dsir.load(files / "written")
    assert written.metrics.rows.passed_over.filtered == {"contaminated": 4}
    assert sorted(written.rows) == sorted(dsir.load(out).rows)
    assert dsir.verify(files / "written").stands
    ran = invoke_dsir(
        "select", raw, "-t", target, "-o", files / "x", *common, "--decontaminate-ngram", "5"
    )
    assert ran.returncode == 2
    assert "--decontaminate" in ran.stderr


def test_scores_compare_by_the_same_rule(files, invoke_dsir):
    write(files / "quiz.jsonl", ["word1 " * 9, "word2 word3"], column="question")
    raw, target, model = files / "raw", files / "target.jsonl", files / "m.dsir"
    write(raw / "c.jsonl", ["word1 " * 9 + "word2"])
    rule = ["--decontaminate", files / "quiz.jsonl", "--decontaminate-text", "question"]
    rule += ["--decontaminate-ngram", 2, "--decontaminate-hits", 1]
    common = ["--min-tokens", 1, "--method", "top-k", "-n", 20, "--quiet"]
    for words in (
        ["select", raw, "-t", target, *common, *rule, "-o", files / "out"],
        ["fit", raw, "-t", target, "-o", model],
        ["score", raw, "-m", model, *rule, "-o", files / "scores", "-q"],
        ["sample", files / "scores", *common, "-o", files / "rows"],
        ["write", files / "rows", "-m", model, "-o", files / "written", "-q"],
    ):
        ran = invoke_dsir(*words)
        assert ran.returncode == 0, ran.stderr
    selected, written = (dsir.load(files / name) for name in ("out", "written"))
    assert selected.metrics.rows == written.metrics.rows
    assert written.metrics.rows.passed_over.filtered["contaminated"] >= 1
    assert written.rows.tolist() == selected.rows.tolist()
    refused = invoke_dsir("score", raw, "--with", model, "-o", files / "columns", *rule)
    assert "--decontaminate: is for weights to sample by" in refused.stderr


def test_a_planned_run(files, invoke_dsir):
    work, out = files / "work", files / "planned"
    common = ["--min-tokens", "1", "--method", "top-k", "--n", "196"]
    ran = invoke_dsir(
        "plan", files / "raw", "-t", files / "target.jsonl", "--workdir", work, "-o", out,
        *common, "--decontaminate", files / "benchmarks", "--quiet",
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    for command in ("work", "finish"):
        ran = invoke_dsir(command, work, "--quiet")
        assert ran.returncode == 0, ran.stderr
    select(files)
    assert listed(out) == listed(files / "out")


def test_the_report_says_it(files):
    select(files)
    page = files / "r.html"
    dsir.load(files / "out").report(page)
    said = page.read_text()
    assert "4 rows left out; see _dsir/contaminated.jsonl" in said
    assert "no row that shares an n-gram of 13 tokens" in said
    assert "--decontaminate" not in said or str(files / "benchmarks") in said
