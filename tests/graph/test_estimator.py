import numpy as np
import pytest

from dsir import SettingError
from dsir.graph import LexRank, lexrank

# Most texts here are few and of words drawn at random, so scores are often equal.
pytestmark = pytest.mark.filterwarnings("error", "ignore:LexRank. :dsir.DsirWarning")


def test_fit_is_lexrank(units):
    ranker = LexRank(threshold=0.2, stopwords="en")
    assert ranker.fit(units) is ranker
    np.testing.assert_array_equal(ranker.scores_, lexrank(units, 0.2, stopwords="en"))
    assert ranker.converged_
    assert ranker.n_iter_ > 1
    assert ranker.graph_ is not None
    np.testing.assert_array_equal(LexRank(0.2, stopwords="en").fit_predict(units), ranker.scores_)


def test_parameters():
    ranker = LexRank(threshold=None, damping=0.9)
    assert repr(ranker) == "LexRank(threshold=None, damping=0.9)"
    assert repr(LexRank()) == "LexRank()"
    other = LexRank().set_params(**ranker.get_params())
    assert other.get_params() == ranker.get_params()
    with pytest.raises(SettingError, match="no argument 'depth'"):
        ranker.set_params(depth=3)
    # Nothing is checked before fit.
    with pytest.raises(SettingError, match="damping=2"):
        LexRank(damping=2).fit(["a b"])


def test_in_a_pipeline(units):
    pytest.importorskip("sklearn")
    from sklearn.base import clone
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import Pipeline

    texts = [text or "" for text in units]
    pipeline = Pipeline([("tfidf", TfidfVectorizer()), ("lexrank", LexRank(threshold=0.15))])
    pipeline.set_params(lexrank__threshold=0.1)
    fitted = pipeline.fit(texts)[-1]
    matrix = TfidfVectorizer().fit_transform(texts)
    np.testing.assert_array_equal(fitted.scores_, lexrank(matrix, 0.1))
    assert fitted.n_features_in_ == matrix.shape[1]
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    assert not hasattr(copy, "scores_")
    assert "LexRank" in repr(pipeline)
