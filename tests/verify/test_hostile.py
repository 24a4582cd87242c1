"""Manifests changed on purpose and sealed again: errors of dsir, or findings, and no more."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dsir
from dsir.check.json_differences import differences
from dsir.storage.atomic import json_bytes
from dsir.storage.sealed_json import checksum_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
    | st.sampled_from(["../x", "/etc/passwd", "_dsir/../..", "data/part-00000.parquet", "\0", "s3://"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@pytest.fixture(scope="module")
def made(small_world, target, tmp_path_factory, invoke_dsir) -> Path:
    """Selections of `select` and of the stages. Not to be changed."""
    folder = tmp_path_factory.mktemp("made")
    raw = small_world.write_parquet(folder / "raw", parts=1)
    draw = ("-n", 20, "--min-tokens", 20)
    place = {name: folder / name for name in ("m.dsir", "scores", "rows", "stages", "select")}
    for call in (
        ("fit", *raw, "-t", target, "-o", place["m.dsir"]),
        ("score", *raw, "-m", place["m.dsir"], "-o", place["scores"]),
        ("sample", place["scores"], "-o", place["rows"], *draw),
        ("write", place["rows"], "-m", place["m.dsir"], "-o", place["stages"]),
        ("select", *raw, "-t", target, "-o", place["select"], *draw),
    ):
        done = invoke_dsir(*call, "-q")
        assert done.returncode == 0, done.stderr
    return folder


def places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of a JSON value where another value could stand."""
    for key in list(node) if isinstance(node, dict) else range(len(node)):
        yield node, key
        if isinstance(node[key], dict | list):
            yield from places(node[key])


def changed(path: Path, at: int, value: Any, kind: int) -> bool:
    """Put a value somewhere in a sealed file, or take one away, seal it; False for no change."""
    content = json.loads(path.read_bytes())
    content.pop("checksum")
    before = json.dumps(content, sort_keys=True)
    every = list(places(content))
    node, key = every[at % len(every)]
    if kind == 0 and isinstance(node, dict):
        del node[key]
    elif kind == 1 and isinstance(node, dict):
        node[str(value)[:20]] = node.pop(key)
    else:
        node[key] = value
    if json.dumps(content, sort_keys=True) == before:
        return False
    try:
        json_bytes(content)
    except ValueError:  # NaN.
        return False
    path.write_bytes(json_bytes({**content, "checksum": _checksum(path, content)}))
    return True


def _checksum(path: Path, content: dict[str, Any]) -> str:
    import hashlib

    if path.name == "selection.json":
        return hashlib.sha256(json_bytes(content)).hexdigest()
    return checksum_of(content)


@given(st.sampled_from(["stages", "select"]), st.integers(0, 10**6), JSON, st.integers(0, 3))
@settings(max_examples=60)
def test_any_change_of_a_manifest(made, tmp_path_factory, which, at, value, kind):
    folder = tmp_path_factory.mktemp("change")
    out = Path(shutil.copytree(made / which, folder / "out"))
    if not changed(out / "_dsir/selection.json", at, value, kind):
        return
    for quick in (True, False):
        try:
            found = dsir.verify(out, quick=quick, threads=1)
        except dsir.DsirError:
            continue
        found.describe()
        if not quick:
            assert not found.stands or (at >= 0 and _says_the_same(made / which, out))
    try:
        dsir.diff(made / which, out, by="domain").describe()
        dsir.diff(out, made / which).describe()
    except dsir.DsirError:
        pass
    assert {path.name for path in folder.iterdir()} == {"out"}


def _says_the_same(one: Path, other: Path) -> bool:
    """Tell whether a change is none of the selection: versions, limits, what nobody knows."""
    first, second = (
        json.loads((out / "_dsir/selection.json").read_bytes()) for out in (one, other)
    )
    return all(
        re.match(r"checksum|versions|settings\.max_bad_", found.name) or None in found[1:]
        for found in differences(first, second)
    )


@given(st.integers(0, 10**6), JSON, st.integers(0, 3))
@settings(max_examples=25)
def test_any_change_of_accounts(made, tmp_path_factory, invoke_dsir, at, value, kind):
    """What is written then says so, as far as it says something wrong."""
    folder = tmp_path_factory.mktemp("stage")
    rows = Path(shutil.copytree(made / "rows", folder / "rows"))
    if not changed(rows / "accounts.json", at, value, kind):
        return
    done = invoke_dsir("write", rows, "-m", made / "m.dsir", "-o", folder / "out", "-q")
    if done.returncode:
        assert done.stderr.startswith("dsir: error: ")
        assert not (folder / "out" / "_dsir/selection.json").exists()
    else:
        found = dsir.verify(folder / "out", threads=1)
        assert not found.stands or _says_the_same(made / "stages", folder / "out")
    assert {path.name for path in folder.iterdir()} <= {"rows", "out"}


@pytest.mark.parametrize("name", ["../x.parquet", "/etc/hostname", "_dsir/../../x", "data/../x"])
def test_no_name_leads_out_of_a_folder_that_is_compared(made, tmp_path, reseal, name):
    out = Path(shutil.copytree(made / "stages", tmp_path / "out"))
    entry = {"bytes": 1, "rows": 1, "sha256": "0" * 64}
    reseal(out, lambda content: content["files"].update({name: entry}))
    with pytest.raises(dsir.OutputError, match="which no selection has"):
        dsir.diff(out, made / "select")
    reseal(out, lambda content: content["outputs"].append(name))
    assert not dsir.verify(out, quick=True).stands


@pytest.mark.parametrize(
    "what",
    ["data/part-00000.parquet", "data", "_dsir/rows/part-00000.arrow", "_dsir/rows"],
)
@pytest.mark.parametrize("to", ["away", "loop", "nothing"])
def test_links_are_not_followed(made, tmp_path, what, to):
    """Not even to what would be right."""
    out = Path(shutil.copytree(made / "stages", tmp_path / "out"))
    place = out / what
    place.rename(tmp_path / "away")
    place.symlink_to({"away": tmp_path / "away", "loop": place, "nothing": tmp_path / "no"}[to])
    for quick in (True, False):
        found = dsir.verify(out, quick=quick, threads=1)
        assert not found.stands
        assert any("is a link" in finding.message for finding in found.findings)
    with pytest.raises(dsir.OutputError, match="is a link"):
        dsir.diff(out, made / "select", by="domain")
