"""GAIS: instance selection with a graph attention network.

Source: Rustamov et al. 2025, "Scalable Graph Attention-based Instance Selection via Mini-Batch
Sampling and Hierarchical Hashing" (arXiv 2502.20293), as docs/algorithms.md, section 13, reads it.
Selection by coverage is ours; docs/lab/gais.md compares the ways that were tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from dsir import _core
from dsir.engine import thread_count
from dsir.errors import SettingError
from dsir.gais.attention_training import TrainedNetwork, Training, train_network
from dsir.gais.class_budgets import Shares, kept_of_classes, other_shares
from dsir.gais.column_coverage import (
    ColumnLists,
    column_covering_rows,
    column_lists,
    covers_columns,
)
from dsir.gais.column_exchanges import MOST_CLASSES, exchanged_rows
from dsir.gais.coverage import (
    Coverage,
    attention_coverage,
    covering_rows,
    highest,
    neighbours_vote,
    trusted_rows,
)
from dsir.gais.gais_arguments import BY_NETWORK, GraphName, Network, RankBy, Select, check_arguments
from dsir.gais.judges import Metric
from dsir.gais.labelled_table import (
    Distance,
    LabelledTable,
    Missing,
    Scaling,
    is_sparse,
    labelled_table,
)
from dsir.gais.parts import split_rows
from dsir.gais.represented import represented_rows
from dsir.gais.row_graph import Nearness, RowGraph, graph_of, graph_of_distances, row_count
from dsir.gais.scores import drawn_keys, row_scores
from dsir.gais.seeds import Seed, seed_of
from dsir.gais.selector import InstanceSelector, argument_defaults, rows_to_keep
from dsir.gais.text_rows import ngram_rows
from dsir.gais.training_batches import batch_count, training_batches
from dsir.gais.trials import Kept, Trial, most_trials, tried_rows
from dsir.gais.unused import refuse_unread_by_columns
from dsir.model.features import HashedNgrams
from dsir.progress import Advance, reporter

# With network="auto": fewer labels that the neighbours contradict leave the network nothing to say.
_MOST_CONTRADICTED = 0.01


class GAIS(InstanceSelector):
    """Keeps the few labelled rows that train nearly as well as all rows.

    A graph joins near rows, and a graph attention network learns the labels on the graph. Each
    class keeps one row at least, and rows in proportion to its size unless other `shares` are given
    or found better. `select` decides which rows:

    - "auto" (the default): "column-coverage" for texts and for other sparse rows of more than 512
      columns, "coverage" for all else.
    - "coverage" (ours): rows that are near to the rest of their class, and nearer than the rows
      kept of other classes. Rows that the network or their neighbours would label differently may
      be left out first. With `trials`, several such selections, k-means and random draws are tried
      on the rows not kept, and the best one wins.
    - "column-coverage" (ours): rows that together have the columns (words, n-grams) which tell
      their class from the others; see `cpp/gais/column_coverage.hpp`. Only which entries are not 0
      counts. With `trials` and shares="auto", rows of any class are exchanged while naive Bayes,
      ridge regression and 1-NN learn more from those kept; see `dsir.gais.column_exchanges`.
    - "attention-coverage" (ours): facility location on attention.
    - "top": the rows with the highest scores, as in the papers: the first takes the network's
      confidence (rank_by="confidence"), the second attention. In our measurements both are worse
      than a random draw.
    - "sample": a draw without replacement in proportion to the score.

    The result depends on the data, the arguments and the seed, but not on the number of threads.
    `fit` refuses an argument that differs from its default and that another argument leaves nothing
    to say, such as `metric` with trials=False.
    In a pipeline, use that of imbalanced-learn; scikit-learn's takes a selector only as last step.

    Args:
        reduction: share of the rows to leave out, 0 to below 1.
        shares: how many rows of each class to keep. "proportional": in proportion to the class;
            "sqrt": in proportion to the square root of the class, so that small classes keep more;
            "auto": what the trials find better of both, so in proportion without trials, and with
            "column-coverage" any numbers that they find better;
            "equal": as many of each class. Every class keeps at least one row. A dict has the
            number of rows for each label; `reduction` is not used then.
        graph: "minibatch", "lsh", "lsh-multilevel", "lsh-multiview" or "exact"; see
            `dsir.graph.neighbours`.
        rank_by: the score for "top" and "sample", also in `scores_`: the attention that a row
            receives ("attention"), the attention it receives from rows of its own class
            ("attention-same-class"), or the probability that the network gives its label
            ("confidence").
        select: "auto", "coverage", "column-coverage", "attention-coverage", "top" or "sample", see
            above.
        network: whether to train the network. Without it the neighbours alone tell which rows are
            trusted, there are no `scores_` and `embeddings_`, select="coverage" takes about two
            thirds of the time, and rank_by, heads, hidden, epochs and edge_dropout are not read.
            "auto" trains it if `select` reads it, or if the neighbours contradict more than one
            label in a hundred.
        heads: attention heads.
        hidden: units of each head.
        epochs: the most epochs of training; an epoch has all rows, or 131,072 of them if there are
            more. Training ends early by the accuracy on a held-out tenth of each class.
        batch_size: most rows of a mini-batch of the graph.
        neighbours: most edges from a row.
        threshold: edges have cosine >= threshold (of lifted rows, see `dsir.graph.neighbours`).
        edge_dropout: share of the edges that each step leaves out of a layer, 0 to below 1.
        passes: for select="coverage": exchanges to try for each row kept. More take longer and
            help 1-NN.
        trials: for select="coverage": whether to try several ways and keep the selection that small
            classifiers learn most from, see `dsir.gais.trials`. Otherwise there is one coverage, of
            the trusted rows. For select="column-coverage": whether to exchange rows, which needs
            shares="auto" and at most 64 classes.
        metric: what these classifiers are measured by: "accuracy", "balanced_accuracy", "f1_macro"
            or, for select="coverage", "log_loss".
        weights: whether you will train with weights: `sample_weight_` then says how many rows each
            kept row stands for, and the trials of select="coverage" train with these weights.
        categorical: columns, by name or number, whose values are names. Columns of a categorical
            type (of pandas, polars or Arrow) need not be named.
        bins: cut a regression target into this many classes.
        missing: what to do about missing values (null, None, NaN, NaT, NA). "raise" refuses them.
            "fill" gives a missing number the mean of its column, and a 0/1 column that says where
            it was missing; a missing name becomes a name of its own. "drop" keeps none of the rows
            that have a missing value or label.
        scaling: "columns" gives every column variance 1. "whole" divides all columns by one number,
            so that your own scale decides which rows are near, e.g. for embeddings.
        distance: which rows are near. "euclidean"; "cosine", the angle of the rows as they are,
            without scaling; "manhattan", the sum of the differences of all columns; or
            "precomputed", as in scikit-learn: X is then a square array with the distances of all
            pairs, or a sparse matrix in compressed rows with those of near pairs, e.g. of
            `kneighbors_graph(mode="distance")`. Distances that are not Euclidean become
            coordinates by landmark MDS; the neighbours of the graph are exact.
        features: give this if X is texts; their hashed n-grams become the columns.
        random_state: seed, 0 or more; or a RandomState or Generator of numpy, which draws one.
        n_jobs: threads; None or -1 for every core.
        progress: whether to show progress on standard error.

    Attributes:
        sample_indices_: int64, ascending: the rows kept.
        scores_: float64[rows], if there is a network; NaN for rows that missing="drop" leaves out.
        embeddings_: float32[rows, heads * hidden], if there is a network: outputs of its first
            layer; NaN for rows that missing="drop" leaves out.
        trusted_: bool[rows]: whether the network and the neighbours agree with the row's label;
            True for all rows of a class that they cannot tell.
        history_: one dict for each epoch: `epoch`, `loss`, and in some `held_out_accuracy`.
        classes_: the labels, in order.
        trials_: how well each way did; empty without `trials`.
        sample_weight_: int64[rows kept], only with weights=True: how many rows of its class are
            nearest to each kept row, itself among them. The weights of a class add up to its rows.
            Give them to scikit-learn: `model.fit(kept_x, kept_y, sample_weight=...)`.

    Example:
        >>> import numpy as np
        >>> x = np.arange(40.0).reshape(20, 2)
        >>> y = np.arange(20) % 2
        >>> gais = dsir.graph.GAIS(reduction=0.8, epochs=2).fit(x, y)
        >>> len(gais.sample_indices_)
        4
    """

    scores_: npt.NDArray[np.float64]
    embeddings_: npt.NDArray[np.float32]
    trusted_: npt.NDArray[np.bool_]
    history_: list[dict[str, float]]
    classes_: npt.NDArray[Any]
    trials_: list[Trial]
    sample_weight_: npt.NDArray[np.int64]

    def __init__(
        self,
        reduction: float = 0.96,
        *,
        shares: Shares = "auto",
        graph: GraphName = "minibatch",
        rank_by: RankBy = "attention",
        select: Select = "auto",
        network: Network = True,
        heads: int = 4,
        hidden: int = 8,
        epochs: int = 100,
        batch_size: int = 512,
        neighbours: int = 10,
        threshold: float = 0.0,
        edge_dropout: float = 0.2,
        passes: float = 40.0,
        trials: bool = True,
        metric: Metric = "accuracy",
        weights: bool = False,
        categorical: Sequence[str | int] | None = None,
        bins: int | None = None,
        missing: Missing = "raise",
        scaling: Scaling = "columns",
        distance: Distance = "euclidean",
        features: HashedNgrams | None = None,
        random_state: Seed = 0,
        n_jobs: int | None = None,
        progress: bool = False,
    ) -> None:
        self.reduction = reduction
        self.shares = shares
        self.graph = graph
        self.rank_by = rank_by
        self.select = select
        self.network = network
        self.heads = heads
        self.hidden = hidden
        self.epochs = epochs
        self.batch_size = batch_size
        self.neighbours = neighbours
        self.threshold = threshold
        self.edge_dropout = edge_dropout
        self.passes = passes
        self.trials = trials
        self.metric = metric
        self.weights = weights
        self.categorical = categorical
        self.bins = bins
        self.missing = missing
        self.scaling = scaling
        self.distance = distance
        self.features = features
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.progress = progress

    def _select(self, X: Any, y: Any) -> None:  # noqa: N803
        self.check()
        seed = seed_of(self.random_state)
        threads = thread_count(None if self.n_jobs in (None, -1) else self.n_jobs)
        shown = reporter(self.progress)
        how = Nearness(
            k=self.neighbours,
            method=self.graph,
            threshold=self.threshold,
            batch_size=self.batch_size,
            seed=seed,
            threads=threads,
        )
        lists = None
        if self._pairwise:
            with shown.stage("graph", row_count(X), "rows") as advance:
                graph = graph_of_distances(X, y, self.bins, how)
                advance(len(graph.table.rows))
            table = graph.table
        else:
            table, lists = self._table(X, y, seed, threads)
        counts = np.bincount(table.labels).astype(np.int64)
        keep = rows_to_keep(self.reduction, len(table.labels), len(counts))
        shares = kept_of_classes(self.shares, counts, keep, table.classes)
        if not self._pairwise:
            with shown.stage("graph", len(table.rows), "rows") as advance:
                graph = graph_of(table, self.distance, how)
                advance(len(table.rows))
            table = graph.table
        edges = graph.edges.undirected()
        vote = neighbours_vote(graph.edges, table.labels, len(counts))
        self._forget_network()
        network = None
        # Without the network a row without neighbours is taken at its word.
        guesses = table.labels.astype(np.int64)
        if self._wants_network(vote, table.labels):
            with shown.stage("train", self.epochs, "epochs") as advance:
                network = self._train(edges, graph, seed, threads, advance)
            guesses = network.probabilities.argmax(axis=1)
            self.scores_ = row_scores(self.rank_by, *edges, network, table.labels)
            self.embeddings_ = network.embeddings
            self.history_ = network.history
        # Both must agree with the label; for a row without neighbours the network decides alone.
        guesses = np.where((vote == guesses) | (vote < 0), guesses, -1)
        self.trusted_ = trusted_rows(table.labels, guesses, shares)
        self.classes_ = table.classes
        self.trials_ = []
        if lists is not None:
            self.sample_indices_ = column_covering_rows(
                lists, table.labels, shares, seed=seed, threads=threads
            )
            if self.trials and self.shares == "auto" and len(counts) <= MOST_CLASSES:
                with shown.stage("exchange", len(table.labels), "rows") as advance:
                    self.sample_indices_, self.trials_ = exchanged_rows(
                        lists,
                        table.labels,
                        self.sample_indices_,
                        metric=self.metric,
                        seed=seed,
                        threads=threads,
                        advance=advance,
                    )
        elif self._covers:
            coverage = Coverage(passes=float(self.passes), seed=seed, threads=threads)
            known = (table.rows, table.labels, shares, self.trusted_, coverage)
            if self.trials:
                other, rooted = other_shares(self.shares, counts, shares), None
                if other is not None:
                    rooted = Kept(other, trusted_rows(table.labels, guesses, other))
                most = most_trials(len(table.rows), rooted=rooted is not None)
                with shown.stage("try", most, "selections") as advance:
                    self.sample_indices_, self.trials_ = tried_rows(
                        *known, advance, rooted=rooted, metric=self.metric, weights=self.weights
                    )
            else:
                self.sample_indices_ = covering_rows(*known)
        elif network is not None and self.select == "attention-coverage":
            self.sample_indices_ = attention_coverage(
                *edges, network.attention, table.labels, shares, self.trusted_
            )
        else:
            keys = self.scores_
            if self.select == "sample":
                keys = drawn_keys(keys, seed)
            self.sample_indices_ = highest(keys, table.labels, shares)
        self._count_kept(table.labels, table.classes)
        if self.weights:
            self.sample_weight_ = represented_rows(
                table.rows, table.labels, self.sample_indices_, seed=seed, threads=threads
            )

    def _table(
        self,
        X: Any,  # noqa: N803
        y: Any,
        seed: int,
        threads: int,
    ) -> tuple[LabelledTable, ColumnLists | None]:
        """Return the columns of X, scaled, the class codes, and which columns rows have.

        The last is None unless rows are selected by it.
        """
        if self.features is not None:
            X = ngram_rows(X, self.features, fill=self.missing == "fill")  # noqa: N806
        if self.select == "column-coverage" and not is_sparse(X):
            raise SettingError(
                "select='column-coverage': looks at which columns of a sparse row are not 0; give "
                "X as a sparse matrix in compressed rows, or texts with features=..., or leave "
                "select out"
            )
        table = labelled_table(
            X,
            y,
            categorical=self.categorical,
            bins=self.bins,
            seed=seed,
            missing=self.missing,
            scaling=self.scaling,
            distance=self.distance,
            threads=threads,
        )
        if not covers_columns(self.select, int(X.shape[1]) if is_sparse(X) else None):
            return table, None
        if self.select == "auto":
            refuse_unread_by_columns(self.get_params(), argument_defaults(type(self)))
        return table, column_lists(X)

    @property
    def _covers(self) -> bool:
        """Whether `select` covers rows by distances, where they are not covered by columns."""
        return self.select in ("auto", "coverage")

    @property
    def _pairwise(self) -> bool:
        return self.distance == "precomputed"

    def _wants_network(self, vote: npt.NDArray[np.int64], labels: npt.NDArray[np.int32]) -> bool:
        if self.network != "auto":
            return bool(self.network)
        contradicted = int(np.count_nonzero((vote >= 0) & (vote != labels)))
        return self.select in BY_NETWORK or contradicted > _MOST_CONTRADICTED * len(labels)

    def _forget_network(self) -> None:
        """Remove what an earlier fit says of its network."""
        self.history_ = []
        for name in ("scores_", "embeddings_"):
            if hasattr(self, name):
                delattr(self, name)

    def _place(self, rows: npt.NDArray[np.int64], total: int) -> None:
        if hasattr(self, "scores_"):
            scores = np.full(total, np.nan)
            scores[rows] = self.scores_
            embeddings = np.full((total, self.embeddings_.shape[1]), np.nan, dtype=np.float32)
            embeddings[rows] = self.embeddings_
            self.scores_, self.embeddings_ = scores, embeddings
        trusted = np.zeros(total, dtype=bool)
        trusted[rows] = self.trusted_
        self.trusted_ = trusted

    def _train(
        self,
        edges: tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]],
        found: RowGraph,
        seed: int,
        threads: int,
        advance: Advance,
    ) -> TrainedNetwork:
        """Train the network on a graph (offsets, neighbours), in batches if it is large."""
        table, batches = found.table, None
        if batch_count(len(table.rows)) > 1:
            parts = found.batches or split_rows(
                table.rows, table.labels, self.batch_size, seed, threads=threads
            )
            batches = training_batches(
                *edges, table.rows, table.labels, parts, seed, threads=threads
            )
        training = Training(
            heads=self.heads,
            hidden=self.hidden,
            epochs=self.epochs,
            edge_dropout=self.edge_dropout,
            seed=seed,
            threads=threads,
        )
        graph = _core.AttentionGraph(*edges)
        classes = len(table.classes)
        return train_network(
            graph, table.rows, table.labels, classes, training, batches, advance=advance
        )

    def check(self) -> None:
        """Check the arguments, as `fit` does before it looks at the data.

        Raises:
            SettingError: an argument is out of range, or another one leaves it nothing to say.
        """
        check_arguments(self.get_params(), argument_defaults(type(self)))
