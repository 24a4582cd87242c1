"""A process ends well while a thread of pyarrow still reads ahead in a CSV file."""

from __future__ import annotations

import subprocess
import sys

# The reader is left after its first batch, as when a row is refused, with a read under way.
PROGRAM = """
import time
import pyarrow as pa
import pyarrow.csv as csv
from dsir.corpus.csv_end import EndedFile

class Slow:
    closed = False
    reads = 0
    def read(self, size):
        self.reads += 1
        if self.reads > 1:
            time.sleep(0.1)
        return b"text\\n" + b"a ship\\n" * 100 if self.reads < 9 else b""
    def close(self):
        self.closed = True

with EndedFile(Slow(), b"", check=False) as file:
    options = csv.ReadOptions(block_size=1 << 9, use_threads=False)
    reader = csv.open_csv(pa.PythonFile(file, mode="r"), read_options=options)
    reader.read_next_batch()
del file, reader
print("done")
"""


def test_a_read_under_way_does_not_abort_the_process():
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60
        )
        assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr
