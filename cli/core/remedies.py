"""Ways out of what the engine and the services say, told in their words."""

from __future__ import annotations

from collections.abc import Mapping

REMEDIES: Mapping[str, str] = {
    "port is already allocated": "Another container publishes that port: `docker ps` shows which. Stop it, or give the"
    " service another port: in the stack's config, or by another environment (`./dashtam up dev --name NAME`).",
    "address already in use": "Another process listens on that port: `ss -ltnp` shows which. Stop it, or give the"
    " service another port: in the stack's config, or by another environment (`./dashtam up dev --name NAME`).",
    "is already in use by container": "Remove or rename that container if it isn't needed.",
    **dict.fromkeys(
        ["no space left on device", "no space is left on its disk", "can't write to its disk"],
        "Free some disk space; `docker system df` shows what the engine holds. Data that is kept in memory has the room"
        " that `tmpfs_size` in the config gives it.",
    ),
    "unable to pull image dashtam-debian/": "Build the base images: `./dashtam images build`.",
    "unable to pull image": "See whether the registry can be reached, or build from Debian packages:"
    " `./dashtam images source debian`.",
}
"""By a part of what is said, in small letters."""


def known(*said: str) -> str:
    """Return the way out of what was said."""
    texts = [text.lower() for text in said]
    return next((remedy for text in texts for mark, remedy in REMEDIES.items() if mark in text), "")
