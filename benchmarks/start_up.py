"""How long dsir takes to start: whole processes, the median of 20."""

from __future__ import annotations

import sys
from typing import Any

from benchmarks import process
from benchmarks.figures import figure, ratio
from benchmarks.timing import in_turn

_CODE = {
    "python -c pass": "pass",
    "import numpy, pyarrow": "import numpy, pyarrow",
    "import dsir": "import dsir",
    "dsir --help": "import sys; sys.argv = ['dsir', '--help']; import dsir.cli.main as m; m.main()",
    "dsir --version": "import sys; sys.argv = ['dsir', '--version']; "
    "import dsir.cli.main as m; m.main()",
}
_ASKED = {"import dsir": 0.25, "dsir --help": 0.4}


def run(times: int = 20) -> dict[str, Any]:
    """Measure; return figures."""
    seconds = in_turn(
        {
            name: lambda code=code: process.run([sys.executable, "-c", code])
            for name, code in _CODE.items()
        },
        times,
    )
    figures = [
        figure(name, "s", rounds, better="lower", asked=_ASKED.get(name))
        for name, rounds in seconds.items()
    ]
    floor = seconds["import numpy, pyarrow"]
    figures += [
        ratio(f"{name} / import numpy, pyarrow", seconds[name], floor, better="lower")
        for name in ("import dsir", "dsir --help")
    ]
    return {"figures": figures}
