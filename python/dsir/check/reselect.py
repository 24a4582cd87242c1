"""Make a selection again from its manifest: with the same inputs, settings and seed.

The manifest may come from anywhere, so `Plan.from_json` checks its settings like those of a call. A
manifest never decides where a run writes or what it overwrites.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dsir.check.file_checks import Finding
from dsir.check.json_differences import differences
from dsir.check.part_rows import own_file
from dsir.corpus import Corpus, Shard, resolve
from dsir.corpus.encoded_text import encoding_of
from dsir.corpus.files import open_file
from dsir.corpus.partitions import IDENTITY_KEY, partitioned
from dsir.corpus.windows.shard import WINDOW_KEYS
from dsir.errors import (
    DsirWarning,
    InputError,
    ModelError,
    OutputError,
    SettingError,
    StoreError,
)
from dsir.model.estimator import Estimator
from dsir.model.estimators import load_estimator, load_model
from dsir.model.language_column import described_languages
from dsir.model.own_tokenizer import is_described
from dsir.output.folder import MODEL_FILE
from dsir.output.manifest import Manifest
from dsir.plural import counted
from dsir.remote.location import Location, RemotePath, is_url, location_of
from dsir.remote.store import raise_if_store_failed
from dsir.run.folders import sample_to_folder, score_to_folder
from dsir.run.given_model import GivenModel
from dsir.run.inputs import cut
from dsir.run.pipeline import Pipeline
from dsir.run.select import run_plan
from dsir.run.write_folder import write_from_folder
from dsir.settings.extra_columns import ExtraColumns
from dsir.settings.fit import FitSettings
from dsir.settings.machine import Machine
from dsir.settings.plan import Plan

_NOT_OF_STAGES = {
    "combine": None,
    "fit_tokens": FitSettings().fit_tokens,
    "max_bad_rows": None,
    "max_bad_shards": None,
}
# Entries of an input that do not identify it: its number of rows, and how it was cut into windows.
_NOT_IDENTITY = {"rows", *WINDOW_KEYS}


def select_again(
    manifest: Manifest,
    raw: Corpus,
    target: object,
    negatives: Corpus | None,
    out: Path,
    machine: Machine,
    decontaminate: object = None,
) -> None:
    """Make the selection of a manifest again, into another folder.

    Args:
        manifest: the manifest of the selection.
        raw: the corpus to select from.
        target: a Corpus, or several by name.
        negatives: what a classifier learned to tell the target from; None for raw.
        out: an empty or new folder.
        machine: what the run may use.
        decontaminate: where the texts that rows were compared with are now; None for the paths in
            the manifest.

    Raises:
        SettingError: this version of dsir does not know the settings of the manifest.
        DsirError: see `dsir.select`.
    """
    if is_described(manifest.settings["features"]):
        load_model(own_file(manifest, MODEL_FILE))  # Makes its vocabulary known.
    plan = Plan.from_json(manifest.settings, decontaminate)
    with warnings.catch_warnings():
        # The run that made the selection has given them.
        warnings.simplefilter("ignore", DsirWarning)
        run_plan(plan, machine, raw, target, out=out, negatives=negatives)


def is_of_stages(manifest: Manifest) -> bool:
    """Tell whether a selection was made by the stages on their own."""
    return "model" in manifest.content["inputs"]


def write_again(
    manifest: Manifest,
    raw: Corpus,
    model: Estimator,
    out: Path,
    machine: Machine,
    decontaminate: object = None,
) -> None:
    """Make a selection with a fitted model again: score with the same model, draw and write.

    The manifests of `dsir write` and of `select(model=...)` name the model and not the target.

    Args:
        manifest: the manifest of the selection.
        raw: the corpus to select from.
        model: the model to score with.
        out: an empty or new folder.
        machine: what the run may use.
        decontaminate: see `select_again`.

    Raises:
        SettingError: this version of dsir does not know the settings of the manifest.
        DsirError: a stage fails.
    """
    # The model says how it was made: its part of the settings is compared afterwards.
    told = model.describe()
    settings = {name: one for name, one in manifest.settings.items() if name not in told}
    groups = settings.pop("groups", None)
    if not isinstance(groups, list) or not all(isinstance(name, str) for name in groups):
        raise SettingError(f"groups={groups!r:.80}: expected a list of columns")
    for name in (_NOT_OF_STAGES.keys() - {"combine"}) & settings.keys():
        raise SettingError(f"a selection of 'dsir write' has no setting {name!r}")
    not_used = {**_NOT_OF_STAGES, "combine": settings.get("combine")}
    fitted = FitSettings(features=model.features).describe()
    plan = Plan.from_json({**settings, **fitted, **not_used}, decontaminate)
    if raw.in_memory or plan.draw.rule.method == "coverage" or plan.combine is not None:
        # The stages on their own read files and draw from scores alone, so this selection is one of
        # `select(model=...)`.
        run_plan(plan, machine, raw, None, GivenModel(model, None), out=out)
        return
    pipeline = Pipeline(machine, plan.reading)
    corpus = cut(raw, plan.documents, model.features, machine)
    extra = ExtraColumns.of(plan.draw.dedup, tuple(groups))
    filters = plan.documents.row_filters
    with tempfile.TemporaryDirectory(prefix="dsir-verify-") as scratch, warnings.catch_warnings():
        # The run that made the selection has given the warning already.
        warnings.simplefilter("ignore", DsirWarning)
        scores, rows = Path(scratch) / "scores", Path(scratch) / "rows"
        score_to_folder(pipeline, corpus, model, filters, scores, extra=extra)
        sample_to_folder(pipeline, scores, plan.draw, rows)
        write_from_folder(pipeline, rows, out, model=model, model_path=None, output=plan.output)


def raw_of(
    manifest: Manifest, raw: object, *, ignore_times: bool
) -> tuple[Corpus | None, list[Finding]]:
    """Find the raw corpus of a selection again, and check that it is unchanged.

    Args:
        manifest: the manifest of the selection.
        raw: the corpus to use in place of the paths in the manifest; None for these paths.
        ignore_times: accept files of the same size whose time of last change differs.

    Returns:
        The corpus, or None if it cannot be found; findings.
    """
    text = manifest.settings.get("text")
    if not isinstance(text, str) or not text:
        return None, [Finding("setting", "the setting text is missing")]
    search = _Search(text, ignore_times)
    return search.corpus("raw", manifest.sources, raw), search.findings


def target_of(
    manifest: Manifest, target: object, *, ignore_times: bool
) -> tuple[object, list[Finding]]:
    """Find the target of a selection again; see `raw_of`.

    Returns:
        The target as `dsir.select` takes it, or None if it cannot be found; findings.
    """
    text = manifest.settings.get("text")
    columns = manifest.settings.get("target_text")
    if isinstance(columns, str):
        text = columns
    if not isinstance(text, str) or not text:
        return None, []  # `raw_of` reports this.
    search = _Search(text, ignore_times, columns if isinstance(columns, dict) else {})
    described = manifest.content["inputs"].get("target")
    found: object = None
    if not isinstance(described, list) or not all(isinstance(one, dict) for one in described):
        search.findings.append(Finding("manifest", "the manifest does not say what the target was"))
    elif described and "shards" in described[0]:
        found = search.corpora(described, target)
    else:
        found = search.corpus("target", described, target)
    return found, search.findings


def negatives_of(
    manifest: Manifest, negatives: object, *, ignore_times: bool
) -> tuple[Corpus | None, list[Finding]]:
    """Find the negatives of a selection again; see `raw_of`.

    Returns:
        The negatives, or None if there were none or they cannot be found; findings.
    """
    described = manifest.content["inputs"].get("negatives")
    text = manifest.settings.get("text")
    if described is None or not isinstance(text, str) or not text:
        return None, []  # `raw_of` reports that the text column is missing.
    if not isinstance(described, list) or not all(isinstance(one, dict) for one in described):
        return None, [Finding("manifest", "the manifest does not say what the negatives were")]
    search = _Search(text, ignore_times)
    return search.corpus("negatives", described, negatives), search.findings


def model_of(
    manifest: Manifest, model: Estimator | str | Path | RemotePath | None
) -> tuple[Estimator | None, list[Finding]]:
    """Find the model of a selection of `dsir write` again.

    Args:
        manifest: the manifest of the selection.
        model: the model to use; None for the file that the manifest names, or the one in the
            folder of the selection.

    Returns:
        The model, or None if it cannot be found; findings.
    """
    try:
        if model is None:
            model = _own_model(manifest)
        if model is None:
            what = "the model: the manifest does not say where its file is; give model=..."
            return None, [Finding("input", what)]
        if isinstance(model, Estimator):
            found = model
        else:
            label = manifest.content["settings"].get("label")
            found = load_estimator(model, label=label if isinstance(label, str) else None)
    except (ModelError, OutputError, SettingError) as error:
        raise_if_store_failed(error)
        return None, [Finding("input", str(error))]
    was = manifest.content["model"]
    if found.fingerprint != was:
        what = (
            f"the model is {found.fingerprint}, but it was {was!s:.80}; give that one as model=..."
        )
        return None, [Finding("input", what)]
    return found, []


def _own_model(manifest: Manifest) -> Location | None:
    """Return the file that the manifest names if it is there, and the folder's own otherwise.

    None if the manifest names something that is no path.
    """
    described = manifest.content["inputs"].get("model")
    path = described.get("path", "") if isinstance(described, dict) else ""
    if path is not None:
        if not isinstance(path, str) or "\0" in path or not _is_whole(path):
            return None
        named = location_of(path)
        if named.is_file():
            return named
    return own_file(manifest, MODEL_FILE)


def _encoding_of(entry: Mapping[str, Any]) -> str | None:
    """Return the encoding of an input's texts, as the manifest describes it.

    Raises:
        SettingError: it is no encoding.
    """
    found = entry.get("text_encoding")
    return None if found is None else encoding_of(found)


class _Search:
    """Finds inputs, and collects what is wrong with them."""

    def __init__(
        self, text: str, ignore_times: bool, text_by_name: Mapping[str, str] | None = None
    ) -> None:
        self._text = text
        self._text_by_name = text_by_name or {}
        self._ignore_times = ignore_times
        self.findings: list[Finding] = []

    def corpora(self, described: list[dict[str, Any]], given: object) -> object:
        found: dict[str, Corpus | None] = {}
        for entry in described:
            name, shards = entry.get("name"), entry.get("shards")
            if (
                not isinstance(name, str)
                or not isinstance(shards, list)
                or not all(isinstance(one, dict) for one in shards)
            ):
                self._say("the manifest does not say what the targets were")
                return None
            own = given.get(name) if isinstance(given, Mapping) else None
            column = self._text_by_name.get(name, self._text)
            one = _Search(column, self._ignore_times)
            found[name] = one.corpus(f"target {name}", shards, own)
            self.findings += one.findings
        return None if None in found.values() else found

    def corpus(self, name: str, described: list[dict[str, Any]], given: object) -> Corpus | None:
        if given is not None:
            return self._given(name, described, given)
        shards = [self._shard(name, entry) for entry in described]
        present = [shard for shard in shards if shard is not None]
        return Corpus(tuple(present), name) if len(present) == len(shards) > 0 else None

    def _given(self, name: str, described: list[dict[str, Any]], given: object) -> Corpus | None:
        try:
            encoding = _encoding_of(described[0]) if described else None
            corpus = resolve(given, text=self._text, name=name, encoding=encoding, on_error="skip")
        except StoreError:
            raise
        except (InputError, SettingError) as error:
            self._say(str(error))
            return None
        if len(corpus.shards) != len(described):
            self._say(
                f"{name}: expected {counted(len(described), 'input')}, as in the manifest, found "
                f"{len(corpus.shards)}"
            )
            return None
        try:
            made = map(described_languages, corpus.shards, described)
            corpus = replace(corpus, shards=tuple(made))
        except ModelError as error:
            self._say(str(error))
            return None
        for shard, entry in zip(corpus.shards, described, strict=True):
            # A file that was moved has another path and time.
            elsewhere = {"path", "mtime_ns", "version"} if shard.file is not None else set()
            if "sha256" in entry:  # What came through a pipe may be in a file now.
                elsewhere |= {"name"} if "sha256" in shard.identity() else {"name", "sha256"}
            self._compare(shard, entry, elsewhere)
        return corpus

    def _shard(self, name: str, entry: dict[str, Any]) -> Shard | None:
        path = entry.get("path")
        gone = {"texts": "was in memory", "sha256": "came through a pipe"}
        how = next((said for key, said in gone.items() if key in entry), None)
        if path is None and how is not None:
            argument = name.split()[0]
            self._say(
                f"{name}: {how}; give it as dsir.verify(out, {argument}=...), or check only the "
                "files with quick=True"
            )
            return None
        if not isinstance(path, str) or "\0" in path or not _is_whole(path):
            self._say(f"{name}: the manifest names the input {path!r:.80}, which is not a path")
            return None
        try:
            file = open_file(location_of(path), self._text, _encoding_of(entry), on_error="skip")
        except StoreError:
            raise
        except (InputError, SettingError) as error:
            self._say(str(error))
            return None
        except OSError as error:
            self._say(f"{path:.200}: {error.strerror or error}")
            return None
        shard = partitioned(file, entry.get(IDENTITY_KEY))
        try:
            shard = described_languages(shard, entry)
        except ModelError as error:
            self._say(str(error))
            return None
        self._compare(shard, entry, {"mtime_ns"} if self._ignore_times else set())
        return shard

    def _compare(self, shard: Shard, entry: dict[str, Any], without: set[str]) -> None:
        passed_over = _NOT_IDENTITY | without
        was = {key: value for key, value in entry.items() if key not in passed_over}
        identity = shard.surveyed().identity()
        now = {key: value for key, value in identity.items() if key not in passed_over}
        different = list(differences(was, now))
        if not different:
            return
        if [one.name for one in different] == ["mtime_ns"]:
            self._say(
                f"{shard.name}: has the same size, but another time of last change; "
                "ignore_times=True accepts it"
            )
            return
        listed = "; ".join(f"{one.name} was {one.one}, is {one.other}" for one in different)
        self._say(f"{shard.name}: is not the input that was selected from: {listed}")

    def _say(self, message: str) -> None:
        self.findings.append(Finding("input", message))


def _is_whole(path: str) -> bool:
    """Tell whether a path is absolute or a URL, so that it is the same from every folder."""
    return is_url(path) or Path(path).is_absolute()
