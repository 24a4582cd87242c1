"""verify(): whatever a manifest says, whichever byte is flipped: found, and never a crash."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import dsir
from dsir.storage.atomic import json_bytes


def messages(found: dsir.Verification) -> str:
    return "\n".join(finding.message for finding in found.findings)


@given(where=st.floats(0, 1, exclude_max=True), mask=st.integers(1, 255), file=st.integers(0, 99))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_flipped_byte_is_found(written, tmp_path_factory, where, mask, file):
    out = Path(shutil.copytree(written / "out", tmp_path_factory.mktemp("flip") / "out"))
    paths = sorted(path for path in out.rglob("*") if path.is_file() and path.name != "run.json")
    # Half of them hit the manifest.
    path = out / "_dsir/selection.json" if file % 2 else paths[file // 2 % len(paths)]
    data = bytearray(path.read_bytes())
    data[int(where * len(data))] ^= mask
    path.write_bytes(data)
    found = dsir.verify(out, quick=file % 10 != 3, threads=1)
    assert not found.stands
    assert path.name in messages(found)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
                    lambda inner: st.lists(inner, max_size=3)
                    | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=8),
       st.integers(0, 10**6))  # fmt: skip
@settings(max_examples=40)
def test_any_value_anywhere_in_a_manifest(written, tmp_path_factory, value, at):
    """Sealed again: nothing but what it says can tell."""
    out = Path(shutil.copytree(written / "out", tmp_path_factory.mktemp("value") / "out"))
    path = out / "_dsir/selection.json"
    content = json.loads(path.read_bytes())
    places: list[tuple[Any, Any]] = []

    def walk(node: Any) -> None:
        for key in node if isinstance(node, dict) else range(len(node)):
            places.append((node, key))
            if isinstance(node[key], dict | list):
                walk(node[key])

    del content["checksum"]
    walk(content)
    node, key = places[at % len(places)]
    if json.dumps(node[key]) == json.dumps(value):
        return
    node[key] = value
    try:
        checksum = hashlib.sha256(json_bytes(content)).hexdigest()
    except ValueError:
        checksum = ""
    path.write_text(json.dumps({**content, "checksum": checksum}))
    try:
        found = dsir.verify(out, threads=1, quick=at % 4 != 0)
    except dsir.OutputError:
        return
    # Not as it was written, whatever it says: these bytes are spelled otherwise.
    assert not found.stands


VALUES = [
    *(None, True, -1, 0, 1, 1.5, -0.5, float("nan"), float("inf"), 10**30, 2**63, "", "x", "1%"),
    *([], [1], {}, {"dsir": 1}, {"a": [1]}, "../x", "\ud800", "separate", "paper", "poisson"),
]
SETTINGS = [
    *("n", "fraction", "tokens", "features", "targets", "proportions", "smoothing", "length"),
    *("fit_tokens", "chunk_tokens", "chunk_stride", "filters", "text", "method", "temperature"),
    *("combine", "seed", "min_tokens", "allow_fewer", "shard_size", "weight_column"),
    *("target_column", "on_error", "max_bad_rows", "max_bad_shards", "candidates", "filters"),
    *("preprocessing", "threads", "engine", "features.n", "features.buckets", "features.hash"),
]


@given(st.sampled_from(SETTINGS), st.sampled_from(VALUES))
@settings(max_examples=40)
def test_any_value_of_any_setting(written, tmp_path_factory, name, value):
    """Never a crash, whatever the manifest asks for."""
    out = Path(shutil.copytree(written / "out", tmp_path_factory.mktemp("setting") / "out"))
    path = out / "_dsir/selection.json"
    content = json.loads(path.read_bytes())
    first, _, inner = name.partition(".")
    place, key = (content["settings"][first], inner) if inner else (content["settings"], first)
    same = key in place and json.dumps(place[key]) == json.dumps(value)
    place[key] = value
    path.write_text(json.dumps(content))
    found = dsir.verify(out, threads=1)
    # The manifest is not sealed; some values are only another way to say the same.
    assert same or not found.stands
