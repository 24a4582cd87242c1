"""The works of the demo corpus, and the Debian packages that they are taken from."""

from __future__ import annotations

from dataclasses import dataclass


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
        title: Title of the work, in the field ``work`` of its documents.
        author: Its author.
        year: Year of its first publication.
        package: Package that it is taken from.
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
