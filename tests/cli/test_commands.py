"""The list of commands: what it says of each, and that none is imported before it is called."""

import importlib
import inspect
import subprocess
import sys

import pytest

from dsir.cli.main import _COMMANDS


@pytest.mark.parametrize("name", _COMMANDS)
def test_the_list_says_of_a_command_what_its_help_begins_with(name):
    function = getattr(importlib.import_module(f"dsir.cli.{name}"), name)
    first = (inspect.getdoc(function) or "").partition("\n\n")[0]
    assert " ".join(first.split()) == _COMMANDS[name]


def test_a_command_is_imported_when_it_is_called():
    code = (
        "import sys\n"
        "from dsir.cli.main import main\n"
        "sys.argv = ['dsir', *sys.argv[1:]]\n"
        "try:\n    main()\n"
        "finally:\n"
        "    print([name for name in ('select', 'gais', 'status') if f'dsir.cli.{name}' in "
        "sys.modules], 'dsir.graph' in sys.modules, file=sys.stderr)\n"
    )

    def imported(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
        )
        assert "Usage: dsir" in done.stdout
        return done.stderr.splitlines()[-1]

    assert imported("--help") == "[] False"
    assert imported("status", "--help") == "['status'] False"
