"""A marker that some program sealed with other values is damage, never a traceback or other rows.

The checksum of a marker guards against accidents, not against those who write markers.
"""

from __future__ import annotations

import contextlib
import copy
import random
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dsir
from dsir.storage.sealed_json import read_sealed, write_sealed

TARGET = ["the ship and the sea"] * 9
MARKERS = ["counts/raw-00000", "counts/target-00000", "scores/00000", "rows/00000", "outputs/00000"]
REMOVED = object()
VALUES = [REMOVED, None, -1, 1 << 70, 1.5, "x", [], {}, True, "/etc/passwd", [["x"]], [{}]]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run: its folder, and what it selected."""
    place = tmp_path_factory.mktemp("run")
    texts = [f"the ship and the sea {row % 40}" for row in range(60)]
    table = pa.table({"text": texts, "lang": ["de", "en"] * 30})
    pq.write_table(table, place / "raw.parquet")
    return place, run(place, place / "work", place / "out")


def run(place, work, out):
    found = dsir.select(
        place / "raw.parquet",
        TARGET,
        n=9,
        min_tokens=1,
        method="top-k",
        max_per={"lang": 0.6},
        dedup="exact",
        out=out,
        workdir=work,
        overwrite=True,
        progress=False,
    )
    return found.rows.tolist(), found.log_weights.tolist(), found.metrics.rows


def places(value, path=()):
    """The paths to all values in a JSON value, but for later elements of long lists."""
    if path:
        yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value[:2])
    for key, one in inside:
        if isinstance(one, dict | list):
            yield from places(one, (*path, key))
        else:
            yield (*path, key)


def forged(content, path, value):
    changed = copy.deepcopy(content)
    at = changed
    for key in path[:-1]:
        at = at[key]
    if value is REMOVED:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return changed


@pytest.mark.parametrize("marker", MARKERS)
def test_it_is_damage_or_done_again(finished, tmp_path, marker):
    place, expected = finished
    content = read_sealed(place / "work" / f"{marker}.json")
    cases = [(path, value) for path in places(content) for value in VALUES]
    for path, value in random.Random(marker).sample(cases, 12):
        work, out = tmp_path / "work", tmp_path / "out"
        shutil.copytree(place / "work", work)
        write_sealed(work / f"{marker}.json", forged(content, path, value), durable=False)
        with contextlib.suppress(dsir.WorkdirError):
            assert run(place, work, out) == expected, (path, value)
        shutil.rmtree(work)
        shutil.rmtree(out, ignore_errors=True)


@pytest.mark.parametrize(
    ("marker", "path", "value"),
    [
        ("counts/raw-00000", ("files",), None),
        ("counts/raw-00000", ("result",), {}),
        ("counts/raw-00000", ("result", "documents"), "x"),
        ("counts/target-00000", ("result", "skipped"), [{}]),
        ("scores/00000", ("result", "rows"), 1 << 70),
        ("scores/00000", ("result", "bad"), [["x"]]),
        ("rows/00000", ("result", "by_target", 0), 0),
        ("rows/00000", ("result", "by_target"), [[1, 2, "x"]]),
        ("rows/00000", ("result", "first_row"), 3),
    ],
)
def test_the_error_names_the_marker(finished, tmp_path, marker, path, value):
    place, _ = finished
    shutil.copytree(place / "work", tmp_path / "work")
    file = tmp_path / "work" / f"{marker}.json"
    write_sealed(file, forged(read_sealed(file), path, value), durable=False)
    with pytest.raises(dsir.WorkdirError, match=r"\.json: is damaged: .*; remove .* to do this"):
        run(place, tmp_path / "work", tmp_path / "out")
