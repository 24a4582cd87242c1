"""Every public object can be pickled, copied and cloned, and works as before.

The classes are found, not listed. A new public class fails `test_every_public_class_has_an_object`
until `made` makes an object of it.
"""

from __future__ import annotations

import copy
import dataclasses
import importlib.util
import json
import pickle
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from fasttext_file import FastTextFile
from public_classes import public_classes

import dsir
from dsir import _core, compat, errors, graph
from dsir.facts import Facts
from dsir.gais.selector import InstanceSelector
from dsir.model import kernels
from dsir.model.estimator import Estimator, Watch
from dsir.model.model_file import Content
from dsir.model.own_scorer import OwnScorer
from dsir.remote import RemotePath

TEXTS = [f"the court number {i} and {i} of the law {i % 7} {'x ' * (i % 5)}" for i in range(60)]
TARGET = TEXTS[:9]
NUMBERS = np.random.default_rng(0).normal(size=(60, 3))
LABELS = np.arange(60) % 2
KERNELS: list[kernels.Kernel] = []
if importlib.util.find_spec("numba") is not None:  # They are pickled by their name in this module.

    @dsir.kernel("tokenizer")
    def whole_text(text, at, starts, ends):
        """Take what is left as one token."""
        starts[0], ends[0] = at, len(text)
        return 1

    @dsir.kernel("features")
    def same_bucket(tokens, buckets, out):
        """Put every token into the last bucket."""
        for place in range(len(tokens)):
            out[place] = buckets - 1
        return len(tokens)

    @dsir.kernel("scorer")
    def sum_of_ratios(buckets, counts, log_ratio, tokens):
        """Sum the log ratios."""
        total = 0.0
        for place in range(len(buckets)):
            total += counts[place] * log_ratio[buckets[place]]
        return total

    KERNELS += [whole_text, same_bucket, sum_of_ratios]

GIVEN: dict[str, Any] = {"min_tokens": 1, "length": "mean", "progress": False}

TRIPS: dict[str, Callable[[Any], Any]] = {
    **{
        f"pickle-{protocol}": lambda one, protocol=protocol: pickle.loads(
            pickle.dumps(one, protocol)
        )
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)
    },
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> dict[str, Any]:
    """Objects that between them hold every public class."""
    folder = tmp_path_factory.mktemp("round-trips")
    raw, several = folder / "raw.jsonl", {"one": TARGET, "two": TEXTS[9:20]}
    lines = [json.dumps({"text": text, "site": f"s{i % 3}"}) for i, text in enumerate(TEXTS)]
    raw.write_text("\n".join([*lines, "broken", *lines[:3]]))
    bad = {"on_error": "skip", **GIVEN}
    covers = {
        "method": "coverage",
        "features": dsir.HashedNgrams(buckets=4096),
        "min_tokens": 1,
        "progress": False,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dsir.DsirWarning)
        files = dsir.select(
            raw, TARGET, n=20, out=folder / "out", dedup="exact", max_per={"site": 9}, **bad
        )
        dsir.select(raw, TARGET, n=25, seed=3, out=folder / "other", **bad)
        separate = dsir.select(TEXTS, several, n=24, targets="separate", **GIVEN)
        covering = dsir.select(TEXTS, TARGET, n=9, **covers)
        fasttext = dsir.FastTextModel(FastTextFile(word_ngrams=1, bucket=0).encode())
        classifier = dsir.fit(TEXTS, TEXTS[:20], estimator="classifier", progress=False)
        idf = graph.Idf(stopwords=["the"], punctuation=True).fit(TEXTS)
        objects = {
            "files": files,
            "loaded": dsir.load(folder / "out"),
            "separate": separate,
            "coverage": covering,
            "mixture": dsir.fit(TEXTS, several, targets="mixture", progress=False),
            "scores": files.model.score_batch(pa.array(TEXTS)),
            "watch": Watch(most=9, bands=True),
            "watched": files.model.score_and_watch(
                pa.array(TEXTS),
                Watch(
                    _core.NgramIndex(pa.array(TEXTS[5:9]), files.model.features.spec, 3), 9, True
                ),
            ),
            "content": files.model.content(),
            "counts": [one.model.training_counts for one in (files, separate, covering)],
            "calibrations": covering.model.calibrations,
            "features": dsir.HashedNgrams(n=3, tokenizer="unicode", normalize="NFC"),
            "filters": dsir.QualityFilters(min_words=5, max_numeric=0.5),
            "kernels": KERNELS,
            "scorers": [
                dsir.fit(TEXTS, TARGET, scorer=one, progress=False)
                for one in KERNELS
                if isinstance(one, kernels.ScorerKernel)
            ],
            "classifier": classifier,
            "learned": classifier.learned,
            "comparison": dsir.compare(
                TEXTS,
                TEXTS[:40],
                methods="resample",
                budgets="n=9",
                seeds=1,
                min_tokens=1,
                progress=False,
            ),
            "fasttext": fasttext,
            "label": fasttext.for_label(fasttext.labels[0]),
            "interval": dsir.kl_reduction(TEXTS[:20], TEXTS, TARGET, bootstrap=20),
            "texts": dsir.texts([*TEXTS, None]),
            "paths": dsir.files(["a.jsonl", folder]),
            "remote": RemotePath("s3://bucket/folder/file.parquet"),
            "verification": dsir.verify(folder / "out", target=TEXTS[1:9]),
            "difference": dsir.diff(folder / "out", folder / "other", by="site"),
            "idf": idf,
            "lexrank": graph.LexRank(0.2, idf=idf, punctuation=True),
            "ranked": graph.LexRank(threshold=None).fit(TEXTS),
            "centrality": graph.centrality(TEXTS, 0.2),
            "join": graph.similarity_join(TEXTS, threshold=0.3),
            "summary": graph.summarize(TEXTS),
            "cutting": graph.Idf(tokenizer="chars", ngram=2).cutting,
            "neighbours": graph.neighbours(NUMBERS),
            "gais": graph.GAIS(0.75, epochs=2).fit(NUMBERS, LABELS),
            "gais of texts": graph.GAIS(0.75, epochs=2, features=dsir.HashedNgrams(buckets=64)),
            "random": graph.RandomSelection(0.5).fit(None, LABELS),
            "k-means": graph.KMeansPrototypes(0.5).fit(NUMBERS, LABELS),
            "edited": graph.EditedNearestNeighbours(5),
            "compat": compat.DSIR([str(raw)], [str(raw)], folder / "cache"),
            "compat n-grams": _fitted(raw, folder / "cache"),
            "error": dsir.RowError("raw.jsonl: row 3: bad", path="raw.jsonl", row_group=0, row=3),
        }
    objects["errors"] = [_raised(getattr(errors, name)) for name in errors.__all__]
    return objects


