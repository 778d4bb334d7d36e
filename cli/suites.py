"""The test suites: what each holds, and how pytest runs it here or inside the ci environment."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

SUITES: Mapping[str, tuple[str, ...]] = {
    "unit": ("tests/unit",),
    "infra": ("tests/infra", "tests/toolchain", "tests/images", "tests/workflows"),
    "integration": ("tests/integration",),
    "api": ("tests/api",),
    "smoke": ("tests/smoke",),
    "e2e": ("tests/e2e",),
    "verify": ("tests/verify",),
    "operator": ("tests/operator",),
}
"""Folders by suite."""

BROWSER = "e2e"
NEEDS_ENVIRONMENT = frozenset({"integration", "api", "smoke", BROWSER, "verify"})
INSIDE = ("tests/unit/app", "tests/integration", "tests/api", "tests/smoke", "tests/e2e")
"""What is the service's own, and so can run inside the ci environment, where there is neither an engine nor Pulumi.

What of tests/e2e needs an engine is in a folder of its own, which isn't in the image.
"""

ALL = "all"
CI = "ci"
WORKERS = "2"


def split(arguments: Sequence[str]) -> tuple[str, list[str]]:
    """Tell the suite from the arguments for pytest.

    Args:
        arguments: What the user wrote after `test`.

    Returns:
        The suite's name, `all` where none is named, and the arguments for pytest.
    """
    if arguments and arguments[0] in {*SUITES, ALL, CI}:
        return arguments[0], list(arguments[1:])
    return ALL, list(arguments)


def paths(suite: str) -> list[str]:
    """Return a suite's folders; every suite's for `all`."""
    names = SUITES if suite == ALL else [suite]
    return [folder for name in names for folder in SUITES[name]]


def needs_environment(suite: str) -> bool:
    """Return whether a suite talks to the test environment."""
    return suite == ALL or suite in NEEDS_ENVIRONMENT


def needs_browser(suite: str, extra: Sequence[str]) -> bool:
    """Return whether a browser is driven: by the suite of that name, and by all unless a path is named.

    Args:
        suite: A suite, or `all`.
        extra: Arguments for pytest.
    """
    chosen = [argument for argument in extra if argument.startswith("tests/")]
    if chosen:
        return any(argument.startswith(SUITES[BROWSER]) for argument in chosen)
    return suite in {ALL, BROWSER}


def command(suite: str, extra: Sequence[str], *, browser: bool = True) -> list[str]:
    """Return the command that runs a suite on this machine.

    Args:
        suite: A suite, or `all`.
        extra: Arguments for pytest; a path or node id among them replaces the suite's folders.
        browser: Whether this machine can drive a browser; else all suites are run but that one.

    Returns:
        The command; all suites together measure coverage.
    """
    chosen = [argument for argument in extra if argument.startswith("tests/")]
    coverage = ["--cov", "--cov-report=term"] if suite == ALL and not chosen else []
    parallel = [] if {"-n", "--pdb"} & set(extra) else ["-n", WORKERS]
    folders = [] if chosen else [folder for folder in paths(suite) if browser or folder not in SUITES[BROWSER]]
    return [sys.executable, "-m", "pytest", *parallel, *coverage, *extra, *folders]


def reports(folder: str, package: str = "") -> list[str]:
    """Return the arguments by which pytest writes what other programs read: JUnit's and coverage's XML.

    Args:
        folder: Where to.
        package: Whose coverage is measured; what pyproject.toml says if left out.
    """
    coverage = f"--cov={package}" if package else "--cov"
    return [f"--junit-xml={folder}/junit.xml", coverage, "--cov-report=term", f"--cov-report=xml:{folder}/coverage.xml"]


def inside_command(extra: Sequence[str]) -> list[str]:
    """Return the command that runs the suites inside the ci environment.

    Args:
        extra: Arguments for pytest.

    Returns:
        The command as the tests' container runs it.
    """
    return ["python", "-m", "pytest", "-n", WORKERS, *extra, *INSIDE]
