"""The Docker engine that the provider will use: whether it answers and what it has, before anything is declared."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from infra.exec_output import keep_output

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import docker
    from docker import APIClient

DEFAULT_HOST = "unix:///var/run/docker.sock"
TIMEOUT = 5.0
"""Seconds."""

ANSWER_SECONDS = 60

NO_IMAGE = "dashtam/none:none"

PODMAN = "Podman Engine"
"""A component of Podman's version; it gives another ID at each request."""

NOT_PODMAN = (
    "Podman refuses the folders in memory with an owner that the databases need (tmpfs with uid).",
    (
        "Use Docker, rootless too: https://docs.docker.com/engine/install/; and unset DOCKER_HOST, or choose its"
        " context: `docker context use default`."
    ),
)
"""Why Podman can't be used, tried with 4.3 and reported of 5.6; and the remedy."""

SCHEMES = ("unix", "tcp", "http", "https", "npipe", "http+unix")
"""Those of addresses at which an engine can be used."""

WRITTEN = "Write unix:///var/run/docker.sock or tcp://HOST:PORT."

SSH = (
    "Forward its socket: `ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock {address}`, and set"
    " DOCKER_HOST=unix:///tmp/docker.sock."
)

PROCESSES = 1024
"""How many processes and threads a service's container may have. The plugin has no such limit, and a ulimit would count
those of its user in every container of every environment."""

SHM_MEGABYTES = 64
"""Mebibytes of /dev/shm that an engine gives a container."""

KEYS_IN_USE = ("psql", "-XAtqc", "SELECT DISTINCT master FROM token_keys", "service=dashtam")
NO_TABLE = 'relation "token_keys" does not exist'


class EngineError(Exception):
    """No engine answers; the text names the cause and the remedy."""


@dataclass(frozen=True)
class EngineObject:
    """A container, service, network or volume."""

    kind: str
    """`container`, `service`, `network` or `volume`."""
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Inventory:
    """An engine or a Swarm, and everything that is on it."""

    id: str
    """Empty where it has no lasting one."""
    objects: tuple[EngineObject, ...] = ()
    published: Mapping[str, str] = field(default_factory=dict)
    """What a Swarm's nodes pull images by, by reference: those in the registry of the config."""
    is_podman: bool = False


def require() -> None:
    """Make sure that the engine that the provider will use accepts connections, at a local socket or a TCP address."""
    if (context := os.environ.get("DOCKER_CONTEXT")) and context != "default":
        raise EngineError(
            f"DOCKER_CONTEXT={context} is set, which leads Pulumi's provider past DOCKER_HOST to an engine that isn't"
            ' checked here. Run `eval "$(./dashtam env)"`, which sets DOCKER_HOST to that context\'s engine, or unset'
            " DOCKER_CONTEXT."
        )
    host = os.environ.get("DOCKER_HOST") or DEFAULT_HOST
    if refusal := unsupported(host):
        shown = f"ssh://{_login(host)}" if host.startswith("ssh://") else host
        raise EngineError(f"DOCKER_HOST={shown} is not supported: {' '.join(refusal)}") from None
    try:
        address = urlsplit(host)
        if address.scheme == "unix":
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(TIMEOUT)
                connection.connect(address.path)
        elif address.scheme == "tcp":
            socket.create_connection((address.hostname or "localhost", address.port or 2375), TIMEOUT).close()
    except OSError as error:
        raise EngineError(
            f"No Docker engine answers at {host}: {error.strerror or error}. {_remedy(error)}"
            " `./dashtam doctor` shows more."
        ) from None


def unsupported(host: str) -> tuple[str, str] | None:
    """Return why an engine's address can't be used, and the remedy; None where it can."""
    scheme, found, _ = host.partition("://")
    if found and scheme == "ssh":
        return "this program speaks with engines over sockets and TCP, not over ssh.", SSH.format(address=_login(host))
    if not found or scheme not in SCHEMES or not _is_whole(host):
        return "it is not a socket's absolute path or a TCP address.", WRITTEN
    return None


