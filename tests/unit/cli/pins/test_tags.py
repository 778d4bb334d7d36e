from __future__ import annotations

import pytest

from cli.pins import tags

POSTGRES = [
    "latest",
    "17",
    "17.6",
    "17.6-alpine3.21",
    "17.6-alpine3.22",
    "17.7-alpine",
    "17.7-bookworm",
    "18.0-alpine3.22",
]


@pytest.mark.parametrize(
    ("pinned", "more", "kept", "chosen"),
    [
        ("17.6-alpine3.22", [], 1, "17.6-alpine3.22"),
        ("17.6-alpine3.22", ["17.7-alpine3.22"], 1, "17.7-alpine3.22"),
        ("17.6-alpine3.22", ["17.7-alpine3.22", "17.7-alpine3.23"], 1, "17.7-alpine3.23"),
        ("17.6-alpine3.22", ["17.10-alpine3.22", "17.9-alpine3.22"], 1, "17.10-alpine3.22"),
        ("17.6-alpine3.22", ["17.7-alpine3.21", "17.7-alpine4.0"], 1, "17.6-alpine3.22"),
        ("17.6-alpine3.22", ["17.7beta1-alpine3.22", "v17.9-alpine3.22"], 1, "17.6-alpine3.22"),
        ("8.2.1-alpine3.22", ["8.4.0-alpine3.22", "8.4-alpine3.22", "9.0.0-alpine3.22"], 1, "8.4.0-alpine3.22"),
        ("3.13.7-slim-trixie", ["3.13.9-slim-trixie", "3.14.0-slim-trixie", "3.13.9-slim"], 2, "3.13.9-slim-trixie"),
        (
            "24.20.0-trixie-slim",
            ["24.21.0-trixie-slim", "24.22.0-trixie", "25.0.0-trixie-slim"],
            1,
            "24.21.0-trixie-slim",
        ),
        ("17", ["18", "17.9"], 1, "17"),
        ("latest", ["17.7-alpine3.22"], 1, "latest"),
    ],
)
def test_the_newest_of_the_same_kind_is_chosen(pinned: str, more: list[str], kept: int, chosen: str) -> None:
    assert tags.newest(pinned, [*POSTGRES, *more], kept=kept) == chosen
    assert tags.newest(pinned, reversed([*POSTGRES, *more]), kept=kept) == chosen
