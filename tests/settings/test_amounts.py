"""Amounts and shares are written in one way, and none is misread."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import dsir
from dsir.arguments.declared import arguments_of
from dsir.arguments.values import amount, share
from dsir.cli.main import app
from dsir.settings.plan import Plan

# In parametrize under a name, since pytest cannot write it.
HUGE = pytest.param(10**5000, id="huge")
MINUS_HUGE = pytest.param(-(10**5000), id="minus huge")
DIGITS = pytest.param("9" * 5000, id="digits")
NAMES = ("a", "b")


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (7, 7),
        (np.int32(7), 7),
        (7.0, 7),
        (np.float32(4096), 4096),
        ("7", 7),
        ("1e6", 10**6),
        ("2E+3", 2000),
        ("1.5k", 1500),
        ("3 M", 3 * 10**6),
        ("2g", 2 * 10**9),
        ("1_000", 1000),
        ("4Ki", 4096),
    ],
)
def test_an_amount_is_a_number_or_a_text(given, found):
    read = amount("n", given, 1)
    assert (read, type(read)) == (found, int)


@pytest.mark.parametrize(
    "given",
    ["", "x", "--5", "-5", "2^70", "1.5", "1e-3", "1e99", DIGITS, HUGE, 2**70, 1.5, True, None,
     "1GB", "5%", float("nan"), float("inf"), np.float64("nan"), "k", b"5", [5], "0", 0],
)  # fmt: skip
def test_what_is_no_amount_is_refused_in_a_short_message(given):
    with pytest.raises(dsir.SettingError, match=r"^n=") as error:
        amount("n", given, 1)
    assert len(str(error.value)) < 300


def test_sizes_have_units_of_bytes():
    found = [amount("memory", text, 1, sizes=True) for text in ("1MB", "1M", "1MiB", "1.5B", 9)]
    assert found == [10**6, 10**6, 1 << 20, 1, 9]


@pytest.mark.parametrize(("given", "found"), [(0.02, 0.02), ("2%", 0.02), ("0.02", 0.02), (1, 1.0)])
def test_a_share_is_a_number_or_a_percentage(given, found):
    assert share("fraction", given) == found


@pytest.mark.parametrize("given", ["200%", "-1%", "x%", "%", HUGE, float("nan"), None, "1e99"])
def test_what_is_no_share_is_refused(given):
    with pytest.raises(dsir.SettingError, match=r"^fraction="):
        share("fraction", given)


@pytest.mark.parametrize("name", [name for name in arguments_of(Plan) if name != "features"])
@pytest.mark.parametrize(
    "value",
    [
        HUGE,
        MINUS_HUGE,
        DIGITS,
        1e308,
        1e-310,
        "--5",
        np.float64(0.5),
    ],
)
def test_no_number_ends_in_another_error(name, value):
    try:
        plan = Plan.of({"n": 1, name: value} if name not in _BUDGETS else {name: value}, NAMES)
    except (dsir.SettingError, dsir.InputError):  # `decontaminate` names files.
        return
    json.dumps(plan.describe())


_BUDGETS = ("n", "fraction", "tokens", "bytes")


@pytest.mark.parametrize("most", [np.float64(0.2), np.float32(0.5), "20%", "0.2", 5, "5", "5k"])
def test_caps_take_shares_and_amounts(most):
    (cap,) = Plan.of({"n": 1, "max_per": {"source": most}}, ()).draw.quotas.max_per
    assert type(cap.most) is (int if most in (5, "5", "5k") else float)


@pytest.mark.parametrize("most", [2**70, "2^70", HUGE, 1.5, "1.5", "150%", 0, True, float("nan")])
def test_caps_that_mean_nothing_are_refused(most):
    with pytest.raises(dsir.SettingError, match=r"^max_per\['source'\]="):
        Plan.of({"n": 1, "max_per": {"source": most}}, ())


QUIET = {"method": "top-k", "min_tokens": 0, "progress": False}
TEXTS = [f"words {i} " * (5 + i) for i in range(100)]


def test_a_share_of_the_tokens_or_bytes_is_of_what_was_read():
    target = TEXTS[:10]
    tokens = [2 * (5 + i) for i in range(100)]
    for name, of_row in (("tokens", tokens), ("bytes", [len(text) for text in TEXTS])):
        found = dsir.select(TEXTS, target, **{name: "20%"}, **(QUIET | {"min_tokens": 100}))
        amount_of_20 = sum(of_row) // 5
        exact = dsir.select(TEXTS, target, **{name: amount_of_20}, **(QUIET | {"min_tokens": 100}))
        assert found.rows.tolist() == exact.rows.tolist()
        assert 0 < sum(of_row[row] for row in found.rows) <= amount_of_20


def test_29_percent_of_100_rows_are_29_rows():
    for call in ({"n": "29%"}, {"fraction": "29%"}, {"fraction": 0.29}):
        found = dsir.select(TEXTS, TEXTS[:10], **call, **QUIET)
        assert len(found.rows) == 29


def test_a_share_of_the_tokens_of_each_group(tmp_path):
    import pyarrow as pa

    raw = pa.table({"text": TEXTS, "lang": ["a", "b"] * 50})
    found = dsir.select(raw, TEXTS[:10], tokens="20%", group_by="lang", **QUIET)
    tokens = np.array([2 * (5 + i) for i in range(100)])
    for start in (0, 1):
        own = found.rows[found.rows % 2 == start]
        assert 0 < tokens[own].sum() <= tokens[start::2].sum() // 5


@pytest.mark.filterwarnings("ignore:LexRank:dsir.DsirWarning")
def test_more_candidates_than_there_are_are_all_of_them():
    found = [
        dsir.select(
            TEXTS, TEXTS[:10], n=5, combine={"dsir": 1, "lexrank": 1}, **QUIET,
            candidates=candidates,
        ).rows.tolist()
        for candidates in (100, 1e308)
    ]  # fmt: skip
    assert found[0] == found[1]


def test_the_command_line_writes_amounts_alike(tmp_path):
    raw = tmp_path / "raw.jsonl"
    raw.write_text("".join(json.dumps({"text": text}) + "\n" for text in TEXTS))
    call = ["select", str(raw), "-t", str(raw), "--min-tokens", "1e1", "--buckets", "1k", "--json"]
    rows = []
    for number, budget in enumerate((["-n", "0.02k"], ["--fraction", "20%"], ["--n", "20%"])):
        out = ["-o", str(tmp_path / str(number)), "--shard-size", "1M", "--max-bad-rows", "1k"]
        done = CliRunner().invoke(app, [*call, *budget, *out, "--on-error", "skip"])
        assert done.exit_code == 0, done.output
        rows.append(json.loads(done.stdout)["metrics"]["rows"]["selected"])
    assert rows == [20, 20, 20]
    for wrong in (["--fit-tokens=--5"], ["--max-per", "source=2^70"], ["--temperature", "1e-310"]):
        done = CliRunner().invoke(app, [*call, "-n", "5", "-o", str(tmp_path / "x"), *wrong])
        assert done.exit_code == 2, done.output
        assert wrong[0].partition("=")[0] in done.stderr


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ({"tokens": "1B"}, "; for a billion write 1G or 1e9"),
        ({"n": "2.5 billion"}, "; for a billion write 2.5G or 2.5e9"),
        ({"n": 0.1}, "; for a share write 10%"),
        ({"n": "0.025"}, "; for a share write 2.5%"),
        ({"n": 1.5}, "1 or more"),
        ({"bytes": "0.1"}, ""),
    ],
)
def test_amounts_that_mean_something_else_are_told_so(given, hint):
    with pytest.raises(dsir.SettingError) as caught:
        dsir.select(["a"], ["a b"], progress=False, **given)
    assert str(caught.value).endswith(hint)


@pytest.mark.parametrize(
    ("positional", "given", "hint"),
    [
        ([], {"text_column": "body"}, "; give text=..."),
        ([], {"k": 10}, "; give n=..."),
        ([], {"top_k": 10}, "; give n=... with method='top-k'"),
        ([], {"random_state": 1}, "; give seed=..."),
        ([10], {}, "go by name, such as n=1000"),
    ],
)
def test_arguments_of_other_libraries_are_named_as_they_are_here(positional, given, hint):
    with pytest.raises(TypeError) as caught:
        dsir.select(["a"], ["a b"], *positional, **given)
    assert str(caught.value).endswith(hint)
