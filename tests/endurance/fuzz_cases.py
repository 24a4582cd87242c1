"""The files that fuzz_readers.py changes, and what must hold of each once it was changed."""

from __future__ import annotations

import functools
import gzip
import io
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import dsir
from dsir.corpus import Shard, resolve
from dsir.corpus.windows.shard import ChunkedShard
from dsir.graph import Idf
from dsir.model.features import HashedNgrams
from dsir.run.folders import sample_to_folder, score_to_folder
from dsir.run.pipeline import Pipeline
from dsir.run.status import run_status
from dsir.run.write_folder import write_from_folder
from dsir.sampling import KeyRule
from dsir.settings.budget import Budget
from dsir.settings.draw import DrawSettings
from dsir.settings.machine import Machine
from dsir.settings.output import OutputSettings


class WrongAnswerError(AssertionError):
    """A changed file was read, and what came out is not right."""


@dataclass(frozen=True)
class Case:
    """Good files of a kind, and what reads them.

    Attributes:
        seeds: contents of good files.
        check: called with a changed content; returns whether it was read, raises an error of dsir
            where it was refused.
    """

    seeds: list[bytes]
    check: Callable[[bytes], bool]


TEXTS = [
    "the ship and the sea, a storm",
    None,
    "",
    "the judge and the court",
    "flour, yeast — knead the dough",
    "the ship's anchor; a longer line so that it is no short string",
    "\u6771\u4eac\u3067\u3059\u3002",
]
FEATURES = HashedNgrams(n=2, buckets=16)


def require(condition: bool, what: str) -> None:
    if not condition:
        raise WrongAnswerError(what)


def _table(data_type: pa.DataType) -> pa.Table:
    texts = pa.array(TEXTS * 3)
    return pa.table(
        {
            "id": pa.array(range(len(texts))),
            "text": texts.cast(data_type),
            "tags": pa.array([["a", "b"], None, []] * 7),
            "meta": pa.array([{"lang": "en", "n": 1.5}, None, {"lang": None, "n": 2.0}] * 7),
        }
    )


@functools.cache
def _any_model() -> dsir.ImportanceModel:
    counts = np.arange(1, 1 + FEATURES.buckets)
    return dsir.ImportanceModel(FEATURES, counts, counts[::-1])


