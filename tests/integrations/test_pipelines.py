"""Pipelines: datasets, Ray Data, datatrove, NeMo Curator."""

from __future__ import annotations

import importlib
import pickle
import sys
import types
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import dsir
from dsir.integrations.batches import AddLogWeight, AtLeast

sys.path.insert(0, str(Path(__file__).parents[1] / "model"))
from fasttext_file import FastTextFile


@pytest.mark.parametrize("format_", [None, "numpy", "arrow", "pandas", "polars"])
def test_datasets(model, texts, expected, format_):
    datasets = pytest.importorskip("datasets")
    from dsir.integrations.datasets import AtLeast, LogWeight

    rows = datasets.Dataset.from_dict({"body": texts}).with_format(format_)
    scored = rows.map(LogWeight(model, text="body"), batched=True, batch_size=2)
    found = scored.with_format(None)["log_weight"]
    assert list(found) == expected.tolist()
    kept = rows.filter(AtLeast(model, 0.0, text="body"), batched=True)
    wanted = [t for t, w in zip(texts, expected, strict=True) if w >= 0 and t]
    assert list(kept.with_format(None)["body"]) == wanted
    assert wanted


def test_a_stream_of_datasets(model, texts, expected):
    datasets = pytest.importorskip("datasets")
    from dsir.integrations.datasets import LogWeight

    stream = datasets.Dataset.from_dict({"text": texts}).to_iterable_dataset()
    scored = list(stream.map(LogWeight(model), batched=True, batch_size=3))
    assert [row["log_weight"] for row in scored] == expected.tolist()
    assert [row["text"] for row in scored] == texts


def test_the_cache_of_datasets_knows_the_model_again(model, two_targets):
    fingerprint = pytest.importorskip("datasets.fingerprint")
    from dsir.integrations.datasets import LogWeight

    digest = fingerprint.Hasher.hash
    same = pickle.loads(pickle.dumps(LogWeight(model)))
    assert digest(LogWeight(model)) == digest(same)
    assert digest(LogWeight(model)) != digest(LogWeight(two_targets, target="sea"))


def test_batches_of_every_kind(model, texts, expected):
    pd = pytest.importorskip("pandas")
    add = AddLogWeight(model, text="body")
    values = np.array(texts, dtype=object)
    for batch in ({"body": texts}, {"body": values}):
        found = add(batch)
        assert list(found["log_weight"]) == expected.tolist()
        assert found["body"] is batch["body"]
    frame = add(pd.DataFrame({"body": texts}, index=range(5, 5 + len(texts))))
    assert frame["log_weight"].tolist() == expected.tolist()
    assert frame.index[0] == 5
    table = pa.table({"body": texts})
    assert add(add(table))["log_weight"].to_pylist() == expected.tolist()
    with pytest.raises(dsir.TextColumnError, match=r"no column 'body'; columns: text"):
        add({"text": texts})
    with pytest.raises(dsir.TextColumnError, match="int64, not text"):
        add({"body": np.arange(3)})
    assert AtLeast(model, -1e9, text="body")(table) == [bool(text) for text in texts]


@pytest.mark.parametrize("kind", [list, lambda docs: np.array(docs, dtype=object), tuple])
def test_texts_in_a_nested_column(model, texts, expected, kind):
    """Ray Data gives NumPy arrays by default, and datasets lists."""
    docs = kind([{"body": text, "n": 3} for text in texts])
    found = AddLogWeight(model, text="doc.body")({"doc": docs})
    assert list(found["log_weight"]) == expected.tolist()
    assert found["doc"] is docs
    wanted = [bool(text) for text in texts]
    assert AtLeast(model, -1e9, text="doc.body")({"doc": docs, "n": [1]}) == wanted
    # A key with a dot is itself meant.
    assert AddLogWeight(model, text="doc.body")({"doc.body": ["sea"], "doc": [3]})["log_weight"]
    with pytest.raises(dsir.TextColumnError, match=r"no column 'doc.text'"):
        AddLogWeight(model, text="doc.text")({"doc": docs})
    with pytest.raises(dsir.TextColumnError, match=r"no column 'other.text'; columns: doc"):
        AddLogWeight(model, text="other.text")({"doc": docs})


@pytest.mark.parametrize("least", ["3", None, float("nan"), True, np.True_, 1j, np.complex64(1)])
def test_the_least_log_weight_is_a_number(model, least):
    with pytest.raises(dsir.SettingError, match="least="):
        AtLeast(model, least)


