"""Files of texts about ships, and settings that select from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

SETTINGS: dict[str, Any] = {"n": 5, "min_tokens": 3, "method": "top-k", "progress": False}
TEXTS = [f"the ship {number} sails from the harbour at night" for number in range(40)]
GOOD = pa.table({"id": range(len(TEXTS)), "text": TEXTS})


def parquet(path: Path, table: pa.Table, **keywords: Any) -> Path:
    pq.write_table(table, path, **keywords)
    return path
