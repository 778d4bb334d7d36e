"""Building the toolchain from its Go modules: once a machine, resumable, by one run at a time."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cli.core.atomic_files import scratch_folder
from cli.core.errors import UserError
from cli.core.process import UNWATCHED, CommandError, Watcher, run_lines
from cli.ui.progress import meter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cli.machine.lock import Module

BUILD_TIMEOUT_SECONDS = 3600
"""Ten times what two cores take: only a build that hangs reaches it."""

_LIST_TIMEOUT_SECONDS = 1800
_LIST_ATTEMPTS = 4
_FREE_BYTES = 5 * 10**9


@dataclass(frozen=True)
class Builder:
    """Builds modules with one Go."""

    go: Path
    bin: Path
    plugins: Path

    def build(self, module: Module, *, plugins_only: bool = False, environment: Mapping[str, str] = os.environ) -> None:
        """Build what is missing of one module; what is there stays as it is."""
        programs = [] if plugins_only else self.missing_programs(module)
        plugins = self.missing_plugins(module)
        if not programs and not plugins:
            return
        for folder in (self.bin, self.plugins):
            folder.mkdir(parents=True, exist_ok=True)
        _require_space(self.bin)
        work = _Work(self.go, module, go_environment(environment))
        # All in one go, so that both cores stay busy and what is shared is compiled once.
        packages = [*(module.program_packages if programs else ()), *(module.plugin_packages if plugins else ())]
        with scratch_folder(self.bin.parent) as part:
            work.compile(packages, part)
            if programs:
                work.copy_scripts(part)
            for target in (*programs, *plugins):
                (part / target.name).replace(target)

    def missing_programs(self, module: Module) -> list[Path]:
        """Return the module's programs and scripts that are not there yet."""
        scripts = [path.rpartition("/")[2] for _, path in module.scripts]
        return [self.bin / name for name in (*module.programs, *scripts) if not (self.bin / name).is_file()]

    def missing_plugins(self, module: Module) -> list[Path]:
        """Return the module's plugins that are not there yet."""
        return [self.plugins / name for name in module.plugins if not (self.plugins / name).is_file()]


@dataclass(frozen=True)
class _Work:
    """Runs Go in one module's folder."""

    go: Path
    module: Module
    env: Mapping[str, str]

    def compile(self, packages: list[str], part: Path) -> None:
        flags = ["-trimpath", "-ldflags", f"-s -w {self.module.ldflags}".strip()]
        stale = self._list_stale([*flags, *packages])
        with meter(f"Compiling Pulumi ({self.module.folder.name})", unit="packages") as progress:
            compiled = Counter(len(stale), progress.update)
            self._run(
                ["build", "-v", "-o", f"{part}/", *flags, *packages],
                timeout=BUILD_TIMEOUT_SECONDS,
                watcher=Watcher(compiled.see, progress.tick),
            )

    def copy_scripts(self, part: Path) -> None:
        for source, path in self.module.scripts:
            lines = self._run(["list", "-m", "-f", "{{.Dir}}", source], timeout=_LIST_TIMEOUT_SECONDS)
            target = part / path.rpartition("/")[2]
            shutil.copyfile(Path(lines[-1]) / path, target)
            target.chmod(0o755)

    def _list_stale(self, arguments: list[str]) -> list[str]:
        """Download the modules that are needed, and list the packages that Go's cache lacks."""
        with meter(f"Downloading Go modules ({self.module.folder.name})", unit="modules") as progress:
            downloads = Counter(0, progress.update, prefix="go: downloading ")
            for left in reversed(range(_LIST_ATTEMPTS)):
                try:
                    lines = self._run(
                        ["list", "-deps", "-f", "{{if .Stale}}{{.ImportPath}}{{end}}", *arguments],
                        timeout=_LIST_TIMEOUT_SECONDS,
                        watcher=Watcher(downloads.see, progress.tick),
                    )
                    break
                except UserError:
                    # A registry that answers badly for a moment is common; what came is kept in Go's cache.
                    if not left:
                        raise
        return [line for line in lines if line and not line.startswith("go: ")]

    def _run(
        self,
        arguments: list[str],
        *,
        timeout: float,
        watcher: Watcher = UNWATCHED,
    ) -> list[str]:
        argv = [str(self.go), *arguments]
        try:
            return run_lines(argv, cwd=self.module.folder, env=self.env, timeout=timeout, watcher=watcher)
        except CommandError as error:
            raise UserError(
                f"`go {arguments[0]}` {error.reason} in {self.module.folder}.",
                cause=error.tail,
                remedy="Run the same command again: it goes on where this one ended. "
                "`./dashtam doctor` checks what it needs.",
            ) from error


class Counter:
    """Counts the lines of Go that each stand for one piece of work."""

    def __init__(self, total: int, report: Callable[[float, float, str], None], *, prefix: str = "") -> None:
        self._total = total
        self._report = report
        self._prefix = prefix
        self._seen = 0

    def see(self, line: str) -> None:
        """Count a line if it begins as such lines do."""
        if not line.startswith(self._prefix):
            return
        self._seen += 1
        last = self._total > 0 and self._seen >= self._total
        self._report(self._seen, self._total, "linking" if last else line.removeprefix(self._prefix))


def go_environment(base: Mapping[str, str]) -> dict[str, str]:
    """Return what Go builds with, whatever a user has set for their own work."""
    return {**base, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": "-mod=readonly"}


def _require_space(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < _FREE_BYTES:
        raise UserError(
            f"Only {free / 1e9:.1f} GB are free where {folder} is.",
            cause=f"Building Pulumi takes up to {_FREE_BYTES / 1e9:.0f} GB.",
            remedy="Free some space, or set DASHTAM_CACHE_HOME, GOCACHE and GOMODCACHE to folders on a larger disk.",
        )
