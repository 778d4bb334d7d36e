"""The test suites: what each holds, and the runs of pytest that a user's words ask for."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from cli.core.errors import UsageError, did_you_mean
from cli.core.paths import ROOT

WITHOUT_DOCKER = ("unit", "processes")
"""Suites that need neither Docker nor its images."""

FIRST, THEN = (*WITHOUT_DOCKER, "infra"), ("integration", "api", "smoke", "e2e")
"""Suites that use no environment, which run while one starts, and those that use one."""

SERVICE: Mapping[str, str] = {name: f"tests/{name}" for name in (*FIRST, *THEN)}
"""What a change of the service or the program needs, by suite."""

SWARM = "tests/system/swarm"
SUITES: Mapping[str, str] = {**SERVICE, "swarm": SWARM, "system": "tests/system"}
"""Folders by suite; of two that hold a path the first is its suite."""

INSIDE: Mapping[str, str] = {
    **{name: f"{SUITES[name]}/app" for name in WITHOUT_DOCKER},
    **{name: SUITES[name] for name in THEN},
}
"""What can run inside the ci environment, where there is neither Docker nor Pulumi, nor Node."""

GROUPS: Mapping[str, tuple[str, ...]] = {"service": tuple(SERVICE), "all": (*SERVICE, "system")}
"""Suites by a name for several of them."""

CI, CAMPAIGN = "ci", "campaign"
NAMES = (*SUITES, *GROUPS, CI, CAMPAIGN)
BROWSER = SUITES["e2e"]
ANYWHERE = ("smoke", "api")
"""Suites that see an environment as any client does, so they can run against each one."""

WITHOUT_ENVIRONMENT = (
    *(SUITES[name] for name in FIRST),
    *(f"tests/system/{name}" for name in ("images", "toolchain", "swarm")),
)
TAKE_A_PATH = frozenset(
    {
        "--ignore",
        "--ignore-glob",
        "--deselect",
        "--rootdir",
        "--confcutdir",
        "--basetemp",
        "--junit-xml",
        "--junitxml",
        "-c",
        "-k",
        "-m",
    }
)
"""Options of pytest whose value may look like a path to run."""

TAKES_NOTHING = re.compile(
    r"-[dhlqsvx]+|-[cdkmnoprW].+|--.+=.*|--(exitfirst|verbose|quiet|pdb|trace|lf|last-failed|ff|failed-first|nf|new-first"
    r"|sw|stepwise|sw-skip|stepwise-skip|co|collect-only|no-header|no-summary|no-cov|full-trace|setup-show|setup-only)"
)
"""Options of pytest after which a word is not their value; after any other one it may be."""
LONG = ("--timeout", "1800")
"""For the campaign: what it measures and kills must not wait for anything else."""

MORE_EXAMPLES = ("--hypothesis-profile=ci",)
"""For `all`: as many examples as where CI is set, in place of the fewer ones of a run by hand."""

LOADED = ("--timeout", "1200")
"""For the swarm suite, whose tests share one lab, and whose load takes as long as the machine needs for it."""

WORKERS = (os.cpu_count() or 1) + 1
"""One more than the machine has cores: tests often wait for processes and for the engine."""

FEW_WORKERS = min(WORKERS, 4)
"""For the system suite: each worker may have two environments of its own up, of some 700 MB each."""


@dataclass(frozen=True)
class Chosen:
    """What a user wants to run."""

    suites: tuple[str, ...]
    inside: bool = False
    campaign: bool = False
    paths: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    environment: str = ""
    """Which one to run them against, as it is; empty for the tests' own, which is brought up."""


@dataclass(frozen=True)
class Run:
    """One run of pytest."""

    name: str
    paths: tuple[str, ...]
    needs_environment: bool
    arguments: tuple[str, ...] = ()
    workers: int = WORKERS

    @property
    def drives_browser(self) -> bool:
        """Whether its tests drive a browser."""
        return any(_overlap(path, BROWSER) for path in self.paths)

    def without_browser(self) -> Run:
        """Return the same run without the suite that drives a browser."""
        return replace(self, paths=tuple(path for path in self.paths if path != BROWSER))


