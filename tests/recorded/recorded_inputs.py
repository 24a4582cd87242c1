"""The inputs of the recorded runs: a folder of small files, the same rows every time."""

from __future__ import annotations

import importlib.util
import json
import random
import shutil
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

_TESTS = Path(__file__).resolve().parents[1]
PARAGRAPHS = _TESTS.parent / "examples" / "corpus"
_GROUP = 50  # Rows of a row group of the damaged Parquet file.


def write_inputs(folder: Path) -> None:
    """Write all inputs.

    parquet/, jsonl/ and arrow/ hold the same 600 rows; targets/ samples of three domains; copies/
    rows with repeated texts and columns for quotas; damaged/ files that cannot be read whole;
    labelled/ rows with a class; paragraphs/ real prose.

    Args:
        folder: where they go; must not exist.
    """
    conftest = _conftest()
    world = conftest.make_world(600, seed=1)
    types = [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())]
    world.write_parquet(folder / "parquet", types=types)
    world.write_jsonl(folder / "jsonl")
    (folder / "arrow").mkdir()
    for number, rows in enumerate(world.cut(2)):
        kind = pa.large_string() if number else pa.string()
        _write_arrow(folder / "arrow" / f"part-{number}.arrow", conftest.table_of(rows, kind))
    _write_targets(folder / "targets", world)
    _write_copies(folder / "copies", world)
    _write_damaged(folder / "damaged", world, conftest.line_of)
    _write_labelled(folder / "labelled")
    shutil.copytree(PARAGRAPHS, folder / "paragraphs", ignore=shutil.ignore_patterns("*.md"))


def _conftest() -> Any:
    """Import tests/conftest.py: pytest is not running when a script records."""
    name = "recorded_conftest"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, _TESTS / "conftest.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)  # Its dataclass looks there.
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


def _write_lines(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(json.dumps(row).encode() + b"\n" for row in rows))


def _write_arrow(path: Path, table: pa.Table) -> None:
    with pa.ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table, max_chunksize=70)


def _write_targets(folder: Path, world: Any) -> None:
    _write_lines(folder / "sea.jsonl", [{"text": text} for text in world.target])
    for domain in ("law", "bake"):
        rows = [row for row in world.rows if row["domain"] == domain and row["text"]]
        _write_lines(folder / f"{domain}.jsonl", [{"text": row["text"]} for row in rows[:40]])
    # Some lines of this one cannot be read.
    lines = (folder / "sea.jsonl").read_bytes().splitlines(keepends=True)
    lines[3], lines[9] = b'{"text": \n', b'{"no": "text"}\n'
    (folder / "damaged.jsonl").write_bytes(b"".join(lines))


def _write_copies(folder: Path, world: Any) -> None:
    """Rows of which three in ten repeat an earlier text, with a source, a language and a flag."""
    draw = random.Random(3)
    sources = ["web", "web", "web", "books", "books", "news", None, 'a "quoted", name']
    texts: list[str | None] = []
    for row in world.rows[:400]:
        repeats = len(texts) > 5 and draw.random() < 0.3
        texts.append(texts[draw.randrange(len(texts))] if repeats else row["text"])
    source = [draw.choice(sources) for _ in texts]
    lang = [draw.choice([1, 1, 1, 2, 3]) for _ in texts]
    flag = [draw.choice([True, False, None]) for _ in texts]
    table = pa.table(
        {
            "text": pa.array(texts, pa.large_string()),
            "source": pa.array(source, pa.string()).dictionary_encode(),
            "lang": pa.array(lang, pa.int16()),
            "meta": pa.array([{"flag": one, "x": 1} for one in flag]),
        }
    )
    (folder / "parquet").mkdir(parents=True)
    for number, (start, stop) in enumerate(pairwise([0, 60, 61, 250, len(texts)])):
        path = folder / "parquet" / f"part-{number}.parquet"
        pq.write_table(table[start:stop], path, row_group_size=41)
    rows = [
        {"meta": {"flag": one[3]}, "text": one[0], "lang": one[2]}
        | ({} if one[1] is None else {"source": one[1]})
        for one in zip(texts, source, lang, flag, strict=True)
    ]
    _write_lines(folder / "jsonl" / "part-0.jsonl", rows[:110])
    _write_lines(folder / "jsonl" / "part-1.jsonl", rows[110:])


def _write_damaged(folder: Path, world: Any, line_of: Any) -> None:
    folder.mkdir()
    _write_damaged_parquet(folder / "a.parquet", world.table())
    lines = [line_of(row) for row in world.rows[:300]]
    lines[7] = b'{"id": 7, "text": "no end\n'
    lines[30] = b'{"text": "\xff\xfe no UTF-8", "id": 30}\n'
    lines[31] = b"\n"
    lines[90] = b"[1, 2]\n"
    lines[91] = b'{"id": 91, "text": 5}\n'
    lines[200] = b'{"id": 200, "text": "half \\ud800 a pair"}\n'
    (folder / "b.jsonl").write_bytes(b"".join(lines))
    (folder / "c.parquet").write_bytes(b"PAR1 this is no footer PAR1")
    (folder / "d.jsonl").write_bytes(b"".join(map(line_of, world.rows[300:])))


def _write_damaged_parquet(path: Path, table: pa.Table) -> None:
    """Write row groups of 50 rows, of which three have a flipped bit in the named column."""
    plain: dict[str, Any] = {"use_dictionary": False, "write_page_checksum": True}
    pq.write_table(table, path, row_group_size=_GROUP, compression="none", **plain)
    data = bytearray(path.read_bytes())
    for group, name in {1: "id", 4: "meta.body", 6: "text"}.items():
        of_group = pq.read_metadata(path).row_group(group)
        columns = [of_group.column(i) for i in range(of_group.num_columns)]
        [column] = [one for one in columns if one.path_in_schema == name]
        data[column.data_page_offset + column.total_compressed_size - 3] ^= 4
    path.write_bytes(data)


def _write_labelled(folder: Path) -> None:
    """Rows in two rings; all numbers are multiples of 1/64, which no machine rounds."""
    draw = random.Random(5)
    rows = []
    for number in range(420):
        a, b = (draw.randrange(-128, 129) / 64 for _ in range(2))
        inside = a * a + b * b < 1.5
        colour = "red" if inside else draw.choice(["red", "blue"])
        words = "small near round" if inside else "large far wide"
        text = " ".join(draw.choice([*words.split(), "the", "of"]) for _ in range(12))
        label = "in" if inside else "out"
        rows.append({"a": a, "b": b, "colour": colour, "label": label, "text": text, "id": number})
    folder.mkdir()
    pq.write_table(pa.Table.from_pylist(rows[:200]), folder / "a.parquet", row_group_size=64)
    _write_lines(folder / "b.jsonl", rows[200:])
