"""LexRank from texts to scores, against its peers; each run is a process of its own.

Usage: python -m benchmarks.lexrank [--data FOLDER] [--only NAME ...] [--peers] [--rounds N]
       [--threads N] [--json FILE]

Names: small (4,000 sentences), edges_50k, edges_100k (every edge at threshold 0.1), continuous
(1,000,000), top_k (125,000, 250,000 and 1,000,000; k = 50), dense (20,000 embeddings of 256),
opinosis (51 topics, two sentences each). At the end comes a table of the aims and the medians of
the rounds. With --peers, one round takes about ten minutes on two free cores, most of them for the
peers.
Seconds are those of the call, with texts in memory and imports done. The peak is the process's own
VmHWM, so it includes the texts, and for peers their lists of str.
Peers: lexrank 0.1.0, sumy 0.13, scikit-learn with sparse_dot_topn and scipy.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import machine, sentences

_START = """
import json, sys, time
import pyarrow.parquet as pq
texts = pq.read_table(sys.argv[1]).column("text").combine_chunks()
threads = int(sys.argv[2])
"""
_END = """
status = open("/proc/self/status").read()
peak = int(status.partition("VmHWM:")[2].split()[0])
print(json.dumps({"seconds": seconds, "peak_mb": round(peak * 1024 / 1e6), **found}))
"""
_OURS = """
from dsir.graph import centrality, similarity_join
from dsir.lexrank.terms import count_terms
begun = time.perf_counter()
{call}
seconds = time.perf_counter() - begun
"""
_CALLS = {
    "threshold": "r = centrality(texts, 0.1, threads=threads)\n"
    "found = {'edges': r.graph.edges, 'iterations': r.iterations}",
    "join": "g = similarity_join(texts, threshold=0.1, threads=threads)\n"
    "found = {'edges': g.edges}",
    "continuous": "r = centrality(texts, None, threads=threads)\n"
    "found = {'iterations': r.iterations}",
    "tokenise": "c = count_terms(texts, text='text', name='units', stopwords=None, "
    "punctuation=False, keep_rows=True, threads=threads)\n"
    "found = {'entries': len(c.take(threads=threads)[1])}",
    "top_k": "g = similarity_join(texts, top_k=50, threads=threads)\nfound = {'edges': g.edges}",
    "opinosis": "from benchmarks.quality.summary_sets import opinosis as topics\n"
    "from dsir.graph import summarize\n"
    "from pathlib import Path\n"
    "all_topics = topics(Path(sys.argv[3]))\n"
    "begun = time.perf_counter()\n"
    "for one in all_topics: summarize(one.lines, sentences=2, split=False, threads=threads)\n"
    "found = {'topics': len(all_topics)}",
    "dense": "import numpy as np\n"
    "v = np.random.default_rng(0).standard_normal((20000, 256)).astype('f4')\n"
    "begun = time.perf_counter()\n"
    "g = similarity_join(v, threshold=0.25, threads=threads)\nfound = {'edges': g.edges}",
}
# scikit-learn's weights give common words more weight, and so the graph more edges. Here dsir ranks
# the graph of the peer.
_SAME_GRAPH = """
from dsir.graph import centrality
from sklearn.feature_extraction.text import TfidfVectorizer
lines = texts.to_pylist()
begun = time.perf_counter()
x = TfidfVectorizer(token_pattern=r"(?u)\\w+").fit_transform(lines)
vectorised = time.perf_counter()
r = centrality(x, 0.1, threads=threads)
seconds = time.perf_counter() - begun
found = {"edges": r.graph.edges, "of which vectorising": vectorised - begun}
"""
_LEXRANK = """
from lexrank import LexRank
lines = texts.to_pylist()
begun = time.perf_counter()
LexRank([[line] for line in lines]).rank_sentences(lines, threshold=0.1)
seconds = time.perf_counter() - begun
found = {}
"""
_SUMY = """
import re
from sumy.nlp.stemmers import null_stemmer
from sumy.summarizers.lex_rank import LexRankSummarizer
lines = texts.to_pylist()
begun = time.perf_counter()
s = LexRankSummarizer(null_stemmer)
words = [re.findall(r"\\w+", line.lower()) for line in lines]
matrix = s._create_matrix(words, 0.1, s._compute_tf(words), s._compute_idf(words))
s.power_method(matrix, s.epsilon)
seconds = time.perf_counter() - begun
found = {}
"""
_SCIKIT = """
import numpy as np
import scipy.sparse as sp
from sklearn.feature_extraction.text import TfidfVectorizer
from sparse_dot_topn import sp_matmul_topn
lines = texts.to_pylist()
begun = time.perf_counter()
x = TfidfVectorizer(token_pattern=r"(?u)\\w+").fit_transform(lines).astype(np.float32)
t = x.T.tocsr()
parts = []
for first in range(0, x.shape[0], 5000):
    part = sp_matmul_topn(x[first:first + 5000], t, top_n=x.shape[0], threshold=0.1,
                          n_threads=threads)
    part.data[:] = 1
    parts.append(part)
graph = sp.vstack(parts, format="csr")
degree = np.asarray(graph.sum(1)).ravel()
p = np.full(x.shape[0], 1 / x.shape[0])
for steps in range(1000):
    after = 0.15 / len(p) + 0.85 * (graph.T @ (p / degree))
    change = np.abs(after - p).sum()
    p = after
    if change <= 1e-6:
        break
