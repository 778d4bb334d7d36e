"""Why making an image failed, found in the output of the tools."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import requests
from docker.errors import DockerException

from cli.core import remedies
from cli.core.errors import UserError
from infra import proxies

TAIL = 12
"""How many last lines of a tool's output are shown."""

OTHER_SOURCE = "Where an image registry can be reached: `./dashtam images source registry`."


def explained(what: str, lines: list[str]) -> UserError:
    """Return an error that names the cause, with the last lines of the output."""
    what += _unreachable_proxy()
    tail = [text for line in lines for text in line.splitlines() if text.strip()][-TAIL:]
    output = "\n".join(tail)
    if known := remedies.find(output, images=True):
        reason = f"{known.cause}. The" if known.cause else "The"
        return UserError(what, cause=f"{reason} last lines were:\n{output}", remedy=known.text)
    return UserError(
        what, cause=f"the last lines were:\n{output}", remedy=f"Run the same command again. {OTHER_SOURCE}"
    )


def _unreachable_proxy() -> str:
    names = ", ".join(proxies.only_here())
    # A build has a loopback of its own.
    return f" without the proxy of {names}, which listens on this machine's loopback alone" if names else ""


@contextmanager
def engine_failures(what: str) -> Iterator[None]:
    """Turn an error of the engine, or a lost connection to it, into an explained one."""
    try:
        yield
    except (DockerException, requests.RequestException) as error:
        raise explained(what, [str(error)]) from error
