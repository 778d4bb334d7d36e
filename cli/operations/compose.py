"""An environment as a compose file (github.com/compose-spec/compose-spec), without a secret in it.

It reads the environment's own secrets and certificates from the volumes that they are installed in, and keeps data of
its own: two servers on one database's files would spoil them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from cli.pulumi.stack_state import CONTAINER, NETWORK, StackState
from infra.engine import PROCESSES
from infra.naming import COMPONENT_LABEL, FILES, NEEDS, SERVICES

_HEADER = """\
# The environment {environment} of Dashtam as a compose file, made by `./dashtam export compose {environment}`.
#
# There is no secret in it. Passwords, keys and certificates are in the volumes named *-files, which `./dashtam up
# {environment}` has made and filled; they are mounted as they are. The images are on this engine for the same reason.
# Its data is its own and starts empty. Its ports are the environment's: stop that one first, or change the ports.
#
# To use it elsewhere, fill volumes of those names by other means. What each must hold, readable for its service alone:
{files}
"""


def render(environment: str, state: StackState) -> str:
    """Return the compose file of an environment."""
    inputs = {
        label["value"]: one.inputs
        for one in state.of(CONTAINER)
        for label in one.inputs["labels"]
        if label["label"] == COMPONENT_LABEL
    }
    services = {name: inputs[name] for name in SERVICES if name in inputs}
    installs = _installs(inputs[FILES]) if FILES in inputs else {}
    files = "\n".join(_files(name, installs[name]) for name in services if name in installs)
    document = {
        "services": {name: _service(name, one, services, state.outputs) for name, one in services.items()},
        "networks": {"default": {"internal": any(one.inputs.get("internal", False) for one in state.of(NETWORK))}},
        "volumes": dict(_volumes(services)),
    }
    text = yaml.safe_dump(_escaped(document), sort_keys=False, width=120, allow_unicode=True)
    return _HEADER.format(environment=environment, files=files) + text


def _installs(inputs: Mapping[str, Any]) -> dict[str, tuple[str, str, list[str]]]:
    """Return the volume, the owner and the names of the files that the installer makes for each service."""
    volumes = {one["target"].rsplit("/", 1)[-1]: one["source"] for one in inputs["mounts"]}
    found: dict[str, tuple[str, str, list[str]]] = {}
    for part in str(inputs["command"][0]).split("; "):
        match part.split():
            case ["install", "-o", uid, "-g", gid, "-m", "0400", source, _]:
                service, name = source.split("/")[-2:]
                found.setdefault(service, (volumes[service], f"{uid}:{gid}", []))[2].append(name)
    return found


def _files(service: str, installed: tuple[str, str, list[str]]) -> str:
    volume, owner, names = installed
    return f"#   {volume} ({service}, owner {owner}, mode 0400): {', '.join(names)}"


def _service(
    name: str, inputs: Mapping[str, Any], services: Mapping[str, Mapping[str, Any]], outputs: Mapping[str, Any]
) -> dict[str, Any]:
    made: dict[str, Any] = {
        "image": (outputs.get("images") or {}).get(name) or inputs["image"],
        "command": inputs["command"],
        "user": inputs["user"],
        "environment": dict(one.partition("=")[::2] for one in inputs.get("envs", [])),
        "depends_on": {other: {"condition": "service_healthy"} for other in NEEDS[name] if other in services},
        "ports": [f"{one['ip']}:{one['external']}:{one['internal']}" for one in inputs.get("ports", [])],
        "volumes": [_mount(one) for one in inputs.get("mounts", [])],
        "tmpfs": [f"{path}:{options}" for path, options in inputs.get("tmpfs", {}).items()],
        "healthcheck": _check(inputs["healthcheck"]),
        **_limits(inputs),
    }
    return {key: value for key, value in made.items() if value not in ({}, [])}


def _limits(inputs: Mapping[str, Any]) -> dict[str, Any]:
    capabilities = inputs.get("capabilities", {})
    return {
        "init": inputs.get("init", False),
        "read_only": inputs.get("readOnly", False),
        "cap_drop": capabilities.get("drops", []),
        "cap_add": capabilities.get("adds", []),
        "security_opt": inputs.get("securityOpts", []),
        "mem_limit": f"{inputs['memory']}m",
        "memswap_limit": f"{inputs['memorySwap']}m",
        "pids_limit": PROCESSES,
        **({"shm_size": f"{inputs['shmSize']}m"} if inputs.get("shmSize") else {}),
        "restart": inputs.get("restart", "no"),
        "stop_grace_period": f"{inputs['destroyGraceSeconds']}s",
        "logging": {"driver": inputs["logDriver"], "options": dict(inputs.get("logOpts", {}))},
    }


def _mount(mount: Mapping[str, Any]) -> dict[str, Any]:
    source = mount["source"] if mount["type"] == "bind" or mount.get("readOnly") else _short(mount["source"])
    return {
        "type": mount["type"],
        "source": source,
        "target": mount["target"],
        **({"read_only": True} if mount.get("readOnly") else {}),
    }


def _short(volume: str) -> str:
    """Return the name of the compose file's own volume in place of one that keeps data."""
    return f"{volume.split('_', 1)[0]}_data"


def _volumes(services: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for inputs in services.values():
        for mount in inputs.get("mounts", []):
            if mount["type"] == "volume" and mount.get("readOnly"):
                yield mount["source"], {"external": True}
            elif mount["type"] == "volume":
                yield _short(mount["source"]), {}


def _check(check: Mapping[str, Any]) -> dict[str, Any]:
    lengths = {"interval": "interval", "timeout": "timeout", "start_period": "startPeriod"}
    return {
        "test": check["tests"],
        **{name: check[key] for name, key in lengths.items() if key in check},
        "retries": check["retries"],
    }


def _escaped(value: Any) -> Any:  # noqa: ANN401 - any part of a document
    """Compose takes `$` for a variable, and `$$` for the character."""
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, dict):
        return {key: _escaped(one) for key, one in value.items()}
    return [_escaped(one) for one in value] if isinstance(value, list) else value
