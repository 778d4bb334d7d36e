"""`dashtam trust`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from cli.commands.parameters import AsJson, Environment, NoInstall, Yes
from cli.core.errors import UserError
from cli.environments import handle, states
from cli.operations import certificates
from cli.trust_stores import authority, trusting
from cli.trust_stores.authority import Authority
from cli.trust_stores.store import Store
from cli.trust_stores.trusting import Stores
from cli.ui import questions
from cli.ui.console import announce, err
from cli.ui.json_result import print_json

WhichStores = Annotated[Stores, typer.Option("--store", help="Only the system's, or only the browsers'.")]

app = typer.Typer(add_completion=False)


@app.command("trust", epilog="Example: ./dashtam trust dev")
def trust(
    environment: Environment,
    *,
    store: WhichStores = Stores.ALL,
    yes: Yes = False,
    no_install: NoInstall = False,
    as_json: AsJson = False,
) -> None:
    """Let this machine and its browsers trust an environment's CA, so that they open its pages without a warning.

    Prints where the CA is added, and asks first. The system's store needs root; `./dashtam untrust` removes the CA.
    """
    here = handle.require(environment)
    pem = certificates.authority(states.read(here, environment))
    if pem is None:
        raise handle.not_running(environment)
    ca = Authority(environment, pem)
    stores = _stores(environment, store, yes=yes, install=not no_install, as_json=as_json)
    earlier = [old for old in authority.trusted(here, environment) if old != ca]
    stale = [(old, one) for old in earlier for one in stores if trusting.may_hold(here, old, one)]
    missing = [one for one in stores if trusting.lacks(here, ca, one)]
    if not missing and not stale:
        announce(f"{environment} is trusted already by {' and '.join(one.place for one in stores)}.")
    else:
        _describe(ca, missing, [old.name for old, _ in stale])
        if not yes:
            questions.confirm(f"Trust {environment}?", as_json=as_json)
        trusting.add(here, ca, missing)
        for old, one in stale:
            trusting.remove(here, old, [one])
    if as_json:
        added = trusting.documents((ca, one) for one in missing)
        print_json({"environment": environment, "added": added, "removed": trusting.documents(stale)})


def _stores(environment: str, which: Stores, *, yes: bool, install: bool, as_json: bool) -> list[Store]:
    stores = trusting.stores(which, yes=yes, install=install, as_json=as_json)
    if not stores:
        raise UserError(
            "No trust store was found.",
            cause="Known are those of Debian, Ubuntu, Fedora, Red Hat, Arch, openSUSE and macOS, Chromium's on Linux,"
            " and Firefox's.",
            remedy=f"`./dashtam env {environment}` names the CA's file, for programs that have a setting for it.",
        )
    return stores


def _describe(ca: Authority, missing: list[Store], stale: list[str]) -> None:
    certificate = ca.certificate
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    err.print(Text(certificate.subject.rfc4514_string(), "bold"))
    announce(f"  SHA-256 fingerprint: {ca.fingerprint}")
    announce(f"  valid: {begins:%Y-%m-%d} to {ends:%Y-%m-%d}")
    announce(f"  name constraints: {ca.constraints}. Its key is in this clone's Pulumi state, encrypted.")
    for one in missing:
        announce(f"  added to {one.place}{', as root' if one.needs_root else ''}")
    for name in stale:
        announce(f"  replaces {name}")
