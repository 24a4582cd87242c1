"""A selection made again from its manifest: the same inputs, settings and seed.

The manifest may come from anywhere. Settings are taken by name, each of the kind it must be; what a
run may touch (where it writes, what it overwrites) is never taken from there.
"""

from __future__ import annotations

import dataclasses
import inspect
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dsir.check.file_checks import Finding
from dsir.check.json_differences import differences
from dsir.corpus import Corpus, Shard, resolve
from dsir.corpus.files import open_file
from dsir.errors import DsirWarning, InputError, ModelError, SettingError, StoreError
from dsir.model.features import HashedNgrams
from dsir.model.importance import ImportanceModel
from dsir.output.manifest import Manifest
from dsir.remote.location import RemotePath, is_url, location_of
from dsir.remote.store import raise_if_store_failed
from dsir.run.select import select

_Number = (int, float)
_KINDS: dict[str, tuple[type, ...]] = {
    "n": (int, type(None)),
    "fraction": (*_Number, type(None)),
    "tokens": (int, type(None)),
    "bytes": (int, type(None)),
    "group_by": (str, type(None)),
    "dedup": (str,),
    "text": (str,),
    "method": (str,),
    "temperature": _Number,
    "length": (str, *_Number),
    "seed": (int,),
    "min_tokens": (int,),
    "smoothing": _Number,
    "targets": (str,),
    "fit_tokens": (str, int),
    "chunk_tokens": (int, type(None)),
    "chunk_stride": (int, type(None)),
    "allow_fewer": (bool,),
    "shard_size": (int,),
    "weight_column": (str,),
    "target_column": (str,),
    "on_error": (str,),
    "max_bad_rows": (str, int, type(None)),
    "max_bad_shards": (str, int, type(None)),
}
# What the caller of select() decides, not the manifest.
_CALLERS = {
    "raw",
    "target",
    "out",
    "workdir",
    "overwrite",
    "engine",
    "threads",
    "memory",
    "progress",
}
# How the rows of an input were cut, and how many it had: not what tells it from others.
_NOT_IDENTITY = {"rows", "chunk_tokens", "chunk_stride", "chunk_tokenizer"}


def select_again(
    manifest: Manifest,
    raw: Corpus,
    target: object,
    out: Path,
    *,
    threads: int | None,
    memory: int | str | None,
) -> None:
    """Make the selection of a manifest again, into another folder.

    Args:
        manifest: says how.
        raw: what is selected from.
        target: a Corpus, or several by name.
        out: an empty or new folder.
        threads: how many to use.
        memory: as in `dsir.select`.

    Raises:
        SettingError: the manifest's settings are none that this version of dsir knows.
        DsirError: what `select` raises.
    """
    settings = arguments_of(manifest.settings)
    with warnings.catch_warnings():
        # That the sample is a top-k was said when it was made.
        warnings.simplefilter("ignore", DsirWarning)
        select(raw, target, out=out, threads=threads, memory=memory, progress=False, **settings)


