"""The reference and our version of it, side by side on the same files."""

from __future__ import annotations

import functools
import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dsir import compat


@pytest.fixture(scope="session", autouse=True)
def reference() -> Any:
    """The reference's package, which warns when it is imported; without it all here is skipped."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("data_selection", reason="the reference is not installed")


def write_lines(path: Path, texts: Sequence[Any], ensure_ascii: bool = False) -> Path:
    """Texts as JSON Lines, each with its number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (
        json.dumps({"id": number, "text": text}, ensure_ascii=ensure_ascii)
        for number, text in enumerate(texts)
    )
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


@dataclass
class Pair:
    """One object of each kind, made with the same arguments.

    Attributes:
        folder: where both work, in "reference" and "ours".
    """

    folder: Path
    reference: Any
    ours: Any

    def both(self, call: Callable[[Any], Any]) -> tuple[Any, Any]:
        """The results of a call, of the reference and of ours."""
        from joblib import parallel_config

        with parallel_config(backend="threading"):
            expected = call(self.reference)
        return expected, call(self.ours)

    def fit_and_weigh(self, num_tokens_to_fit: Any = "auto") -> None:
        self.both(lambda dsir: dsir.fit_importance_estimator(num_tokens_to_fit))
        self.both(lambda dsir: dsir.compute_importance_weights())

    def check_fit(self) -> None:
        """Probabilities, log ratios and proportions are the same to the last bit."""
        for name in ("raw_probs", "target_probs", "log_diff", "target_proportions"):
            expected, found = getattr(self.reference, name), getattr(self.ours, name)
            assert (expected is None) == (found is None)
            if expected is not None:
                assert found.dtype == expected.dtype
                np.testing.assert_array_equal(found, expected)

    def check_weights(self) -> None:
        """The same files, of the same shapes and types; lengths equal, weights to 1e-9."""
        for name in ("log_importance_weights_dir", "perexample_metadata_dir"):
            expected, found = (arrays(getattr(d, name)) for d in (self.reference, self.ours))
            assert found.keys() == expected.keys()
            for file, array in expected.items():
                if not len(array):
                    assert not len(found[file])
                    continue
                assert found[file].shape == array.shape
                assert found[file].dtype == array.dtype
                if name == "perexample_metadata_dir":
                    np.testing.assert_array_equal(found[file], array)
                else:
                    np.testing.assert_allclose(found[file], array, rtol=1e-9, atol=1e-9)

    def resample(self, n: int, **arguments: Any) -> tuple[dict[str, bytes], dict[str, bytes]]:
        """The files that both write."""

        def call(dsir: Any) -> dict[str, bytes]:
            side = "ours" if dsir is self.ours else "reference"
            out = self.folder / side / f"out-{len(list((self.folder / side).iterdir()))}"
            dsir.resample(str(out), n, **arguments)
            return {path.name: path.read_bytes() for path in out.iterdir()}

        return self.both(call)


def arrays(folder: Path) -> dict[str, np.ndarray]:
    """The arrays in a folder, by file."""
    return {path.name: np.load(path) for path in sorted(folder.glob("*.npy"))}


@pytest.fixture(scope="session")
def corpus(world: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], list[str]]:
    """Paths of three raw files of unequal size and of two targets."""
    folder = tmp_path_factory.mktemp("compat")
    texts = [text for text in world.texts if text is not None][:330]
    raw = [texts[:180], texts[180:320], texts[320:]]
    target = [world.target[:20], world.target[20:25]]
    return (
        [str(write_lines(folder / f"raw-{n}.jsonl", part)) for n, part in enumerate(raw)],
        [str(write_lines(folder / f"target-{n}.jsonl", part)) for n, part in enumerate(target)],
    )


@pytest.fixture(scope="session")
def write() -> Callable[..., Path]:
    """A function that writes texts as JSON Lines."""
    return write_lines


@pytest.fixture
def pair_in(reference: Any, capfd: Any) -> Callable[..., Pair]:
    """A function that makes both objects in a folder; what they print is dropped."""
    del capfd

    def make(folder: Path, raw: list[Any], target: list[Any], **arguments: Any) -> Pair:
        theirs, ours = (
            kind(raw, target, str(folder / name / "cache"), **arguments)
            for kind, name in (
                (reference.HashedNgramDSIR, "reference"),
                (compat.HashedNgramDSIR, "ours"),
            )
        )
        return Pair(folder, theirs, ours)

    return make


@pytest.fixture
def pair(tmp_path: Path, pair_in: Callable[..., Pair]) -> Callable[..., Pair]:
    """The same, in a folder of the test's own."""
    return functools.partial(pair_in, tmp_path)