def choose(arguments: Sequence[str], environments: Collection[str] = ()) -> Chosen:
    """Tell the suites, and the environment that may follow them, from the arguments for pytest."""
    others, paths, extra = _parted(arguments)
    words = tuple(word for word in others if word in NAMES)
    inside, campaign = words[:1] == (CI,), words[:1] == (CAMPAIGN,)
    names = words[1:] if inside or campaign else words
    for first in {CI, CAMPAIGN} & {*names}:
        raise UsageError(
            f"`{first}` must be the first argument.",
            cause=f"It was given after others: {' '.join(words)}.",
            remedy="Suites inside ci: `./dashtam test ci api smoke`. Suites on this machine: the command without `ci`.",
        )
    rest = [word for word in others if word not in NAMES]
    environment = rest[0] if words and len(rest) == 1 and rest[0] in environments else ""
    if rest and not environment:
        raise _refused(min(rest, key=environments.__contains__), environments)
    suites = tuple(dict.fromkeys(map(_suite_of, paths))) if paths else names
    if inside and (elsewhere := [name for name in suites if name not in {*INSIDE, *GROUPS}]):
        raise UsageError(
            f"{elsewhere[0]} can't run inside ci.",
            cause="It needs Docker or Pulumi, and inside ci there is neither.",
            remedy=f"Run `./dashtam test {elsewhere[0]}`. Suites that run inside ci: {', '.join(INSIDE)}.",
        )
    if environment and (inside or campaign or not {*suites} <= {*ANYWHERE}):
        raise UsageError(
            f"These suites can't run against {environment}.",
            cause=f"Only {' and '.join(ANYWHERE)} see an environment as its clients do; others change parts of it.",
            remedy=f"Run `./dashtam test {' '.join(ANYWHERE)} {environment}`. Without {environment} at the end, all"
            " suites run against the tests' own environment.",
        )
    return Chosen(_expanded(suites, inside=inside, campaign=campaign), inside, campaign, paths, extra, environment)


def runs(chosen: Chosen) -> list[Run]:
    """Return the runs of pytest on this machine, in their order: what fails soonest comes first."""
    if chosen.campaign:
        paths = chosen.paths or (SUITES["system"],)
        return [Run(CAMPAIGN, paths, needs_environment=True, arguments=("-m", CAMPAIGN, *LONG), workers=1)]
    if chosen.paths:
        needed = any(not any(_is_within(path, folder) for folder in WITHOUT_ENVIRONMENT) for path in chosen.paths)
        limits = LOADED if "swarm" in chosen.suites else ()
        workers = 0 if "swarm" in chosen.suites else FEW_WORKERS if "system" in chosen.suites else WORKERS
        return [Run("chosen", chosen.paths, needed and not chosen.environment, limits, workers)]
    examples = MORE_EXAMPLES if _runs(chosen, "all") else ()
    parts = [
        Run("unit", _folders(chosen, FIRST), needs_environment=False, arguments=examples),
        Run("service", _folders(chosen, THEN), not chosen.environment),
        Run("system", _folders(chosen, ("system",)), needs_environment=True, workers=FEW_WORKERS),
        Run("swarm", _folders(chosen, ("swarm",)), needs_environment=False, arguments=LOADED, workers=0),
    ]
    return [run for run in parts if run.paths]


def command(run: Run, extra: Sequence[str], reports: str = "") -> list[str]:
    """Return the command of a run."""
    written = [f"--junit-xml={reports}/junit-{run.name}.xml"] if reports else []
    # Of the folders that hold it, none runs it: it needs root, and ten minutes.
    others = [] if any(_is_within(path, SWARM) for path in run.paths) else [f"--ignore={SWARM}"]
    parallel = _parallel(extra, run.paths, str(run.workers))
    return [sys.executable, "-m", "pytest", *parallel, *run.arguments, *others, *written, *extra, *run.paths]


