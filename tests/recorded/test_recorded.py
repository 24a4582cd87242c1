"""The recorded runs give what they gave: rows, bits of log-weights, files, accounts, errors."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import record
import recorded_digests
import recorded_inputs

RECORDED = json.loads(record.RECORDED.read_text())


@pytest.fixture(scope="module")
def inputs(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("recorded") / "inputs"
    recorded_inputs.write_inputs(folder)
    return folder


def test_no_run_is_forgotten():
    assert sorted(RECORDED) == sorted([record.INPUTS, *record.RUNS])


def test_inputs_are_those_that_were_recorded(inputs):
    """Where this fails, the other failures say nothing about dsir."""
    found = record.digests(recorded_digests.input_parts(inputs))
    assert not record.differences(RECORDED[record.INPUTS], found)


@pytest.mark.filterwarnings("ignore:proportions. add up to:dsir.DsirWarning")
@pytest.mark.filterwarnings("ignore:LexRank. all 40 units:dsir.DsirWarning")
@pytest.mark.parametrize("name", sorted(record.RUNS))
def test_run_gives_what_was_recorded(name, inputs, tmp_path):
    found = record.digests(record.made(name, inputs, tmp_path / "run"))
    wrong = record.differences(RECORDED[name], found)
    show = f"python tests/recorded/record.py --show {name}"
    assert not wrong, "\n".join([f"{name} ({show}):", *wrong])
