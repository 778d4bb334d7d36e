"""The browser that the browser tests drive: found, or installed from Debian's packages."""

from __future__ import annotations

import os
import platform
import shutil

from cli.core.errors import UserError
from cli.core.paths import cache_home
from cli.machine import packages
from cli.ui.file_lock import exclusively

VARIABLE = "DASHTAM_CHROMIUM"
"""Names another browser than the `chromium` on PATH; the tests read it too."""

_PACKAGES = ("chromium", "libnss3-tools", "fonts-dejavu-core")
_ELSEWHERE = "`./dashtam test ci` runs the browser tests inside a container, on any machine with an engine."
_WAITING = "Another command is installing the browser; waiting for it."


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
    has_apt = shutil.which("apt-get") is not None
    own = f"`{packages.command(_PACKAGES)}`" if has_apt else "Install Chromium and NSS's certutil"
    remedy = f"{own}; another Chromium or Chrome is used if {VARIABLE} names its path. {_ELSEWHERE}"
    if not install or not packages.usable():
        reason = "." if install else ", and --no-install forbids installing them."
        raise UserError(
            f"The browser tests need programs that aren't on PATH: {' and '.join(missing)}{reason}",
            cause="They drive Chromium as the distribution packages it, and certutil makes it trust the environment's"
            " CA.",
            remedy=remedy,
        )
    with exclusively(cache_home() / "browser.lock", _WAITING):
        if _missing():
            packages.install(_PACKAGES, "the browser for the browser tests", remedy=remedy)


def _missing() -> list[str]:
    chosen = os.environ.get(VARIABLE)
    if chosen and shutil.which(chosen) is None:
        raise UserError(
            f"{VARIABLE}={chosen} is not a program.",
            remedy=f"Set it to Chromium's or Chrome's path, or unset {VARIABLE}.",
        )
    return [name for name in (chosen or "chromium", "certutil") if shutil.which(name) is None]