def test_the_least_log_weight_may_be_of_any_type_of_number(model):
    texts = ["sea", "court of law", None]
    sea, law, _ = model.score(dsir.texts(texts))
    assert sea > law
    for kind in (float, np.float32, np.float64):
        assert AtLeast(model, kind((sea + law) / 2))(texts) == [True, False, False]
    assert AtLeast(model, np.int64(law - 1))(texts) == [True, True, False]
    for least in (10**400, float("inf")):
        with pytest.raises(dsir.SettingError, match="least="):
            AtLeast(model, least)


@pytest.mark.parametrize("kind", ["list", "numpy", "arrow", "pandas", "polars"])
def test_batches_without_a_text(model, kind):
    pd, pl = pytest.importorskip("pandas"), pytest.importorskip("polars")
    for values in ([], [None, None]):
        made = {
            "list": lambda texts: {"text": texts},
            "numpy": lambda texts: {"text": np.array(texts, dtype=float)},
            "arrow": lambda texts: pa.table({"text": pa.array(texts)}),
            "pandas": lambda texts: pd.DataFrame({"text": np.array(texts, dtype=float)}),
            "polars": lambda texts: pl.DataFrame({"text": texts}),
        }
        batch = made[kind](values)
        assert np.array(AddLogWeight(model)(batch)["log_weight"]).tolist() == [0.0] * len(values)
        assert AtLeast(model, -1e9)(batch) == [False] * len(values)


def test_other_columns_of_a_pandas_frame_may_hold_anything(model, texts, expected):
    pd = pytest.importorskip("pandas")
    things = [object() for _ in texts]
    found = AddLogWeight(model)(pd.DataFrame({"text": texts, "thing": things}))
    assert found["log_weight"].tolist() == expected.tolist()
    assert found["thing"].tolist() == things
    twice = pd.DataFrame([["a", "b"]], columns=["text", "text"])
    with pytest.raises(dsir.DsirError, match="text"):
        AddLogWeight(model)(twice)
    nested = pd.DataFrame({"doc": [{"body": text} for text in texts]})
    found = AddLogWeight(model, text="doc.body")(nested)
    assert found["log_weight"].tolist() == expected.tolist()


def test_batches_of_polars(model, texts, expected):
    pl = pytest.importorskip("polars")
    found = AddLogWeight(model)(pl.DataFrame({"text": texts, "log_weight": 1}))
    assert found.columns == ["text", "log_weight"]
    assert found["log_weight"].to_list() == expected.tolist()


@pytest.mark.parametrize("call", [AddLogWeight, lambda model: AtLeast(model, 0.0)])
@pytest.mark.parametrize("text", ["a ship", b"a ship", None])
def test_one_row_is_no_batch(model, call, text):
    """`map` of datasets gives rows unless it is told batched=True."""
    with pytest.raises(dsir.SettingError, match=r"batch: is one row.*give batched=True"):
        call(model)({"text": text, "n": 1})


def test_one_nested_row_is_no_batch(model):
    for batch in ({"text": {"body": "a ship"}}, {"doc": {"text": "a ship"}}):
        with pytest.raises(dsir.SettingError, match=r"is one row.*call map_batches of Ray Data"):
            AddLogWeight(model, text="text" if "text" in batch else "doc.text")(batch)


@pytest.mark.parametrize("batch", [["a ship"], "a ship", None, 3, pa.array(["a ship"])])
def test_what_is_no_batch(model, batch):
    with pytest.raises(dsir.SettingError, match="batch: expected an Arrow table"):
        AddLogWeight(model)(batch)


@pytest.mark.parametrize("kind", ["classifier", "relevance", "label"])
def test_models_of_other_kinds_by_path(kind, tmp_path, texts):
    seas = [f"ship {number} and the sea" for number in range(20)]
    laws = [f"judge {number} of the court" for number in range(20)]
    path = tmp_path / "model"
    if kind == "label":
        fasttext = FastTextFile(word_ngrams=1, bucket=0).encode()
        (tmp_path / "quality.bin").write_bytes(fasttext)
        with pytest.raises(dsir.SettingError, match=r"several labels; give dsir\.LabelModel"):
            AddLogWeight(tmp_path / "quality.bin")
        several = dsir.load_model(tmp_path / "quality.bin")
        several.for_label(several.labels[0]).save(path)
    else:
        dsir.fit(seas + laws, seas, estimator=kind, progress=False).save(path)
    wanted = dsir.load_model(path).score(dsir.texts(texts)).tolist()
    add = pickle.loads(pickle.dumps(AddLogWeight(path)))
    assert add({"text": texts})["log_weight"] == wanted
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(dsir.ModelError, match="damaged"):
        AddLogWeight(path)
    with pytest.raises(dsir.ModelError, match="cannot be read"):
        AddLogWeight(tmp_path / "none")


