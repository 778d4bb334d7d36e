import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.machine.toolchain import fits, parse_version


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("v3.259.0", (3, 259, 0)),
        ("go version go1.26.8 linux/amd64", (1, 26, 8)),
        ("go1.27", (1, 27, 0)),
        ("v3.260.0-alpha.xdeadbee", (3, 260, 0)),
        ("devel", None),
        ("", None),
    ],
)
def test_parse(text: str, version: tuple[int, int, int] | None) -> None:
    assert parse_version(text) == version


@pytest.mark.parametrize(
    ("text", "minimum", "answer"),
    [
        ("v3.259.0", "3.259.0", True),
        ("v3.300.1", "3.259.0", True),
        ("v3.258.9", "3.259.0", False),
        ("v4.0.0", "3.259.0", False),
        ("v2.999.0", "3.259.0", False),
        ("go1.26", "1.26", True),
        ("go1.9.7", "1.26", False),
        ("", "1.26", False),
    ],
)
def test_fits(text: str, minimum: str, answer: bool) -> None:
    assert fits(text, minimum=minimum) is answer


number = st.integers(min_value=0, max_value=9999)


@given(number, number, number)
def test_every_version_fits_itself(major: int, minor: int, patch: int) -> None:
    version = f"{major}.{minor}.{patch}"
    assert parse_version(f"v{version}") == (major, minor, patch)
    assert fits(version, minimum=version)
