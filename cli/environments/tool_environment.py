"""The environment in which Pulumi, Docker and the tests do this clone's work, in any shell."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from cli.environments.clone import Clone
from cli.pulumi import backend
from infra import identity
from infra.loopback import LOCAL

CLONE = "DASHTAM_CLONE"
PROXIES = tuple(spelled for name in ("HTTP", "HTTPS", "ALL") for spelled in (f"{name}_PROXY", f"{name.lower()}_proxy"))


def of(clone: Clone, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the whole environment in which Pulumi uses this clone's state and passphrase.

    A user's own login, backend or passphrase is respected; what another clone's `./dashtam env` set is not.
    """
    own = _without_another_clones(clone, environ)
    own |= {
        CLONE: clone.id,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    if own.get("DOCKER_HOST"):
        own.pop("DOCKER_CONTEXT", None)  # Docker's own clients ignore it then; Pulumi's provider would follow it
    own |= _local_without_proxy(own)
    if not backend.chosen(own, clone.root):
        own[backend.URL] = clone.backend_url
    if not backend.has_passphrase(own):
        own[backend.PASSPHRASE_FILE] = str(clone.passphrase_file)
    return own


def changes(environ: Mapping[str, str]) -> dict[str, str | None]:
    """Return what a shell must set, and with None what it must unset, to have an environment instead of this one."""
    removed = dict.fromkeys(os.environ.keys() - environ.keys())
    return removed | {name: value for name, value in environ.items() if os.environ.get(name) != value}


def _local_without_proxy(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what keeps a proxy away from this machine: Pulumi's parts talk to each other over 127.0.0.1."""
    if not any(environ.get(name) for name in PROXIES):
        return {}
    known = [one for one in (environ.get("no_proxy") or environ.get("NO_PROXY") or "").split(",") if one]
    value = ",".join([*known, *(one for one in LOCAL if one not in known)])
    return {"NO_PROXY": value, "no_proxy": value}


def _without_another_clones(clone: Clone, environ: Mapping[str, str]) -> dict[str, str]:
    other = environ.get(CLONE)
    if other in {None, "", clone.id}:
        return dict(environ)
    theirs = identity.folder(str(other), Path("/"))  # in whichever data home
    ends = {backend.URL: f"{theirs}/state", backend.PASSPHRASE_FILE: f"{theirs}/passphrase"}
    return {name: value for name, value in environ.items() if name not in ends or not value.endswith(ends[name])}
