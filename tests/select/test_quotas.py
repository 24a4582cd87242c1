"""Budgets, duplicates and quotas in every combination against a loop over everything sorted."""

from __future__ import annotations

import json
from collections import Counter
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dsir
import dsir.run.pipeline
import dsir.run.writing
from dsir import _core
from dsir.stages import repeats

pytestmark = pytest.mark.filterwarnings("ignore::dsir.DsirWarning")

MEAN: dict[str, Any] = {"min_tokens": 12, "length": "mean", "progress": False}
TARGETS = {
    "one": ["ship sail anchor tide and the mast of it"] * 9,
    "two": ["court judge the statute , a clause for it"] * 7,
}


@pytest.fixture(scope="module")
def corpus(quota_corpus):
    return quota_corpus


@pytest.fixture(scope="module")
def models(corpus) -> dict[str, dsir.ImportanceModel]:
    return {
        mode: dsir.fit(corpus.table(), TARGETS, targets=mode, length="mean", progress=False)
        for mode in ("pooled", "separate", "mixture")
    }


def expected(
    corpus: Any,
    model: dsir.ImportanceModel,
    *,
    n: int | None = None,
    fraction: float | None = None,
    tokens: int | None = None,
    bytes: int | None = None,  # noqa: A002
    max_per: dict[str, float | int] | None = None,
    group_by: str | None = None,
    dedup: str = "none",
    method: str = "resample",
    seed: int = 0,
) -> tuple[dict[int, int], int]:
    """The rows that are selected, by the target that takes each; and how many copies there are.

    Nothing but loops: the rules as the documents have them. The budget is met, or AssertionError.
    """
    eligible = corpus.tokens >= MEAN["min_tokens"]
    copies = 0
    if dedup == "exact":
        seen = set()
        for row in np.flatnonzero(eligible).tolist():
            if corpus.texts[row] in seen:
                eligible[row] = False
                copies += 1
            seen.add(corpus.texts[row])
    unit = "tokens" if tokens else "bytes" if bytes else "documents"
    cost = {"tokens": corpus.tokens, "bytes": corpus.bytes}.get(unit, np.ones_like(corpus.tokens))
    weights = np.atleast_2d(model.score(corpus.table()).T)
    shares = [1.0] if len(weights) == 1 else model.proportions.tolist()
    rows_by_group = Counter(corpus.columns[group_by]) if group_by else {None: len(corpus.texts)}
    amounts = {
        group: tokens or bytes or n or int((fraction or 0) * rows)
        for group, rows in rows_by_group.items()
    }
    total = sum(amounts.values())
    caps = {
        column: most if isinstance(most, int) else int(Fraction(str(most)) * total)
        for column, most in (max_per or {}).items()
    }
    used: Counter[tuple[str, object]] = Counter()
    left = dict(amounts)
    selected: dict[int, int] = {}
    for target, share in enumerate(shares):
        last = target == len(shares) - 1
        of_groups = {
            group: left[group] if last else int(amount * share) for group, amount in amounts.items()
        }
        for group, amount in of_groups.items():
            left[group] -= amount
        keys = _core.keys(
            _core.KeySettings(seed=seed, target=target, noise=method == "resample"),
            np.ascontiguousarray(weights[target]),
            0,
        )
        closed = set()
        if unit == "documents":
            closed |= {group for group, amount in of_groups.items() if not amount}
        full = _full(max_per or {}, used)
        for row in np.argsort(-keys, kind="stable").tolist():
            if not eligible[row] or row in selected:
                continue
            mine = None if group_by is None else corpus.columns[group_by][row]
            values = [(column, corpus.columns[column][row]) for column in caps]
            if mine in closed or any(value in closed | full for value in values):
                continue
            takes = {
                value: 1 if isinstance(max_per[value[0]], int) else int(cost[row])
                for value in values
            }
            above = [value for value in values if used[value] + takes[value] > caps[value[0]]]
            over = int(cost[row]) > of_groups[mine]
            if above or (over and group_by is not None):
                closed.update(above)
                if over and group_by is not None:
                    closed.add(mine)
                continue
            if over:
                break
            selected[row] = target
            of_groups[mine] -= int(cost[row])
            used.update(takes)
            full = _full(max_per or {}, used)
            if group_by is not None and unit == "documents" and not of_groups[mine]:
                closed.add(mine)
    return selected, copies


BUDGETS: list[dict[str, Any]] = [{"n": 20}, {"fraction": 0.08}, {"tokens": 700}, {"bytes": 3500}]


def _full(max_per: dict[str, float | int], used: Counter[tuple[str, object]]) -> set[object]:
    """The values that have as many documents as they may."""
    return {
        (column, value)
        for (column, value), spent in used.items()
        if isinstance(max_per[column], int) and spent >= max_per[column]
    }


OF_A_GROUP: list[dict[str, Any]] = [
    {"n": 5},
    {"fraction": 0.09},
    {"tokens": 130},
    {"bytes": 620},
]
QUOTAS: list[dict[str, Any]] = [
    {},
    {"max_per": {"source": 0.4}},
    {"max_per": {"source": 8, "lang": 0.9}},
    {"group_by": "source"},
    {"group_by": "meta.flag", "max_per": {"source": 11}},
]


