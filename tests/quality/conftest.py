"""What tests of decontamination share: documents, and modules that lie beside them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # For `contaminated_documents`.

from contaminated_documents import documents_and_benchmark


@pytest.fixture(scope="session")
def corpus() -> tuple[list[str], list[str]]:
    """Documents, some with a piece of a benchmark, and the texts of the benchmark."""
    return documents_and_benchmark()
