"""Arrays as users have them: masked, of mixed lists, nullable, and columns of vectors."""

from __future__ import annotations

import numpy as np
import pytest

import dsir
from dsir.graph import (
    GAIS,
    EditedNearestNeighbours,
    RandomSelection,
    lexrank,
    neighbours,
    similarity_join,
    summarize,
)

ROWS = np.random.default_rng(3).normal(size=(60, 3))
LABELS = np.arange(60) % 2
VECTORS = np.array([[1, 0, 0], [1, 0.2, 0], [0.9, 0.5, 0.1], [0, 1, 0.1], [0, 0.1, 1]])
TEXTS = ["Ships sail far. Courts judge men. Bakers bake.", "Bakers bake bread. Ships carry bread."]


def masked(values, *at):
    mask = np.zeros(np.shape(values), dtype=bool)
    for one in at:
        mask[one] = True
    return np.ma.array(values, mask=mask)


def kept(x=ROWS, y=LABELS, **settings):
    return GAIS(reduction=0.8, network=False, **settings).fit(x, y).sample_indices_.tolist()


def test_what_is_masked_is_missing_for_selectors():
    hidden = ROWS.copy()
    hidden[4, 1], hidden[7, 0] = 1e6, -1e6
    holes = masked(hidden, (4, 1), (7, 0))
    blank = np.where(np.ma.getmaskarray(holes), np.nan, ROWS)
    for selector in (GAIS(network=False), EditedNearestNeighbours()):
        with pytest.raises(dsir.SettingError, match=r"X: column '0', row 7: a value is missing"):
            selector.fit(holes, LABELS)
    for missing in ("fill", "drop"):
        assert kept(holes, missing=missing) == kept(blank, missing=missing)
    assert kept(np.ma.array(ROWS)) == kept()


def test_a_masked_label_is_missing():
    for labels in (LABELS, LABELS.astype(str), LABELS.astype(object), LABELS[:, None]):
        with pytest.raises(dsir.SettingError, match="y: row 5 has no label"):
            RandomSelection().fit(ROWS, masked(labels, 5))
    found = kept(y=masked(LABELS, 5), missing="drop")
    assert 5 not in found
    assert found == kept(
        y=[None if row == 5 else label for row, label in enumerate(LABELS)], missing="drop"
    )


def test_masked_names_and_texts_are_missing():
    names = masked(np.array([["red"], ["blue"]] * 30), 3)
    with pytest.raises(dsir.SettingError, match=r"column '0', row 3: a name is missing"):
        kept(names, categorical=[0])
    assert kept(names, categorical=[0], missing="fill")
    texts = masked(np.array(["ships sail", "courts judge"] * 30), 2)
    with pytest.raises(dsir.SettingError, match=r"row 2: a text is missing"):
        kept(texts, features=dsir.HashedNgrams())
    listed = summarize(np.ma.array(np.array(TEXTS), mask=[True, False]), sentences=5)
    assert list(listed.sentences) == ["Bakers bake bread.", "Ships carry bread."]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: neighbours(masked(ROWS, (2, 1))), r"X: position \(2, 1\)"),
        (
            lambda: kept(masked(np.zeros((60, 60)), (0, 9)), distance="precomputed"),
            r"X: .*\(0, 9\)",
        ),
        (lambda: lexrank(masked(VECTORS, (1, 2))), r"units: position \(1, 2\)"),
        (lambda: similarity_join(masked(VECTORS, 4), threshold=0.1), r"units: position \(4, 0\)"),
        (lambda: lexrank(VECTORS, teleport=masked(np.ones(5), 3)), "teleport: position 3"),
        (lambda: summarize(TEXTS, embeddings=masked(VECTORS, 0)), r"units: position \(0, 0\)"),
        (lambda: summarize(TEXTS, embeddings=VECTORS, query=masked(np.ones(3), 1)), "query: pos"),
        (lambda: dsir.sample(masked(np.ones(9), 8), 3), "log_weights: position 8"),
    ],
)
def test_a_mask_that_is_no_missing_value_is_refused(call, said):
    with pytest.raises(dsir.SettingError, match=rf"{said}.* is masked; "):
        call()


def test_a_mask_that_hides_nothing_is_no_mask():
    wanted = lexrank(VECTORS, threshold=0.9).tolist()
    assert lexrank(np.ma.array(VECTORS), threshold=0.9).tolist() == wanted
    assert neighbours(np.ma.array(ROWS), labels=np.ma.array(LABELS)).neighbours.tolist() == (
        neighbours(ROWS, labels=LABELS).neighbours.tolist()
    )


