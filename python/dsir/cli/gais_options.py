"""The options of `dsir gais` that are arguments of `GAIS`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from dsir.arguments.declared import argument
from dsir.arguments.values import one_of
from dsir.gais.class_budgets import Shares, shares_in
from dsir.gais.column_coverage import covers_columns
from dsir.gais.gais_arguments import GraphName, Network, RankBy, Select
from dsir.gais.judges import Metric
from dsir.gais.labelled_table import Missing, Scaling

# A file holds columns and not the distances of pairs.
ColumnDistance = Literal["euclidean", "cosine", "manhattan"]
NetworkUse = Literal["always", "auto", "never"]
_HOW = "How to select"


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectorOptions:
    """The options, as they were given. `GAIS` checks them, and has the same defaults."""

    bins: int | None = argument(
        None,
        "Cut a label that is a number into N classes, e.g. 10. By default each value of the "
        "label is a class.",
        kind=int,
        metavar="N",
    )
    missing: Missing = argument(
        "raise",
        "Missing values: 'raise' refuses them, 'fill' gives a missing number the mean of its "
        "column and makes a missing name a name of its own, and 'drop' keeps none of their rows.",
    )
    shares: Shares = argument(
        "auto",
        "How many rows of each class to keep: 'proportional' to the class, 'sqrt' for "
        "proportional to its square root (small classes keep more), 'auto' for what trials find "
        "better of both (of texts, better of any numbers), 'equal', or numbers of rows by label, "
        "e.g. spam=100,ham=200; these take the place of --keep.",
        panel=_HOW,
        metavar="RULE|LABEL=N,...",
        read=shares_in,
    )
    metric: Metric = argument(
        "accuracy",
        "What the trial classifiers are measured by: 'accuracy', 'balanced_accuracy', "
        "'f1_macro' or, but for texts, 'log_loss'.",
        panel=_HOW,
    )
    select: Select = argument(
        "auto",
        "How to choose rows: 'coverage' takes rows that are near to the rest of their class, "
        "'column-coverage' rows of a text column that together have the n-grams which tell their "
        "class, 'auto' this for texts and that for all else, 'attention-coverage' covers by "
        "attention, 'top' takes the highest scores, and 'sample' draws in proportion to the "
        "scores.",
        panel=_HOW,
    )
    rank_by: RankBy = argument(
        "attention",
        "The score of a row for 'top' and 'sample': 'attention' that the row receives, "
        "'attention-same-class' for attention from its own class, or 'confidence' of the network "
        "in its label.",
        panel=_HOW,
    )
    network: NetworkUse = argument(
        "always",
        "Whether the attention network is trained: 'always', 'never', which takes about two thirds "
        "of the time and only goes with 'coverage', or 'auto' for when it has something to say.",
        panel=_HOW,
    )
    scaling: Scaling = argument(
        "columns",
        "How columns are scaled: 'columns' gives each the same spread, 'whole' keeps your own "
        "scale, e.g. of embeddings.",
        panel=_HOW,
    )
    distance: ColumnDistance = argument(
        "euclidean",
        "Which rows are near: 'euclidean', 'cosine' for the angle of the rows without scaling, "
        "e.g. of embeddings, or 'manhattan' for the sum of the differences of all columns.",
        panel=_HOW,
    )
    graph: GraphName = argument(
        "minibatch",
        "How near rows are found: 'minibatch', 'lsh', 'lsh-multilevel', 'lsh-multiview' or "
        "'exact'.",
        panel=_HOW,
    )
    epochs: int = argument(
        100,
        "The most epochs that the network is trained for, e.g. 30; training may end earlier.",
        kind=int,
        panel=_HOW,
    )
    passes: float = argument(
        40.0,
        "With 'coverage': exchanges that are tried for each row kept, e.g. 10; more take longer.",
        kind=float,
        panel=_HOW,
    )

    def __post_init__(self) -> None:
        one_of("distance", self.distance, get_args(ColumnDistance))
        one_of("network", self.network, get_args(NetworkUse))

    @property
    def trains(self) -> Network:
        """What `GAIS` calls the option `network`."""
        if self.network == "auto":
            return "auto"
        return self.network == "always"

    def select_of(self, text: str | None, buckets: int) -> Select:
        """Return what `select` comes to, with the n-grams of a text column or other columns."""
        if self.select != "auto":
            return self.select
        by_columns = covers_columns(self.select, None if text is None else buckets)
        return "column-coverage" if by_columns else "coverage"