@pytest.mark.parametrize("mode", ["pooled", "separate", "mixture"])
@pytest.mark.parametrize("quota", QUOTAS, ids=str)
def test_everything_against_loops(corpus, models, mode, quota):
    """Each budget, with duplicates and without, resampled and top-k."""
    for number, budget in enumerate(BUDGETS):
        if "group_by" in quota:
            budget = OF_A_GROUP[number]
        for dedup in ("none", "exact"):
            for method in ("resample", "top-k"):
                keywords = {**budget, **quota, "dedup": dedup, "method": method, "seed": number}
                want, copies = expected(corpus, models[mode], **keywords)
                selection = dsir.select(
                    corpus.table(),
                    TARGETS,
                    targets=mode,
                    **keywords,
                    **MEAN,
                )
                assert selection.rows.tolist() == sorted(want), keywords
                assert len(want) > 3
                if mode == "separate":
                    of = dict(zip(selection.rows.tolist(), selection.target.tolist(), strict=True))
                    assert of == want
                _check_accounts(corpus, selection, dedup, copies, quota)


def _check_accounts(corpus, selection, dedup, copies, quota) -> None:
    rows = selection.metrics["rows"]
    passed = dict(rows["passed_over"])
    assert rows["read"] == rows["selected"] + sum(passed.values()) + rows["bad"]
    assert ("duplicates" in passed) == ("duplicates" in selection.metrics) == (dedup == "exact")
    if dedup == "exact":
        assert passed["duplicates"] == selection.metrics["duplicates"]["rows"] == copies > 20
        assert sum(selection.metrics["duplicates"]["by_shard"]) == copies
    text_bytes = selection.metrics["text_bytes"]
    assert text_bytes["selected"] == corpus.bytes[selection.rows].sum()
    columns = [*quota.get("max_per", {}), *([quota["group_by"]] if "group_by" in quota else [])]
    groups = selection.metrics.get("groups", {})
    assert set(groups) == set(columns)
    for column in columns:
        found = {one["value"]: one["selected"] for one in groups[column]["most"]}
        counted = Counter(corpus.columns[column][row] for row in selection.rows.tolist())
        assert {value: count for value, count in found.items() if count} == counted
        assert groups[column]["values"] == len(set(corpus.columns[column]))
        eligible = sum(one["eligible"] for one in groups[column]["most"])
        assert eligible == rows["eligible"]


KEYWORDS: dict[str, Any] = {
    "n": 30,
    "dedup": "exact",
    "max_per": {"source": 0.4, "meta.flag": 13},
    "targets": "separate",
    **MEAN,
}


def test_every_format_and_number_of_threads(corpus, models, contents, tmp_path):
    want, _ = expected(
        corpus, models["separate"], **{k: KEYWORDS[k] for k in ("n", "dedup", "max_per")}
    )
    inputs = {
        "parquet": corpus.write_parquet(tmp_path / "parquet"),
        "jsonl": corpus.write_lines(tmp_path / "jsonl"),
    }
    arrow = tmp_path / "all.arrow"
    with pa.ipc.new_file(arrow, corpus.table().schema) as writer:
        writer.write_table(corpus.table(), max_chunksize=17)
    inputs["arrow"] = [arrow]
    for kind, paths in inputs.items():
        results = []
        for threads in (1, 2, 7):
            out = tmp_path / f"{kind}-{threads}"
            selection = dsir.select(paths, TARGETS, out=out, threads=threads, **KEYWORDS)
            assert selection.rows.tolist() == sorted(want)
            results.append(contents(out))
        assert results[0] == results[1] == results[2]
        written = json.loads(results[0]["_dsir/selection.json"])
        assert written["settings"]["max_per"] == {"source": 0.4, "meta.flag": 13}
        assert written["settings"]["dedup"] == "exact"
        assert written["metrics"]["duplicates"]["by_shard"] != [0]
        sources = written["metrics"]["groups"]["source"]["most"]
        assert {one["value"] for one in sources} == set(corpus.source)


def test_runs_and_parts_do_not_matter(corpus, models, monkeypatch, tmp_path):
    want, _ = expected(
        corpus, models["separate"], **{k: KEYWORDS[k] for k in ("n", "dedup", "max_per")}
    )
    monkeypatch.setattr("dsir.stages.draw_apart.RUN_ROWS", 16)
    monkeypatch.setattr("dsir.stages.shard_scores.in_runs", _short_runs)
    found = []
    whole = repeats.find_repeats

    def in_parts(shards, settings, _):
        whole(shards, settings, hashes_a_pass=10)
        found.append([shard.duplicates for shard in shards])

    monkeypatch.setattr("dsir.run.duplicates.find_repeats", in_parts)
    paths = corpus.write_parquet(tmp_path / "raw")
    selection = dsir.select(paths, TARGETS, workdir=tmp_path / "work", **KEYWORDS)
    assert selection.rows.tolist() == sorted(want)
    assert found == [selection.metrics["duplicates"]["by_shard"]]


