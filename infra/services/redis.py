"""Redis: TLS only, the default user off, an ACL user for the service and one for the sandbox, apart from each other."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pulumi

from infra import credentials
from infra.catalogue import REDIS
from infra.certificates import CIPHERS
from infra.config.sections import RedisSettings
from infra.config.values import megabytes
from infra.endpoints import Login
from infra.naming import SANDBOX
from infra.services.health import repeated
from infra.services.service import Service, Shared
from infra.targets.workload import MOUNT, Workload

PORT = 6379
USER = "dashtam"
SANDBOX_KEYS = "sandbox:"
"""What the names of all keys of the sandbox begin with."""

SANDBOX_COMMANDS = ("get", "set", "del", "sadd", "smembers", "expire", "select", "ping")
"""All that it sends."""

PERSISTENCE = {
    "aof": 'appendonly yes\nappendfsync everysec\nsave ""\n',
    "none": 'appendonly no\nsave ""\n',
}

HEALTH = repeated(
    f'REDISCLI_AUTH="$(cat {MOUNT}/password)" timeout "$limit" redis-cli -e --no-auth-warning'
    f" --tls --cacert {MOUNT}/ca.crt -h localhost --user {USER} ping"
)
"""Authenticated, over TLS; the password is in no argument."""


class Redis(Service):
    """The environment's cache, where the sandbox may keep its data too."""

    def __init__(self, settings: RedisSettings, shared: Shared, *, sandbox: bool) -> None:
        super().__init__(REDIS.name, PORT, settings.port, shared)
        self.login = self._login(USER, REDIS.name, settings)
        self.sandbox_login = self._login(SANDBOX, f"{SANDBOX}-{REDIS.name}", settings) if sandbox else None
        password = self.login.password
        sandbox_password = self.sandbox_login.password if self.sandbox_login else None
        self.run(
            Workload(
                name=REDIS.name,
                base=REDIS,
                command=["redis-server", f"{MOUNT}/redis.conf"],
                readiness=HEALTH,
                memory=settings.memory,
                env={"REDIS_DB": str(settings.database)},
                files={
                    "password": password,
                    "users.acl": pulumi.Output.all(password, sandbox_password).apply(lambda both: acl(*both)),
                    "redis.conf": configuration(settings),
                },
                data=shared.target.data(REDIS, settings, opts=self.child),
            )
        )

    def _login(self, user: str, name: str, settings: RedisSettings) -> Login:
        password = credentials.password(name, opts=self.child).result
        return Login("rediss", self.endpoint, user, password, str(settings.database))


def client_environment(login: Login) -> dict[str, str]:
    """Return how a server logs in as its variables say, with the password in a file."""
    return {
        "REDIS_HOST": login.endpoint.host,
        "REDIS_PORT": str(login.endpoint.port),
        "REDIS_DB": login.database,
        "REDIS_USER": login.user,
        "REDIS_PASSWORD_FILE": f"{MOUNT}/redis-password",
    }


def acl(password: str, sandbox_password: str | None = None) -> str:
    """Return the users file, with the passwords' SHA-256 (Redis manual, ACL).

    The default user is off; the service may do everything but administration; the sandbox reaches its own keys. No
    pattern limits a command that takes no key: so the service may not flush, but it can list the names of all keys.
    """
    service = [*(f"~{pattern}" for pattern in outside(SANDBOX_KEYS)), "&*", "+@all", "-@admin", "-@dangerous"]
    users = ["user default off", _user(USER, password, [*service, "+info", "+keys"])]
    if sandbox_password is not None:
        commands = [f"+{command}" for command in SANDBOX_COMMANDS]
        users.append(_user(SANDBOX, sandbox_password, [f"~{SANDBOX_KEYS}*", *commands]))
    return "".join(f"{user}\n" for user in users)


def outside(prefix: str) -> list[str]:
    """Return ACL patterns of every name that doesn't begin with a prefix, as ACLs have no exceptions.

    For each place in the prefix there is one for names that differ there, and one for names that end there. The prefix
    is of letters, digits and colons.
    """
    heads = [(prefix[:place], prefix[place]) for place in range(len(prefix))]
    return [*(f"{head}[^{letter}]*" for head, letter in heads), *(head for head, _ in heads[1:])]


def _user(name: str, password: str, rules: Sequence[str]) -> str:
    digest = hashlib.sha256(password.encode()).hexdigest()
    return f"user {name} on #{digest} {' '.join(rules)}"


def configuration(settings: RedisSettings) -> str:
    """Return the server's `redis.conf`."""
    limit = megabytes(settings.memory) * 3 // 4
    return (
        f"port 0\ntls-port {PORT}\ntls-auth-clients no\n"
        f"tls-cert-file {MOUNT}/tls.crt\ntls-key-file {MOUNT}/tls.key\ntls-ca-cert-file {MOUNT}/ca.crt\n"
        f'tls-protocols "TLSv1.2 TLSv1.3"\ntls-ciphers {CIPHERS}\naclfile {MOUNT}/users.acl\ndir {REDIS.data}\n'
        f"maxmemory {limit}mb\nmaxmemory-policy noeviction\n{PERSISTENCE[settings.persistence]}"
    )
