from __future__ import annotations

import subprocess
import sys

import pytest

from cli.lazy_commands import SUMMARIES, Commands

LISTS = {
    "help": "group.get_help(context)",
    "completion": "[one.value for one in group.shell_complete(context, 's')]",
}
LIST = """
import sys
from typer.main import get_command
from cli.main import app
group = get_command(app)
context = group.make_context("dashtam", [], resilient_parsing=True)
print({expression})
print(*[name for name in sys.modules if name.startswith("cli.commands.")], file=sys.stderr)
"""


@pytest.mark.parametrize("name", SUMMARIES)
def test_a_summary_is_how_the_commands_own_help_begins(name: str) -> None:
    assert (Commands()[name].help or "").split("\n\n")[0].replace("\n", " ") == SUMMARIES[name]


@pytest.mark.parametrize("expression", LISTS.values(), ids=LISTS.keys())
def test_a_list_of_the_commands_imports_none(expression: str) -> None:
    code = LIST.format(expression=expression)
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "status" in process.stdout
    assert {name.removeprefix("cli.commands.").replace("_", "-") for name in process.stderr.split()}.isdisjoint(
        SUMMARIES
    )
