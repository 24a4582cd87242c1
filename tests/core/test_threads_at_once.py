"""Many threads of one process use the same models at once, with the GIL or without it."""

from __future__ import annotations

import pickle
import sys
import sysconfig
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import dsir
from dsir.graph import GAIS, Idf, lexrank, similarity_join, summarize

THREADS = 6
ROUNDS = 3


@pytest.fixture(autouse=True)
def hurried():
    """Let threads take turns as often as can be; without a GIL it makes no difference."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def at_once(work: Callable[[int], Any], rounds: int = ROUNDS) -> list[list[Any]]:
    """Return what each of several threads gets from several calls; all begin together."""
    begin = threading.Barrier(THREADS)
    found: list[list[Any]] = [[] for _ in range(THREADS)]
    failures: list[BaseException] = []

    def run(number: int) -> None:
        try:
            begin.wait()
            found[number] = [work(number) for _ in range(rounds)]
        except BaseException as error:  # noqa: BLE001 - raised again below
            failures.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return found


@pytest.fixture(scope="module")
def texts(small_world):
    return [text or "" for text in small_world.texts][:200]


def test_one_model_for_all(texts):
    target = texts[::7]
    array = pa.array(texts)

    def calls(model, number):
        return (
            model.score(array, threads=1 + number % 3).tobytes(),
            model.explain(texts[number]).to_pydict(),
            model.fingerprint,
            model.features.counts(dsir.texts(texts)).tobytes(),
            pickle.loads(pickle.dumps(model)).score(array).tobytes(),
        )

    given = {"progress": False, "smoothing": 0.5}
    expected = [calls(dsir.fit(texts, target, **given), number) for number in range(THREADS)]
    # A model that no call has used: its tables are made by whichever thread comes first.
    fresh = dsir.fit(texts, target, **given)
    found = at_once(lambda number: calls(fresh, number))
    for number in range(THREADS):
        assert found[number] == [expected[number]] * ROUNDS


def test_whole_selections_beside_each_other(texts):
    target = texts[::7]

    def select(number):
        method = ("resample", "top-k", "coverage", "cap")[number % 4]
        found = dsir.select(
            texts,
            target,
            n=20,
            method=method,
            min_tokens=1,
            seed=number,
            dedup="exact",
            temperature=50,
            threads=2,
            progress=False,
        )
        return found.rows.tolist(), found.log_weights.tolist()

    expected = [select(number) for number in range(THREADS)]
    found = at_once(select, rounds=1)
    assert found == [[one] for one in expected]


def test_draws_and_vocabularies(texts):
    weights = np.linspace(-5, 5, 5000)

    def work(number):
        features = dsir.HashedNgrams(n=1 + number % 4, buckets=1000 + number, tokenizer="unicode")
        drawn = dsir.sample(weights, 100, seed=number, threads=2)
        return features.fingerprint, features.tokens(texts[number]), drawn.tolist()

    expected = [work(number) for number in range(THREADS)]
    found = at_once(work)
    for number in range(THREADS):
        assert found[number] == [expected[number]] * ROUNDS


def test_kinds_of_work_beside_each_other_on_shared_objects(texts):
    """Each thread does another kind of work first, so that every kind meets every other."""
    array = pa.array(texts)
    given = {"progress": False, "threads": 2}
    model = dsir.fit(texts, texts[::7], smoothing=0.5, **given)
    idf = Idf().fit(texts)
    join = similarity_join(texts[:60], threshold=0.1)
    points = np.random.default_rng(0).normal(size=(120, 4))
    labels = np.where(points[:, 0] > 0, "up", "down")
    thinned = GAIS(0.5, epochs=2, trials=False).fit(points, labels)

    def thin() -> list[int]:
        gais = GAIS(0.5, epochs=2, trials=False, n_jobs=2)
        gais.fit_resample(points, labels)
        return gais.sample_indices_.tolist()

    kinds: list[Callable[[], Any]] = [
        lambda: model.score(array, threads=2).tobytes(),
        lambda: [one.to_pydict() for one in map(model.explain, texts[:5])],
        lambda: dsir.fit(texts, texts[::5], **given).fingerprint,
        lambda: dsir.select(
            texts, model=model, n=20, min_tokens=1, temperature=50, **given
        ).rows.tolist(),
        lambda: lexrank(texts[:60], idf=idf, threads=2).tobytes(),
        lambda: (join.offsets.tobytes(), join.neighbours.tobytes()),
        lambda: summarize(texts[:20], sentences=3, idf=idf).text,
        thin,
        lambda: pickle.loads(pickle.dumps(thinned)).sample_indices_.tolist(),
    ]
    expected = [kind() for kind in kinds]

    def work(number: int) -> list[tuple[int, Any]]:
        order = [(number + step) % len(kinds) for step in range(len(kinds))]
        return [(place, kinds[place]()) for place in order]

    for rounds in at_once(work, rounds=2):
        for results in rounds:
            assert dict(results) == dict(enumerate(expected))


def test_importing_dsir_leaves_the_gil_off():
    if not sysconfig.get_config_var("Py_GIL_DISABLED"):
        pytest.skip("this Python has a GIL")
    assert not sys._is_gil_enabled()  # type: ignore[attr-defined]
