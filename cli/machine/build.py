"""Building the toolchain from its Go modules: once for each machine, resumable, by one run at a time."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cli.core.atomic_files import scratch_folder
from cli.core.errors import UserError
from cli.core.process import CommandError, run_lines
from cli.ui.progress import meter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cli.machine.lock import Module
    from cli.ui.progress import Meter

BUILD_TIMEOUT_SECONDS = 3600
"""Ten times what two cores take: only a build that hangs reaches it."""

_LIST_TIMEOUT_SECONDS = 1800
_LIST_ATTEMPTS = 4
_FREE_BYTES = 5 * 10**9


@dataclass(frozen=True)
class Builder:
    """Builds modules with one `go` command, into a folder of programs and one of plugins."""

    go: Path
    bin: Path
    plugins: Path

    def build(self, module: Module, *, plugins_only: bool = False, environment: Mapping[str, str] = os.environ) -> None:
        """Build what is missing of one module."""
        programs = [] if plugins_only else self.missing_programs(module)
        plugins = self.missing_plugins(module)
        if not programs and not plugins:
            return
        for folder in (self.bin, self.plugins):
            folder.mkdir(parents=True, exist_ok=True)
        _require_space(self.bin)
        work = _Work(self.go, module, go_environment(environment))
        # All at once, so that all cores stay busy and what is shared is compiled once.
        packages = [*(module.program_packages if programs else ()), *(module.plugin_packages if plugins else ())]
        with scratch_folder(self.bin.parent) as part:
            work.compile(packages, part)
            if programs:
                work.copy_scripts(part)
            for target in (*programs, *plugins):
                (part / target.name).replace(target)

    def missing_programs(self, module: Module) -> list[Path]:
        """Return the module's missing programs and scripts."""
        scripts = [path.rpartition("/")[2] for _, path in module.scripts]
        return [self.bin / name for name in (*module.programs, *scripts) if not (self.bin / name).is_file()]

    def missing_plugins(self, module: Module) -> list[Path]:
        """Return the module's missing plugins."""
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
        with meter(f"Compiling Pulumi ({self.module.folder.name})", unit="packages") as shown:
            compiled = Counter(shown, len(stale))
            command = ["build", "-v", "-o", f"{part}/", *flags, *packages]
            self._run(command, BUILD_TIMEOUT_SECONDS, compiled.see)

    def copy_scripts(self, part: Path) -> None:
        for source, path in self.module.scripts:
            lines = self._run(["list", "-m", "-f", "{{.Dir}}", source], _LIST_TIMEOUT_SECONDS)
            target = part / path.rpartition("/")[2]
            shutil.copyfile(Path(lines[-1]) / path, target)
            target.chmod(0o755)

    def _list_stale(self, arguments: list[str]) -> list[str]:
        """Download the modules that are needed, and list the packages that Go's cache lacks."""
        with meter(f"Downloading Go modules ({self.module.folder.name})", unit="modules") as shown:
            downloads = Counter(shown, 0, prefix="go: downloading ")
            command = ["list", "-deps", "-f", "{{if .Stale}}{{.ImportPath}}{{end}}", *arguments]
            for left in reversed(range(_LIST_ATTEMPTS)):
                try:
                    lines = self._run(command, _LIST_TIMEOUT_SECONDS, downloads.see)
                    break
                except UserError:
                    # A registry often fails for a moment; what was downloaded stays in Go's cache.
                    if not left:
                        raise
        return [line for line in lines if line and not line.startswith("go: ")]

    def _run(
        self,
        arguments: list[str],
        timeout: float,
        on_line: Callable[[str], object] = lambda _: None,
    ) -> list[str]:
        argv = [str(self.go), *arguments]
        try:
            return run_lines(argv, cwd=self.module.folder, env=self.env, timeout=timeout, on_line=on_line)
        except CommandError as error:
            raise UserError(
                f"`go {arguments[0]}` {error.reason} in {self.module.folder}.",
                cause=error.tail,
                remedy="Run the same command again: it continues where this one ended. "
                "`./dashtam doctor` checks what it needs.",
            ) from error


class Counter:
    """Counts the lines of Go's output that have a prefix, and moves a meter; a total of 0 is unknown."""

    def __init__(self, shown: Meter, total: int, *, prefix: str = "") -> None:
        self._shown = shown
        self._total = total
        self._prefix = prefix
        self._seen = 0

    def see(self, line: str) -> None:
        """Count a line if it has the prefix."""
        if not line or not line.startswith(self._prefix):
            self._shown.tick()
            return
        self._seen += 1
        last = self._total > 0 and self._seen >= self._total
        self._shown.update(self._seen, self._total, "linking" if last else line.removeprefix(self._prefix))


def go_environment(base: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for builds: no C compiler, no other Go, no workspace, and go.sum binding."""
    return {**base, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": "-mod=readonly"}


def _require_space(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < _FREE_BYTES:
        raise UserError(
            f"Only {free / 1e9:.1f} GB are free where {folder} is.",
            cause=f"Building Pulumi takes up to {_FREE_BYTES / 1e9:.0f} GB.",
            remedy="Free some space, or set DASHTAM_CACHE_HOME, GOCACHE and GOMODCACHE to folders on a larger disk.",
        )
