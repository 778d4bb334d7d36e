"""Building the toolchain from its Go modules: once for each machine, resumable, by one run at a time."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.filesize import decimal

from cli.core.atomic_files import scratch_folder
from cli.core.errors import UserError
from cli.core.process import CommandError, run_lines
from cli.machine.toolchain import Module
from cli.ui.progress import Meter, meter

_BUILD_TIMEOUT_SECONDS = 3600
"""Ten times what two cores take: only a build that hangs reaches it."""

_LIST_TIMEOUT_SECONDS = 1800
_LIST_ATTEMPTS = 4
_FREE_BYTES = 5 * 10**9
_COLLECTOR = {"GOGC": "off", "GOMEMLIMIT": "1GiB"}
"""The compiler collects garbage only near a limit for each of its processes: that takes a third of the time away."""


@dataclass(frozen=True)
class Builder:
    """Builds one module with a `go` command: programs into `bin`, plugins into `plugins` of a folder."""

    go: Path
    module: Module
    folder: Path

    def build(self, *, plugins_only: bool) -> None:
        """Build what is missing."""
        programs = [] if plugins_only else self._missing("bin", self.module.commands)
        plugins = self._missing("plugins", self.module.plugins)
        if not programs and not plugins:
            return
        _require_space(self.folder)
        # All at once, so that all cores stay busy and what is shared is compiled once.
        packages = [
            *(self.module.program_packages if programs else ()),
            *(self.module.plugin_packages if plugins else ()),
        ]
        with scratch_folder(self.folder) as part:
            self._compile(packages, part)
            if programs:
                self._copy_scripts(part)
            for target in (*programs, *plugins):
                (part / target.name).replace(target)

    def _missing(self, kind: str, names: Sequence[str]) -> list[Path]:
        folder = self.folder / kind
        folder.mkdir(parents=True, exist_ok=True)
        return [folder / name for name in names if not (folder / name).is_file()]

    def _compile(self, packages: list[str], part: Path) -> None:
        # What debuggers need is left out where it would be made, not only where it is linked.
        flags = ["-trimpath", "-gcflags=all=-dwarf=false", "-ldflags", f"-s -w {self.module.ldflags}".strip()]
        stale = self._list_stale([*flags, *packages])
        with meter(f"Compiling Pulumi ({self.module.folder.name})", unit="packages") as shown:
            command = ["build", "-v", "-o", f"{part}/", *flags, *packages]
            self._run(command, _BUILD_TIMEOUT_SECONDS, counter(shown, len(stale)))

    def _list_stale(self, arguments: list[str]) -> list[str]:
        """Download the modules that are needed, and list the packages that Go's cache lacks."""
        command = ["list", "-deps", "-f", "{{if .Stale}}{{.ImportPath}}{{end}}", *arguments]
        with meter(f"Downloading Go modules ({self.module.folder.name})", unit="modules") as shown:
            count = counter(shown, 0, prefix="go: downloading ")
            for left in reversed(range(_LIST_ATTEMPTS)):
                try:
                    lines = self._run(command, _LIST_TIMEOUT_SECONDS, count)
                    break
                except UserError:
                    # A registry often fails for a moment; what was downloaded stays in Go's cache.
                    if not left:
                        raise
        return [line for line in lines if line and not line.startswith("go: ")]

    def _copy_scripts(self, part: Path) -> None:
        for source, path in self.module.scripts.items():
            lines = self._run(["list", "-m", "-f", "{{.Dir}}", source], _LIST_TIMEOUT_SECONDS)
            target = part / Path(path).name
            shutil.copyfile(Path(lines[-1]) / path, target)
            target.chmod(0o755)

    def _run(
        self, arguments: list[str], timeout: float, on_line: Callable[[str], object] = lambda _: None
    ) -> list[str]:
        argv = [str(self.go), *arguments]
        try:
            return run_lines(argv, cwd=self.module.folder, env=go_environment(), timeout=timeout, on_line=on_line)
        except CommandError as error:
            raise UserError(
                f"`go {arguments[0]}` {error.reason} in {self.module.folder}.",
                cause=error.tail,
                remedy="Run the same command again: it continues where this one ended. "
                "`./dashtam doctor` checks what it needs.",
            ) from error


def counter(shown: Meter, total: int, *, prefix: str = "") -> Callable[[str], None]:
    """Return a function that counts lines with a prefix and moves a meter; a total of 0 is unknown."""
    seen = 0

    def count(line: str) -> None:
        nonlocal seen
        if not line or not line.startswith(prefix):
            shown.tick()
            return
        seen += 1
        shown.update(seen, total, "linking" if 0 < total <= seen else line.removeprefix(prefix))

    return count


def go_environment() -> dict[str, str]:
    """Return the environment for builds: no C compiler, no other Go, no workspace, and go.sum binding."""
    fixed = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": "-mod=readonly"}
    return {**_COLLECTOR, **os.environ, **fixed}


def _require_space(folder: Path) -> None:
    room = shutil.disk_usage(folder).free
    if room < _FREE_BYTES:
        free = decimal(room)
        raise UserError(
            f"Only {free} are free where {folder} is.",
            cause=f"Building Pulumi takes up to {decimal(_FREE_BYTES)}.",
            remedy="Free some space, or set DASHTAM_CACHE_HOME, GOCACHE and GOMODCACHE to folders on a larger disk.",
        )
