"""Predicts a selection on a cluster from measured rates, event by event.

    python -m benchmarks.cluster_simulator --corpus pile
    python -m benchmarks.cluster_simulator --corpus fineweb --cores 96 384 1536 10000

Every core takes the next unit when it is free. A unit takes its bytes at the rate of a core, or of
the core's share of its node's network, times a random factor; the store takes its time for each
request, and answers so many requests a second. Nodes are lost at random: what they were at begins
again elsewhere once the loss is noticed. Stages follow each other, and between them one process
makes the model and the draw. `Cluster` says what is measured and what is assumed.
"""

from __future__ import annotations

import argparse
import heapq
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Corpus:
    """What is selected from.

    Attributes:
        name: of the corpus.
        stored: bytes of the files.
        text: bytes of text.
        documents: how many there are.
    """

    name: str
    stored: float
    text: float
    documents: float


# Gao et al. 2020 (arXiv 2101.00027), table 1, in Parquet with zstd at the measured 0.41.
PILE = Corpus("the Pile", 1254.20 * 2**30 * 0.41, 1254.20 * 2**30, 222e6)
# Penedo et al. 2024 (arXiv 2406.17557): 15 trillion tokens; the files of the data set take 44 TB.
FINEWEB = Corpus("FineWeb, 15T tokens", 44e12, 60e12, 24e9)
CORPORA = {"pile": PILE, "fineweb": FINEWEB}


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster, and what was measured on one core.

    Attributes:
        cores: cores in all.
        cores_per_node: cores of a node.
        node_bytes: bytes a second that a node reads from the store.
        store_bytes: bytes a second that the store gives to all nodes together.
        score_rate: bytes of text that a core reads and scores in a second.
        write_rate: bytes of text that a core reads and writes in a second, of selected units.
        spread: standard deviation of the logarithm of a unit's time.
        slow_share, slow_factor: the share of units that take so many times as long.
        losses: losses of a node in an hour.
        notice: seconds until a loss is noticed.
        replace: seconds until another node is there.
        latency: seconds of a request to the store, or of a small file on a shared file system.
        requests: requests for a unit: claim, look, result, marker, release.
        requests_a_second: that the store answers.
        driver: seconds of the driver's time for a task; 0 for workers that share a work directory.
        walk: seconds in which a worker sees that a unit was done by another; 0 with a driver.
        again: whether the last tasks are started a second time.
        price: of a core for an hour, in dollars.
    """

    cores: int
    cores_per_node: int = 96
    node_bytes: float = 25e9 / 8 * 2
    store_bytes: float = 400e9
    score_rate: float = 261e6
    write_rate: float = 261e6
    spread: float = 0.15
    slow_share: float = 0.001
    slow_factor: float = 8.0
    losses: float = 0.01
    notice: float = 20.0
    replace: float = 300.0
    latency: float = 0.03
    requests: int = 6
    requests_a_second: float = 5000.0
    driver: float = 0.002
    walk: float = 0.0
    again: bool = True
    price: float = 0.04


@dataclass(slots=True)
class Stage:
    """What came of a stage: seconds, seconds of the cores at work, units that began again."""

    seconds: float = 0.0
    busy: float = 0.0
    lost: int = 0
    tail: float = 0.0


@dataclass(frozen=True, slots=True)
class Prediction:
    """What came of a run.

    Attributes:
        seconds: from the first stage to the manifest.
        efficiency: the work of one core, over cores x seconds.
        reading: the seconds that reading the files once takes, over the seconds of the run.
        tail: the share of the time in which fewer than half of the cores are at work.
        lost: units that began again.
        limit: what the run waits for most.
        dollars: the price of the cores.
    """

    seconds: float
    efficiency: float
    reading: float
    tail: float
    lost: int
    limit: str
    dollars: float


def simulate_stage(cluster: Cluster, seconds: list[float], draw: random.Random) -> Stage:
    """Run units of so many seconds each, largest first, and return what came of them."""
    free = [(0.0, core) for core in range(min(cluster.cores, len(seconds)))]
    left = sorted(seconds, reverse=True)
    left.reverse()
    again: list[tuple[float, float]] = []  # Units whose node was lost: when, and how long.
    lost_at = _losses(cluster, draw)
    done: list[tuple[float, float]] = []
    last = 0.0
    stage = Stage()
    clock = server = 0.0  # Until when the driver, and the store, are busy.
    median = sorted(seconds)[len(seconds) // 2]
    while left or again:
        at, core = heapq.heappop(free)
        if again and (not left or again[0][0] <= at):
            ready, length = heapq.heappop(again)
            at = max(at, ready)
        else:
            length = left.pop()
        clock = max(clock, at) + cluster.driver if cluster.driver else at
        server = max(server, at) + cluster.requests / cluster.requests_a_second
        begin = max(at, clock, server - cluster.requests / cluster.requests_a_second)
        end = begin + length + cluster.requests * cluster.latency
        node = core // cluster.cores_per_node
        loss = lost_at.get(node, math.inf)
        if begin <= loss < end:
            stage.lost += 1
            stage.busy += loss - begin
            heapq.heappush(again, (loss + cluster.notice, length))
            heapq.heappush(free, (loss + cluster.replace, core))
            continue
        stage.busy += end - begin
        last = max(last, begin)
        done.append((begin, end))
        heapq.heappush(free, (end, core))
    ends = [end for _, end in done]
    if cluster.again:
        # A second copy begins once nothing is left, and after three times the usual seconds.
        ends = [
            min(end, max(begin + 3 * median, last) + median + cluster.requests * cluster.latency)
            for begin, end in done
        ]
    stage.seconds = max(ends) + cluster.walk * len(seconds)
    ends.sort()
    half = ends[-max(1, min(cluster.cores // 2, len(ends)))]
    stage.tail = (max(ends) - half) / stage.seconds
    return stage


def _losses(cluster: Cluster, draw: random.Random) -> dict[int, float]:
    """Return when each node is lost for the first time, of those that are within a day."""
    nodes = -(-cluster.cores // cluster.cores_per_node)
    if not cluster.losses:
        return {}
    times = ((node, draw.expovariate(cluster.losses / 3600)) for node in range(nodes))
    return {node: time for node, time in times if time < 86_400}


def predict(
    corpus: Corpus, cluster: Cluster, *, unit: float = 64e6, share: float = 0.01, seed: int = 1
) -> Prediction:
    """Predict a selection of a share of a corpus, with a fit on a sample.

    Args:
        corpus: what is selected from.
        cluster: where.
        unit: bytes of a unit in its file.
        share: of the text that is selected.
        seed: of the random factors.
    """
    draw = random.Random(seed)
    units = max(1, round(corpus.stored / unit))
    text = corpus.text / units
    scored = _times(cluster, units, text, unit, cluster.score_rate, draw)
    rows = corpus.documents / units
    # Two passes over scores of 20 bytes, at a measured 25 million documents a second and core.
    sampled = [2 * rows / 25e6 + 20 * rows / 1e9] * units
    # Every unit has selected rows; the row groups that hold them are read again.
    written = _times(cluster, units, text, unit, cluster.write_rate, draw)
    written = [one * min(1.0, 30 * share) for one in written]
    stages = [simulate_stage(cluster, times, draw) for times in (scored, sampled, written)]
    # The model, the threshold from its sums, and the plan of the output, in one process.
    alone = 5.0 + units * 20e-6 + share * corpus.documents * 10e-9
    total = sum(stage.seconds for stage in stages) + alone
    work = sum(map(sum, (scored, sampled, written)))
    # The same units, one after the other on one core, with nothing else to wait for.
    efficiency = work / (total * cluster.cores)
    pace = min(cluster.store_bytes, cluster.node_bytes * cluster.cores / cluster.cores_per_node)
    reading = max(corpus.stored / pace, corpus.stored / (1e9 * cluster.cores))
    return Prediction(
        total,
        efficiency,
        reading / total,
        max(stage.tail for stage in stages),
        sum(stage.lost for stage in stages),
        _limit(cluster, units, stages, alone, corpus.stored / pace),
        total / 3600 * cluster.cores * cluster.price,
    )


def _times(
    cluster: Cluster, units: int, text: float, stored: float, rate: float, draw: random.Random
) -> list[float]:
    """Return the seconds of each unit on a core."""
    network = min(cluster.node_bytes / cluster.cores_per_node, cluster.store_bytes / cluster.cores)
    base = max(text / rate, stored / network)

    def times() -> Iterator[float]:
        for _ in range(units):
            factor = cluster.slow_factor if draw.random() < cluster.slow_share else 1.0
            yield base * factor * draw.lognormvariate(0.0, cluster.spread)

    return list(times())


def _limit(cluster: Cluster, units: int, stages: list[Stage], alone: float, reading: float) -> str:
    """Name what the run waits for most, beside its cores."""
    waits = {
        "the driver": 3 * units * cluster.driver,
        "requests to the store": 3 * units * cluster.requests / cluster.requests_a_second,
        "bytes from the store": reading,
        "looking at units of others": 3 * units * cluster.walk,
        "what one process does": alone,
    }
    cores = sum(stage.busy for stage in stages) / cluster.cores
    name = max(waits, key=lambda one: waits[one])
    return name if waits[name] > cores / 2 else "the cores"


def main() -> None:
    """Print a table of predictions."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", choices=sorted(CORPORA), default="pile")
    parser.add_argument("--cores", type=int, nargs="+", default=[96, 384, 1536, 4608, 10_000])
    parser.add_argument("--kind", choices=("ray", "work"), default="ray")
    parser.add_argument("--rate", type=float, default=261.0, help="MB/s of text and core")
    parser.add_argument("--driver-ms", type=float, default=2.0, help="of the driver, for a task")
    parser.add_argument("--losses", type=float, default=0.01, help="of a node in an hour")
    parser.add_argument("--unit", type=float, default=64.0, help="MB of a unit")
    options = parser.parse_args()
    corpus = CORPORA[options.corpus]
    print(f"{corpus.name}: {corpus.stored / 1e12:.2f} TB, {corpus.documents / 1e6:,.0f}M documents")
    print("| cores | seconds | efficiency | reading / run | tail | lost units | waits for | cost |")
    print("|---|---|---|---|---|---|---|---|")
    for cores in options.cores:
        rate = options.rate * 1e6
        cluster = Cluster(
            cores,
            score_rate=rate,
            write_rate=rate,
            losses=options.losses,
            driver=options.driver_ms / 1e3,
        )
        if options.kind == "work":
            cluster = replace(cluster, driver=0.0, walk=0.001 / 8, notice=90.0)
        found = predict(corpus, cluster, unit=options.unit * 1e6)
        print(
            f"| {cores:,} | {found.seconds:,.0f} | {found.efficiency:.2f} | {found.reading:.2f} "
            f"| {found.tail:.2f} | {found.lost:,} | {found.limit} | ${found.dollars:,.0f} |"
        )


if __name__ == "__main__":
    main()
