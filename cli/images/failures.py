"""Why making an image failed, read from what the tools said."""

from __future__ import annotations

import re

from cli.core.errors import UserError

TAIL = 12
"""How many last lines of a tool's output are shown."""

OTHER_SOURCE = "Where an image registry can be reached: `./dashtam images source registry`."

_KNOWN = (
    (
        r"no space left on device|not enough free space",
        "the disk is full",
        "Free some space (`docker system df` says what images take), then run the same command again.",
    ),
    (
        (
            r"failure resolving|could not resolve|name resolution|unable to connect|connection (timed out|refused)|"
            r"failed getting release file|couldn't download|failed to fetch"
        ),
        "a package couldn't be downloaded",
        "Check the network to the Debian packages, then run the same command again: it goes on where it was.",
    ),
    (
        r"invalid release signature|unknown key|hash sum mismatch|keyring file not available|not signed",
        "the packages' signatures or checksums don't verify",
        "Check the machine's clock and any proxy in between, and update the package debian-archive-keyring.",
    ),
    (
        r"cannot install into target|mounted with (noexec|nodev)|cannot mknod|operation not permitted",
        "this user or file system may not hold a root file system",
        "Set DASHTAM_CACHE_HOME to a folder on a local disk that allows devices and programs, and run as root.",
    ),
)


def explained(what: str, lines: list[str]) -> UserError:
    """Return an error that names the cause, with the last lines of the output."""
    tail = [text for line in lines for text in line.splitlines() if text.strip()][-TAIL:]
    output = "\n".join(tail)
    for pattern, reason, remedy in _KNOWN:
        if re.search(pattern, output, re.IGNORECASE):
            return UserError(what, cause=f"{reason}. The last lines were:\n{output}", remedy=remedy)
    return UserError(
        what, cause=f"the last lines were:\n{output}", remedy=f"Run the same command again. {OTHER_SOURCE}"
    )
