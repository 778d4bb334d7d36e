"""The properties of a container as Pulumi's state records them and as the engine has them, in the same words.

Recorded inputs are compared with the engine directly: the plugin's refresh takes seconds, and reads neither environment
variables nor labels nor networks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cli.core.durations import seconds
from infra.engine import PROCESSES, SHM_MEGABYTES

NONE = "none"
HIDDEN = "another value"
"""Shown instead of a value that somebody set by hand, which may be a secret. Recorded values hold none."""

Change = tuple[str, str, str]
"""The property, what it was, and what it is."""

_NANOSECONDS = 1e9
_MEGABYTE = 1 << 20
_UNDECLARED = ("NanoCpus", "CpuShares", "CpuPeriod", "CpuQuota", "CpusetCpus", "MemoryReservation", "PidsLimit")
"""What `docker update` can set and the program doesn't."""
_MUTABLE = frozenset({"state", "name", "memory", "memorySwap", "restart", *_UNDECLARED})
"""What can change of a container that stays the same one; everything else is fixed when it is made."""
_UNSET = (None, 0, -1, "")
_SET = {"PidsLimit": PROCESSES}
"""What the program sets apart from what Pulumi records, where the engine can."""
_WORDS = {"command": "Cmd", "entrypoints": "Entrypoint", "user": "User"}


