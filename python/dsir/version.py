"""The version of the package: here, and nowhere else; pyproject.toml reads it.

Asking the installed package for it takes longer than the rest of dsir's own modules to import.
"""

from __future__ import annotations

__version__ = "0.1.0"
