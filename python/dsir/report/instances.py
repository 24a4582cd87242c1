"""The facts of a folder of `dsir gais`: the labelled rows that were kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dsir.output.folder import INSTANCES_FILE
from dsir.remote import Location
from dsir.report.facts import Shares
from dsir.report.ranking import described_run, table_batches
from dsir.report.shares import shares_of


@dataclass(frozen=True, slots=True)
class InstancesFacts:
    """What is known of the rows that GAIS kept.

    Attributes:
        name: name of the folder.
        folder: the folder as it was given.
        content: the content of its instances.json.
        classes: shares of the labels among the rows kept.
    """

    name: str
    folder: str
    content: Mapping[str, Any]
    classes: Shares


def instances_facts(folder: Location) -> InstancesFacts:
    """Return the facts of the rows that GAIS kept.

    Raises:
        OutputError: there are none, or a file is missing or damaged.
        StoreError: a store does not answer.
    """
    content = described_run(folder, INSTANCES_FILE)
    label = str(content["settings"].get("label"))
    counts: Counter[str] = Counter()
    for name in content["outputs"]:
        for batch in table_batches(folder / name, [label]):
            counts.update(
                "(none)" if one is None else str(one) for one in batch.column(0).to_pylist()
            )
    note = "Counted over all rows kept."
    return InstancesFacts(
        folder.name or str(folder), str(folder), content, shares_of(label, counts, None, note)
    )
