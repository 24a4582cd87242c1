"""GAIS without its network, with it when it has something to say, and with one scale for all."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dsir.errors import SettingError
from dsir.gais.labelled_table import labelled_table, one_scale, standardised
from dsir.graph import GAIS

RANDOM = np.random.default_rng(0)
X = np.concatenate([RANDOM.normal(0, 1, (150, 3)), RANDOM.normal(8, 1, (150, 3))])
CLEAN = np.repeat([0, 1], 150)
NOISY = np.where(RANDOM.random(300) < 0.1, 1 - CLEAN, CLEAN)
FAST = {"reduction": 0.9, "epochs": 3, "passes": 2.0}


def has_network(gais):
    there = [hasattr(gais, "scores_"), hasattr(gais, "embeddings_"), bool(gais.history_)]
    assert len(set(there)) == 1
    return there[0]


@pytest.mark.parametrize("trials", [True, False])
def test_neighbours_alone_say_which_rows_are_trusted(trials):
    gais = GAIS(**FAST, network=False, trials=trials).fit(X, NOISY)
    assert not has_network(gais)
    assert len(gais.sample_indices_) == 30
    # The two clouds are far apart, so neighbours know every wrong label.
    assert gais.trusted_.tolist() == (NOISY == CLEAN).tolist()


def test_auto_trains_where_labels_are_contradicted():
    assert not has_network(GAIS(**FAST, network="auto").fit(X, CLEAN))
    assert has_network(GAIS(**FAST, network="auto").fit(X, NOISY))
    for select in ("top", "sample", "attention-coverage"):
        assert has_network(GAIS(epochs=3, network="auto", select=select).fit(X, CLEAN))
    one, other = (GAIS(**FAST, network=how).fit(X, NOISY) for how in (True, "auto"))
    assert one.sample_indices_.tolist() == other.sample_indices_.tolist()


def test_a_fit_without_a_network_has_nothing_of_the_one_before():
    gais = GAIS(**FAST).fit(X, NOISY)
    assert has_network(gais)
    assert not has_network(gais.set_params(network=False).fit(X, NOISY))


def test_rows_with_missing_values_are_placed():
    x = X.copy()
    x[4, 1] = np.nan
    gais = GAIS(**FAST, network=False, missing="drop").fit(x, CLEAN)
    assert len(gais.trusted_) == 300
    assert not gais.trusted_[4]
    assert not has_network(gais)


@pytest.mark.parametrize("select", ["top", "sample", "attention-coverage"])
def test_what_needs_the_network(select):
    with pytest.raises(SettingError, match=f"select='{select}': chooses by the network"):
        GAIS(**FAST, network=False, select=select).fit(X, CLEAN)


@pytest.mark.parametrize("network", ["yes", 1, 0, None, np.True_, [True]])
def test_what_is_no_choice(network):
    with pytest.raises(SettingError, match="expected True, False or 'auto'"):
        GAIS(**FAST, network=network).fit(X, CLEAN)


@pytest.mark.parametrize("columns", [1, 2, 16, 31, 32, 33, 70])
def test_columns_are_scaled_as_one_array(columns):
    rows = np.random.default_rng(columns).normal(size=(1000, columns))
    rows *= 10.0 ** np.linspace(-200, 200, columns)
    rows[:, -1] = 7
    scaled = rows / np.abs(rows).max(axis=0)
    spread = scaled.std(axis=0)
    spread[-1] = 1
    wanted = (scaled - scaled.mean(axis=0)) / spread
    wanted[:, -1] = 0
    for threads in (1, 3):
        found = standardised(rows, threads=threads)
        assert found.tobytes() == wanted.astype(np.float32).tobytes()


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kind", ["f4", "f8", "i4", "u1", "?"])
def test_an_array_is_its_columns(kind, order):
    rows = (X * 3).astype(kind, order=order)
    named = pa.table({str(number): column for number, column in enumerate(rows.T)})
    given = rows.copy(order="A")
    assert labelled_table(rows, CLEAN).rows.tobytes() == labelled_table(named, CLEAN).rows.tobytes()
    assert rows.tobytes(order="A") == given.tobytes(order="A")


def test_one_scale_for_all_columns():
    scaled = one_scale(X * [1.0, 10.0, 0.0])
    assert abs(np.square(scaled.astype(float)).mean() - 1) < 1e-5
    assert np.abs(scaled.mean(axis=0)).max() < 1e-5
    assert scaled[:, 1].std() > 9 * scaled[:, 0].std()
    assert (scaled[:, 2] == 0).all()
    for odd in (np.zeros((3, 2)), np.zeros((0, 2)), np.full((3, 1), 1e300)):
        assert np.isfinite(one_scale(odd)).all()


def test_the_scale_of_the_caller_decides():
    weak = X * [1.0, 1e-6, 1e-6]
    weak[:, 1:] += RANDOM.normal(0, 1e-6, (300, 2))
    whole = labelled_table(weak, CLEAN, scaling="whole").rows
    assert whole[:, 1:].std() < 1e-4 * whole[:, 0].std()
    assert labelled_table(weak, CLEAN).rows.std(axis=0).round(3).tolist() == [1, 1, 1]
    # Where all columns have one spread, both are the same.
    even = (X - X.mean(axis=0)) / X.std(axis=0)
    both = [GAIS(**FAST, scaling=how).fit(even, NOISY) for how in ("columns", "whole")]
    assert both[0].sample_indices_.tolist() == both[1].sample_indices_.tolist()
    with pytest.raises(SettingError, match="scaling='rows'"):
        GAIS(**FAST, scaling="rows").fit(X, CLEAN)
    assert labelled_table(
        RANDOM.normal(size=(40, 600)), CLEAN[:40] + np.arange(40) % 2, scaling="whole"
    ).rows.shape == (40, 256)


def test_from_the_command_line(tmp_path, invoke_dsir):
    pq.write_table(pa.table({"a": X[:, 0], "b": X[:, 1], "y": CLEAN}), tmp_path / "raw.parquet")
    words = [
        "gais",
        tmp_path / "raw.parquet",
        "--label",
        "y",
        "--out",
        tmp_path / "out",
        "--epochs",
    ]
    wrong = invoke_dsir(*words, 3, "--network", "never", "--select", "top")
    assert wrong.returncode == 2
    assert "--network never: --select top chooses by the network" in wrong.stderr
    done = invoke_dsir(*words, 3, "--network", "never", "--scaling", "whole", "--keep", "10%")
    assert done.returncode == 0, done.stderr
    settings = json.loads((tmp_path / "out/_dsir/instances.json").read_text())["settings"]
    assert (settings["network"], settings["scaling"], settings["shares"]) == (
        False,
        "whole",
        "auto",
    )
