"""Digests of what a run gave that are the same on every machine and with every version of pyarrow.

A digest is of decoded contents: rows, columns, bits of floats, lines; never of the bytes of a
Parquet file, of times, of absolute paths, or of English.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from recorded_runs import Place, Result

# Keys of the manifests that say which version, file or moment it was, or say it in English.
_NOT_RESULTS = ("versions", "checksum", "mtime_ns", "size", "sha256", "footer", "reason")
_MANIFESTS = ("selection.json", "ranking.json", "instances.json")
# Work directories and the accounts of single stages are for dsir alone; run.json has the seconds.
_NOT_READ = ("work", "run.json")


def parts_of(result: Result, place: Place) -> dict[str, Any]:
    """Return everything that a run gave, by name: values, and decoded files of its folder.

    Args:
        result: what it returned.
        place: where it was made.
    """
    parts = {
        f"value {name}": _relative(_results(value), place)
        for name, value in result.values.items()
        if value is not None
    }
    for path in sorted(place.folder.rglob("*")):
        name = path.relative_to(place.folder)
        if path.is_file() and not set(_NOT_READ) & set(name.parts):
            for key, content in _decoded(path, place).items():
                parts[f"file {name}{key}"] = content
    return parts


def input_parts(folder: Path) -> dict[str, Any]:
    """Return the inputs that can be told whatever library compressed them, by name.

    Args:
        folder: what `recorded_inputs.write_inputs` wrote.
    """
    place = Place(folder, folder)
    return {
        f"input {path.relative_to(folder)}": _decoded(path, place)[""]
        for path in sorted(folder.rglob("*.*"))
        if path.suffix in (".jsonl", ".parquet", ".arrow") and path.parent.name != "damaged"
    }


def digest_of(value: Any) -> str:
    """Return a digest of an array, an Arrow table, bytes or JSON values."""
    seen = hashlib.sha256()
    _add(seen, value)
    return seen.hexdigest()[:16]


def _add(seen: Any, value: Any) -> None:
    if isinstance(value, np.ndarray):
        array = value.astype(value.dtype.newbyteorder("<"))
        seen.update(f"{array.dtype.str} {array.shape} ".encode() + array.tobytes())
    elif isinstance(value, pa.Table):
        for field, column in zip(value.schema, value.columns, strict=True):
            seen.update(f"{field.name} {_type_name(field.type)} {field.nullable} ".encode())
            _add(seen, column)
        metadata = {**(value.schema.metadata or {})}
        metadata.pop(b"ARROW:schema", None)
        _add(seen, {one.decode(): metadata[one].decode() for one in metadata})
    elif isinstance(value, pa.Array | pa.ChunkedArray):
        _add(seen, value.to_pylist())
    elif isinstance(value, bytes):
        seen.update(value)
    else:
        seen.update(json.dumps(value, sort_keys=True, default=_unusual).encode())


def _unusual(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} has no digest")


def _type_name(kind: pa.DataType) -> str:
    """A type in words of our own: pyarrow's have changed, as has the name of a list's items."""
    if pa.types.is_dictionary(kind):
        return f"dictionary({_type_name(kind.index_type)}, {_type_name(kind.value_type)})"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return f"{'large_' * pa.types.is_large_list(kind)}list({_type_name(kind.value_type)})"
    if pa.types.is_struct(kind):
        fields = [kind.field(i) for i in range(kind.num_fields)]
        return f"struct({', '.join(f'{one.name} {_type_name(one.type)}' for one in fields)})"
    return str(kind)


def _decoded(path: Path, place: Place) -> dict[str, Any]:
    """What is in a file, by the part of it; nothing of files that are about the machine."""
    if path.name in _MANIFESTS:
        content = _relative(_results(json.loads(path.read_bytes())), place)
        # Compressed tables have other sizes with other libraries, rejects with other paths.
        for name, entry in content.get("files", {}).items():
            if name == "_dsir/rejects.jsonl" or not name.endswith(".jsonl"):
                entry.pop("bytes", None)
        return {f" {key}": content[key] for key in content}
    if path.name == "rejects.jsonl":
        lines = [json.loads(line) for line in path.read_bytes().splitlines()]
        return {"": _relative(_results(lines), place)}
    if path.suffix == ".parquet":
        return {"": pq.ParquetFile(path).read()}
    if path.suffix == ".arrow":
        with pa.OSFile(str(path)) as file:
            return {"": pa.ipc.open_file(file).read_all()}
    if path.suffix == ".npy":
        return {"": np.load(path)}
    if path.suffix == ".json":  # Markers and accounts of single stages: checksums of files.
        return {}
    return {"": path.read_bytes()}


def _results(value: Any) -> Any:
    """JSON values without what is no result."""
    if isinstance(value, Mapping):
        return {name: _results(one) for name, one in value.items() if name not in _NOT_RESULTS}
    if isinstance(value, list):
        return [_results(one) for one in value if not _is_of_a_file(one)]
    return value


def _is_of_a_file(entry: Any) -> bool:
    """Tell whether an entry of `diff` is about the size or the time of a file."""
    return isinstance(entry, Mapping) and str(entry.get("name")).endswith((".mtime_ns", ".size"))


def _relative(value: Any, place: Place) -> Any:
    """JSON values with paths as seen from the run."""
    if isinstance(value, str):
        return value.replace(str(place.folder), "RUN").replace(str(place.inputs), "INPUTS")
    if isinstance(value, Mapping):
        return {_relative(name, place): _relative(one, place) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_relative(one, place) for one in value]
    return value
