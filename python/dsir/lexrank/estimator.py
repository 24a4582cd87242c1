"""LexRank with the interface of scikit-learn, which need not be installed."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from dsir.errors import SettingError
from dsir.facts import Fact, Facts, call_of, given_arguments
from dsir.lexrank.idf import Idf
from dsir.lexrank.rank import Method, centrality
from dsir.lexrank.similarity import SimilarityGraph
from dsir.lexrank.stopwords import Stopwords


class LexRank(Facts):
    """LexRank as an estimator: `LexRank().fit(X).scores_`.

    Works as the last step of a Pipeline (for instance after a TfidfVectorizer) and with `clone`.
    The arguments are those of `dsir.graph.lexrank`; `fit` checks them.

    Attributes:
        scores_: float64[units].
        n_iter_: steps of the walk.
        converged_: whether the walk converged.
        graph_: the similarity graph, or None for the continuous variant.
        n_features_in_: columns of X, if X has two dimensions.

    Example:
        >>> units = ["ships courts bakers", "ships sail", "courts judge", "bakers bake"]
        >>> len(dsir.graph.LexRank(threshold=None).fit(units).scores_)
        4
    """

    scores_: npt.NDArray[np.float64]
    n_iter_: int
    converged_: bool
    graph_: SimilarityGraph | None

    def __init__(
        self,
        threshold: float | None = 0.1,
        *,
        damping: float = 0.85,
        tolerance: float = 1e-6,
        max_iterations: int = 1000,
        idf: Idf | None = None,
        stopwords: Stopwords = None,
        teleport: Any = None,
        method: Method = "lexrank",
        top_k: int | None = None,
        punctuation: bool = False,
        threads: int | None = None,
    ) -> None:
        self.threshold = threshold
        self.damping = damping
        self.tolerance = tolerance
        self.max_iterations = max_iterations
        self.idf = idf
        self.stopwords = stopwords
        self.teleport = teleport
        self.method = method
        self.top_k = top_k
        self.punctuation = punctuation
        self.threads = threads

    def fit(self, X: Any, y: Any = None) -> LexRank:  # noqa: N803
        """Score the units, and return self.

        Args:
            X: anything that `lexrank` takes: a sparse matrix, embeddings, or texts.
            y: not used.

        Raises:
            SettingError: an argument is out of range, or X cannot be ranked.
        """
        del y
        found = centrality(X, **self.get_params())
        self.scores_ = found.scores
        self.n_iter_ = found.iterations
        self.converged_ = found.converged
        self.graph_ = found.graph
        if hasattr(X, "shape") and len(X.shape) == 2:
            self.n_features_in_ = int(X.shape[1])
        return self

    def fit_predict(self, X: Any, y: Any = None) -> npt.NDArray[np.float64]:  # noqa: N803
        """Score the units, and return the scores."""
        return self.fit(X, y).scores_

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the arguments by name."""
        del deep
        return {name: getattr(self, name) for name in _argument_names()}

    def set_params(self, **params: Any) -> LexRank:
        """Change arguments, and return self.

        Raises:
            SettingError: there is no such argument.
        """
        for name, value in params.items():
            if name not in _argument_names():
                raise SettingError(f"LexRank has no argument {name!r}")
            setattr(self, name, value)
        return self

    def __sklearn_tags__(self) -> Any:
        # Only scikit-learn calls this, so it is installed.
        from sklearn.utils import InputTags, Tags, TargetTags

        return Tags(
            estimator_type=None,
            target_tags=TargetTags(required=False),
            input_tags=InputTags(sparse=True, string=True),
        )

    def _facts(self) -> Iterator[Fact]:
        """Give the arguments that are not the defaults, and what was found."""
        yield from given_arguments(self)
        if hasattr(self, "scores_"):
            yield "units", f"{len(self.scores_):,}"
            yield "converged", "yes" if self.converged_ else "no"

    def __repr__(self) -> str:
        return call_of(self)


def _argument_names() -> list[str]:
    return list(inspect.signature(LexRank).parameters)
