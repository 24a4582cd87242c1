#!/usr/bin/env python3
"""Build the demo corpus under examples/corpus from public-domain texts.

Every text is taken from a Debian package, so anybody on Debian or Ubuntu can repeat this with
``apt-get update`` and ``python examples/make_corpus.py``. The script needs nothing but Python,
``apt-get``, ``dpkg-deb`` and ``gzip``, and it installs nothing. Packages are named with version
and SHA-256; the same packages give the same documents, byte for byte.

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
would not fit is cut between sentences. What is taken is spread evenly over each work, and the raw
documents are shuffled over three shards by the SHA-256 of their text, so that every shard holds
every domain.

Examples:
    python examples/make_corpus.py              # write examples/corpus
    python examples/make_corpus.py --check      # does examples/corpus still say the same?
    python examples/make_corpus.py --packages ~/debs   # take the .deb files from there
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import re
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

CORPUS = Path(__file__).resolve().parent / "corpus"
MIN_WORDS = 170  # a document is closed once it has so many
MAX_WORDS = 320  # and never grows beyond this
RAW_SHARDS = ("raw-00.jsonl", "raw-01.jsonl", "raw-02.jsonl.gz")


class CorpusError(Exception):
    """The corpus cannot be built; the message says why and what to do."""


@dataclass(frozen=True)
class Package:
    """A Debian package, pinned.

    Attributes:
        name: Package name.
        version: Debian version.
        sha256: SHA-256 of the .deb file.
    """

    name: str
    version: str
    sha256: str

    @property
    def filename(self) -> str:
        """Name of the .deb file as apt-get writes it."""
        return f"{self.name}_{self.version.replace(':', '%3a')}_all.deb"


@dataclass(frozen=True)
class Work:
    """One row of the table in SOURCES.md, and where its documents go.

    Attributes:
        domain: Domain of the documents.
        title: What stands in the field ``work``.
        author: Who wrote it.
        year: When it was first published.
        package: Where it was taken from.
        reason: Why it is in the public domain.
        part: ``raw`` or ``target``.
        count: How many documents are taken.
    """

    domain: str
    title: str
    author: str
    year: str
    package: Package
    reason: str
    part: str
    count: int


@dataclass(frozen=True)
class Document:
    """One line of the corpus, before it gets its number."""

    domain: str
    work: str
    text: str


KJV = Package(
    "bible-kjv-text",
    "4.38",
    "d61b6aad4c51ba9e2800b825325fa6a09e99a0d02a9bb6dc4724fcc4995a1b7a",
)
AUSTEN = Package(
    "r-cran-janeaustenr",
    "1.0.0-1",
    "df6bddf211906d1ff404f8ff662c21b34e6660e7f54a311084e749050c019c95",
)
SQLITE = Package(
    "sqlite3-doc",
    "3.40.1-2+deb12u2",
    "466e30d7066e2641fa13e56bc662a2ad521b8cc9c17dde9c9dac3d4f105e32f2",
)
DEVIL = Package(
    "dict-devil",
    "1.0-13.1",
    "6a535684def2a1f70cd42da16d12d43f0e9dc3e54e4a329178eebab3170e3154",
)

KJV_REASON = "copyright of the translation of 1611 expired, as the package's copyright file states"
AUSTEN_REASON = "copyright expired: the author died in 1817"
SQLITE_REASON = "dedicated to the public domain by its authors (copyright.html in the package)"
DEVIL_REASON = "copyright expired: published in 1911, the author vanished in 1914"

WORKS = (
    Work(
        "scripture",
        "King James Bible, Old Testament",
        "translators under King James I",
        "1611",
        KJV,
        KJV_REASON,
        "raw",
        110,
    ),
    Work(
        "scripture",
        "King James Bible, New Testament",
        "translators under King James I",
        "1611",
        KJV,
        KJV_REASON,
        "target",
        32,
    ),
    Work("novel", "Sense and Sensibility", "Jane Austen", "1811", AUSTEN, AUSTEN_REASON, "raw", 30),
    Work("novel", "Pride and Prejudice", "Jane Austen", "1813", AUSTEN, AUSTEN_REASON, "raw", 40),
    Work("novel", "Mansfield Park", "Jane Austen", "1814", AUSTEN, AUSTEN_REASON, "raw", 30),
    Work("novel", "Persuasion", "Jane Austen", "1817", AUSTEN, AUSTEN_REASON, "raw", 20),
    Work("novel", "Emma", "Jane Austen", "1815", AUSTEN, AUSTEN_REASON, "target", 32),
    Work(
        "software",
        "SQLite documentation, articles",
        "D. Richard Hipp and the SQLite developers",
        "2000-2022",
        SQLITE,
        SQLITE_REASON,
        "raw",
        100,
    ),
    Work(
        "software",
        "SQLite documentation, SQL language",
        "D. Richard Hipp and the SQLite developers",
        "2000-2022",
        SQLITE,
        SQLITE_REASON,
        "target",
        32,
    ),
    Work(
        "satire",
        "The Devil's Dictionary, A to O",
        "Ambrose Bierce",
        "1911",
        DEVIL,
        DEVIL_REASON,
        "raw",
        80,
    ),
    Work(
        "satire",
        "The Devil's Dictionary, P to Z",
        "Ambrose Bierce",
        "1911",
        DEVIL,
        DEVIL_REASON,
        "target",
        32,
    ),
)

SQLITE_ARTICLES = """
    34to35 about arch assert atomiccommit autoinc backup cintro datatype3 different eqp expridx
    faq fasterthanfs floatingpoint foreignkeys howitworks howtocorrupt inmemorydb isolation
    lockingv3 malloc np1queryprob onefile optoverview partialindex privatebranch qmplan
    queryplanner queryplanner-ng quirks rtree selfcontained serverless sessionintro sharedcache
    tempfiles testing th3 transactional undoredo unlock_notify useovernet vtab wal whentouse
    whynotgit whyc withoutrowid zeroconf
