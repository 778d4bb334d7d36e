"""What can be wrong with a clone and its environments, looked at without changing anything."""

from __future__ import annotations

import shlex
import stat
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from docker import DockerClient

from cli.core import translate_exception
from cli.core.errors import UserError
from cli.core.paths import ROOT
from cli.engine.connect import connect
from cli.engine.container import ContainerView
from cli.environments import clone as clones
from cli.environments import states, targets
from cli.environments.clone import Clone, require_here
from cli.environments.configuration import configuration, configured_stacks, skipped_files
from cli.images import build, source
from cli.machine import findings
from cli.machine.findings import Finding
from cli.operations.swarm_support import LIMITATIONS
from cli.pulumi.stack_state import SOON_DAYS
from infra import naming


def look() -> list[Finding]:
    """Return the result of every check; one that meets an error has that for its result."""
    found = list(_look("machine", findings.findings))
    found += _look("config", partial(config_findings, ROOT))
    found += _look("swarm", partial(swarm_findings, ROOT))
    client = _client()
    if client:
        found += _look("base images", partial(image_findings, client))
    if here := clones.find():
        found += _look("passphrase", lambda: [passphrase_finding(here)])
        if client:
            found += _look("services", partial(service_findings, client, here))
        for stack in configured_stacks(here.root):
            found += _look(f"state of {stack}", partial(certificate_findings, here, stack))
    return found


def _look(check: str, findings_of: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    try:
        yield from findings_of()
    except Exception as error:
        explained = error if isinstance(error, UserError) else translate_exception.explain(error)
        if explained is None:
            raise
        yield Finding.of(check, explained)


def _client() -> DockerClient | None:
    try:
        return connect()
    except UserError:
        return None  # which is a finding of the machine


def config_findings(root: Path) -> Iterator[Finding]:
    """Look at the config of every environment."""
    for stack in configured_stacks(root):
        yield config_finding(root, stack)
    for name in skipped_files(root):
        yield Finding(
            name,
            ok=False,
            detail="is skipped",
            cause=f"{naming.FORM[:1].upper()}{naming.FORM[1:]}.",
            remedy=f"Rename or delete {root / name}.",
        )


def passphrase_finding(clone: Clone) -> Finding:
    """Look at the file that this clone's secrets are encrypted with."""
    path = clone.passphrase_file
    try:
        require_here(clone)
    except UserError as error:
        return Finding.of("passphrase", error)
    if not path.exists():
        cause = "Without it the state of this clone's environments can't be read."
        remedy = f"Put {path} back from a backup; `./dashtam up` names the way to continue without one."
        return Finding("passphrase", ok=False, detail=f"{path} is missing", cause=cause, remedy=remedy)
    mode = stat.S_IMODE(path.stat().st_mode)
    return Finding(
        "passphrase",
        ok=mode & 0o077 == 0,
        detail=f"{path} has mode {mode:04o}",
        cause="Others on this machine can read it.",
        remedy=f"chmod 600 {shlex.quote(str(path))}",
    )


def config_finding(root: Path, stack: str) -> Finding:
    """Look at an environment's config."""
    check = f"config of {stack}"
    try:
        config = configuration(root, stack)
    except UserError as error:
        return Finding(check, ok=False, detail="not valid", cause=error.cause, remedy=error.remedy)
    exposed = config.network.is_exposed and any(config.ports.values())
    reach = f"; its ports are reachable from the network, on {config.network.bind_address}" if exposed else ""
    return Finding(check, ok=True, detail=f"valid{reach}")


def swarm_findings(root: Path) -> Iterator[Finding]:
    """List what an environment on a Swarm doesn't keep of what one engine does."""
    for stack in targets.on_swarms(root):
        for limit in LIMITATIONS:
            yield Finding(f"Swarm of {stack}", ok=True, detail=limit)


def image_findings(client: DockerClient) -> Iterator[Finding]:
    """Look at the base images."""
    decision = source.explain(client)
    absent = build.missing(client, decision.source)
    yield Finding(
        "base images",
        ok=not absent,
        detail=f"from {decision.source.value} ({decision.reason})",
        cause=f"Not there yet: {', '.join(absent)}.",
        remedy="./dashtam images build",
    )


def service_findings(client: DockerClient, clone: Clone) -> Iterator[Finding]:
    """Look at this clone's containers."""
    for container in targets.view(client).containers(owner=clone.id):
        if container.is_service:
            yield _service(container)


def _service(container: ContainerView) -> Finding:
    checks = f" Last health check: {container.checks[-1][1]}" if container.checks else ""
    return Finding(
        container.name,
        ok=container.is_fine,
        detail=container.health or container.state,
        cause=f"It is {container.state}.{checks}",
        remedy=f"./dashtam logs {container.stack} {container.component}; ./dashtam up {container.stack}",
    )


def certificate_findings(clone: Clone, stack: str) -> Iterator[Finding]:
    """Look at the certificates of an environment that is up, the services' as well as the CA's."""
    state = states.read(clone, stack)
    if state.beginning and state.expiry:
        yield certificate_finding(stack, state.beginning, state.expiry, datetime.now(UTC))


def certificate_finding(stack: str, begins: datetime, ends: datetime, now: datetime) -> Finding:
    """Look at how long an environment's certificates are valid: from the last one's begin to the first one's end."""
    detail = f"valid from {begins:%Y-%m-%d} to {ends:%Y-%m-%d}"
    remedy = f"./dashtam up {stack}"
    if now < begins:
        cause = "They are not valid yet: this machine's clock is behind, or was ahead when they were made."
        remedy = f"Set the clock right, or, if the clock is right now: `./dashtam certs {stack} --renew`"
        return Finding(f"certificates of {stack}", ok=False, detail=detail, cause=cause, remedy=remedy)
    left = (ends - now).days
    cause = "They have expired." if now > ends else f"They expire in {left} days."
    return Finding(f"certificates of {stack}", ok=left > SOON_DAYS, detail=detail, cause=cause, remedy=remedy)
