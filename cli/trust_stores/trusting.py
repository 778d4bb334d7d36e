"""Adding CAs to all trust stores of this machine, and removing them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path

from cli.environments.clone import Clone
from cli.trust_stores import authority, browsers, system
from cli.trust_stores.authority import Authority
from cli.trust_stores.store import Store
from cli.ui.console import announce


class Stores(StrEnum):
    """Which trust stores to change."""

    ALL = "all"
    SYSTEM = "system"
    BROWSERS = "browsers"


def stores(which: Stores, *, yes: bool, install: bool, as_json: bool = False) -> list[Store]:
    """Return the stores of this machine; certutil is installed first where browsers need it and it is allowed."""
    if which is not Stores.SYSTEM and browsers.stores(Path.home()):
        browsers.require_certutil(yes=yes, install=install, as_json=as_json)
    return _found(which)


def _found(which: Stores) -> list[Store]:
    found = [] if which is Stores.BROWSERS else system.stores()
    own = [] if which is Stores.SYSTEM else browsers.stores(Path.home())
    return [*found, *own]


def documents(pairs: Iterable[tuple[Authority, Store]]) -> list[dict[str, str]]:
    """Return which CAs are in which stores, for scripts."""
    return [{"authority": ca.name, "store": store.place} for ca, store in pairs]


def lacks(clone: Clone, ca: Authority, store: Store) -> bool:
    """Return whether a store lacks a CA, or may lack it: nothing can look, or a change wasn't finished."""
    return store.holds(ca) is not True or store.place in authority.unfinished(clone, ca)


def may_hold(clone: Clone, ca: Authority, store: Store) -> bool:
    """Return whether a store holds a CA, or may hold it: nothing can look, or a change wasn't finished."""
    return store.holds(ca) is not False or store.place in authority.unfinished(clone, ca)


def add(clone: Clone, ca: Authority, chosen: Sequence[Store]) -> None:
    """Add a CA to stores that lack it; it is recorded first, so that it can be removed after an interruption."""
    file = authority.note(clone, ca)
    for store in chosen:
        with authority.changing(clone, ca, store.place):
            store.add(ca, file)
        announce(f"{ca.environment} is trusted by {store.place}.")


def remove(clone: Clone, ca: Authority, chosen: Sequence[Store]) -> list[Store]:
    """Remove a CA from stores that may hold it; return those that may hold it still."""
    file = authority.note(clone, ca)
    for store in chosen:
        with authority.changing(clone, ca, store.place):
            store.remove(ca, file)
        announce(f"{ca.environment} is no longer trusted by {store.place}.")
    left = [store for store in _found(Stores.ALL) if may_hold(clone, ca, store)]
    if not left:
        authority.forget(clone, ca)
    return left