"""

# Bierce wrote in 1911. A demo need not repeat his entries with slurs or jibes at a people.
UNWANTED = re.compile(
    r"nigger|negro|african|squaw|indian|chinaman|chinese|hebrew|\bjew(s|ish)?\b|coolie|mongol"
    r"|mussulman|mohammedan",
    re.IGNORECASE,
)

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


# From files to paragraphs


def read_kjv(root: Path) -> tuple[list[str], list[str]]:
    """Read the verses of the King James Bible.

    The file is a header with offsets and one stream as ``compress`` writes it, which gzip reads.

    Args:
        root: Where the packages are unpacked.

    Returns:
        The verses of the Old and of the New Testament, without their references.
    """
    data = (root / "usr/lib/bible.data").read_bytes()
    stream = data[data.index(b"\x1f\x9d") :]
    text = subprocess.run(["gzip", "-dc"], input=stream, capture_output=True, check=True).stdout
    old: list[str] = []
    new: list[str] = []
    verses = old
    for line in text.decode("ascii").splitlines():
        match = re.match(r"(\w+?)\d+:\d+ (.*)", line)
        if match is None:
            continue  # the title line
        if match[1] == "Mat":
            verses = new
        verses.append(match[2].strip())
    return old, new


def read_austen(root: Path) -> dict[str, list[str]]:
    """Read the novels of Jane Austen from an R data file.

    The file is one compressed object after the other, each a vector of lines in R's XDR format.

    Args:
        root: Where the packages are unpacked.

    Returns:
        The paragraphs of each novel, by its title in capital letters.
    """
    data = (root / "usr/lib/R/site-library/janeaustenr/data/Rdata.rdb").read_bytes()
    novels: dict[str, list[str]] = {}
    while data:
        inflate = zlib.decompressobj()
        blob = inflate.decompress(data[4:])  # the four bytes are the inflated length
        data = inflate.unused_data
        at = 18 + struct.unpack_from(">I", blob, 14)[0]  # past the name of the native encoding
        _, count = struct.unpack_from(">II", blob, at)
        at += 8
        lines = []
        for _ in range(count):
            _, length = struct.unpack_from(">Ii", blob, at)
            at += 8
            lines.append(blob[at : at + length].decode("utf-8"))
            at += length
        start = next(i for i, line in enumerate(lines) if re.match(r"(?i)chapter (1|i)\b", line))
        novels[lines[0].upper()] = [
            paragraph
            for paragraph in split_paragraphs(lines[start:])
            if not re.match(r"(?i)((volume|chapter) [ivxl\d]+$|finis$|the end$)", paragraph)
        ]
    return novels


class _Prose(HTMLParser):
    """Collects the paragraphs and list items of a page; code, tables and menus are left out."""

    _BLOCKS = frozenset({"p", "li", "dd", "dt", "ul", "ol", "dl", "div", "blockquote", "center"})
    _SKIPPED = frozenset(
        {"script", "style", "pre", "table", "svg", "blockquote", "h1", "h2", "h3", "h4", "dt"}
    )

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.paragraphs: list[str] = []
        self._started = False
        self._skipping = 0
        self._keeping = False
        self._words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if ("class", "fancy_title") in attrs or tag == "h1":
            self._started = True
        if tag in self._BLOCKS or tag in self._SKIPPED:
            self._flush()
            self._keeping = tag in {"p", "li", "dd"}
        if tag in self._SKIPPED:
            self._skipping += 1

    def handle_endtag(self, tag: str) -> None:
        if tag in self._BLOCKS or tag in self._SKIPPED:
            self._flush()
            self._keeping = False
        if tag in self._SKIPPED:
            self._skipping = max(0, self._skipping - 1)

    def handle_data(self, data: str) -> None:
        if self._started and self._keeping and not self._skipping:
            self._words.append(data)

    def _flush(self) -> None:
        text = " ".join("".join(self._words).split())
        self._words.clear()
        if text and not text.startswith("This page last modified"):
            self.paragraphs.append(text)


def read_sqlite(root: Path, pages: Iterable[str]) -> list[list[str]]:
    """Read pages of the SQLite documentation.

    Args:
        root: Where the packages are unpacked.
        pages: File names without ``.html``.

    Returns:
        The paragraphs of each page.
    """
    folder = root / "usr/share/doc/sqlite3"
    result = []
    for page in pages:
        parser = _Prose()
        parser.feed((folder / f"{page}.html").read_text("utf-8", errors="strict"))
        parser.close()
        result.append(parser.paragraphs)
    return result


def read_devil(root: Path) -> tuple[list[str], list[str]]:
    """Read the entries of The Devil's Dictionary.

    Args:
        root: Where the packages are unpacked.

    Returns:
        The entries from A to O and from P to Z.
    """
    packed = (root / "usr/share/dictd/devil.dict.dz").read_bytes()
    text = gzip.decompress(packed).decode("ascii")
    text = text[text.index("\nABASEMENT, n.") : text.rindex("\n abcdefghij")]
    head = re.compile(r"\n\n(?=[A-Z][A-Z' -]+(?:, |\.\s))")
    first: list[str] = []
    second: list[str] = []
    for entry in head.split(text):
        paragraphs = split_paragraphs(entry.splitlines())
        if paragraphs and UNWANTED.search(entry) is None:
            (first if paragraphs[0][0] < "P" else second).append("\n".join(paragraphs))
    return first, second


def split_paragraphs(lines: Iterable[str]) -> list[str]:
    """Join lines to paragraphs, which blank lines divide.

    Args:
        lines: The lines.

    Returns:
        The paragraphs, each on one line, with single spaces.
    """
    paragraphs: list[str] = []
    words: list[str] = []
    for line in [*lines, ""]:
        if line.strip():
            words += line.split()
        elif words:
            paragraphs.append(" ".join(words))
            words = []
    return paragraphs


# From paragraphs to documents


def cut(paragraphs: Iterable[str], joint: str = "\n") -> Iterator[str]:
    """Cut a work into documents of whole paragraphs.

    A paragraph that does not fit is cut between sentences. What is left at the end and too short
    is dropped.

    Args:
        paragraphs: The paragraphs in order.
        joint: What stands between two paragraphs in the document.

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
        texts: What there is.
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
        The bytes of each file, by its name; compressed ones are given uncompressed.
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
        Its bytes; none if there is no such file.
    """
    if not path.exists():
        return b""
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the corpus, or compare it with what is there.

    Args:
        arguments: Command line; ``None`` takes the process's own.

    Returns:
        Exit code: 0 done or equal, 1 failed or not equal.
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
