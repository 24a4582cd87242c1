"""How well classifiers do that were trained on the rows kept, on rows that were held out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from dsir.engine import thread_count
from dsir.gais.baselines import RandomSelection
from dsir.gais.gais import GAIS
from dsir.gais.judges import JUDGES, Metric, judge
from dsir.gais.labelled_table import labelled_table
from dsir.gais.labels import class_codes
from dsir.gais.seeds import seed_of
from dsir.gais.selector import take_rows
from dsir.gais.text_rows import frequent_columns, ngram_rows

_HELD_OUT = 0.2  # Of the rows.


def held_out_report(
    gais: GAIS, x: Any, y: pa.ChunkedArray, metric: Metric = "accuracy"
) -> dict[str, Any]:
    """Return how well classifiers trained on kept rows do on a fifth of the rows, held out.

    Args:
        gais: the settings of the selection, which is made anew from the other four fifths.
        x: the rows; with missing="drop", those that have no missing value.
        y: their labels.
        metric: what to measure beside the accuracy.

    Returns:
        `accuracy`: for each judge of `dsir.gais.judges.JUDGES`, its accuracy, 0 to 1, after
        training on all the other rows (`everything`), on the rows kept of them (`kept`), and on as
        many rows drawn at random (`random`). The same under the name of `metric` if that is not
        the accuracy. Of texts the judges see the n-grams that most of them have.
        `held_out` and `rows_kept`: numbers of rows.
        `majority`: the accuracy of always naming the largest class.
    """
    seed = seed_of(gais.random_state)
    codes, _ = class_codes(y, gais.bins)
    order = np.random.Generator(np.random.Philox(seed)).permutation(len(codes))
    cut = math.ceil(_HELD_OUT * len(codes))
    test, train = np.sort(order[:cut]), np.sort(order[cut:])
    fill = gais.missing == "fill"
    ngrams = None if gais.features is None else ngram_rows(x, gais.features, fill=fill)
    table = labelled_table(
        x if ngrams is None else ngrams,
        y,
        categorical=gais.categorical,
        bins=gais.bins,
        seed=seed,
        missing=gais.missing,
        scaling=gais.scaling,
        distance=gais.distance,
    )
    if isinstance(gais.shares, Mapping):
        # Numbers of rows are meant for all rows; here are four fifths of them.
        lowered = {
            label: max(1, round(number * len(train) / len(codes)))
            for label, number in gais.shares.items()
        }
        gais = GAIS(**{**gais.get_params(), "shares": lowered})
    chosen = gais.fit(take_rows(x, train), take_rows(y, train)).sample_indices_
    drawn = RandomSelection(1 - len(chosen) / len(train), random_state=seed)
    drawn_rows = drawn.fit(None, codes[train]).sample_indices_
    trained_on = {"everything": train, "kept": train[chosen], "random": train[drawn_rows]}
    threads = thread_count(None if gais.n_jobs in (None, -1) else gais.n_jobs)
    stood_for = None
    if gais.weights:
        stood_for = [np.ones(len(one), np.int64) for one in trained_on.values()]
        stood_for[1] = gais.sample_weight_
    verdicts = judge(
        table.rows if ngrams is None else frequent_columns(ngrams),
        table.labels,
        list(trained_on.values()),
        test.astype(np.int32),
        seed=seed,
        threads=threads,
        weights=stood_for,
    )
    metrics: list[Metric] = ["accuracy"]
    if metric != "accuracy":
        metrics.append(metric)
    measured: dict[str, Any] = {}
    for one in metrics:
        values = verdicts.measured(one)
        if one == "log_loss":
            values = -values
        measured[one] = {
            name: dict(zip(trained_on, values[:, number].tolist(), strict=True))
            for number, name in enumerate(JUDGES)
        }
    counts = np.bincount(table.labels[train], minlength=len(table.classes))
    return {
        **measured,
        "majority": float((table.labels[test] == counts.argmax()).mean()),
        "held_out": len(test),
        "rows_kept": len(chosen),
    }