def test_labels_of_neighbours():
    ways = (
        [label if row else None for row, label in enumerate(LABELS.tolist())],
        [str(label) if row else np.nan for row, label in enumerate(LABELS)],
        masked(LABELS, 0),
    )
    first, *others = [neighbours(ROWS, labels=one, batch_size=8).neighbours for one in ways]
    for other in others:
        assert np.array_equal(first, other)
    with pytest.raises(dsir.SettingError, match="labels: the labels cannot be compared"):
        neighbours(ROWS, labels=["a", 1] * 30)
    with pytest.raises(dsir.SettingError, match="labels: expected 60, one for each row; found 2"):
        neighbours(ROWS, labels=[0, 1])


def test_lists_of_names_and_numbers():
    """numpy would make strings of all, so that no column held numbers."""
    colours = ["red", "blue", "green"]
    rows = [[colours[n % 3], float(value)] for n, value in enumerate(ROWS[:, 0])]
    pd = pytest.importorskip("pandas")
    assert kept(rows, categorical=[0]) == kept(pd.DataFrame(rows), categorical=[0])
    rows[8][0] = float("nan")
    with pytest.raises(dsir.SettingError, match="column '0', row 8: a name is missing"):
        kept(rows, categorical=[0])


def test_nullable_frames_of_numbers():
    pd = pytest.importorskip("pandas")
    numbers = pd.DataFrame(ROWS.round(), columns=["a", "b", "c"])
    wanted = neighbours(numbers.to_numpy()).neighbours.tolist()
    for kind in ("Int64", "Float64"):
        assert neighbours(numbers.astype(kind)).neighbours.tolist() == wanted
    holes = numbers.astype("Int64")
    holes.iloc[3, 1] = pd.NA
    with pytest.raises(dsir.SettingError, match="X: row 3 holds NaN"):
        neighbours(holes)
    with pytest.raises(dsir.SettingError, match="X: expected numbers in two dimensions, found ob"):
        neighbours(numbers.astype("Int64").assign(b="1"))
    apart = pd.DataFrame(np.abs(np.subtract.outer(LABELS, LABELS)))
    settings = {"distance": "precomputed"}
    assert kept(apart.astype("Int64"), **settings) == kept(apart.to_numpy(), **settings)
    with pytest.raises(dsir.SettingError, match="row 1 has length 1, but row 0 length 2"):
        neighbours([[1.0, 2.0], [3.0]])


def columns_of_vectors():
    pd, pl, pa = (pytest.importorskip(name) for name in ("pandas", "polars", "pyarrow"))
    listed = VECTORS.tolist()
    return {
        "list of arrays": list(VECTORS),
        "tuple of arrays": tuple(VECTORS),
        "array of objects": VECTORS.astype(object),
        "array of arrays": pd.Series(list(VECTORS)).to_numpy(),
        "pandas lists": pd.Series(listed),
        "pandas arrays": pd.Series(list(VECTORS), index=range(5, 10)),
        "pandas frame": pd.DataFrame({"n": range(5), "vector": listed}),
        "polars lists": pl.Series(listed),
        "polars array": pl.Series(VECTORS),
        "polars frame": pl.DataFrame({"vector": VECTORS, "n": range(5)}),
        "arrow": pa.array(listed),
        "arrow table": pa.table({"vector": listed}),
    }


def test_columns_of_vectors():
    wanted = lexrank(VECTORS, threshold=0.9)
    asked = summarize(TEXTS, embeddings=VECTORS, query=VECTORS[1], sentences=2).sentences
    for kind, column in columns_of_vectors().items():
        assert lexrank(column, threshold=0.9, text="vector").tolist() == wanted.tolist(), kind
        if not kind.endswith(("frame", "table")):
            found = summarize(TEXTS, embeddings=column, query=VECTORS[1], sentences=2).sentences
            assert found == asked, kind


def test_columns_of_tokens():
    pd, pl = pytest.importorskip("pandas"), pytest.importorskip("polars")
    tokens = [["ship", "sea"], ["sea", "law"], ["ship", "sea", "sea"], ["court"]]
    wanted = lexrank(tokens).tolist()
    for column in (pd.Series(tokens), pl.Series(tokens), [np.array(one) for one in tokens]):
        assert lexrank(column).tolist() == wanted


def test_what_is_no_column_of_vectors():
    pd, pl = pytest.importorskip("pandas"), pytest.importorskip("polars")
    for frame in (pd.DataFrame(VECTORS), pl.DataFrame(VECTORS)):
        with pytest.raises(dsir.SettingError, match=r"a data frame of numbers.*frame.to_numpy\(\)"):
            lexrank(frame)
    with pytest.raises(dsir.TextColumnError, match="no column 'text'"):
        lexrank(pd.DataFrame({"body": ["ship"]}))
    with pytest.raises(dsir.SettingError, match="do not all have the same length"):
        lexrank([np.ones(2), np.ones(3)])
    with pytest.raises(dsir.SettingError, match="an embedding is null"):
        lexrank(pd.Series([[1.0, 2.0], None]))
