"""The test suites: what each holds, and how pytest runs it here or inside the ci environment."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from cli.errors import UserError

SUITES: Mapping[str, tuple[str, ...]] = {
    "unit": ("tests/unit",),
    "infra": ("tests/infra", "tests/system/toolchain", "tests/system/images", "tests/system/workflows"),
    "integration": ("tests/integration",),
    "api": ("tests/api",),
    "smoke": ("tests/smoke",),
    "e2e": ("tests/e2e",),
    "verify": ("tests/system/environment",),
    "operator": ("tests/system/commands",),
}
"""Folders by suite."""

BROWSER = "e2e"
NEEDS_ENVIRONMENT = frozenset({"integration", "api", "smoke", BROWSER, "verify"})
INSIDE: Mapping[str, tuple[str, ...]] = {
    "unit": ("tests/unit/app",),
    **{name: SUITES[name] for name in ("integration", "api", "smoke", BROWSER)},
}
"""What is the service's own, and so can run inside the ci environment, where there is neither an engine nor Pulumi.

What of tests/e2e needs an engine is in a folder of its own, which isn't in the image.
"""

ALL = "all"
CI = "ci"
WORKERS = "2"


@dataclass(frozen=True)
class Chosen:
    """What a user wants to be run.

    Attributes:
        suites: Names of suites, or `all`; those of the paths where there are any.
        inside: Whether inside the ci environment.
        extra: Arguments for pytest; a path or node id among them replaces the suites' folders.
    """

    suites: tuple[str, ...]
    inside: bool
    extra: list[str]


def choose(arguments: Sequence[str]) -> Chosen:
    """Tell the suites from the arguments for pytest.

    Args:
        arguments: What the user wrote after `test`: names of suites come first, before them `ci` for those inside it.

    Raises:
        UserError: A suite can't be run where it is wanted.
    """
    words = tuple(itertools.takewhile({*SUITES, ALL, CI}.__contains__, arguments))
    inside = words[:1] == (CI,)
    suites = words[1:] if inside else words
    extra = list(arguments[len(words) :])
    if CI in suites:
        raise UserError(
            f"`ci` doesn't stand first in: {' '.join(words)}.",
            cause="It says where the suites after it are run.",
            remedy="For suites inside ci: `./dashtam test ci api smoke`; for suites here, a command without it.",
            exit_status=2,
        )
    if named := _paths_among(extra):
        suites = tuple(dict.fromkeys(map(_suite_of, named)))
    if inside and (beyond := [name for name in suites if name not in {*INSIDE, ALL}]):
        raise UserError(
            f"{beyond[0]} can't be run inside ci.",
            cause="It needs an engine or Pulumi, and inside ci is neither.",
            remedy=f"Run `./dashtam test {beyond[0]}` for it; inside ci there are {', '.join(INSIDE)}.",
            exit_status=2,
        )
    return Chosen(suites or (ALL,), inside, extra)


def paths(suites: Collection[str], known: Mapping[str, tuple[str, ...]] = SUITES) -> list[str]:
    """Return suites' folders; every known suite's for `all`."""
    return [folder for name, folders in known.items() if {name, ALL} & {*suites} for folder in folders]


def need_environment(suites: Collection[str]) -> bool:
    """Return whether any of these suites talks to the test environment."""
    return bool({ALL, *NEEDS_ENVIRONMENT} & {*suites})


def need_browser(suites: Collection[str]) -> bool:
    """Return whether any of these suites drives a browser."""
    return bool({ALL, BROWSER} & {*suites})


def command(suites: Collection[str], extra: Sequence[str], *, browser: bool = True) -> list[str]:
    """Return the command that runs suites on this machine.

    Args:
        suites: Names of suites, or `all`.
        extra: Arguments for pytest.
        browser: Whether this machine can drive a browser; else all suites are run but that one.

    Returns:
        The command; all suites together measure coverage.
    """
    chosen = _paths_among(extra)
    coverage = ["--cov", "--cov-report=term"] if ALL in suites and not chosen else []
    parallel = [] if {"-n", "--pdb"} & set(extra) else ["-n", WORKERS]
    folders = [] if chosen else [folder for folder in paths(suites) if browser or folder not in SUITES[BROWSER]]
    return [sys.executable, "-m", "pytest", *parallel, *coverage, *extra, *folders]


def reports(folder: str, package: str = "") -> list[str]:
    """Return the arguments by which pytest writes what other programs read: JUnit's and coverage's XML.

    Args:
        folder: Where to.
        package: Whose coverage is measured; what pyproject.toml says if left out.
    """
    coverage = f"--cov={package}" if package else "--cov"
    return [f"--junit-xml={folder}/junit.xml", coverage, "--cov-report=term", f"--cov-report=xml:{folder}/coverage.xml"]


def inside_command(suites: Collection[str], extra: Sequence[str]) -> list[str]:
    """Return the command that runs suites inside the ci environment.

    Args:
        suites: Names of suites that can run there, or `all`.
        extra: Arguments for pytest.

    Returns:
        The command as the tests' container runs it.
    """
    folders = [] if _paths_among(extra) else paths(suites, INSIDE)
    return ["python", "-m", "pytest", "-n", WORKERS, *extra, *folders]


def _paths_among(extra: Sequence[str]) -> list[str]:
    return [one for one in extra if "/" in one and PurePosixPath(one).parts[:1] == ("tests",)]


def _suite_of(path: str) -> str:
    """Return the suite that a path or node id belongs to; `all` for one above the suites."""
    file = PurePosixPath(path.partition("::")[0])
    return next((name for name, folders in SUITES.items() if any(map(file.is_relative_to, folders))), ALL)