seconds = time.perf_counter() - begun
found = {"edges": int(graph.nnz)}
"""
_PLANS: dict[str, tuple[list[int], list[str], dict[str, str]]] = {
    "small": ([4_000], ["threshold"], {"lexrank": _LEXRANK, "sumy": _SUMY}),
    "edges_50k": ([50_000], ["threshold", "join"], {"same_graph": _SAME_GRAPH, "scikit": _SCIKIT}),
    "edges_100k": (
        [100_000],
        ["threshold", "join"],
        {"same_graph": _SAME_GRAPH, "scikit": _SCIKIT},
    ),
    "continuous": ([1_000_000], ["tokenise", "continuous"], {}),
    "top_k": ([125_000, 250_000, 1_000_000], ["top_k"], {}),
    "dense": ([1], ["dense"], {}),
    "opinosis": ([1], ["opinosis"], {}),
}
_LIMIT_SECONDS = 1200


def run_once(program: str, texts: Path, threads: int, data: Path) -> dict[str, Any]:
    """Run a program over a file of texts, in a process of its own."""
    command = [sys.executable, "-c", _START + program + _END, str(texts), str(threads), str(data)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_LIMIT_SECONDS
        )
    except subprocess.TimeoutExpired:
        return {"failed": [f"not done after {_LIMIT_SECONDS} s"]}
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1:]}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def run(data: Path, names: list[str], *, peers: bool, rounds: int, threads: int) -> dict[str, Any]:
    """Measure; return runs by plan, size and competitor, in rounds in which all run in turn."""
    everything = sentences.unique_sentences(data)
    result: dict[str, Any] = {"sentences": len(everything)}
    with tempfile.TemporaryDirectory(prefix="dsir-bench-") as folder:
        for name in names:
            sizes, calls, others = _PLANS[name]
            programs = {call: _OURS.format(call=_CALLS[call]) for call in calls}
            programs |= others if peers else {}
            for size in sizes:
                path = Path(folder) / f"{size}.parquet"
                pq.write_table(pa.table({"text": sentences.sample(everything, size)}), path)
                runs: dict[str, list[Any]] = {competitor: [] for competitor in programs}
                for _ in range(rounds):
                    for competitor, program in programs.items():
                        runs[competitor].append(run_once(program, path, threads, data))
                        print(name, size, competitor, runs[competitor][-1], flush=True)
                result[f"{name} {size}"] = runs
    return result


def targets(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return (what, aim, found) for the plans that were run."""

    def median(plan: str, competitor: str, field: str) -> float | None:
        found = [one.get(field) for one in result.get(plan, {}).get(competitor, [])]
        return statistics.median(found) if found and None not in found else None

    def ratio(plan: str, field: str, above: str, below: str) -> str:
        numbers = (median(plan, above, field), median(plan, below, field))
        if numbers[0] is None or not numbers[1]:
            return "not measured"
        return f"{numbers[0] / numbers[1]:.2f}"

    def amount(plan: str, competitor: str) -> str:
        seconds = median(plan, competitor, "seconds")
        peak = median(plan, competitor, "peak_mb")
        return f"{seconds:.2f} s, {peak:,.0f} MB" if seconds is not None else "not measured"

    rows = []
    if "small 4000" in result:
        for peer, aim in (("lexrank", "500"), ("sumy", "1,000")):
            found = ratio("small 4000", "seconds", peer, "threshold")
            rows.append((f"4,000 sentences, times faster than {peer}", f"{aim} or more", found))
    for size, memory in ((50_000, "half or less"), (100_000, "(2,000 MB or less)")):
        plan = f"edges_{size // 1000}k {size}"
        if plan not in result:
            continue
        # Both rank the same graph, which costs dsir more than the graph of its own terms.
        what = f"{size:,}, every edge, the peer's graph"
        found = ratio(plan, "seconds", "scikit", "same_graph")
        rows.append((f"{what}: times faster", "4 or more", found))
        found = ratio(plan, "seconds", "scikit", "threshold")
        rows.append((f"{size:,}, every edge, from texts: times faster", "4 or more", found))
        found = ratio(plan, "peak_mb", "same_graph", "scikit")
        rows.append((f"{what}: share of its memory", memory, found))
        rows.append((what, "2,000 MB or less", amount(plan, "same_graph")))
    plan = "continuous 1000000"
    if plan in result:
        rows.append(("1,000,000, continuous", "20 s, 2,000 MB or less", amount(plan, "continuous")))
        found = ratio(plan, "seconds", "continuous", "tokenise")
        rows.append(("1,000,000, continuous: times tokenising alone", "2 or less", found))
    for size in (125_000, 250_000, 1_000_000):
        if f"top_k {size}" in result:
            aim = "8,000 MB or less" if size == 1_000_000 else ""
            rows.append((f"{size:,}, top_k = 50", aim, amount(f"top_k {size}", "top_k")))
    if "top_k 1000000" in result:
        last = median("top_k 1000000", "top_k", "seconds")
        first = median("top_k 250000", "top_k", "seconds")
        if last and first:
            grown = f"N to the {math.log(last / first) / math.log(4):.2f}"
            rows.append(("top_k = 50, growth from 250,000", "", grown))
    if "opinosis 1" in result:
        rows.append(
            ("Opinosis, two sentences each", "1 s or less", amount("opinosis 1", "opinosis"))
        )
    return rows


def main() -> None:
    """Run, print every run, and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--only", nargs="*", choices=list(_PLANS), default=list(_PLANS))
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    result = {"machine": machine.describe()}
    result |= run(
        options.data,
        options.only,
        peers=options.peers,
        rounds=options.rounds,
        threads=options.threads,
    )
    for what, aim, found in targets(result):
        print(f"{what:<60} {aim:<24} {found}")
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
