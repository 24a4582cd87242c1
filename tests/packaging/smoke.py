"""What every wheel has to do, on any platform: `python smoke.py`, without pytest.

Selects, verifies, and compares with the answer that every machine has to give, to the last bit.
dsir has to be installed.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

import dsir

WORDS = ["ship", "sea", "sail", "court", "law", "judge", "Übung", "东京", "42", "don't", "harbour"]
# A digest of the rows and log-weights of the selection below.
EXPECTED = "909bc8b9a71da3c6"


def texts(count: int) -> list[str]:
    """Make texts that are the same everywhere."""
    state, found = 1, []
    for _ in range(count):
        words = []
        for _ in range(40):
            state = (state * 6364136223846793005 + 1442695040888963407) % (1 << 64)
            words.append(WORDS[(state >> 33) % len(WORDS)])
        found.append(" ".join(words))
    return found


def main() -> None:
    """Run, and say what was run."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pq.write_table(pa.table({"text": texts(3000)}), folder / "raw.parquet")
        target = [f"{text} ship sea sail harbour" for text in texts(50)]
        (folder / "target.jsonl").write_text(
            "".join(json.dumps({"text": text}) + "\n" for text in target), encoding="utf-8"
        )
        words = ["--n", "200", "--min-tokens", "1", "--temperature", "9", "--threads", "2"]
        command = [sys.executable, "-m", "dsir", "select", "raw.parquet", "-t", "target.jsonl"]
        subprocess.run([*command, "-o", "selected", *words, "--quiet"], cwd=folder, check=True)
        selection = dsir.load(folder / "selected")
        assert len(selection) == 200, selection
        assert dsir.verify(folder / "selected").stands
        content = selection.rows.astype("<i8").tobytes()
        content += selection.log_weights.astype("<f8").tobytes()
        digest = hashlib.sha256(content).hexdigest()[:16]
        assert digest == EXPECTED, f"another answer than elsewhere: {digest}"
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        assert not sys._is_gil_enabled(), "importing dsir turned the GIL on"  # type: ignore[attr-defined]
    print(f"dsir {dsir.__version__} on {sys.version.split()[0]} {sys.platform}: as everywhere")


if __name__ == "__main__":
    main()
