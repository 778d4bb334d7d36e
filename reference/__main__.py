"""Write every file that is generated from the code: `python -m reference`; `--check` only lists stale ones."""

from __future__ import annotations

import argparse
import sys

from reference.files import stale, write


def main(arguments: list[str] | None = None) -> int:
    """Write the files, or list the stale ones; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m reference", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; the exit status is 1 if a file is stale")
    if not parser.parse_args(arguments).check:
        for path in write():
            sys.stdout.write(f"{path}\n")
        return 0
    found = stale()
    for path in found:
        sys.stderr.write(f"{path} is stale; run: .venv/bin/python -m reference\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
