"""The order of tests: those of changed files come first."""

from __future__ import annotations

import pytest

from tests.order import distances


@pytest.mark.parametrize(
    ("test", "changed", "expected"),
    [
        ("tests/unit/cli/core/test_hashing.py", "cli/core/hashing.py", 0),
        ("tests/unit/cli/core/test_paths.py", "cli/core/hashing.py", 1),
        ("tests/unit/cli/data/test_hashing.py", "cli/core/hashing.py", 2),
        ("tests/infra/test_secrets.py", "tests/infra/test_secrets.py", 0),
        ("tests/infra/test_secrets.py", "README.md", 2),
        ("tests/unit/app/test_main.py", "app/main.py", 0),
        ("tests/processes/app/run/test_server.py", "app/run/server.py", 0),
        ("tests/processes/sandbox/test_store.py", "sandbox/src/store.mjs", 2),
    ],
)
def test_the_nearer_a_file_of_tests_is_to_a_change_the_sooner_it_runs(test: str, changed: str, expected: int) -> None:
    assert distances(["docs/README.md", changed])(test) == expected
