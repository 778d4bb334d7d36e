"""Finding the browser that the browser tests drive, and installing Debian's."""

from __future__ import annotations

import os
import platform
import shutil

from cli.core import apt
from cli.core.errors import UserError
from cli.core.file_lock import exclusively
from cli.core.paths import cache_home
from cli.core.process import CommandError
from cli.ui.console import announce
from cli.ui.progress import meter

VARIABLE = "DASHTAM_CHROMIUM"
"""Names another browser than the `chromium` on PATH; the tests read it too."""

_PACKAGES = ("chromium", "libnss3-tools", "fonts-dejavu-core")
_ELSEWHERE = "`./dashtam test ci` runs the browser tests inside a container, on any machine with an engine."


def can_run() -> bool:
    """Return whether this kind of machine can: only on Linux can Chromium trust a CA for one run."""
    return platform.system() == "Linux"


def require_browser(*, install: bool) -> None:
    """Make sure of a browser and of certutil, which are installed where that is allowed."""
    if not can_run():
        raise UserError(
            f"The browser tests can't run on {platform.system()} itself.",
            cause="They trust the environment's CA for one run, through a database that Chromium reads on Linux only.",
            remedy=_ELSEWHERE,
        )
    missing = _missing()
    if not missing:
        return
    if not install or not apt.usable():
        raise _refusal(missing, install=install)
    with exclusively(
        cache_home() / "browser.lock", "Another command is installing the browser; waiting for it.", announce
    ):
        if _missing():
            _install()


def _missing() -> list[str]:
    chosen = os.environ.get(VARIABLE)
    if chosen and shutil.which(chosen) is None:
        raise UserError(
            f"{VARIABLE}={chosen} is not a program.",
            remedy=f"Set it to Chromium's or Chrome's path, or unset {VARIABLE}.",
        )
    return [name for name in (chosen or "chromium", "certutil") if shutil.which(name) is None]


def _refusal(missing: list[str], *, install: bool) -> UserError:
    has_apt = shutil.which("apt-get") is not None
    own = f"`{apt.command(_PACKAGES)}`" if has_apt else "Install Chromium and NSS's certutil"
    reason = "." if install else ", and --no-install forbids to install anything."
    return UserError(
        f"The browser tests need programs that aren't on PATH: {' and '.join(missing)}{reason}",
        cause="They drive Chromium as the distribution packages it, and certutil makes it trust the environment's CA.",
        remedy=f"{own}; another Chromium or Chrome is used if {VARIABLE} names its path. {_ELSEWHERE}",
    )


def _install() -> None:
    announce(f"The browser tests need a browser; installing Debian's: {apt.command(_PACKAGES)}")
    try:
        with meter("Installing the browser") as shown:
            apt.install(_PACKAGES, shown.tick)
    except CommandError as error:
        raise UserError(
            "Debian's browser can't be installed.",
            cause=error.tail,
            remedy=f"Run `{apt.command(_PACKAGES)}` until it succeeds, or set {VARIABLE} to the path of a Chromium or"
            f" Chrome. {_ELSEWHERE}",
        ) from error
