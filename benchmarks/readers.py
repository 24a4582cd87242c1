"""The floors of end_to_end.py: programs that read the text column and do nothing with it.

Each takes the number of threads and the paths, reads one file per thread, and drops the texts batch
by batch, so that they do not fill the memory. `seconds` is the time of reading, after the imports.
"""

from __future__ import annotations

_HEAD = """
import concurrent.futures as cf
{imports}
threads, *paths = sys.argv[1:]
def read(path):
{body}
begun = time.perf_counter()
with cf.ThreadPoolExecutor(int(threads)) as pool: found = sum(pool.map(read, paths))
seconds = time.perf_counter() - begun
assert found, "no rows"
tell()
"""


def _program(imports: str, body: str) -> str:
    indented = "\n".join("    " + line for line in body.strip().splitlines())
    return _HEAD.format(imports=imports, body=indented)


PARQUET = _program(
    "import pyarrow.parquet as pq",
    """
file = pq.ParquetFile(path, pre_buffer=False)
return sum(len(b) for b in file.iter_batches(columns=["text"], use_threads=False))
""",
)

_OPEN = 'stream = pa.input_stream(path, compression="zstd")\n'

JSON_LINES = {
    # This parser skips the other fields. A block must be as large as the longest line.
    "pyarrow.json": _program(
        "import pyarrow as pa, pyarrow.json as pj",
        _OPEN
        + """
options = pj.ParseOptions(
    explicit_schema=pa.schema([("text", pa.string())]), unexpected_field_behavior="ignore")
blocks = pj.ReadOptions(use_threads=False, block_size=8 << 20)
reader = pj.open_json(stream, read_options=blocks, parse_options=options)
return sum(len(batch) for batch in reader)
""",
    ),
    # Line by line; because of the interpreter's lock, only one thread works at a time.
    "orjson": _program(
        "import io, orjson, pyarrow as pa",
        _OPEN
        + """
rows = 0
for line in io.BufferedReader(stream, 1 << 20):
    orjson.loads(line).get("text")
    rows += 1
return rows
""",
    ),
    "dsir": _program(
        "from dsir.corpus import resolve",
        """
shard, = resolve([path], text="text").shards
return sum(len(batch.text) for batch in shard.text_batches(on_error="raise"))
""",
    ),
}
"""Programs that read JSON Lines, by the reader's name."""
