"""Reads what a provider put into the address that it sent a person back to (RFC 6749, section 4.1.2)."""

from __future__ import annotations

from starlette.datastructures import QueryParams

from app.linking.schemas import LIMITS


class BadRedirectError(ValueError):
    """The address is not an OAuth redirect; the text says why, without repeating it."""


def read(query: QueryParams) -> dict[str, str]:
    """Return the known parameters that have a value: state, and either code or error."""
    for name, limit in LIMITS.items():
        if len(values := query.getlist(name)) > 1:
            raise BadRedirectError(f"It gives {name} more than once.")
        if any(len(value) > limit for value in values):
            raise BadRedirectError(f"Its {name} is longer than {limit} characters.")
    found = {name: query[name] for name in LIMITS if query.get(name)}
    if "state" not in found:
        raise BadRedirectError("It gives no state.")
    if ("code" in found) == ("error" in found):
        raise BadRedirectError("It must give either a code or an error.")
    return found
