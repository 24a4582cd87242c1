#!/usr/bin/env python3
"""Build the demo corpus under examples/corpus from public-domain texts.

Every text comes from a Debian package, so anybody on Debian or Ubuntu can repeat this with
``apt-get update`` and ``python examples/make_corpus.py``. The script needs only Python,
``apt-get``, ``dpkg-deb`` and ``gzip``, and installs nothing. Packages are pinned by version and
SHA-256; the same packages give the same documents, byte for byte.

==========  ===================================================  ==================================
domain      works                                                why they are in the public domain
==========  ===================================================  ==================================
scripture   King James Bible, 1611: raw documents from the Old   Copyright expired; bible-kjv-text
            Testament, target documents from the New             says so and gives the text "for
                                                                 unrestricted use". (The United
                                                                 Kingdom keeps a perpetual Crown
                                                                 privilege of printing it there.)
novel       Jane Austen (1775-1817): raw documents from Sense    Copyright expired: the author
            and Sensibility (1811), Pride and Prejudice (1813),  died in 1817.
            Mansfield Park (1814) and Persuasion (1817),         r-cran-janeaustenr is under the
            target documents from Emma (1815)                    MIT licence, which is about the
                                                                 packaging; no code is taken.
software    The SQLite documentation, D. Richard Hipp and        Dedicated to the public domain by
            others, 2000-2022: raw documents from the            its authors: "All of the code and
            articles, target documents from the reference of     documentation in SQLite has been
            the SQL language                                     dedicated to the public domain"
                                                                 (copyright.html in sqlite3-doc).
satire      Ambrose Bierce (1842-1914?), Devil's Dictionary,     Copyright expired: published in
            1911: raw documents from the letters A to O, target  1911, and the author vanished in
            documents from P to Z                                1914; dict-devil says so.
==========  ===================================================  ==================================

Left out: Northanger Abbey (the package has it from a modern edition with modernised spelling),
code, tables and block quotations of the SQLite pages, and the entries of The Devil's Dictionary
that use slurs or mock a people.

A document is a run of whole verses, paragraphs or entries of 170 to 320 words; a paragraph that
would not fit is cut between sentences. The documents are spread evenly over each work. The raw
documents are shuffled over three shards by the SHA-256 of their text, so that every shard has every
domain.

Examples:
    python examples/make_corpus.py              # write examples/corpus
    python examples/make_corpus.py --check      # is examples/corpus still the same?
    python examples/make_corpus.py --packages ~/debs   # take the .deb files from there
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from corpus_paragraphs import read_austen, read_devil, read_kjv, read_sqlite
from corpus_works import AUSTEN, DEVIL, KJV, SQLITE, SQLITE_ARTICLES, WORKS, Package

CORPUS = Path(__file__).resolve().parent / "corpus"
MIN_WORDS = 170  # a document ends once it has this many
MAX_WORDS = 320  # and never has more than this
RAW_SHARDS = ("raw-00.jsonl", "raw-01.jsonl", "raw-02.jsonl.gz")


class CorpusError(Exception):
    """The corpus cannot be built; the message says why and what to do."""


@dataclass(frozen=True)
class Document:
    """One line of the corpus, before it gets its number."""

    domain: str
    work: str
    text: str


SENTENCE_END = re.compile(
    r"(?:(?<=[.!?])|(?<=[.!?][\"']))(?<!\bMr\.)(?<!\bMrs\.)(?<!\bDr\.)(?<!\bSt\.)(?<!\bvs\.)\s+"
)


# Packages


def fetch(package: Package, folder: Path) -> Path:
    """Return the package's .deb file in ``folder``, downloading it if it is not there.

    Args:
        package: The package.
        folder: Where .deb files lie or are put.

    Returns:
        Path of the .deb file.

    Raises:
        CorpusError: If it cannot be downloaded or is not the file this corpus was built from.
    """
    path = folder / package.filename
    if not path.exists():
        command = ["apt-get", "-q", "download", f"{package.name}={package.version}"]
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, errors="replace", check=False
        )
        if done.returncode or not path.exists():
            raise CorpusError(
                f"{' '.join(command)} failed (is 'apt-get update' done? a newer release may have "
                f"replaced this version: get {package.filename} from an archive of Debian and name "
                f"its folder with --packages): {done.stderr.strip()}"
            )
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != package.sha256:
        raise CorpusError(f"{path}: SHA-256 is {digest}, not {package.sha256}")
    return path


def unpack(packages: Iterable[Package], debs: Path, root: Path) -> None:
    """Unpack the files of ``packages`` under ``root``; nothing is installed and no script is run.

    Args:
        packages: The packages.
        debs: Where .deb files lie or are put.
        root: Where to unpack them.
    """
    for package in packages:
        subprocess.run(["dpkg-deb", "-x", str(fetch(package, debs)), str(root)], check=True)


# From paragraphs to documents


def cut(paragraphs: Iterable[str], joint: str = "\n") -> Iterator[str]:
    """Cut a work into documents of whole paragraphs.

    A paragraph that does not fit is cut between sentences. A rest at the end that is too short is
    dropped.

    Args:
        paragraphs: The paragraphs in order.
        joint: Text between two paragraphs of a document.

    Yields:
        Texts of MIN_WORDS to MAX_WORDS words.
    """
    parts: list[str] = []
    size = 0
    for paragraph in paragraphs:
        pieces = [paragraph]
        if size + len(paragraph.split()) > MAX_WORDS:
            pieces = SENTENCE_END.split(paragraph)
        for number, piece in enumerate(pieces):
            words = len(piece.split())
            if size + words > MAX_WORDS:  # one endless sentence: the document starts anew
                parts, size = [], 0
                if words > MAX_WORDS:
                    continue
            if number and parts:
                parts[-1] += " " + piece
            else:
                parts.append(piece)
            size += words
            if size >= MIN_WORDS:
                yield joint.join(parts)
                parts, size = [], 0


def spread(texts: Sequence[str], count: int, work: str) -> list[str]:
    """Take ``count`` texts at even distances.

    Args:
        texts: The texts to take from.
        count: How many to take.
        work: Name of the work, for the message.

    Returns:
        The texts taken, in order.

    Raises:
        CorpusError: If there are fewer than ``count``.
    """
    if len(texts) < count:
        raise CorpusError(f"{work}: {len(texts)} documents, {count} wanted")
    return [texts[(2 * i + 1) * len(texts) // (2 * count)] for i in range(count)]


def read_works(root: Path) -> dict[str, list[str]]:
    """Cut every work into documents.

    Args:
        root: Where the packages are unpacked.

    Returns:
        All documents of each work, by its title.
    """
    old, new = read_kjv(root)
    first, second = read_devil(root)
    language = sorted(p.stem for p in (root / "usr/share/doc/sqlite3").glob("lang_*.html"))
    texts = {
        "King James Bible, Old Testament": list(cut(old, " ")),
        "King James Bible, New Testament": list(cut(new, " ")),
        "SQLite documentation, articles": [
            text for page in read_sqlite(root, SQLITE_ARTICLES.split()) for text in cut(page)
        ],
        "SQLite documentation, SQL language": [
            text for page in read_sqlite(root, language) for text in cut(page)
        ],
        "The Devil's Dictionary, A to O": list(cut(first)),
        "The Devil's Dictionary, P to Z": list(cut(second)),
    }
    novels = read_austen(root)
    for work in WORKS:
        if work.domain == "novel":
            texts[work.title] = list(cut(novels[work.title.upper()]))
    return texts


# Files


def shuffled(documents: Iterable[Document]) -> list[Document]:
    """Order documents by the SHA-256 of their text: mixed, and the same on every machine.

    Args:
        documents: The documents.

    Returns:
        The documents in their new order.
    """
    return sorted(documents, key=lambda d: hashlib.sha256(d.text.encode()).digest())


def lines(documents: Iterable[Document], first_id: int) -> bytes:
    """Write documents as JSON Lines.

    Args:
        documents: The documents.
        first_id: Number of the first one.

    Returns:
        The bytes of the file.
    """
    rows = (
        {"id": number, "domain": d.domain, "work": d.work, "text": d.text}
        for number, d in enumerate(documents, first_id)
    )
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def compress(data: bytes) -> bytes:
    """Compress with gzip, without a time or a name in the header.

    Args:
        data: The bytes.

    Returns:
        The compressed bytes.
    """
    buffer = io.BytesIO()
    with gzip.GzipFile("", "wb", 9, buffer, mtime=0) as file:
        file.write(data)
    return buffer.getvalue()


def sources(files: dict[str, int]) -> str:
    """Write SOURCES.md.

    Args:
        files: Number of documents in each file.

    Returns:
        The text of the file.
    """
    out = [
        "# Where the demo corpus comes from",
        "",
        "Written by `examples/make_corpus.py`, which builds every file here from the named Debian",
        "packages. All texts are in the public domain.",
        "",
        "| domain | work | author | year | package | why public domain | part | documents |",
        "|---|---|---|---|---|---|---|---:|",
    ]
    out += [
        f"| {w.domain} | {w.title} | {w.author} | {w.year} | {w.package.name} {w.package.version} "
        f"| {w.reason} | {w.part} | {w.count} |"
        for w in WORKS
    ]
    out += [
        "",
        "The King James Bible: in the United Kingdom alone, printing it is a privilege of the",
        "Crown (letters patent, not copyright). `r-cran-janeaustenr` is under the MIT licence,",
        "which is about the R package; only Austen's words are taken. Of The Devil's Dictionary,",
        "entries with slurs or jibes at a people are left out; of the SQLite pages, code, tables",
        "and block quotations. Line breaks inside paragraphs, verse numbers and chapter headings",
        "are gone; nothing else is changed.",
        "",
        "| file | documents |",
        "|---|---:|",
    ]
    out += [f"| {name} | {count} |" for name, count in files.items()]
    return "\n".join(out) + "\n"


def build(root: Path) -> dict[str, bytes]:
    """Build all files of the corpus.

    Args:
        root: Where the packages are unpacked.

    Returns:
        The bytes of each file by name; those of compressed files are not compressed yet.
    """
    texts = read_works(root)
    raw: list[Document] = []
    targets: dict[str, list[Document]] = {}
    for work in WORKS:
        taken = [
            Document(work.domain, work.title, text)
            for text in spread(texts[work.title], work.count, work.title)
        ]
        (raw if work.part == "raw" else targets.setdefault(work.domain, [])).extend(taken)
    raw = shuffled(raw)
    files: dict[str, bytes] = {}
    counts: dict[str, int] = {}
    next_id = 0
    for number, name in enumerate(RAW_SHARDS):
        begin, end = (len(raw) * n // len(RAW_SHARDS) for n in (number, number + 1))
        files[name] = lines(raw[begin:end], next_id)
        counts[name] = end - begin
        next_id += end - begin
    for domain, documents in targets.items():
        name = f"target-{domain}.jsonl"
        files[name] = lines(shuffled(documents), next_id)
        counts[name] = len(documents)
        next_id += len(documents)
    files["SOURCES.md"] = sources(counts).encode()
    return files


def read(path: Path) -> bytes:
    """Read a file of the corpus, uncompressed.

    Args:
        path: The file.

    Returns:
        The bytes of the file; none if it does not exist.
    """
    if not path.exists():
        return b""
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the corpus, or compare it with the files that are there.

    Args:
        arguments: Command line; ``None`` takes the process's own.

    Returns:
        Exit code: 0 if done or equal, 1 if failed or not equal.
    """
    parser = argparse.ArgumentParser(description="Build the demo corpus from Debian packages.")
    parser.add_argument("--out", type=Path, default=CORPUS, help="where to write the corpus")
    parser.add_argument("--packages", type=Path, help="folder that has the .deb files or gets them")
    parser.add_argument("--check", action="store_true", help="compare with --out, write nothing")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        debs: Path = options.packages or Path(name)
        try:
            debs.mkdir(parents=True, exist_ok=True)
            unpack((KJV, AUSTEN, SQLITE, DEVIL), debs, Path(name))
            files = build(Path(name))
        except (CorpusError, OSError, subprocess.CalledProcessError) as error:
            print(f"make_corpus.py: {error}", file=sys.stderr)
            return 1
    out: Path = options.out
    if options.check:
        changed = [file for file, data in files.items() if read(out / file) != data]
        print(f"not the same: {', '.join(changed)}" if changed else f"{out}: all files the same")
        return 1 if changed else 0
    out.mkdir(parents=True, exist_ok=True)
    for file, data in files.items():
        (out / file).write_bytes(compress(data) if file.endswith(".gz") else data)
        print(f"{out / file}: {(out / file).stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