def test_ray_data_in_a_worker(model, texts, expected):
    """Without a cluster: what Ray does with the class."""
    from dsir.integrations.ray import LogWeight

    kind, arguments = pickle.loads(pickle.dumps((LogWeight, (model,))))
    worker = kind(*arguments)
    table = worker(pa.table({"text": texts}))
    assert table["log_weight"].to_pylist() == expected.tolist()


def documents(texts):
    from datatrove.data import Document

    return [Document(text, str(number)) for number, text in enumerate(texts)]


def test_datatrove_filter(model, texts, expected):
    pytest.importorskip("datatrove")
    from dsir.integrations.datatrove import LogWeightFilter

    given = [text or "" for text in texts]
    block = pickle.loads(pickle.dumps(LogWeightFilter(model, 0.0, batch_size=3)))
    kept = [document.id for document in block.run(documents(given))]
    assert kept == [str(n) for n, w in enumerate(expected) if w >= 0 and texts[n]]
    stats = {name: stat.total for name, stat in block.stats.stats.items()}
    assert (stats["total"], stats["forwarded"]) == (7, len(kept))
    assert stats["dropped_no_token"] == 2
    assert stats["dropped_log_weight"] == 5 - len(kept)
    assert block.filter(documents(["a ship at sea"])[0]) is True
    with pytest.raises(dsir.SettingError, match="batch_size=0"):
        LogWeightFilter(model, 0.0, batch_size=0)


def test_datatrove_writer(model, texts, expected):
    pytest.importorskip("datatrove")
    from dsir.integrations.datatrove import LogWeightWriter

    given = [text or "" for text in texts]
    block = LogWeightWriter(model, key="dsir", batch_size=2)
    found = list(block.run(documents(given)))
    assert [document.metadata["dsir"] for document in found] == expected.tolist()
    assert [document.text for document in found] == given
    assert list(block.run([])) == []


@pytest.fixture
def curator(monkeypatch):
    """The module, with a stub of NeMo Curator's interface (1.4) where that is not installed."""
    try:
        module = importlib.import_module("dsir.integrations.nemo_curator")
    except ImportError:
        module = None
    if module is not None:
        yield module
        return
    stages = types.ModuleType("nemo_curator.stages.base")
    tasks = types.ModuleType("nemo_curator.tasks")

    class ProcessingStage:
        def __class_getitem__(cls, kinds):
            return cls

    class DocumentBatch:
        def __init__(self, data, dataset_name="", task_id="", _metadata=None, _stage_perf=None):
            self.data, self.dataset_name, self.task_id = data, dataset_name, task_id
            self._metadata, self._stage_perf = _metadata or {}, _stage_perf or []

        def to_pyarrow(self):
            is_arrow = isinstance(self.data, pa.Table)
            return self.data if is_arrow else pa.Table.from_pandas(self.data)

    stages.ProcessingStage, tasks.DocumentBatch = ProcessingStage, DocumentBatch
    for name in ("nemo_curator", "nemo_curator.stages"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, stages.__name__, stages)
    monkeypatch.setitem(sys.modules, tasks.__name__, tasks)
    monkeypatch.delitem(sys.modules, "dsir.integrations.nemo_curator", raising=False)
    yield importlib.import_module("dsir.integrations.nemo_curator")
    sys.modules.pop("dsir.integrations.nemo_curator", None)


@pytest.mark.parametrize("kind", ["arrow", "pandas"])
def test_nemo_curator(curator, model, texts, expected, kind):
    def batch(rows):
        table = pa.table({"body": pa.array(rows, pa.string()), "n": range(len(rows))})
        data = table if kind == "arrow" else table.to_pandas()
        return curator.DocumentBatch(data=data, dataset_name="set", _metadata={"from": "here"})

    stage = curator.LogWeightStage(model, text="body")
    assert (stage.inputs(), stage.outputs()) == (
        (["data"], ["body"]),
        (["data"], ["log_weight"]),
    )
    scored = stage.process(batch(texts))
    table = scored.to_pyarrow()
    assert table["log_weight"].to_pylist() == expected.tolist()
    assert (scored.dataset_name, scored._metadata) == ("set", {"from": "here"})
    kept = curator.LogWeightStage(model, text="body", least=0).process(batch(texts)).to_pyarrow()
    assert kept["n"].to_pylist() == [n for n, w in enumerate(expected) if w >= 0 and texts[n]]
    assert curator.LogWeightStage(model, text="body", least=1e9).process(batch(texts)) is None
    with pytest.raises(dsir.TextColumnError, match="no column 'text'"):
        curator.LogWeightStage(model).process(batch(texts))
    for rows in ([], [None, None]):
        found = stage.process(batch(rows)).to_pyarrow()
        assert found["log_weight"].to_pylist() == [0.0] * len(rows)
        assert curator.LogWeightStage(model, text="body", least=-1e9).process(batch(rows)) is None
