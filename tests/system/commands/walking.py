"""Links an account as a browser would, over HTTPS that is verified with the environment's CA and nothing else."""

from __future__ import annotations

import re
import ssl
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx2

if TYPE_CHECKING:
    from infra.outputs import StackOutputs


@dataclass(frozen=True)
class Walk:
    """What came of it.

    Args:
        visited: Every address on the way, without its query.
        accounts: Who is linked in the end, at which provider.
    """

    visited: list[str]
    accounts: list[tuple[str, str]]


def browser(outputs: StackOutputs, cookies: httpx2.Cookies | None = None) -> httpx2.Client:
    """Return a browser that trusts the environment's CA, with what another one was given to keep."""
    tls = ssl.create_default_context(cadata=outputs.ca_certificate)
    return httpx2.Client(verify=tls, trust_env=False, follow_redirects=True, cookies=cookies)


def accounts(outputs: StackOutputs, person: httpx2.Client) -> list[tuple[str, str]]:
    """Return what the person in front of a browser has linked."""
    linked = _succeed(person.get(f"{outputs.urls.app}/api/v1/connections")).json()["items"]
    return [(one["provider"], one["subject"]) for one in linked]


def link(outputs: StackOutputs, name: str, person: httpx2.Client | None = None) -> Walk:
    """Log in at the environment's provider, and allow the link.

    Args:
        outputs: The environment's outputs.
        name: Who logs in.
        person: The browser; a new one if None.

    Returns:
        The way that it took.
    """
    app = outputs.urls.app
    assert app
    with nullcontext(person) if person else browser(outputs) as used:
        session = _succeed(used.get(f"{app}/api/v1/session")).json()
        allowed = {session["csrf_header"]: session["csrf_token"], "Origin": app}
        started = _succeed(used.post(f"{app}/api/v1/providers/sandbox/connections", headers=allowed)).json()
        steps = [used.get(started["authorization_url"])]
        steps.append(_submit(used, steps[-1], "Log in", {"name": name}))
        steps.append(_submit(used, steps[-1], "Allow", {}))
        linked = accounts(outputs, used)
    visited = [str(one.url.copy_with(query=None)) for step in steps for one in (*step.history, step)]
    return Walk(visited, linked)


def _submit(browser: httpx2.Client, page: httpx2.Response, button: str, fields: dict[str, str]) -> httpx2.Response:
    form = r'<form method="post" action="([^"]+)">(?:(?!</form>).)*<button[^>]*>' + button
    (path,) = re.findall(form, _succeed(page).text, re.DOTALL)
    return _succeed(browser.post(page.url.join(path), data=fields))


def _succeed(response: httpx2.Response) -> httpx2.Response:
    assert response.is_success, (response.url, response.status_code, response.text[:500])
    return response