def _fitted(raw: Any, cache: Any) -> compat.HashedNgramDSIR:
    target = raw.with_name("target.jsonl")
    target.write_text("".join(json.dumps({"text": text}) + "\n" for text in TARGET))
    one = compat.HashedNgramDSIR([str(target)], [str(target)], cache, num_buckets=64)
    one.fit_importance_estimator()
    return one


def _raised(kind: type[Exception]) -> Exception:
    with pytest.raises(kind) as raised:
        raise kind(f"a {kind.__name__}: with its reason")
    return raised.value


@pytest.fixture(scope="module")
def objects(made) -> list[tuple[str, Any]]:
    """All public objects in those that are made, each with the way to it."""
    public = tuple(public_classes())
    return [(way, one) for way, one in _inside(made, "made") if isinstance(one, public)]


def _inside(value: Any, way: str) -> Iterator[tuple[str, Any]]:
    """Give a value and everything that it holds."""
    yield way, value
    if isinstance(value, Mapping):
        for name, entry in value.items():
            yield from _inside(entry, f"{way}[{name!r}]")
    elif isinstance(value, list | tuple):
        for number, entry in enumerate(value):
            yield from _inside(entry, f"{way}[{number}]")
    for name in _attributes(value):
        yield from _inside(getattr(value, name), f"{way}.{name}")


def _attributes(value: Any) -> list[str]:
    if dataclasses.is_dataclass(value) and not isinstance(value, Mapping):
        return [field.name for field in dataclasses.fields(value)]
    ours = type(value).__module__.startswith("dsir") and hasattr(value, "__dict__")
    return [name for name in vars(value) if not name.startswith("_")] if ours else []