def _short_runs(parts, form):
    from dsir.stages.score_table import in_runs

    return in_runs(parts, form, 16)


def test_going_on(corpus, models, contents, monkeypatch, tmp_path):
    """A run that dies in any stage goes on, and ends with the same files."""
    paths = corpus.write_parquet(tmp_path / "raw")
    dsir.select(paths, TARGETS, out=tmp_path / "whole", **KEYWORDS)
    names = ["score_shard", "draw", "sample_shard", "write_shard"]
    for name in names:
        work, out = tmp_path / f"work-{name}", tmp_path / f"out-{name}"
        with monkeypatch.context() as patched:
            module = dsir.run.writing if name == "write_shard" else dsir.run.pipeline
            real = getattr(module, name)
            calls = []

            def dying(*arguments, real=real, calls=calls, name=name):
                calls.append(name)
                if len(calls) > 1 or name in ("draw", "write_shard"):
                    raise KeyboardInterrupt
                return real(*arguments)

            patched.setattr(module, name, dying)
            with pytest.raises(KeyboardInterrupt):
                dsir.select(paths, TARGETS, out=out, workdir=work, threads=1, **KEYWORDS)
        dsir.select(paths, TARGETS, out=out, workdir=work, **KEYWORDS)
        assert contents(out) == contents(tmp_path / "whole")
    # The same work directory serves calls with other quotas, each as if it were the first.
    for number, change in enumerate(({"dedup": "none"}, {"max_per": {"lang": 12}})):
        keywords = {**KEYWORDS, **change}
        changed, fresh = tmp_path / f"changed-{number}", tmp_path / f"fresh-{number}"
        dsir.select(paths, TARGETS, out=changed, workdir=work, **keywords)
        dsir.select(paths, TARGETS, out=fresh, **keywords)
        assert contents(changed) == contents(fresh)


def test_a_selection_can_be_made_again(corpus, tmp_path):
    """What `verify` makes of the manifest is the same selection."""
    paths = corpus.write_parquet(tmp_path / "raw")
    target = tmp_path / "target.jsonl"
    target.write_bytes(b'{"text": "ship sail anchor tide"}\n' * 9)
    keywords = {"bytes": "3kB", "dedup": "exact", **MEAN}
    for number, quota in enumerate(
        ({"max_per": {"source": 0.5, "lang": 20}}, {"group_by": "lang"})
    ):
        out = tmp_path / f"out-{number}"
        dsir.select(paths, target, out=out, allow_fewer=True, memory="2GB", **quota, **keywords)
        assert dsir.verify(out).stands


def test_damaged_values(corpus, tmp_path):
    paths = corpus.write_parquet(tmp_path / "raw")
    keywords = {**KEYWORDS, "workdir": tmp_path / "work", "out": tmp_path / "out"}
    dsir.select(paths, TARGETS, **keywords)
    values = tmp_path / "work" / "scores" / "00000.groups"
    assert json.loads(values.read_bytes())[0][0] == json.dumps(corpus.source[0])
    for content in (b"", b"[]", b"{}", b"[[],[]]", None):
        values.unlink(missing_ok=True)
        if content is not None:
            values.write_bytes(content)
        with pytest.raises(dsir.WorkdirError):
            dsir.select(paths, TARGETS, **keywords)


def test_rows_kept_as_they_pass(corpus, models, monkeypatch, tmp_path):
    """Copies do not keep rows that are selected from being found."""
    monkeypatch.setattr("dsir.stages.kept.plan._LARGEST_SHARE", 1.0)
    paths = corpus.write_parquet(tmp_path / "raw")
    table = pa.concat_tables([corpus.table()] * 1)
    for path in paths:  # No dictionaries: their rows are not kept.
        rows = pq.read_table(path)
        position = rows.schema.get_field_index("source")
        rows = rows.set_column(position, "source", rows.column("source").cast(pa.string()))
        pq.write_table(rows, path, row_group_size=23)
    for keywords in ({"bytes": 900}, {"n": 9}, {"tokens": 200}, {"n": 9, "max_per": {"lang": 4}}):
        keywords = {**keywords, "dedup": "exact", "method": "top-k"}
        want, _ = expected(corpus, models["pooled"], **keywords)
        out = tmp_path / str(len(list(tmp_path.iterdir())))
        selection = dsir.select(paths, TARGETS, out=out, **keywords, **MEAN)
        assert selection.rows.tolist() == sorted(want)
        written = pa.concat_tables([pq.read_table(path) for path in selection.paths])
        assert written.column("text").to_pylist() == table["text"].take(sorted(want)).to_pylist()


def test_draws_find_each_target_once(corpus, models):
    """Where there are no quotas the draw goes the way that it went before."""
    for budget in BUDGETS:
        want, _ = expected(corpus, models["separate"], **budget)
        by_target = Counter(want.values())
        selection = dsir.select(corpus.table(), TARGETS, targets="separate", **budget, **MEAN)
        for number, name in enumerate(TARGETS):
            assert selection.metrics["targets"][name]["selected"] == by_target[number]