def read_all(path: Path) -> list[str | None]:
    """Read a file as a run does: the texts, counted and scored, and rows fetched by number."""
    (shard,) = resolve(path, text="text").shards
    counts = np.zeros(FEATURES.buckets, dtype=np.int64)
    model = _any_model()
    texts: list[str | None] = []
    for batch in shard.text_batches(on_error="skip"):
        require(batch.unit_row == len(texts), "rows are not in order")
        dsir._core.count(batch.text, FEATURES.spec, counts)
        dsir._core.score(batch.text, FEATURES.spec, model.table, model.weighing)
        plain = batch.text.cast(pa.binary()) if _is_plain(batch.text.type) else batch.text
        texts += plain.to_pylist() if plain is not batch.text else [None] * len(plain)
    if texts:
        rows = np.unique(np.array([0, len(texts) // 2, len(texts) - 1], dtype=np.int64))
        taken = sum(len(part.rows) for part in shard.take(rows))
        require(taken == len(rows), "rows were lost on the way")
        _read_windows(shard)
    return texts


def _read_windows(shard: Shard) -> None:
    """Cut every text into windows, and fetch the first of each batch by document and bytes."""
    model = _any_model()
    chunked = ChunkedShard(shard, 4, 3)
    for batch in chunked.text_batches(on_error="skip"):
        _, tokens, text_bytes, status = dsir._core.score(
            batch.text, FEATURES.spec, model.table, model.weighing
        )
        if batch.origin is None or not len(tokens):
            continue
        good = np.flatnonzero((status == 0) & (tokens > 0))[:6]
        rows = batch.origin.row[good]
        starts = batch.origin.start[good].astype(np.int64)
        found: list[str | None] = []
        for taken in chunked.take_windows(rows, starts, text_bytes[good].astype(np.int64)):
            texts = taken.text.to_pylist()
            found += texts
            if taken.lines is not None:
                lines = [json.loads(line)["text"] for line in taken.lines.to_pylist()]
                require(lines == texts, "the line of a window has another text")
        expected = [batch.text[int(at)].as_py() for at in good]
        require(found == expected, f"{found!r} where {expected!r} was scored")


def _is_plain(data_type: pa.DataType) -> bool:
    return bool(pa.types.is_string(data_type) or pa.types.is_large_string(data_type))


def reading(path: Path, seeds: list[bytes]) -> Case:
    def check(data: bytes) -> bool:
        path.write_bytes(data)
        read_all(path)
        return True

    for seed in seeds:
        check(seed)
    return Case(seeds, check)


def parquet(folder: Path) -> Case:
    """Footers, pages, dictionaries: read or refused."""
    seeds = []
    for options in (
        {"compression": "none", "use_dictionary": False},
        {"compression": "zstd", "row_group_size": 8, "write_page_checksum": True},
        {"compression": "snappy", "data_page_version": "2.0", "data_page_size": 64},
        {"compression": "gzip", "use_dictionary": ["text"]},
    ):
        for data_type in (pa.string(), pa.dictionary(pa.int32(), pa.string())):
            sink = io.BytesIO()
            pq.write_table(_table(data_type), sink, **options)
            seeds.append(sink.getvalue())
    return reading(folder / "a.parquet", seeds)


def arrow(folder: Path) -> Case:
    """Files and streams, of every type of text."""
    seeds = []
    for data_type in (pa.string(), pa.large_string(), pa.string_view()):
        for opened in (pa.ipc.new_file, pa.ipc.new_stream):
            sink = io.BytesIO()
            table = _table(data_type)
            with opened(sink, table.schema) as writer:
                writer.write_table(table, max_chunksize=10)
            seeds.append(sink.getvalue())
    coded = _table(pa.string()).select(["id", "text"])
    coded = coded.set_column(1, "text", coded.column("text").dictionary_encode())
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, coded.schema) as writer:
        writer.write_table(coded)
    return reading(folder / "a.arrow", [*seeds, sink.getvalue()])


_LINES = b"".join(
    json.dumps({"id": i, "text": text, "meta": {"n": [i, None]}}, ensure_ascii=i % 2 == 0).encode()
    + (b"\r\n" if i % 3 == 0 else b"\n")
    for i, text in enumerate(TEXTS * 3)
)


def _text_of(line: bytes) -> Any:
    """The text of a line as Python's reader has it; an exception where there is none."""
    value = json.loads(line.decode("utf-8"), parse_int=float)["text"]
    value.encode("utf-8")
    return value


def _require_lines(texts: list[Any], data: bytes) -> None:
    """Check that each line that was read has the text that Python's JSON reader finds in it."""
    lines = [line for line in data.split(b"\n") if line.strip(b" \t\r")]
    lines[:1] = [line.removeprefix(b"\xef\xbb\xbf") for line in lines[:1]]
    lines = [line for line in lines if line.strip(b" \t\r")]
    require(len(texts) == len(lines), f"{len(texts)} rows of {len(lines)} lines")
    for text, line in zip(texts, lines, strict=True):
        try:
            expected = _text_of(line.removesuffix(b"\r"))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            expected = None
        found = None if text is None else text.decode("utf-8")
        require(found == expected, f"{line!r}: {found!r}")


def jsonl(folder: Path) -> Case:
    """Every line that was read has the text that Python's JSON reader finds in it."""
    path = folder / "a.jsonl"

    def check(data: bytes) -> bool:
        path.write_bytes(data)
        _require_lines(read_all(path), data)
        return True

    check(_LINES)
    return Case([_LINES, b'{"text": "a"}\n\n{"text": "b"}'], check)


def gz(folder: Path) -> Case:
    """What was compressed has a checksum: it is read as it was, or not at all.

    A file that begins with a brace is not compressed, whatever its name: it is read as lines.
    """
    path = folder / "a.jsonl.gz"
    right = [None if text is None else text.encode() for text in TEXTS * 3]

    def check(data: bytes) -> bool:
        path.write_bytes(data)
        texts = read_all(path)
        if data.lstrip().startswith(b"{"):
            _require_lines(texts, data)
        else:
            require(texts[: len(right)] == right, "other texts than were compressed")
        return True

    seeds = [gzip.compress(_LINES, mtime=0), gzip.compress(_LINES, 0, mtime=0)]
    check(seeds[0])
    return Case(seeds, check)


def _compress(codec: str) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, codec) as stream:
        stream.write(_LINES)
    return sink.getvalue().to_pybytes()


def _lines_in(codec: str, suffix: str) -> Callable[[Path], Case]:
    return lambda folder: reading(folder / f"a.jsonl{suffix}", [_compress(codec)])


def loading(path: Path, seeds: list[bytes], load: Callable[[Path], Any]) -> Case:
    """A changed file is never loaded."""

    def check(data: bytes) -> bool:
        path.write_bytes(data)
        load(path)
        require(data in seeds, "a changed file was loaded")
        return True

    for seed in seeds:
        check(seed)
    return Case(seeds, check)


def model(folder: Path) -> Case:
    """Model files."""
    path = folder / "model.dsir"
    counts = np.arange(1, 17)
    dsir.ImportanceModel(FEATURES, counts, counts[::-1]).save(path)
    one = path.read_bytes()
    dsir.ImportanceModel(
        FEATURES,
        counts,
        np.stack([counts, counts[::-1]]),
        target_names=["a", "b"],
        targets="separate",
        length="mean",
    ).save(path)
    return loading(path, [one, path.read_bytes()], dsir.ImportanceModel.load)


def idf(folder: Path) -> Case:
    """Idf files."""
    path = folder / "terms.idf"
    fitted = Idf()
    fitted.fit([text or "" for text in TEXTS])
    fitted.save(path)
    return loading(path, [path.read_bytes()], Idf.load)


def _in_folder(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def workdir(folder: Path) -> Case:
    """A run goes on from a work directory with a changed file: the same selection, or an error.

    The input is the number of a file, and its content.
    """
    raw = folder / "raw.jsonl"
    rows = [{"text": f"{text} {i}"} for i, text in enumerate(TEXTS * 6)]
    raw.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    settings: dict[str, Any] = {
        "n": 9,
        "min_tokens": 2,
        "features": FEATURES,
        "length": "mean",
        "progress": False,
        "threads": 1,
        "out": folder / "out",
        "workdir": folder / "work",
    }
    target = ["the ship and the sea", "a storm at sea"]

    def select() -> tuple[list[int], bytes, dict[str, bytes]]:
        selection = dsir.select(raw, target, **settings)
        out = _in_folder(folder / "out")
        out.pop("_dsir/run.json")
        return selection.rows.tolist(), selection.log_weights.tobytes(), out

    expected = select()
    good = {"out": _in_folder(folder / "out"), "work": _in_folder(folder / "work")}
    names = [(top, name) for top in good for name in good[top] if name != "_dsir/run.json"]
    shutil.copytree(folder / "out", folder / "good" / "out")
    shutil.copytree(folder / "work", folder / "good" / "work")

    def check(data: bytes) -> bool:
        for top in good:
            for path in (folder / top).rglob("*"):
                if path.is_file() and str(path.relative_to(folder / top)) not in good[top]:
                    path.unlink()
            shutil.copytree(folder / "good" / top, folder / top, dirs_exist_ok=True)
        top, name = names[data[0] % len(names) if data else 0]
        (folder / top / name).write_bytes(data[1:])
        outside = {path for path in folder.iterdir() if path.name not in good}
        try:
            run_status(folder / "work").describe()
        finally:
            found = select()
        require(found == expected, f"{top}/{name}: another selection")
        require(
            {path for path in folder.iterdir() if path.name not in good} == outside,
            "files outside the folders",
        )
        return True

    seeds = [bytes([i]) + good[top][name] for i, (top, name) in enumerate(names)]
    for seed in seeds:
        check(seed)
    return Case(seeds, check)


def folders(folder: Path) -> Case:
    """The stages on their own, from a folder of scores or rows with a changed file.

    The input is the number of a file, and its content.
    """
    raw = folder / "raw.jsonl"
    raw.write_text("".join(json.dumps({"text": f"{t} {t}"}) + "\n" for t in TEXTS * 6), "utf-8")
    model = dsir.fit(raw, ["the ship and the sea"], features=FEATURES, progress=False)
    pipeline = Pipeline(Machine.of({"threads": 1, "progress": False}))
    settings = DrawSettings(Budget(9, None, None), KeyRule(3, "resample", 1.0), 2, False)
    corpus = resolve(raw, text="text")
    scores, rows, out = (folder / name for name in ("scores", "rows", "out"))

    def run() -> dict[str, bytes]:
        """Score what is not scored yet, draw, and write."""
        score_to_folder(pipeline, corpus, model, None, scores)
        sample_to_folder(pipeline, scores, settings, rows)
        written = write_from_folder(
            pipeline,
            rows,
            out,
            model=model,
            model_path=None,
            output=OutputSettings(),
        )
        require(all(path.parent == out / "data" for path in written.paths), "a path outside")
        return _in_folder(out)

    expected = run()
    good = {top: _in_folder(top) for top in (scores, rows)}
    names = [top / name for top in good for name in good[top]]

    def check(data: bytes) -> bool:
        shutil.rmtree(out, ignore_errors=True)
        for top, files in good.items():
            shutil.rmtree(top)
            for name, content in files.items():
                (top / name).parent.mkdir(parents=True, exist_ok=True)
                (top / name).write_bytes(content)
        path = names[data[0] % len(names) if data else 0]
        path.write_bytes(data[1:])
        require(run() == expected, f"{path}: another selection")
        return True

    seeds = [bytes([i]) + path.read_bytes() for i, path in enumerate(names)]
    for seed in seeds:
        check(seed)
    return Case(seeds, check)


def selection(folder: Path) -> Case:
    """A written selection with a changed file: it does not stand, and nothing else is compared.

    The input is the number of a file, and its content.
    """
    raw = folder / "raw.jsonl"
    raw.write_text("".join(json.dumps({"text": f"{t} {t}"}) + "\n" for t in TEXTS * 6), "utf-8")
    target = folder / "target.jsonl"
    target.write_text(json.dumps({"text": "the ship and the sea"}) + "\n", "utf-8")
    good, out = folder / "good", folder / "out"
    keywords: dict[str, Any] = {"features": FEATURES, "min_tokens": 2, "length": "mean"}
    dsir.select(raw, target, n=9, out=out, progress=False, **keywords)
    (out / "_dsir/run.json").unlink()  # It has no checksum: nobody reads it.
    shutil.copytree(out, good)
    files = _in_folder(out)
    names = sorted(files)
    same = dsir.diff(good, good).describe()

    def check(data: bytes) -> bool:
        name = names[data[0] % len(names) if data else 0]
        changed = data[1:] != files[name]
        (out / name).write_bytes(data[1:])
        try:
            for quick in (True, False):
                stands = dsir.verify(out, quick=quick, threads=1).stands
                require(stands != changed, f"{name}: {'stands' if stands else 'does not stand'}")
            found = dsir.diff(good, out).describe()
            if name.startswith(("_dsir/rows", "_dsir/selection")):  # All that diff reads.
                require(not changed, f"{name}: a changed file was compared")
            require({**found, "b": ""} == {**same, "b": ""}, f"{name}: another difference")
        finally:
            (out / name).write_bytes(files[name])
        return not changed

    seeds = [bytes([i]) + files[name] for i, name in enumerate(names)]
    for seed in seeds:
        check(seed)
    return Case(seeds, check)


CASES: dict[str, Callable[[Path], Case]] = {
    "parquet": parquet,
    "arrow": arrow,
    "jsonl": jsonl,
    "gz": gz,
    "zst": _lines_in("zstd", ".zst"),
    "bz2": _lines_in("bz2", ".bz2"),
    "lz4": _lines_in("lz4", ".lz4"),
    "model": model,
    "idf": idf,
    "workdir": workdir,
    "folders": folders,
    "selection": selection,
}
