"""Public collections of odd and damaged files, read by everything that reads files.

    git clone https://github.com/apache/parquet-testing
    git clone https://github.com/apache/arrow-testing
    git clone https://github.com/nst/JSONTestSuite
    python tests/endurance/public_corpora.py --parquet parquet-testing --arrow arrow-testing \\
        --json JSONTestSuite

Every file of a suffix that dsir reads is read in a process of its own: all its columns, each of its
text columns, and through `dsir select`, `gais` and `lexrank`. A finding is a crash, more than 4 GB,
more than a minute of the processor, an exception that is not dsir's, an error of more than one
line, or another number of rows than pyarrow's. A valid document of JSONTestSuite must be read
inside a line of JSON Lines, and any other may be refused.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import resource
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from typer.testing import CliRunner

import dsir
from dsir.cli.main import app
from dsir.corpus import resolve
from dsir.errors import DsirError

MOST_BYTES = 4 << 30
MOST_SECONDS = 60
PARQUET = (".parquet",)
ARROW = (".arrow", ".feather", ".arrow_file", ".stream")


def rows_of_pyarrow(path: Path) -> int | None:
    """Return how many rows pyarrow reads from a file; None if it refuses."""
    try:
        if path.suffix == ".parquet":
            return int(pq.read_table(path).num_rows)
        with pa.OSFile(str(path)) as source:
            is_file = source.read(6) == b"ARROW1"
            source.seek(0)
            opened = pa.ipc.open_file if is_file else pa.ipc.open_stream
            return int(opened(source).read_all().num_rows)
    except (pa.ArrowException, OSError, ValueError):
        return None


def text_columns(schema: pa.Schema) -> list[str]:
    """Return the names of the columns that may be texts."""
    return [
        field.name
        for field in schema
        if any(word in str(field.type) for word in ("string", "binary"))
        and not pa.types.is_nested(field.type)
    ]


def answers_of(path: Path) -> Iterator[tuple[str, str]]:
    """Read a file in every way; yield the way, and "read", "refused" or what is wrong."""
    expected: int | None = None
    schema: pa.Schema | None = None
    try:
        (shard,) = resolve(path, text="text").shards
        table = shard.read_table()
        schema = table.schema
        expected = rows_of_pyarrow(path)
        same = expected is None or expected == table.num_rows
        yield "table", "read" if same else f"{table.num_rows} rows, pyarrow has {expected}"
    except DsirError as error:
        yield "table", _refusal(error)
    for name in text_columns(schema) if schema is not None else []:
        try:
            (shard,) = resolve(path, text=name).shards
            rows = sum(len(batch.text) for batch in shard.text_batches(on_error="skip"))
            same = expected is None or expected == rows
            yield "texts", "read" if same else f"{rows} rows of {name}, pyarrow has {expected}"
        except DsirError as error:
            yield "texts", _refusal(error)
    names = schema.names if schema is not None else ["text"]
    text = next(iter(text_columns(schema)), "text") if schema is not None else "text"
    with tempfile.TemporaryDirectory() as folder:
        common = [str(path), "-o", f"{folder}/out", "--quiet"]
        target = Path(folder) / "target.jsonl"
        target.write_text(json.dumps({text: "a text of some words and more"}) + "\n")
        select = ["-t", str(target), "--text", text, "-n", "1", "--min-tokens", "0"]
        yield "select", _command(["select", *common, *select, "--on-error", "skip"])
        yield "lexrank", _command(["lexrank", *common, "--text", text, "--overwrite"])
        gais = ["gais", *common, "--overwrite", "--keep", "50%", "--epochs", "1"]
        for label in names[:2]:
            yield "gais", _command([*gais, "--label", label])
        yield "gais", _command([*gais, "--label", names[0], "--text", text])


def _command(arguments: list[str]) -> str:
    done = CliRunner().invoke(app, arguments)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        lines = traceback.format_exception(done.exception)
        return f"a traceback: {''.join(lines[-3:])}"
    if done.exit_code == 0:
        return "read"
    errors = [line for line in done.stderr.splitlines() if "warning" not in line]
    if done.exit_code not in (1, 2) or len(errors) != 1:
        return f"exit code {done.exit_code}, {len(errors)} lines: {done.stderr[-500:]}"
    return "refused"


def _refusal(error: DsirError) -> str:
    return "refused" if len(str(error).splitlines()) == 1 else f"an error of two lines: {error}"


def json_answers(path: Path) -> Iterator[tuple[str, str]]:
    """Read a JSON document as a field beside the text of a line."""
    content = path.read_bytes()
    if any(mark in content for mark in (b"\n", b"\r")):
        return
    with tempfile.TemporaryDirectory() as folder:
        line = Path(folder) / "one.jsonl"
        line.write_bytes(b'{"text": "a text", "value": ' + content + b"}\n")
        (shard,) = resolve(line, text="text").shards
        try:
            bad = sum(len(batch.bad) for batch in shard.text_batches(on_error="skip"))
        except DsirError:
            bad = 1
        if path.name.startswith("y_") and bad:
            yield "line", "a valid document is refused"
        else:
            yield "line", "refused" if bad else "read"


def in_a_process(path: Path, read: Callable[[Path], Iterator[tuple[str, str]]]) -> list[list[str]]:
    """Read a file in a process of its own; a crash is an answer too."""
    receiver, sender = os.pipe()
    child = os.fork()
    if child == 0:
        answers: list[tuple[str, str]] = []
        try:
            resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
            # Of the processor; a process that waits for nothing is ended as well, later.
            resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
            signal.alarm(10 * MOST_SECONDS)
            os.close(receiver)
            devnull = os.open(os.devnull, os.O_WRONLY)
            os.dup2(devnull, 2)
            answers.extend(read(path))
        except BaseException:  # noqa: BLE001 - a finding, whatever it is
            answers.append(("reading", f"a traceback: {traceback.format_exc()[-700:]}"))
        with os.fdopen(sender, "w") as file:
            json.dump(answers, file)
        os._exit(0)
    os.close(sender)
    with os.fdopen(receiver) as file:
        content = file.read()
    status = os.waitpid(child, 0)[1]
    if status:
        return [["reading", f"the process ended with {status}"]]
    answers = json.loads(content)
    return list(answers)


def main() -> None:
    """Read the collections that the command line names; print figures and findings."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("parquet", "arrow", "json"):
        parser.add_argument(f"--{name}", type=Path, help="a copy of the collection")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    # Imported before the processes are forked, so that each takes less time.
    dsir.select(
        ["a b"], ["a b"] * 20, n=1, min_tokens=0, features=dsir.HashedNgrams(1, 100), progress=False
    )
    found = []
    for name, suffixes, read in (
        ("parquet", PARQUET, answers_of),
        ("arrow", ARROW, answers_of),
        ("json", (".json",), json_answers),
    ):
        folder: Path | None = getattr(options, name)
        if folder is None:
            continue
        counts: collections.Counter[str] = collections.Counter()
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        for path in paths:
            with tempfile.TemporaryDirectory() as copies:
                copy = path
                if name == "arrow" and path.suffix not in (".arrow", ".feather"):
                    if "arrow-ipc" not in str(path) and path.suffix not in suffixes:
                        continue
                    copy = Path(copies) / f"{path.name}.arrow"
                    copy.write_bytes(path.read_bytes())
                elif path.suffix not in suffixes:
                    continue
                counts["files"] += 1
                for way, answer in in_a_process(copy, read):
                    known = answer in ("read", "refused")
                    counts[f"{way} {answer}" if known else "findings"] += 1
                    if not known:
                        found.append(f"{path}, {way}: {answer}")
        print(json.dumps({name: dict(sorted(counts.items()))}), flush=True)
    print("\n".join(found))
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
