"""scikit-learn: hashed n-grams as a transformer of texts to a sparse matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from scipy.sparse import csr_matrix, vstack
from sklearn.base import BaseEstimator, TransformerMixin

from dsir import _core
from dsir.arguments.values import flag, shown, whole_number
from dsir.corpus.batches import table_bytes
from dsir.corpus.failing_rows import naming_row
from dsir.corpus.memory import MemoryShard
from dsir.errors import RowError, SettingError, TextColumnError
from dsir.integrations.batches import as_arrow
from dsir.integrations.scorer import text_table
from dsir.model.features import Hash, HashedNgrams, Normalize


class NgramVectorizer(TransformerMixin, BaseEstimator):
    """Counts the hashed n-grams of texts: a row for each text, a column for each bucket.

    These are the features of `dsir.HashedNgrams`, made by the compiled core. Nothing is learnt, so
    `fit` does nothing. An n-gram cannot be read off its bucket; `HashedNgrams.ngrams` names those
    of a text.

    Args:
        n: the longest n-gram, 1 to 8.
        buckets: number of columns, 2 to 2**24.
        tokenizer: how texts are cut into tokens; see `dsir.HashedNgrams`.
        hash: "fast", or "sha256" for the reference's buckets.
        normalize: None, "NFC" or "NFKC".
        lower: whether tokens are in lower case.
        binary: whether to give 1 in place of every count above 0.
        dtype: type of the counts, a NumPy dtype of numbers.
        threads: how many threads to use; the matrix does not depend on it.

    Example:
        >>> from dsir.integrations.sklearn import NgramVectorizer
        >>> counts = NgramVectorizer(n=1, buckets=1000).fit_transform(["to be or not to be", None])
        >>> counts.shape, counts.sum(axis=1).ravel().tolist()
        ((2, 1000), [[6.0, 0.0]])
    """

    def __init__(
        self,
        n: int = 2,
        buckets: int = 10_000,
        *,
        tokenizer: Any = "wordpunct",
        hash: Hash = "fast",  # noqa: A002
        normalize: Normalize | None = None,
        lower: bool = True,
        binary: bool = False,
        dtype: Any = np.float64,
        threads: int = 1,
    ) -> None:
        # scikit-learn clones estimators by these attributes; `transform` checks them.
        self.n = n
        self.buckets = buckets
        self.tokenizer = tokenizer
        self.hash = hash
        self.normalize = normalize
        self.lower = lower
        self.binary = binary
        self.dtype = dtype
        self.threads = threads

    @property
    def features(self) -> HashedNgrams:
        """The features that are counted.

        Raises:
            SettingError: an argument is out of range.
        """
        return HashedNgrams(
            n=self.n,
            buckets=self.buckets,
            tokenizer=self.tokenizer,
            hash=self.hash,
            normalize=self.normalize,
            lower=self.lower,
        )

    def fit(self, X: Any = None, y: Any = None) -> NgramVectorizer:  # noqa: N803
        """Check the arguments, and return the transformer itself.

        Raises:
            SettingError: an argument is out of range.
        """
        del X, y
        self._checked()
        return self

    def transform(self, X: Any) -> csr_matrix:  # noqa: N803
        """Count the n-grams of texts.

        Args:
            X: the texts: a list of str, a NumPy array, a pandas or polars Series, or an Arrow
                array. None and NaN are texts without n-grams.

        Returns:
            A CSR matrix of `dtype` [texts, buckets].

        Raises:
            SettingError: an argument is out of range, an element is not a str, or `dtype` cannot
                hold a count.
            TextColumnError: X does not hold texts.
            RowError: a text is not UTF-8.
        """
        features = self._checked()
        column = as_arrow(X, "X") if hasattr(X, "dtype") and not hasattr(X, "to_arrow") else X
        table = text_table(column, "text", "X")
        if "text" not in table.column_names:
            raise TextColumnError(
                f"X: has columns ({', '.join(table.column_names)}), none of them 'text'; give the "
                "column of the texts alone, as frame['body'], or by a ColumnTransformer",
                path="X",
            )
        shard = MemoryShard("X", table_bytes(table), "text", table)
        blocks = [csr_matrix((0, features.buckets), dtype=self.dtype)]
        for batch in shard.text_batches(on_error="raise"):
            try:
                batch.text.validate(full=True)
            except pa.ArrowInvalid as error:
                raise RowError(f"X: a text is not UTF-8: {error}", path="X") from error
            with naming_row(shard, batch, features.attempt):
                blocks.append(self._counted(batch.text, features))
        return vstack(blocks, format="csr", dtype=self.dtype)

    def _checked(self) -> HashedNgrams:
        whole_number("threads", self.threads, 1)
        flag("binary", self.binary)
        try:
            kind = np.dtype(self.dtype)
        except TypeError:
            kind = np.dtype(object)
        if kind.kind not in "iuf" or kind == np.float16:  # SciPy has no sparse float16.
            raise SettingError(
                f"dtype={shown(self.dtype)}: expected a dtype of whole numbers, or of floats of "
                "32 bits or more"
            )
        return self.features

    def _counted(self, text: pa.Array, features: HashedNgrams) -> csr_matrix:
        rows = np.arange(len(text), dtype=np.int64)
        offsets, buckets = _core.bucket_lists(
            features.prepared(text), features.spec, rows, threads=self.threads
        )
        ones = np.ones(len(buckets), dtype=np.int64)
        shape = (len(text), features.buckets)
        counts = csr_matrix((ones, buckets.astype(np.int32), offsets), shape=shape)
        counts.sum_duplicates()
        if self.binary:
            counts.data[:] = 1
        kind = np.dtype(self.dtype)
        most = int(counts.data.max(initial=0))
        if kind.kind in "iu" and most > np.iinfo(kind).max:
            raise SettingError(
                f"dtype={shown(self.dtype)}: cannot hold the count {most:,}; give a wider dtype"
            )
        return counts.astype(kind)

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """Return a name for each column: "bucket0", "bucket1", and so on."""
        del input_features
        return np.array([f"bucket{bucket}" for bucket in range(self.buckets)], dtype=object)

    def __sklearn_tags__(self) -> Any:
        """Say that texts go in and a sparse matrix comes out, and that there is nothing to fit."""
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.requires_fit = False
        return tags