def _content(value: Any) -> Any:
    """Return what a value holds, as something that `==` compares to the last bit."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, pa.Table | pa.Array):
        return str(getattr(value, "schema", None)), value.to_pylist()
    if isinstance(value, np.generic | float):
        return re.sub(" at 0x[0-9a-f]+", "", repr(value))  # An array of Arrow shows where it is.
    if isinstance(value, Estimator):
        return value.fingerprint, _content(value.content())
    if isinstance(value, dsir.FastTextModel):
        return value.labels, _content(value.score(TEXTS))
    if isinstance(value, graph.Idf):
        return value.documents, {term: value[term] for term in ("court", "law", "x", "never")}
    if isinstance(value, Content):
        return value.kind, value.settings, _content(dict(value.arrays))
    if isinstance(value, BaseException):
        return str(value), value.args, vars(value)
    if isinstance(value, Mapping):
        return type(value), {name: _content(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return type(value), [_content(entry) for entry in value]
    names = _attributes(value)
    if not names:
        return value
    return type(value), {name: _content(getattr(value, name)) for name in names}


def _behaviour(value: Any) -> Any:
    """Return what an object answers."""
    if isinstance(value, Estimator):
        explained = value.explain(TEXTS[3], target=(*_names(value), None)[0])
        return _content([value.score(TEXTS), explained])
    if isinstance(value, dsir.HashedNgrams):
        return value.tokens(TEXTS[3]), value.fingerprint
    if isinstance(value, dsir.Selection):
        return len(value), value.table is None or value.table.to_pylist(), _content(value.paths)
    if isinstance(value, graph.LexRank):
        return _content(copy.copy(value).fit(TEXTS).scores_)
    if isinstance(value, InstanceSelector):
        x = TEXTS if getattr(value, "features", None) else NUMBERS
        return _content(copy.copy(value).fit(x, LABELS).sample_indices_)
    if isinstance(value, graph.SimilarityGraph):
        return _content([value.of(0), graph.lexrank(value)])
    if isinstance(value, graph.NeighbourGraph):
        return value.recall(value), _content(value.undirected())
    if isinstance(value, compat.HashedNgramDSIR):
        return _content(value.importance_estimator(value.featurizer(TEXTS[3])))
    return re.sub(" at 0x[0-9a-f]+", "", repr(value))  # An array of Arrow shows where it is.


def _names(model: Estimator) -> Sequence[str]:
    counts = model.training_counts
    return () if counts is None else counts.names


def _same(twin: Any, one: Any, way: str) -> None:
    assert type(twin) is type(one), way
    assert _content(twin) == _content(one), way
    assert _behaviour(twin) == _behaviour(one), way


def test_every_public_class_has_an_object(objects):
    # OwnScorer is a contract; its objects are kernels and functions.
    without = public_classes() - {type(one) for _, one in objects} - {OwnScorer}
    if not KERNELS:
        without -= {kernels.TokenizerKernel, kernels.FeatureKernel, kernels.ScorerKernel}
    assert not without, f"make an object of {without} in the fixture `made`"


@pytest.mark.filterwarnings("ignore::dsir.DsirWarning")
@pytest.mark.parametrize("trip", TRIPS)
def test_it_is_the_same_after_a_round_trip(objects, trip):
    for way, one in objects:
        _same(TRIPS[trip](one), one, way)


@pytest.mark.filterwarnings("ignore::dsir.DsirWarning")
def test_a_result_can_be_compared_with_its_like(objects):
    """Whether by identity or by content: == on arrays is an array, whose truth is an error."""
    results = [(way, one) for way, one in objects if isinstance(one, Facts)]
    assert {type(one) for _, one in results} >= {dsir.Selection, graph.Summary}
    for way, one in results:
        assert one == one, way
        assert isinstance(one == copy.deepcopy(one), bool), way


@pytest.mark.filterwarnings("ignore::dsir.DsirWarning")
def test_a_clone_works_as_the_original(objects):
    base = pytest.importorskip("sklearn.base")
    estimators = [(way, one) for way, one in objects if hasattr(one, "get_params")]
    assert {type(one) for _, one in estimators} == {
        kind for kind in public_classes() if hasattr(kind, "get_params")
    }
    for way, one in estimators:
        twin = base.clone(one)
        assert twin is not one
        assert [name for name in vars(twin) if name.endswith("_")] == [], way
        assert _content(twin.get_params()) == _content(one.get_params()), way
        assert _behaviour(twin) == _behaviour(one), way


def test_a_deep_copy_shares_nothing_that_changes():
    idf = graph.Idf().fit(TEXTS)
    ranks = graph.LexRank(0.2, idf=idf)
    twin = copy.deepcopy(ranks)
    twin.idf.fit(["another court"])
    assert (twin.idf.documents, idf.documents) == (61, 60)
    twin.set_params(threshold=0.5)
    assert ranks.threshold == 0.2
