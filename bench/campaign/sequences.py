"""Sequences of steps: drawn by a seed, written as text, read back, and shrunk."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

SEPARATOR = "; "

VALID, REFUSABLE, INVALID = "valid", "refusable", "invalid"
"""A valid config comes up; a refusable one may be refused, in one message, or comes up with all data; an invalid one is
refused."""

EDITS: Mapping[str, Mapping[str, Sequence[str]]] = {
    VALID: {
        "network.bind_address": ("127.0.0.2",),
        "network.hostname": ("dashtam.localhost",),
        "postgres.memory": ("512m", "2g"),
        "postgres.tmpfs_size": ("128m",),
        "postgres.shm_size": ("128m",),
        "postgres.parameters": ('{"work_mem":"8MB"}',),
        "postgres.preload": ("[pg_stat_statements]",),
        "postgres.port": ("spare1", "null"),
        "redis.memory": ("128m", "384m"),
        "redis.port": ("spare2", "null"),
        "redis.tmpfs_size": ("128m",),
        "app.memory": ("640m", "1g"),
        "app.port": ("spare3",),
        "app.build": ("production",),
        "app.testing": ("true",),
        "callback.memory": ("128m",),
        "callback.port": ("spare5", "null"),
        "sandbox.memory": ("320m",),
        "sandbox.port": ("spare4",),
        "sandbox.enabled": ("false",),
        "providers.other": ('{"preset":"schwab","client_id_file":"CREDENTIAL","client_secret_file":"CREDENTIAL"}',),
        "tokens.keys": ("[k1, k2]",),
        "health.interval": ("5s",),
        "health.timeout": ("3s",),
        "health.retries": ("3",),
        "health.start_interval": ("300ms",),
        "health.wait": ("3m",),
        "containers.restart": ("always", "on-failure"),
        "containers.stop_grace": ("10s",),
        "containers.log_size": ("32m",),
        "certificates.validity_days": ("100",),
        "certificates.renewal_days": ("20",),
        "hooks.healthy": ("[git, status]",),
        "tests.image": ("true",),
        "target.kind": ("engine",),
    },
    REFUSABLE: {
        "postgres.storage": ("tmpfs",),
        "postgres.tuning": ("speed",),
        "postgres.database": ("another",),
        "postgres.user": ("another",),
        "postgres.parameters": ('{"work_mem":"lots"}', '{"max_connections":"20"}'),
        "postgres.preload": ("[nowhere]",),
        "redis.storage": ("tmpfs",),
        "redis.persistence": ("none",),
        "redis.database": ("1",),
        "tokens.keys": ("[k2]", "[k2, k1]"),
        "app.debug": ("false",),
        "app.debugger_port": ("spare6",),
        "app.oauth_redirect_uri": ("https://127.0.0.1:8282/elsewhere",),
        "providers.other": ('{"preset":"schwab","client_id_file":"nowhere","client_secret_file":"CREDENTIAL"}',),
        "network.internal": ("true",),
        "network.bind_address": ("'::1'", "192.0.2.1"),
        "network.hostname": ("nowhere.invalid",),
        "images.source": ("registry",),
        "images.postgres": ("127.0.0.1:9/nowhere/postgres:17.6",),
        "images.redis": ("127.0.0.1:9/nowhere/redis:8.0.2",),
        "images.python": ("127.0.0.1:9/nowhere/python:3.11.7",),
        "images.node": ("127.0.0.1:9/nowhere/node:22.17.0",),
        "hooks.healthy": ("[git, nothing]", "[nowhere]"),
    },
    INVALID: {
        "postgres.memory": ("5", "-1m"),
        "postgres.port": ("0", "70000"),
        "postgres.tmpfs_size": ("1",),
        "postgres.shm_size": ("1",),
        "postgres.parameters": ('{"ssl":"off"}', '{"fsync":"off"}', '{"max_connections":"100000"}'),
        "postgres.preload": ("[../x]",),
        "postgres.storage": ("disk",),
        "postgres.tuning": ("fast",),
        "postgres.database": ("A B",),
        "redis.database": ("16",),
        "redis.persistence": ("rdb",),
        "redis.tmpfs_size": ("1k",),
        "app.build": ("x",),
        "app.debugger_port": ("0",),
        "app.oauth_redirect_uri": ("http://127.0.0.1",),
        "app.unknown": ("1",),
        "callback.memory": ("lots",),
        "callback.port": ("-1",),
        "providers.other": ('{"preset":"none"}', '{"kind":"oidc"}'),
        "tokens.keys": ("[]", "[K1]"),
        "health.interval": ("soon",),
        "health.retries": ("0",),
        "health.wait": ("forever",),
        "containers.restart": ("maybe",),
        "certificates.validity_days": ("1",),
        "images.postgres": ("postgres",),
        "images.redis": ("redis:latest",),
        "hooks.healthy": ("git status", "['']"),
        "tests.image": ("maybe",),
        "target.kind": ("swarm", "cloud"),
        "target.expose": ("true",),
        "target.replicas": ('{"app":2}',),
        "target.data_node": ("node1",),
        "target.nodes": ('{"node1":"unix:///var/run/docker.sock"}',),
        "target.registry": ("127.0.0.1:5000",),
        "target.encrypted": ("false",),
        "target.drain": ("5s",),
        "network.internal": ("perhaps",),
        "network.bind_address": ("localhost",),
        "network.hostname": ("A_B",),
    },
}
"""Values of the config's keys, as YAML; `spareN` is a free port, `CREDENTIAL` a file with one."""

