"""Files that dsir lexrank reads, and what it wrote."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import feather


def table_of(rows):
    kinds = [("id", pa.int64()), ("text", pa.string()), ("domain", pa.string())]
    plain = [{name: row[name] for name, _ in kinds} for row in rows]
    return pa.Table.from_pylist(plain, pa.schema(kinds))


def names_in(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def scores_in(out):
    """(id, score) of every row written, in order."""
    found = []
    for path in sorted(out.glob("data/part-*")):
        if path.suffix == ".jsonl":
            weights = feather.read_table(out / f"_dsir/weights/{path.stem}.arrow")
            ids = [json.loads(line)["id"] for line in path.read_bytes().splitlines()]
            scores = weights.column("lexrank").to_pylist()
        else:
            table = (
                pq.read_table(path)
                if path.suffix == ".parquet"
                else pa.ipc.open_file(str(path)).read_all()
            )
            ids, scores = table.column("id").to_pylist(), table.column("lexrank").to_pylist()
        found += zip(ids, scores, strict=True)
    return found
