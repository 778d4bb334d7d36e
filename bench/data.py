"""Measures a snapshot, a backup and their restores with a database of 1 GB: `.venv/bin/python bench/data.py dev`.

It adds a table to an environment that is up, and drops it again. Everything is bounded: the size, and the time.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SECONDS = 600.0
"""Seconds that each command may take."""

ROW_BYTES = 1024
FILL = """
DROP TABLE IF EXISTS bench_data;
CREATE TABLE bench_data AS SELECT n AS id, (
    SELECT string_agg(encode(sha512(convert_to(n::text || part, 'UTF8')), 'hex'), '') FROM generate_series(1, 8) part
) AS content
FROM generate_series(1, :rows) n;
CHECKPOINT;
"""
"""Rows of 1 KiB that hardly compress."""

DROP = "DROP TABLE IF EXISTS bench_data;"


def main() -> int:
    """Measure, and print the figures as JSON.

    Returns:
        The exit status.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("environment", help="one that is up, and keeps its data in volumes")
    parser.add_argument("--megabytes", type=int, default=1000, choices=range(1, 4001), metavar="1..4000")
    chosen = parser.parse_args()
    stack, rows = chosen.environment, chosen.megabytes * 1_000_000 // ROW_BYTES
    name = f"bench-{int(time.time())}"
    try:
        sql(stack, f"\\set rows {rows}\n{FILL}")
        figures = {
            "database_bytes": int(sql(stack, "SELECT pg_database_size(current_database());")),
            "snapshot": dashtam("snapshot", "create", stack, name),
            "snapshot_restore": dashtam("snapshot", "restore", stack, name, "--yes", "--no-snapshot"),
        }
        with tempfile.TemporaryDirectory() as folder:
            file = str(Path(folder) / "bench.backup")
            figures["backup"] = dashtam("backup", stack, file)
            figures["backup_restore"] = dashtam("restore", stack, file, "--yes", "--no-snapshot")
    finally:
        sql(stack, DROP)
        subprocess.run([ROOT / "dashtam", "snapshot", "delete", stack, name, "--yes"], check=False)
    print(json.dumps(figures, indent=2))
    return 0


def dashtam(*arguments: str) -> dict[str, Any]:
    """Run a command and return what it says of itself, with how long all of it took.

    Args:
        arguments: What follows `./dashtam`.
    """
    began = time.monotonic()
    said = run([str(ROOT / "dashtam"), *arguments, "--json"])
    return {**json.loads(said), "command_seconds": round(time.monotonic() - began, 1)}


def sql(stack: str, statements: str) -> str:
    """Run SQL in an environment's database, as its owner.

    Args:
        stack: The environment.
        statements: As psql reads them.
    """
    command = [str(ROOT / "dashtam"), "db-shell", stack, "--", "-qXAt", "-v", "ON_ERROR_STOP=1"]
    return run(command, statements)


def run(command: list[str], stdin: str = "") -> str:
    """Run a command, which must succeed within its time, and return what it printed."""
    done = subprocess.run(
        command, input=stdin, stdout=subprocess.PIPE, text=True, check=True, timeout=SECONDS, cwd=ROOT
    )
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