def arguments_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Turn the settings of a manifest into arguments of `dsir.select`.

    Raises:
        SettingError: one is not known, or not of its kind; the message names it.
    """
    parameters = inspect.signature(select).parameters.keys() - _CALLERS
    arguments: dict[str, Any] = {}
    for name, value in settings.items():
        if name not in parameters:
            raise SettingError(f"the setting {name!r:.80} is none that this version of dsir knows")
        arguments[name] = argument_of(name, value)
    missing = {"text", "features", "seed", "method"} - arguments.keys()
    if missing:
        raise SettingError(f"the setting {min(missing)!r} is missing")
    if arguments.get("combine") is not None:
        combine = dict(arguments["combine"])
        arguments |= {"candidates": combine.pop("candidates"), "combine": combine}
    return {name: value for name, value in arguments.items() if value is not None}


def argument_of(name: str, value: Any) -> Any:
    """Turn one setting of a manifest into an argument.

    Raises:
        SettingError: it is not of its kind; the message names it.
    """
    if name == "features":
        return _features(value)
    if name in _KINDS:
        is_switch = bool in _KINDS[name]
        if not isinstance(value, _KINDS[name]) or isinstance(value, bool) != is_switch:
            raise _no_such(name, value)
        return value
    if value is None:
        return None
    if name == "proportions":
        if not isinstance(value, list) or not all(_is_number(share) for share in value):
            raise _no_such(name, value)
        return value
    if name == "max_per":
        if not _are_numbers(value):
            raise _no_such(name, value)
        return value
    if name == "combine":
        if not _are_numbers(value) or set(value) != {"dsir", "lexrank", "candidates"}:
            raise _no_such(name, value)
        return value
    if name == "filters":
        if not _are_numbers(value):
            raise _no_such(name, value)
        return {key: number for key, number in value.items() if key != "stop_words_version"}
    return value


def _features(value: Any) -> HashedNgrams:
    known = {field.name for field in dataclasses.fields(HashedNgrams)}
    if not isinstance(value, dict):
        raise _no_such("features", value)
    given = {name: entry for name, entry in value.items() if name in known}
    if not all(isinstance(entry, str | int) for entry in given.values()):
        raise _no_such("features", value)
    features = HashedNgrams(**given)
    if features.describe() != value:
        different = "; ".join(map(str, differences(value, features.describe(), "features")))
        raise SettingError(f"its features are not those of this version of dsir: {different}")
    return features


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _are_numbers(value: Any) -> bool:
    return isinstance(value, dict) and all(_is_number(number) for number in value.values())


def _no_such(name: str, value: Any) -> SettingError:
    return SettingError(f"the setting {name} is {value!r:.80}, which it cannot be")


def raw_of(
    manifest: Manifest, raw: object, *, ignore_times: bool
) -> tuple[Corpus | None, list[Finding]]:
    """Find what was selected from again, and say what is not what it was.

    Args:
        manifest: says which it was.
        raw: given in place of what the manifest names; None for that.
        ignore_times: files of the same size are the same, whatever their time of last change.

    Returns:
        The corpus, or None where it is not there; findings.
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
        The target as `dsir.select` takes it, or None where it is not there; findings.
    """
    text = manifest.settings.get("text")
    if not isinstance(text, str) or not text:
        return None, []  # That was said of raw.
    search = _Search(text, ignore_times)
    described = manifest.content["inputs"].get("target")
    found: object = None
    if not isinstance(described, list) or not all(isinstance(one, dict) for one in described):
        search.findings.append(Finding("manifest", "its manifest does not say what the target was"))
    elif described and "shards" in described[0]:
        found = search.corpora(described, target)
    else:
        found = search.corpus("target", described, target)
    return found, search.findings


def model_of(
    manifest: Manifest, model: ImportanceModel | str | Path | RemotePath | None
) -> tuple[ImportanceModel | None, list[Finding]]:
    """Find the model of a selection of `dsir write` again.

    Args:
        manifest: says where it was, and its fingerprint.
        model: given in place of that; None for what the manifest names.

    Returns:
        The model, or None where it is not there; findings.
    """
    described = manifest.content["inputs"].get("model")
    if model is None:
        path = described.get("path") if isinstance(described, dict) else None
        if not isinstance(path, str) or "\0" in path or not _is_whole(path):
            what = "the model: is no file that the manifest names; give model=..."
            return None, [Finding("input", what)]
        model = path
    try:
        found = model if isinstance(model, ImportanceModel) else ImportanceModel.load(model)
    except (ModelError, SettingError) as error:
        raise_if_store_failed(error)
        return None, [Finding("input", str(error))]
    was = manifest.content["model"]
    if found.fingerprint != was:
        what = f"the model is {found.fingerprint}, and was {was!s:.80}; give model=... for that one"
        return None, [Finding("input", what)]
    return found, []


class _Search:
    """Looks inputs up, and collects what is wrong with them."""

    def __init__(self, text: str, ignore_times: bool) -> None:
        self._text = text
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
                self._say("its manifest does not say what the targets were")
                return None
            own = given.get(name) if isinstance(given, Mapping) else None
            found[name] = self.corpus(f"target {name}", shards, own)
        return None if None in found.values() else found

    def corpus(self, name: str, described: list[dict[str, Any]], given: object) -> Corpus | None:
        if given is not None:
            return self._given(name, described, given)
        shards = [self._shard(name, entry) for entry in described]
        present = [shard for shard in shards if shard is not None]
        return Corpus(tuple(present), name) if len(present) == len(shards) > 0 else None

    def _given(self, name: str, described: list[dict[str, Any]], given: object) -> Corpus | None:
        try:
            corpus = resolve(given, text=self._text, name=name)
        except StoreError:
            raise
        except (InputError, SettingError) as error:
            self._say(str(error))
            return None
        if len(corpus.shards) != len(described):
            self._say(f"{name}: {len(corpus.shards)} inputs are given, and were {len(described)}")
            return None
        for shard, entry in zip(corpus.shards, described, strict=True):
            # What lies elsewhere has another path and time.
            elsewhere = {"path", "mtime_ns", "version"} if shard.file is not None else set()
            self._compare(shard, entry, elsewhere)
        return corpus

    def _shard(self, name: str, entry: dict[str, Any]) -> Shard | None:
        path = entry.get("path")
        if path is None and "texts" in entry:
            argument = name.split()[0]
            self._say(
                f"{name}: was in memory; give it to dsir.verify(out, {argument}=...), or check the "
                "files alone with quick=True"
            )
            return None
        if not isinstance(path, str) or "\0" in path or not _is_whole(path):
            self._say(f"{name}: its manifest names an input {path!r:.80}, which is no path")
            return None
        try:
            shard = open_file(location_of(path), self._text)
        except StoreError:
            raise
        except (InputError, SettingError) as error:
            self._say(str(error))
            return None
        except OSError as error:
            self._say(f"{path:.200}: {error.strerror or error}")
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
                f"{shard.name}: was touched since it was selected from (its size is the same; "
                "ignore_times=True takes it for the same)"
            )
            return
        listed = "; ".join(f"{one.name} was {one.one}, is {one.other}" for one in different)
        self._say(f"{shard.name}: is not what was selected from: {listed}")

    def _say(self, message: str) -> None:
        self.findings.append(Finding("input", message))


def _is_whole(path: str) -> bool:
    """Tell whether a path names the same file wherever it is looked at from."""
    return is_url(path) or Path(path).is_absolute()
