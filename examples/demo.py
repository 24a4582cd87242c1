#!/usr/bin/env python3
"""Pick the documents of one domain out of a mixed corpus, and show why they are right.

The corpus in examples/corpus mixes scripture, novels, software manuals and satire (SOURCES.md there
says where they come from). The target is a handful of other documents of one domain: for scripture,
the raw documents are from the Old Testament and the target is from the New. ``dsir`` does not know
the domain of any document; the demo reads the field ``domain`` only afterwards, to count.

The targets here are tiny (32 documents, 10,000 buckets), so they lack most n-grams of a good
document. ``smoothing=1.0`` counts each bucket once more. Without it, each missing n-gram costs a
document about ten nats, and for satire, whose words are the most varied, half of the selection
comes from other domains. Try ``--target satire --smoothing 0`` to see this.

Examples:
    python examples/demo.py                      # scripture
    python examples/demo.py --target software
    python examples/demo.py --target all
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import tempfile
import textwrap
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import dsir

CORPUS = Path(__file__).resolve().parent / "corpus"
DOMAINS = ("scripture", "novel", "software", "satire")
RIGHT = 0.95  # smallest share of the target's domain that passes
WIDTH = 92


def read(paths: Iterable[str | Path]) -> Iterator[dict[str, Any]]:
    """Read JSON Lines files, plain or .gz.

    Args:
        paths: The files, in order.

    Yields:
        One dictionary per line.
    """
    for path in map(Path, paths):
        data = path.read_bytes()
        if path.suffix == ".gz":
            data = gzip.decompress(data)
        for line in data.splitlines():
            yield json.loads(line)


def shares(documents: Sequence[dict[str, Any]]) -> Counter[str]:
    """Count documents by domain.

    Args:
        documents: The documents.

    Returns:
        Number of documents of each domain.
    """
    return Counter(str(document["domain"]) for document in documents)


def print_shares(counts: Counter[str], target: str) -> None:
    """Print one line per domain: count, share and a bar.

    Args:
        counts: Number of documents of each domain.
        target: The domain to mark.
    """
    for domain in DOMAINS:
        share = counts[domain] / max(1, counts.total())
        mark = "  <- the target's domain" if domain == target else ""
        print(f"    {domain:<10}{counts[domain]:>5}{share:>8.1%}  {'#' * round(share * 40)}{mark}")


def print_snippet(document: dict[str, Any], log_weight: float) -> None:
    """Print the beginning of a selected document and its weight.

    Args:
        document: The document.
        log_weight: Its log importance weight.
    """
    print(f"    log weight {log_weight:+.1f}, {document['domain']}, {document['work']}:")
    print(
        textwrap.fill(
            textwrap.shorten(document["text"], 230, placeholder=" ..."),
            WIDTH,
            initial_indent="      ",
            subsequent_indent="      ",
        )
    )


def print_reasons(table: Any, count: int) -> None:
    """Print the n-grams that speak most for a document.

    Args:
        table: What ``ImportanceModel.explain`` returned, an Arrow table: n-gram, bucket, count,
            contribution.
        count: How many n-grams to print.
    """
    rows = table.to_pylist()
    name = table.column_names[0]  # the n-gram
    rows.sort(key=lambda row: -row["contribution"])
    for row in rows[:count]:
        print(f"    {row['contribution']:>+7.2f}  {row[name]!r}, {row['count']} times")


def demonstrate(target: str, n: int, smoothing: float, seed: int, out: Path) -> bool:
    """Select for one target and print what happened.

    Args:
        target: Domain to select.
        n: How many documents to select.
        smoothing: Pseudo-count of each bucket in the target.
        seed: Seed of the resampling.
        out: Folder for the selection; must be new or empty.

    Returns:
        Whether enough documents of the selection are of the target's domain.
    """
    raw_glob = str(CORPUS / "raw-*.jsonl*")
    target_path = CORPUS / f"target-{target}.jsonl"
    raw = list(read(sorted(CORPUS.glob("raw-*.jsonl*"))))
    wanted = list(read([target_path]))

    print(f"RAW     {len(raw)} documents in examples/corpus/raw-*.jsonl*")
    print_shares(shares(raw), target)
    print(
        f"ASKED   {n} documents like the {len(wanted)} in {target_path.name}: {wanted[0]['work']}"
    )

    selection = dsir.select(
        raw_glob,
        str(target_path),
        n=n,
        smoothing=smoothing,
        seed=seed,
        out=str(out),
        progress=False,
    )

    selected = list(read(selection.paths))
    weights = [float(weight) for weight in selection.log_weights]
    counts = shares(selected)
    print(f"CHOSEN  {len(selected)} documents, now in {out}")
    print_shares(counts, target)

    ranked = sorted(zip(weights, selected, strict=True), key=lambda pair: -pair[0])
    print("SAMPLES the best, the middle and the last of them")
    for weight, document in (ranked[0], ranked[len(ranked) // 2], ranked[-1]):
        print_snippet(document, weight)

    print("WHY     the n-grams that speak for the best one (in nats, count times log ratio)")
    print_reasons(selection.model.explain(ranked[0][1]["text"]), 8)

    print("METRICS")
    for label, key in (
        ("KL reduction (nats per n-gram)", "kl_reduction"),
        ("effective sample size", "effective_sample_size"),
    ):
        value = selection.metrics.get(key)
        print(f"    {label:<32}{'not reported' if value is None else format(value, '.3f')}")
        if key == "kl_reduction":
            by_chance = selection.metrics.random_kl_reduction
            verdict = "higher, so closer to the target" if value > by_chance else "no higher"
            print(f"    {'  ... of a random selection':<32}{by_chance:.3f}")
            print(f"    (that of the selection is {verdict})")
            if max(value, by_chance) < 0:
                print("    (both are below 0: so few documents leave many buckets empty)")
        if key == "effective_sample_size" and value is not None and value < n / 10:
            print(
                "    (far below n: sums over 200 words differ by much more than the noise that the"
            )
            print("    resampling adds, so this sample is nearly the n best documents)")

    before = shares(raw)[target] / len(raw)
    after = counts[target] / max(1, len(selected))
    right = len(selected) == n and after >= RIGHT
    print(
        textwrap.fill(
            f"{'RIGHT' if right else 'WRONG'}: {after:.1%} of the selection is {target}; a random "
            f"choice would give {before:.1%}. dsir saw only the words of {len(wanted)} documents "
            f"of {wanted[0]['work']}, none of which is in the raw corpus, and never the domains "
            "that are counted here.",
            WIDTH,
        )
    )
    return right


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo.

    Args:
        arguments: Command line; ``None`` takes the process's own.

    Returns:
        Exit code: 0 if the selection is right, 1 if it is not.
    """
    parser = argparse.ArgumentParser(description="Select one domain out of a mixed corpus.")
    parser.add_argument("--target", choices=(*DOMAINS, "all"), default="scripture")
    parser.add_argument("--n", type=int, default=60, help="documents to select (default: 60)")
    parser.add_argument("--smoothing", type=float, default=1.0, help="pseudo-count (default: 1)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="keep the selection here; default: a new folder")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore", dsir.DsirWarning)  # demonstrate() prints the reason.
    out: Path = options.out or Path(tempfile.mkdtemp(prefix="dsir-demo-"))
    targets = DOMAINS if options.target == "all" else (options.target,)
    right = True
    for number, target in enumerate(targets):
        if number:
            print("\n" + "=" * WIDTH + "\n")
        right &= demonstrate(target, options.n, options.smoothing, options.seed, out / target)
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
