"""How long each file of tests takes: a table that is generated from reports and read where tests are ordered.

`python -m tests.durations test-results/machine/junit-*.xml` writes the table again.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

TABLE = Path(__file__).with_suffix(".json")
UNKNOWN = 5
"""Seconds that a file is taken for that isn't in the table."""


def read() -> dict[str, int]:
    """Return seconds by file."""
    found: dict[str, int] = json.loads(TABLE.read_text())
    return found


def file_of(nodeid: str) -> str:
    """Return the file of a test, relative to the project's root."""
    return nodeid.partition("::")[0]


def collect(reports: list[Path]) -> dict[str, int]:
    """Return seconds by file from JUnit's XML."""
    found: Counter[str] = Counter()
    for report in reports:
        for case in ET.parse(report).iter("testcase"):  # noqa: S314 - pytest wrote it here
            found[case.attrib["classname"].replace(".", "/") + ".py"] += float(case.attrib["time"])  # type: ignore[assignment]
    return {file: round(seconds) for file, seconds in sorted(found.items())}


if __name__ == "__main__":
    table = {**read(), **collect([Path(name) for name in sys.argv[1:]])}
    there = {file: seconds for file, seconds in sorted(table.items()) if Path(file).is_file()}
    TABLE.write_text(json.dumps(there, indent=0) + "\n")