KINDS = (VALID, VALID, VALID, REFUSABLE, REFUSABLE, INVALID)
SERVICES = ("postgres", "redis", "app", "callback", "sandbox")
KILLED = ("up", "up", "down", "destroy", "snapshot", "snapshot-restore", "backup", "restore", "rotate", "pulumi-up")
HOW = ("KILL", "KILL", "KILL-ALL", "KILL-ALL", "TERM", "HUP", "INT")

Draw = Callable[[random.Random], str]


@dataclass(frozen=True)
class Step:
    """One step.

    Args:
        name: Which.
        arguments: What it is done with.
    """

    name: str
    arguments: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return it as it is read back."""
        return " ".join((self.name, *self.arguments))


def _edit(chance: random.Random) -> str:
    kind = chance.choice(KINDS)
    key = chance.choice(sorted(EDITS[kind]))
    return f"{kind} {key}={chance.choice(EDITS[kind][key]).replace(' ', '')}"


def _kill(chance: random.Random) -> str:
    return f"{chance.choice(KILLED)} {chance.random():.2f} {chance.choice(HOW)}"


def _service(chance: random.Random) -> str:
    return chance.choice(SERVICES)


def _one_of(*words: str) -> Draw:
    return lambda chance: chance.choice(words)


CATALOGUE: Mapping[str, tuple[int, Draw | None]] = {
    "up": (10, _one_of("", "twice")),
    "write": (12, None),
    "config": (10, _edit),
    "config-reset": (5, None),
    "code": (3, _one_of("label", "app", "image")),
    "code-reset": (1, None),
    "down": (4, None),
    "destroy": (3, None),
    "seed": (2, None),
    "rotate": (3, None),
    "snapshot": (3, None),
    "snapshot-restore": (4, _one_of("first", "last")),
    "backup": (3, None),
    "restore": (4, _one_of("first", "last")),
    "restart": (2, _service),
    "pulumi": (6, _one_of("up", "up", "refresh", "preview", "destroy", "destroy")),
    "kill": (12, _kill),
    "docker": (
        9,
        lambda chance: f"{chance.choice(('rm', 'rm', 'kill', 'restart', 'stop', 'disconnect'))} {_service(chance)}",
    ),
    "docker-prune": (2, None),
    "docker-remove-files": (2, _service),
    "docker-remove-network": (1, None),
    "occupy": (2, _one_of("volume", "container", "network")),
    "lose-passphrase": (1, None),
    "full-disk": (2, _one_of("snapshot", "destroy")),
    "clock": (2, _one_of("+400d", "-400d", "+3d")),
    "name": (1, None),
    "second": (3, _one_of("up", "plain", "env-up", "env-down", "env-destroy")),
}
"""Steps by name: how often each is drawn, and what with."""

FOLLOWED = frozenset({"config", "code", "code-reset", "down", "destroy", "kill", "docker", "docker-remove-files"})
OFTEN = 0.5
"""How often an update follows at once: without it, what the next steps do would often come to nothing."""

RESTART_ENGINE = "restart-engine"


def generate(seed: int, length: int, *, engine: bool = False) -> list[Step]:
    """Draw a sequence; the same for the same seed.

    Args:
        seed: What it follows from.
        length: How many steps it has.
        engine: Whether the engine may be restarted.
    """
    chance = random.Random(seed)  # noqa: S311 - not a secret
    weights = {name: weight for name, (weight, _) in CATALOGUE.items()} | ({RESTART_ENGINE: 2} if engine else {})
    steps: list[Step] = []
    while len(steps) < length:
        [name] = chance.choices(list(weights), list(weights.values()))
        steps.append(_drawn(name, chance))
        if name in FOLLOWED and chance.random() < OFTEN:
            steps.append(Step("up"))
    return steps[:length]


def _drawn(name: str, chance: random.Random) -> Step:
    draw = CATALOGUE[name][1] if name in CATALOGUE else None
    return Step(name, tuple(draw(chance).split()) if draw else ())


def written(steps: Sequence[Step]) -> str:
    """Return a sequence as text."""
    return SEPARATOR.join(str(step) for step in steps)


def parsed(text: str) -> list[Step]:
    """Return the sequence that a text is.

    Raises:
        ValueError: It names a step that there is not.
    """
    words = [part.split() for part in text.split(SEPARATOR.strip()) if part.strip()]
    for name, *_ in words:
        if name not in {*CATALOGUE, RESTART_ENGINE}:
            raise ValueError(f"{name!r} is not a step; steps: {', '.join(CATALOGUE)}")
    return [Step(name, tuple(arguments)) for name, *arguments in words]


def shrunk(steps: Sequence[Step], fails: Callable[[Sequence[Step]], bool]) -> list[Step]:
    """Drop steps, one after the other and the last first, as long as what is left fails.

    Args:
        steps: A sequence that fails.
        fails: Whether a sequence does.
    """
    left = list(steps)
    for position in reversed(range(len(left))):
        shorter = left[:position] + left[position + 1 :]
        if fails(shorter):
            left = shorter
    return left


def endless(seed: int, length: int, *, engine: bool = False) -> Iterator[tuple[int, list[Step]]]:
    """Yield sequences, each with the seed that it alone follows from."""
    while True:
        yield seed, generate(seed, length, engine=engine)
        seed += 1
