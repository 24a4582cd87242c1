"""The version of the package. It is written only here, and pyproject.toml reads it from here.

Asking the installed package for its version takes longer than importing all of dsir's own modules.
"""

from __future__ import annotations

__version__ = "0.1.0"
