"""Reads what a provider put into the address that it sent a person back to (RFC 6749, section 4.1.2)."""

from __future__ import annotations

from starlette.datastructures import QueryParams

from app.linking.schemas import LIMITS, LONGEST_PATH


class BadRedirectError(ValueError):
    """The address is not an OAuth redirect; the text says why, without repeating it."""


MOST_WORDS = 300
"""Characters that are shown of words that nobody vouches for."""


def is_redirect(query: QueryParams) -> bool:
    """Return whether an address is one that a provider makes, complete or not."""
    return any(name in query for name in ("state", "code", "error"))


def words(query: QueryParams) -> str:
    """Return what an address gives as the provider's reason, short and printable."""
    given = ": ".join(query[name] for name in ("error", "error_description") if query.get(name))
    return "".join(filter(str.isprintable, given))[:MOST_WORDS]


def read(query: QueryParams, path: str = "/") -> dict[str, str]:
    """Return the known parameters that have a value: state, and either code or error; and the path if it isn't `/`."""
    if len(path) > LONGEST_PATH:
        raise BadRedirectError(f"Its path is longer than {LONGEST_PATH} characters.")
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
    return found if path == "/" else {**found, "path": path}