def _is_whole(host: str) -> bool:
    """Return whether an address has what its kind needs, and nothing that a shell or an editor left around it."""
    try:
        address = urlsplit(host)
        if address.scheme in {"unix", "http+unix"}:
            return host == host.strip() and not address.netloc and len(address.path) > 1
        return address.scheme == "npipe" or (bool(address.hostname) and address.port != 0)
    except ValueError:
        return False


def _login(host: str) -> str:
    """Return what `ssh` takes for a URL: without its path, and without a password, which is nobody's to see."""
    _, _, address = host.partition("://")
    user, at, place = address.partition("/")[0].rpartition("@")
    name, colon, port = place.partition(":")
    return f"{f'-p {port} ' if colon else ''}{user.partition(':')[0]}{at}{name}"


def _remedy(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return (
            "This user may not use it: add it to the docker group (`sudo usermod -aG docker $USER`, then log in again)."
        )
    return "Start Docker Desktop or the docker service; `./dashtam up` installs and starts one where it may."


def connect(environ: Mapping[str, str] = os.environ) -> docker.DockerClient:
    """Return a client of the engine that variables name, by default of the one that the provider will use."""
    from docker.errors import DockerException  # noqa: PLC0415 - slow to import, and commands bring a client of their own

    try:
        return client_of(environ)
    except DockerException as error:
        host = environ.get("DOCKER_HOST") or DEFAULT_HOST
        raise EngineError(f"The Docker engine at {host} can't be used: {error}.") from None
    except (AttributeError, TypeError) as error:  # the SDK expects objects and texts wherever Docker writes them
        file = f"{environ.get('DOCKER_CONFIG') or '~/.docker'}/config.json"
        raise EngineError(f"{file} has a value of the wrong type: {error}. Correct or delete the file.") from None


def client_of(environ: Mapping[str, str], seconds: int = ANSWER_SECONDS) -> docker.DockerClient:
    """Return a client of the engine that variables name; it waits so long for one answer.

    An engine over TLS is verified with its own CA alone. REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE, which are for public
    servers, would replace that one (github.com/psf/requests/issues/3829).
    """
    import docker  # noqa: PLC0415 - see above
    from docker.constants import DEFAULT_DOCKER_API_VERSION  # noqa: PLC0415
    from docker.tls import TLSConfig  # noqa: PLC0415

    class OwnCa(TLSConfig):
        def configure_client(self, client: docker.APIClient) -> None:
            super().configure_client(client)
            merge = client.merge_environment_settings
            # Only where a request names no CA are the variables read.
            client.merge_environment_settings = lambda url, proxies, stream, verify, cert: merge(  # type: ignore[method-assign]
                url, proxies, stream, client.verify if verify is None else verify, cert
            )

    tls: TLSConfig | bool = False
    if environ.get("DOCKER_TLS_VERIFY"):
        folder = Path(environ.get("DOCKER_CERT_PATH") or Path.home() / ".docker")
        pair = (str(folder / "cert.pem"), str(folder / "key.pem"))
        tls = OwnCa(client_cert=pair, ca_cert=str(folder / "ca.pem"), verify=True)
    host = environ.get("DOCKER_HOST") or DEFAULT_HOST
    client = docker.DockerClient(host, DEFAULT_DOCKER_API_VERSION, tls=tls, timeout=seconds)
    keep_output(client.api)
    # No proxy is between this and a socket; to look for one takes a third of a request.
    client.api.trust_env = not host.startswith("unix://")
    _agree_on_version(client.api)
    return client


def _agree_on_version(api: APIClient) -> None:
    """Use an engine's version of the API, but no newer one than the SDK knows, unless the engine requires it.

    It is found by one small request, as Docker's own clients find it. The SDK asks for all versions, for which the
    engine starts programs; so it does where a proxy drops the header.
    """
    from docker.constants import DEFAULT_DOCKER_API_VERSION as NEWEST  # noqa: PLC0415 - see above
    from docker.errors import DockerException  # noqa: PLC0415
    from docker.utils import version_lt  # noqa: PLC0415

    sdk: Any = api  # its stubs don't know what follows
    try:
        answer = api.get(f"{api.base_url}/v{NEWEST}/_ping", timeout=api.timeout)
        version = answer.headers.get("Api-Version") or sdk._retrieve_server_version()  # noqa: SLF001
        if version_lt(NEWEST, version):
            # The engine's minimum is newer: what it answers then may lack fields (moby/moby#50832).
            is_refused = answer.status_code == HTTPStatus.BAD_REQUEST
            version = api.version(api_version=False).get("MinAPIVersion", version) if is_refused else NEWEST
    except (OSError, ValueError) as error:  # those of requests too
        raise DockerException(f"Error while fetching server API version: {error}") from error
    sdk._version = version  # noqa: SLF001


def not_mountable(client: docker.DockerClient, folder: Path) -> str:
    """Return why an engine can't mount a folder of this computer; empty where it can.

    Nothing is made: Docker looks for the mounts of a container before it looks for the image, which doesn't exist. An
    engine that looks for the image first counts as one that can.
    """
    from docker.errors import APIError, ImageNotFound  # noqa: PLC0415 - see above
    from docker.types import Mount  # noqa: PLC0415

    mount = Mount("/mnt", str(folder), type="bind", read_only=True)
    try:
        client.api.create_container(NO_IMAGE, ["true"], host_config=client.api.create_host_config(mounts=[mount]))
    except ImageNotFound:
        return ""
    except APIError as error:
        return str(error.explanation or "") if error.status_code == HTTPStatus.BAD_REQUEST else ""
    return ""


def take_inventory(client: docker.DockerClient) -> Inventory:
    """Return what an engine has."""
    version = client.api.version(api_version=False)
    podman = is_podman(version)
    found = (*_containers(client), *networks(client), *volumes(client))
    return Inventory("" if podman else client.api.info().get("ID", ""), found, is_podman=podman)


def is_podman(version: Mapping[str, Any]) -> bool:
    """Return whether Podman serves Docker's API, by the version that it reports."""
    return any(one.get("Name") == PODMAN for one in version.get("Components") or ())


def keys_in_use(client: docker.DockerClient, container: str) -> set[str] | None:
    """Return the token keys that rows of a database need; None where its container doesn't run."""
    from docker.errors import APIError  # noqa: PLC0415 - see above

    try:
        execution = client.api.exec_create(container, list(KEYS_IN_USE))["Id"]
        output = client.api.exec_start(execution).decode(errors="replace")
        failed = client.api.exec_inspect(execution)["ExitCode"] != 0
    except APIError:
        return None
    if failed:
        return set() if NO_TABLE in output else None
    return set(output.split())


def limit_processes(client: docker.DockerClient, container: str, restart: str) -> str:
    """Limit the processes of a container by its own control group; return why that isn't possible, or nothing.

    `restart` is its restart policy, which Podman would forget otherwise.
    """
    from docker.errors import DockerException  # noqa: PLC0415 - see above

    api = client.api
    try:
        answer = api.post(
            f"{api.base_url}/v{api.api_version}/containers/{container}/update",
            json={"PidsLimit": PROCESSES, "RestartPolicy": {"Name": restart}},
            timeout=api.timeout,
        )
    except (DockerException, OSError) as error:
        return str(error)
    if answer.status_code == HTTPStatus.NOT_FOUND:
        return "it does not exist any more. `pulumi up --refresh` makes it again."
    return "" if answer.ok else answer.text.strip()


def last_lines(container: str, count: int) -> str:
    """Return the last lines of a container's log; empty where it can't be read."""
    from docker.errors import DockerException  # noqa: PLC0415 - see above

    with suppress(EngineError, DockerException, OSError):
        return connect().api.logs(container, tail=count).decode(errors="replace").strip()
    return ""


def networks(client: docker.DockerClient) -> list[EngineObject]:
    """Return an engine's networks."""
    return [EngineObject("network", one["Name"], one["Labels"] or {}) for one in client.api.networks()]


def volumes(client: docker.DockerClient) -> list[EngineObject]:
    """Return an engine's volumes."""
    return [EngineObject("volume", one["Name"], one["Labels"] or {}) for one in client.api.volumes()["Volumes"] or ()]


def _containers(client: docker.DockerClient) -> Iterator[EngineObject]:
    for one in client.api.containers(all=True):
        for name in one["Names"] or ():
            yield EngineObject("container", name.removeprefix("/"), one["Labels"] or {})
