"""A small corpus of three domains that share hardly a word, in every format that is read."""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import settings

# The same examples in every run, and no time limit on one: the machine may be busy.
settings.register_profile("dsir", derandomize=True, deadline=None)
settings.load_profile("dsir")


@pytest.fixture(scope="session", autouse=True)
def no_waiting_for_the_disk() -> Iterator[None]:
    """A crash of the process is survived without fsync(), which would take half of the time.

    Commands that tests start as processes of their own do wait.
    """
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "fsync", os.fstat)  # A handle that is not open is an error as before.
        yield


@pytest.fixture(autouse=True)
def no_modules_of_other_tests(tmp_path_factory) -> Iterator[None]:
    """A module that a test has written and imported is not what the next one finds by its name."""
    before = set(sys.modules)
    yield
    folder = f"{tmp_path_factory.getbasetemp()}{os.sep}"
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None)).startswith(folder):
            del sys.modules[name]
    sys.path[:] = [entry for entry in sys.path if not str(entry).startswith(folder)]


_WORDS = {
    "sea": "ship sail anchor tide harbour mast captain wave storm gull rope deck keel reef wind",
    "law": "court judge statute clause plaintiff verdict appeal counsel lien tort bench writ jury",
    "bake": "flour yeast oven knead crust butter sugar loaf rise whisk dough salt glaze tin crumb",
}
_COMMON = "the a of and to in was it on for , . —"


