"""Manifests whose accounts were forged, with a checksum that fits."""

from __future__ import annotations

import hashlib
import json
import shutil

import pytest

import dsir
from dsir.report.write import write_report
from dsir.storage.atomic import json_bytes

FORGERIES = {
    "no rows": lambda c: c["metrics"].pop("rows"),
    "a text": lambda c: c["metrics"]["rows"].update(read="<b>many</b>"),
    "below zero": lambda c: c["metrics"]["tokens"].update(selected=-1),
    "true": lambda c: c["metrics"]["rows"].update(bad=True),
    "no reasons": lambda c: c["metrics"]["rows"].update(passed_over=[]),
    "kinds": lambda c: c["metrics"]["rows"].update(bad_by_kind={"x": {}}),
    "a measure": lambda c: c["metrics"].update(kl_reduction="0"),
    "targets": lambda c: c["metrics"].update(targets={"a": 1}),
    "duplicates": lambda c: c["metrics"].update(duplicates=3),
    "inputs": lambda c: c["inputs"].update(target=[1]),
    "shards": lambda c: c["inputs"].update(target=[{"name": "a", "shards": "x"}]),
    "no target": lambda c: c["inputs"].pop("target"),
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
def test_forged_accounts_are_refused(forge, selected, tmp_path):
    folder = tmp_path / "out"
    shutil.copytree(selected, folder)
    path = folder / "_dsir/selection.json"
    content = json.loads(path.read_bytes())
    del content["checksum"]
    forge(content)
    checksum = hashlib.sha256(json_bytes(content)).hexdigest()
    path.write_bytes(json_bytes({**content, "checksum": checksum}))
    with pytest.raises(dsir.OutputError, match=r"selection\.json: does not hold the accounts"):
        write_report(folder)


def test_another_model_is_refused(selected, select_to, tmp_path):
    folder = tmp_path / "out"
    shutil.copytree(selected, folder)
    other = select_to(tmp_path / "other", smoothing=1.0)
    shutil.copy(other / "_dsir/model.dsir", folder / "_dsir/model.dsir")
    with pytest.raises(dsir.OutputError, match="is not the model of this selection"):
        write_report(folder)
