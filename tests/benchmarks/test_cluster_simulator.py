"""The simulator of clusters agrees with what can be worked out by hand."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from benchmarks.cluster_simulator import PILE, Cluster, predict, simulate_stage

IDEAL = Cluster(
    8,
    cores_per_node=4,
    losses=0.0,
    latency=0.0,
    requests_a_second=1e12,
    driver=0.0,
    again=False,
)


def stage(cluster, seconds):
    return simulate_stage(cluster, seconds, random.Random(1))


def test_equal_units_fill_all_cores():
    found = stage(IDEAL, [2.0] * 80)
    assert found.seconds == pytest.approx(20.0)
    assert found.busy == pytest.approx(160.0)


def test_one_slow_unit_is_the_tail_unless_it_is_started_again():
    seconds = [*[1.0] * 70, 40.0]
    assert stage(IDEAL, seconds).seconds == pytest.approx(40.0)  # It goes first.
    late = replace(IDEAL, cores=80)
    assert stage(replace(late, again=True), [*[1.0] * 79, 40.0]).seconds == pytest.approx(4.0)


def test_a_driver_that_is_busy_is_a_limit():
    found = stage(replace(IDEAL, driver=1.0), [1.0] * 50)
    assert found.seconds == pytest.approx(51.0)


def test_a_store_that_answers_slowly_is_a_limit():
    slow = replace(IDEAL, requests=10, requests_a_second=10.0)
    assert stage(slow, [0.1] * 50).seconds == pytest.approx(49.1)


def test_lost_nodes_cost_their_units_and_no_more():
    lossy = replace(IDEAL, losses=200.0, notice=5.0, replace=1.0)
    found = stage(lossy, [2.0] * 400)
    assert found.lost > 0
    whole = stage(IDEAL, [2.0] * 400)
    assert whole.seconds < found.seconds < whole.seconds + 60.0


def test_more_cores_are_faster_until_something_else_is_the_limit():
    few, many, most = (predict(PILE, Cluster(cores)) for cores in (96, 384, 10_000))
    assert few.seconds > many.seconds
    assert most.efficiency < 0.2
    assert most.limit != "the cores"
    assert most.dollars > many.dollars
