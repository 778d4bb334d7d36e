"""Environments beside each other: what each has, and what each keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infra.naming import COMPONENT_LABEL, SERVICES
from infra.outputs import StackOutputs
from tests.system import environments
from tests.system.environments import Environment

if TYPE_CHECKING:
    import docker

    from tests.system.checkout import Checkout


def seen(checkout: Checkout, client: docker.DockerClient, stack: str = "") -> Environment:
    """Return an environment of a checkout as it is now."""
    name = stack or checkout.stack
    outputs = StackOutputs.model_validate(checkout.outputs(name))
    return Environment(name, checkout.root, checkout.tools, outputs, client)


def own(environment: Environment) -> dict[str, str]:
    """Return the ids of all containers of an environment, by component."""
    chosen = environments.labelled(environment.name, environment.environ["DASHTAM_CLONE"])
    found = environment.client.api.containers(all=True, filters=chosen)
    return {one["Labels"][COMPONENT_LABEL]: one["Id"] for one in found}


def is_healthy(environment: Environment) -> bool:
    """Tell whether all services of an environment that run are healthy; their names are its own."""
    named = environment.outputs.containers.model_dump()
    return all(environment.container(service).health == "healthy" for service in SERVICES if named[service])


def places(environment: Environment) -> dict[str, Any]:
    """Return the outputs that say where an environment is."""
    kept = {"network", "containers", "volumes", "ports", "urls", "oauth_redirect_uri"}
    return environment.outputs.model_dump(mode="json", include=kept)


def parts(environment: Environment) -> set[object]:
    """Return every name and port that an environment has to itself."""
    outputs = environment.outputs
    found = {outputs.network, *outputs.volumes.values(), *outputs.containers.model_dump().values()}
    return {*found, *outputs.ports.model_dump().values()} - {None}


def remember(environment: Environment, value: str) -> None:
    """Write something into an environment's database."""
    made = "SET client_min_messages = warning; CREATE TABLE IF NOT EXISTS kept_by_many (value text)"
    filled = f"INSERT INTO kept_by_many VALUES ('{value}')"  # noqa: S608 - our own
    status, said = query(environment, f"{made}; {filled}")
    assert status == 0, said


def remembered(environment: Environment) -> set[str]:
    """Return what was written into an environment's database."""
    status, said = query(environment, "SELECT value FROM kept_by_many")
    assert status == 0, said
    return {*said.split()}


def query(environment: Environment, sql: str) -> tuple[int, str]:
    script = 'PGPASSWORD="$(cat /run/secrets/password)" psql -qtA "$POSTGRES_DB" "$POSTGRES_USER" -c "$1"'
    return environment.execute("postgres", "sh", "-euc", script, "sh", sql)