def inside_command(chosen: Chosen, reports: str = "") -> list[str]:
    """Return the command that runs suites inside the ci environment, as the tests' container runs it."""
    paths = chosen.paths or tuple(INSIDE[name] for name in chosen.suites)
    coverage = ["--cov=app", "--cov-report=term", f"--cov-report=xml:{reports}/coverage.xml"]
    written = [f"--junit-xml={reports}/junit-ci.xml", *coverage] if reports else []
    return ["python", "-m", "pytest", *_parallel(chosen.extra, paths, "logical"), *written, *chosen.extra, *paths]


def measures_coverage(chosen: Chosen, *, reports: bool) -> bool:
    """Return whether coverage is measured, which slows tests down: of `all`, and where as much runs with reports."""
    return _runs(chosen, "all") or (reports and _runs(chosen, "service"))


def _runs(chosen: Chosen, group: str) -> bool:
    return not chosen.paths and not chosen.campaign and {*GROUPS[group]} <= {*chosen.suites}


def ends_at_first_failure(extra: Sequence[str]) -> bool:
    """Return whether the user wants no more tests after a failure."""
    return any(re.match(r"-[vqsl]*x|--exitfirst|--maxfail", word) for word in extra)


def _parallel(extra: Sequence[str], paths: Sequence[str], workers: str) -> list[str]:
    own = ("-n", "--numprocesses", "--pdb", "--trace")
    if any(word.startswith(own) for word in extra):
        return []
    # A few chosen tests are done before workers have started.
    few = any(word.startswith("-k") for word in extra) or any("::" in path for path in paths)
    return ["-n", "0" if few else workers]


def _parted(arguments: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Return the words that are neither, the paths to run, relative to the root, and pytest's options with values."""
    words: list[str] = []
    paths: list[str] = []
    extra: list[str] = []
    before = ""
    for word in arguments:
        may_be_value = before.startswith("-") and not TAKES_NOTHING.fullmatch(before)
        if word.startswith("-") or before in TAKE_A_PATH:
            extra.append(word)
        elif word not in NAMES and (path := _path(word)):
            paths.append(path)
        else:
            (extra if may_be_value else words).append(word)
        before = word
    return tuple(words), tuple(paths), tuple(extra)


def _path(word: str) -> str:
    """Return a path or node id as pytest takes it at the root; empty if it is none of the tests, or does not exist."""
    name, separator, node = word.partition("::")
    for folder in (Path.cwd(), ROOT):
        path = (folder / name).resolve()
        if path.is_relative_to(ROOT / "tests") and path.exists():
            return f"{path.relative_to(ROOT)}{separator}{node}"
    return ""


def _refused(word: str, environments: Collection[str]) -> UsageError:
    if word in environments:
        return UsageError(
            f"The environment {word} must come after suites, alone.",
            cause="Only suites that are named run against an environment, and against one.",
            remedy=f"Run `./dashtam test {' '.join(ANYWHERE)} {word}`.",
        )
    return UsageError(
        f"{word!r} is neither a suite nor a path of tests.",
        cause=f"Suites: {', '.join(NAMES)}. A path exists below tests/, from here or the checkout.",
        remedy=f"{did_you_mean(word, [*NAMES, *environments])}Tests by name: `./dashtam test -k NAME`.",
    )


def _suite_of(path: str) -> str:
    """Return the suite that a path or node id belongs to; `all` for a folder of several suites."""
    return next((name for name, folder in SUITES.items() if _is_within(path, folder)), "all")


def _is_within(path: str, folder: str) -> bool:
    return PurePosixPath(path.partition("::")[0]).is_relative_to(folder)


def _overlap(path: str, folder: str) -> bool:
    return _is_within(path, folder) or PurePosixPath(folder).is_relative_to(path.partition("::")[0])


def _expanded(names: Sequence[str], *, inside: bool, campaign: bool) -> tuple[str, ...]:
    if campaign:
        return ("system",)
    found = dict.fromkeys(suite for name in names or ("service",) for suite in GROUPS.get(name, (name,)))
    return tuple(name for name in found if not inside or name in INSIDE)


def _folders(chosen: Chosen, names: Collection[str]) -> tuple[str, ...]:
    return tuple(SUITES[name] for name in SUITES if name in chosen.suites and name in names)