@dataclass(frozen=True)
class World:
    """The corpus: rows of `id`, `domain`, `text`, `tags` and `meta`, and how to write them."""

    rows: list[dict[str, Any]]
    target: list[str]

    def __repr__(self) -> str:
        return f"World({len(self.rows)} rows)"  # Hypothesis shows it.

    @property
    def texts(self) -> list[str | None]:
        return [row["text"] for row in self.rows]

    @property
    def domains(self) -> list[str]:
        return [row["domain"] for row in self.rows]

    def table(self, text_type: pa.DataType | None = None) -> pa.Table:
        """All rows as a table."""
        return table_of(self.rows, text_type or pa.string())

    def cut(self, parts: int) -> list[list[dict[str, Any]]]:
        """The rows, in order, cut into parts of unequal size."""
        bounds = [0, *(len(self.rows) * i * i // (parts * parts) for i in range(1, parts + 1))]
        return [self.rows[start:stop] for start, stop in pairwise(bounds)]

    def write_parquet(
        self, folder: Path, parts: int = 3, group: int = 37, types: Sequence[pa.DataType] = ()
    ) -> list[Path]:
        """Write the rows as Parquet shards."""
        folder.mkdir(parents=True, exist_ok=True)
        paths = []
        for number, rows in enumerate(self.cut(parts)):
            kind = types[number % len(types)] if types else pa.string()
            path = folder / f"part-{number}.parquet"
            pq.write_table(table_of(rows, kind), path, row_group_size=group)
            paths.append(path)
        return paths

    def write_jsonl(
        self, folder: Path, suffixes: Sequence[str] = (".jsonl", ".jsonl.gz", ".jsonl.zst")
    ) -> list[Path]:
        """Write the rows as JSON Lines shards, one a suffix."""
        folder.mkdir(parents=True, exist_ok=True)
        paths = []
        for number, rows in enumerate(self.cut(len(suffixes))):
            path = folder / f"part-{number}{suffixes[number]}"
            write_compressed(path, b"".join(map(line_of, rows)))
            paths.append(path)
        return paths


def table_of(rows: Sequence[dict[str, Any]], text_type: pa.DataType) -> pa.Table:
    """Rows as a table whose text column has the type, with a nested column and metadata."""
    schema = pa.schema(
        [
            pa.field("id", pa.int32(), nullable=False),
            pa.field("text", pa.string()),
            pa.field("domain", pa.dictionary(pa.int32(), pa.string())),
            pa.field("tags", pa.list_(pa.string())),
            pa.field("meta", pa.struct([("chars", pa.int16()), ("body", pa.string())])),
        ],
        metadata={"made": "by a test"},
    )
    table = pa.Table.from_pylist(list(rows), schema)
    text = table.column("text")
    text = (
        text.combine_chunks().dictionary_encode()
        if pa.types.is_dictionary(text_type)
        else text.cast(text_type)
    )
    return table.set_column(1, pa.field("text", text_type), text)


def line_of(row: dict[str, Any]) -> bytes:
    """A row as a line; the spacing differs from row to row, as it does in the wild."""
    separators = (", ", ": ") if row["id"] % 2 else (",", ":")
    line = json.dumps(row, ensure_ascii=bool(row["id"] % 3), separators=separators)
    return line.encode() + b"\n"


def write_compressed(path: Path, data: bytes) -> None:
    """Write bytes, compressed as the suffix says."""
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(data, mtime=0))
    elif path.suffix in (".zst", ".bz2", ".lz4"):
        codec = {".zst": "zstd", ".bz2": "bz2", ".lz4": "lz4"}[path.suffix]
        with pa.CompressedOutputStream(pa.OSFile(str(path), "wb"), codec) as stream:
            stream.write(data)
    else:
        path.write_bytes(data)


def _document(draw: random.Random, domain: str) -> str:
    words = _WORDS[domain].split() * 2 + _COMMON.split()
    length = draw.choice([8, 30, 60, 120, 200])
    text = " ".join(draw.choice(words) for _ in range(length))
    return text.capitalize() + draw.choice(["", " — é", " Ünder", "\n"])


def make_world(count: int, seed: int) -> World:
    """Make a corpus of so many rows, a few of them null, empty or blank."""
    draw = random.Random(seed)
    rows: list[dict[str, Any]] = []
    for number in range(count):
        domain = draw.choice(list(_WORDS))
        text: str | None = _document(draw, domain)
        if number % 41 == 7:
            text = [None, "", " \n\t"][number % 3]
        tags = None if number % 5 == 0 else [domain, str(number)][: number % 3]
        rows.append(
            {
                "id": number,
                "text": text,
                "domain": domain,
                "tags": tags,
                "meta": None
                if number % 7 == 0
                else {"chars": len(text or ""), "body": text and text.upper()},
            }
        )
    return World(rows, [_document(draw, "sea") for _ in range(60)])


@pytest.fixture(scope="session")
def world() -> World:
    """The corpus."""
    return make_world(600, seed=1)


@pytest.fixture(scope="session")
def small_world() -> World:
    """A corpus for what is done many times."""
    return make_world(90, seed=2)


@pytest.fixture(scope="session")
def parquet(world: World, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The corpus as Parquet shards of differing text types. Not to be changed."""
    types = [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())]
    return world.write_parquet(tmp_path_factory.mktemp("parquet"), types=types)


@pytest.fixture(scope="session")
def jsonl(world: World, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The corpus as JSON Lines shards, plain and compressed. Not to be changed."""
    return world.write_jsonl(tmp_path_factory.mktemp("jsonl"))


@pytest.fixture(scope="session")
def target(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The target as a file. Not to be changed."""
    path = tmp_path_factory.mktemp("target") / "target.jsonl"
    path.write_bytes(b"".join(json.dumps({"text": text}).encode() + b"\n" for text in world.target))
    return path


_STORY = (
    "Mr. Smith went to Washington on Jan. 5th. He met Dr. Jones there. They spoke of trade, etc. "
    "and of the weather. The meeting began at 9 a.m. sharp. It ended late. Mr. Brown was away. "
    "Dr. Jones left early. She had seen Mr. Smith before. In Jan. the days are short. "
)


@pytest.fixture(scope="session")
def punkt_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of NLTK data: Punkt, trained on a few sentences."""
    from nltk.tokenize.punkt import PunktTrainer, save_punkt_params

    trainer = PunktTrainer()
    trainer.INCLUDE_ALL_COLLOCS = True
    trainer.train(_STORY * 20)
    folder = tmp_path_factory.mktemp("nltk_data")
    (folder / "tokenizers" / "punkt_tab").mkdir(parents=True)
    save_punkt_params(trainer.get_params(), str(folder / "tokenizers" / "punkt_tab" / "english"))
    return folder


def _with_nltk_data(path: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    import nltk

    from dsir.model import sentences

    monkeypatch.setattr(nltk.data, "path", path)
    for cache in (sentences.punkt, nltk.tokenize._get_punkt_tokenizer):
        cache.cache_clear()
    yield
    for cache in (sentences.punkt, nltk.tokenize._get_punkt_tokenizer):
        cache.cache_clear()


@pytest.fixture
def punkt(punkt_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """NLTK's sentence data is installed."""
    yield from _with_nltk_data([str(punkt_folder)], monkeypatch)


@pytest.fixture
def no_punkt(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """It is not."""
    yield from _with_nltk_data([], monkeypatch)


def files_in(folder: Path, *, without: Sequence[str] = ("run.json",)) -> dict[str, bytes]:
    """The bytes of every file in a folder, by its path in it."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in without
    }


@pytest.fixture(scope="session")
def contents() -> Callable[..., dict[str, bytes]]:
    """A function: the bytes of every file in a folder, but run.json, which has the seconds."""
    return files_in


DSIR = shutil.which("dsir", path=sysconfig.get_path("scripts"))


@pytest.fixture(scope="session")
def dsir_command() -> str:
    """The path of the installed command."""
    assert DSIR is not None, "the package's command is not installed"
    return DSIR


@pytest.fixture(scope="session")
def run_dsir(dsir_command: str) -> Callable[..., subprocess.CompletedProcess[str]]:
    """A function that runs the command as users do."""

    def run(*arguments: object, cwd: Path | None = None, stdin: str | bytes = "") -> Any:
        done = subprocess.run(
            [dsir_command, *map(str, arguments)],
            cwd=cwd,
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            timeout=120,
        )
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )

    return run


@pytest.fixture(scope="session")
def invoke_dsir() -> Callable[..., subprocess.CompletedProcess[str]]:
    """A function that runs the command in this process: the same words, without the start."""
    from typer.testing import CliRunner

    from dsir.cli.main import app

    def invoke(*arguments: object, cwd: Path | None = None, stdin: str | bytes = "") -> Any:
        with pytest.MonkeyPatch.context() as patched:
            if cwd is not None:
                patched.chdir(cwd)
            words = [str(argument) for argument in arguments]
            result = CliRunner().invoke(app, words, input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return subprocess.CompletedProcess(
            arguments, result.exit_code, result.stdout, result.stderr
        )

    return invoke


@pytest.fixture
def taken(monkeypatch):
    """How many rows are fetched from the input a second time."""
    from dsir.corpus.jsonl import JsonLinesShard
    from dsir.corpus.parquet import ParquetShard

    fetched = []
    for kind in (ParquetShard, JsonLinesShard):

        def counted(self, rows, *, threads=1, take=kind.take):
            fetched.append(len(rows))
            return take(self, rows, threads=threads)

        monkeypatch.setattr(kind, "take", counted)
    return fetched
