"""A selection that was written, and sealed again after a change."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import dsir
from dsir.storage.atomic import json_bytes


@pytest.fixture(scope="session")
def reseal() -> Callable[[Path, Callable[[dict[str, Any]], Any]], None]:
    """A function: change a manifest and give it the checksum of what it then says."""

    def change_manifest(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
        path = folder / "_dsir/selection.json"
        content = json.loads(path.read_bytes())
        del content["checksum"]
        change(content)
        checksum = hashlib.sha256(json_bytes(content)).hexdigest()
        path.write_bytes(json_bytes({**content, "checksum": checksum}))

    return change_manifest


@pytest.fixture(scope="session")
def written(small_world, target, tmp_path_factory) -> Path:
    """A selection of Parquet rows in three parts, and its inputs. Not to be changed."""
    folder = tmp_path_factory.mktemp("written")
    raw = small_world.write_parquet(folder / "raw", parts=2)
    dsir.select(
        raw,
        target,
        out=folder / "out",
        shard_size="4kB",
        n=40,
        min_tokens=20,
        length="mean",
        progress=False,
    )
    assert len(list((folder / "out").glob("data/part-*"))) >= 3
    return folder
