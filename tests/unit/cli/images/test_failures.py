from __future__ import annotations

import pytest

from cli.images.failures import TAIL, explained


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("tar: ./x: Cannot write: No space left on device", "the disk is full"),
        ("E: You don't have enough free space. not enough free space in /var", "the disk is full"),
        ("Temporary failure resolving 'mirror.example'", "couldn't be downloaded"),
        ("E: Failed getting release file http://mirror.example", "couldn't be downloaded"),
        ("E: Unable to connect to mirror.example:80", "couldn't be downloaded"),
        ("E: Invalid Release signature (key id 1)", "signatures or checksums"),
        ("Hash Sum mismatch", "signatures or checksums"),
        ("E: Cannot install into target '/x' mounted with noexec or nodev", "may not hold"),
        ("something nobody has seen", "the last lines were"),
    ],
)
def test_the_cause_is_read_from_the_output(line: str, cause: str) -> None:
    error = explained("It failed", ["before", line])
    assert error.message == "It failed"
    assert cause in error.cause
    assert line in error.cause
    assert error.remedy


def test_only_the_last_lines_are_shown_and_only_they_count() -> None:
    lines = ["No space left on device", *(f"line {number}" for number in range(TAIL + 5)), "", "  "]
    error = explained("It failed", lines)
    assert "disk" not in error.cause
    assert error.cause.endswith(f"line {TAIL + 4}")
    assert f"line {4}\n" not in error.cause