def changes(inputs: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[Change]:
    """Compare a container with its record, in what can change while it exists."""
    was, now = _recorded(inputs), _actual(document)
    yield from ((name, was[name], now[name]) for name in was if name in _MUTABLE and was[name] != now[name])
    yield from _networks(inputs, document["NetworkSettings"]["Networks"] or {})


def replacement_changes(inputs: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[Change]:
    """Compare a container that something else made with the record of the one that it replaces, in all else."""
    was, now = _recorded(inputs), _actual(document)
    yield from ((name, was[name], now[name]) for name in was if name not in _MUTABLE and was[name] != now[name])
    yield from _commands(inputs, document["Config"])
    # An image has variables of its own.
    yield from variables(by_name(inputs.get("envs", [])), document["Config"]["Env"] or [], added=False)
    yield from labels(inputs, document["Config"]["Labels"])


def labels(inputs: Mapping[str, Any], actual: Mapping[str, str] | None) -> Iterator[Change]:
    """Compare the labels of a container, network or volume; labels that an image adds don't count."""
    for one in inputs.get("labels", []):
        found = (actual or {}).get(one["label"], NONE)
        if found != one["value"]:
            yield f"label {one['label']}", one["value"], found


def _recorded(inputs: Mapping[str, Any]) -> dict[str, str]:
    capabilities = inputs.get("capabilities", {})
    return {
        "state": "running" if inputs.get("mustRun", True) else "exited (0)",
        "name": inputs["name"],
        "image": inputs["image"],
        "memory": f"{inputs.get('memory', 0)} MB",
        "memorySwap": f"{inputs.get('memorySwap', 0)} MB",
        "shmSize": f"{inputs.get('shmSize', SHM_MEGABYTES)} MB",
        "restart": inputs.get("restart", "no"),
        "ports": _list(_published(one) for one in inputs.get("ports", [])),
        "mounts": _list(_mount({key.lower(): value for key, value in one.items()}) for one in inputs.get("mounts", [])),
        "tmpfs": _pairs(inputs.get("tmpfs")),
        "readOnly": _yes(inputs.get("readOnly")),
        "init": _yes(inputs.get("init")),
        "capabilities added": _list(capabilities.get("adds", [])),
        "capabilities dropped": _list(capabilities.get("drops", [])),
        "securityOpts": _list(inputs.get("securityOpts", [])),
        "ulimits": _list(f"{one['name']} {one['soft']}:{one['hard']}" for one in inputs.get("ulimits", [])),
        "log": _pairs({"driver": inputs.get("logDriver", "json-file"), **inputs.get("logOpts", {})}),
        "healthcheck": _recorded_check(inputs.get("healthcheck")),
        "privileged": "no",
        **dict.fromkeys(_UNDECLARED, NONE),
    }


def _actual(document: Mapping[str, Any]) -> dict[str, str]:
    host, state, log = document["HostConfig"], document["State"], document["HostConfig"]["LogConfig"]
    swap = host["MemorySwap"]
    mounts = [_mount({key.lower(): value for key, value in one.items()}) for one in host.get("Mounts") or []]
    return {
        "state": f"exited ({state['ExitCode']})" if state["Status"] == "exited" else state["Status"],
        "name": document["Name"].lstrip("/"),
        "image": document["Image"],
        "memory": _megabytes(host["Memory"]),
        # A kernel that doesn't count swap has it unlimited, whatever is recorded.
        "memorySwap": _megabytes(host["Memory"] if swap < 0 else swap),
        "shmSize": _megabytes(host.get("ShmSize", SHM_MEGABYTES * _MEGABYTE)),
        "restart": host["RestartPolicy"]["Name"] or "no",
        "ports": _list(_bound(host.get("PortBindings") or {})),
        "mounts": _list([*mounts, *(f"bind {one}" for one in host.get("Binds") or [])]),
        "tmpfs": _pairs(host.get("Tmpfs")),
        "readOnly": _yes(host["ReadonlyRootfs"]),
        "init": _yes(host.get("Init")),
        "capabilities added": _list(host.get("CapAdd") or []),
        "capabilities dropped": _list(host.get("CapDrop") or []),
        "securityOpts": _list(host.get("SecurityOpt") or []),
        "ulimits": _list(f"{one['Name']} {one['Soft']}:{one['Hard']}" for one in host.get("Ulimits") or []),
        "log": _pairs({"driver": log["Type"], **(log["Config"] or {})}),
        "healthcheck": _actual_check(document["Config"].get("Healthcheck")),
        "privileged": _yes(host["Privileged"]),
        **{name: NONE if host.get(name) in (*_UNSET, _SET.get(name)) else str(host[name]) for name in _UNDECLARED},
    }


def _commands(inputs: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[Change]:
    for name, key in _WORDS.items():
        if name in inputs and inputs[name] != config[key]:
            words = inputs[name]
            yield name, words if isinstance(words, str) else " ".join(words), HIDDEN


def variables(was: Mapping[str, str], env: Iterable[str], *, added: bool) -> Iterator[Change]:
    """Compare variables with what the engine has, as `NAME=value` or `NAME`; tell which were `added` if that counts.

    What somebody set by hand may be a secret, and is not shown.
    """
    now = by_name(env)
    for name in sorted({*was, *(now if added else ())}):
        if was.get(name) != now.get(name):
            yield f"env {name}", was.get(name, NONE), HIDDEN if name in now else NONE


def by_name(env: Iterable[str]) -> dict[str, str]:
    """Return variables by name."""
    return dict(one.partition("=")[::2] for one in env)


def _networks(inputs: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Change]:
    wanted = {one["name"]: set(one.get("aliases", [])) for one in inputs.get("networksAdvanced", [])}
    if mode := inputs.get("networkMode"):
        wanted[mode] = set()
    for name in sorted(wanted.keys() | found.keys()):
        if (name in wanted) != (name in found):
            yield f"network {name}", _connection(name in wanted), _connection(name in found)
        elif lost := wanted[name] - set(found[name].get("Aliases") or []):
            yield f"network {name}", f"known as {_list(lost)}", f"not known as {_list(lost)}"


def _connection(there: object) -> str:
    return "connected" if there else "not connected"


def _published(port: Mapping[str, Any]) -> str:
    return f"{port.get('ip', '')}:{port['external']} -> {port['internal']}/{port.get('protocol', 'tcp')}"


def _bound(bindings: Mapping[str, Any]) -> Iterator[str]:
    return (f"{one['HostIp']}:{one['HostPort']} -> {inner}" for inner, outer in bindings.items() for one in outer or [])


def _mount(mount: Mapping[str, Any]) -> str:
    access = " (read-only)" if mount.get("readonly") else ""
    return f"{mount['type']} {mount.get('source', '')} -> {mount['target']}{access}"


def _recorded_check(check: Mapping[str, Any] | None) -> str:
    if not check:
        return NONE
    lengths = (seconds(check.get(name, "0s")) for name in ("interval", "timeout", "startPeriod"))
    return _check(check["tests"], lengths, check.get("retries", 0))


def _actual_check(check: Mapping[str, Any] | None) -> str:
    if not check:
        return NONE
    lengths = (check.get(name, 0) / _NANOSECONDS for name in ("Interval", "Timeout", "StartPeriod"))
    return _check(check["Test"], lengths, check.get("Retries", 0))


def _check(test: Iterable[str], lengths: Iterable[float], retries: int) -> str:
    interval, timeout, start = (f"{length:g} s" for length in lengths)
    return f"{' '.join(test)} (interval {interval}, timeout {timeout}, start {start}, retries {retries})"


def _megabytes(number: int) -> str:
    return f"{number / _MEGABYTE:g} MB"


def _yes(value: object) -> str:
    return "yes" if value else "no"


def _list(values: Iterable[str]) -> str:
    return ", ".join(sorted(values)) or NONE


def _pairs(values: Mapping[str, str] | None) -> str:
    return _list(f"{name} {value}" for name, value in (values or {}).items())
