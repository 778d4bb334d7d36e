"""Redis: TLS only, the default user off, an ACL user for the service and one for the sandbox, apart from each other."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

import pulumi

from infra import credentials, storage
from infra.catalogue import REDIS
from infra.certificates import Certificates
from infra.config.providers import SANDBOX
from infra.config.sections import RedisSettings
from infra.config.values import megabytes
from infra.images import Image
from infra.naming import Naming
from infra.services import service as container
from infra.services.files import MOUNT, FilesArgs, InstalledFiles

NAME = "redis"
PORT = 6379
USER = "dashtam"
SANDBOX_USER = SANDBOX
SANDBOX_KEYS = "sandbox:"
"""What the names of all keys of the sandbox begin with."""

SANDBOX_COMMANDS = ("get", "set", "del", "sadd", "smembers", "expire", "select", "ping")
"""All that it sends."""

DATA = REDIS.data

PERSISTENCE = {
    "aof": 'appendonly yes\nappendfsync everysec\nsave ""\n',
    "none": 'appendonly no\nsave ""\n',
}

HEALTH = (
    f'REDISCLI_AUTH="$(cat {MOUNT}/password)" redis-cli -e --no-auth-warning'
    f" --tls --cacert {MOUNT}/ca.crt -h localhost --user {USER} ping"
)
"""Authenticated, over TLS; the password is in no argument."""


@dataclass(frozen=True)
class RedisArgs:
    """What the cache needs.

    Args:
        settings: Its part of the config.
        image: Its image.
        certificates: The stack's CA and certificates.
        sandbox: Whether the sandbox keeps its data here, too.
    """

    settings: RedisSettings
    image: Image
    certificates: Certificates
    sandbox: bool


class Redis(pulumi.ComponentResource):
    """The environment's cache.

    Args:
        args: What it needs.
        shared: What is the same for all containers.
        opts: Resource options.

    Attributes:
        password: The service's password, secret.
        sandbox_password: The sandbox's, secret; None where there is none.
        volume: The data volume's name; None where the data is forgotten.
        container: The container, healthy.
    """

    def __init__(self, args: RedisArgs, shared: container.Shared, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dashtam:index:Redis", NAME, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        data = _storage(args.settings, shared.naming, child)
        self.volume = data.volume
        self.password = credentials.password(NAME, opts=child).result
        self.sandbox_password = credentials.password(f"{SANDBOX}-{NAME}", opts=child).result if args.sandbox else None
        service = container.ServiceArgs(
            image=args.image.id,
            user=REDIS.user,
            command=["redis-server", f"{MOUNT}/redis.conf"],
            port=PORT,
            host_port=args.settings.port,
            health=HEALTH,
            memory=args.settings.memory,
            files=InstalledFiles(self._files(args, shared), child),
            env={"REDIS_DB": str(args.settings.database)},
            mounts=data.mounts,
            tmpfs=data.tmpfs,
        )
        self.container = container.service(NAME, service, shared, parent=self)
        self.register_outputs({"volume": self.volume})

    def _files(self, args: RedisArgs, shared: container.Shared) -> FilesArgs:
        certificate = args.certificates.services[NAME]
        files: dict[str, pulumi.Input[str]] = {
            "ca.crt": args.certificates.ca,
            "tls.crt": certificate.certificate,
            "tls.key": certificate.key,
            "password": self.password,
            "users.acl": pulumi.Output.all(self.password, self.sandbox_password).apply(lambda both: acl(*both)),
            "redis.conf": configuration(args.settings),
        }
        return FilesArgs(shared.naming, NAME, shared.installer, REDIS.user, files)

    def dsn(self, host: str, port: int, settings: RedisSettings) -> pulumi.Output[str]:
        """Return a URL for clients; the CA to verify with is given apart from it.

        Args:
            host: The host as the client sees it.
            port: The port as the client sees it.
            settings: The cache's part of the config.

        Returns:
            A `rediss://` URL, secret.
        """
        return self.password.apply(
            lambda password: f"rediss://{USER}:{quote(password, safe='')}@{host}:{port}/{settings.database}"
        )


def acl(password: str, sandbox_password: str | None = None) -> str:
    """Return the users file: nobody by default, the service with everything but administration, and the sandbox.

    A command that takes no key knows no bounds. So the service may not flush; it can list the names of all keys.

    Args:
        password: The service's password.
        sandbox_password: The sandbox's; None where there is none.

    Returns:
        An ACL file with the passwords' SHA-256 (Redis manual, ACL).
    """
    service = [*(f"~{pattern}" for pattern in outside(SANDBOX_KEYS)), "&*", "+@all", "-@admin", "-@dangerous"]
    users = ["user default off", _user(USER, password, [*service, "+info", "+keys"])]
    if sandbox_password is not None:
        commands = [f"+{command}" for command in SANDBOX_COMMANDS]
        users.append(_user(SANDBOX_USER, sandbox_password, [f"~{SANDBOX_KEYS}*", *commands]))
    return "".join(f"{user}\n" for user in users)


def outside(prefix: str) -> list[str]:
    """Return what matches every name that doesn't begin with a prefix, as ACLs know no exceptions.

    Args:
        prefix: Letters, digits and colons.

    Returns:
        Patterns: for each place in the prefix one for names that differ there, and one for names that end there.
    """
    heads = [(prefix[:place], prefix[place]) for place in range(len(prefix))]
    return [*(f"{head}[^{letter}]*" for head, letter in heads), *(head for head, _ in heads[1:])]


def _user(name: str, password: str, rules: Sequence[str]) -> str:
    digest = hashlib.sha256(password.encode()).hexdigest()
    return f"user {name} on #{digest} {' '.join(rules)}"


def configuration(settings: RedisSettings) -> str:
    """Return the server's configuration.

    Args:
        settings: The cache's part of the config.

    Returns:
        A `redis.conf`.
    """
    limit = megabytes(settings.memory) * 3 // 4
    return (
        f"port 0\ntls-port {PORT}\ntls-auth-clients no\n"
        f"tls-cert-file {MOUNT}/tls.crt\ntls-key-file {MOUNT}/tls.key\ntls-ca-cert-file {MOUNT}/ca.crt\n"
        f'tls-protocols "TLSv1.2 TLSv1.3"\naclfile {MOUNT}/users.acl\ndir {DATA}\n'
        f"maxmemory {limit}mb\nmaxmemory-policy noeviction\n{PERSISTENCE[settings.persistence]}"
    )


def _storage(settings: RedisSettings, naming: Naming, opts: pulumi.ResourceOptions) -> storage.DataStorage:
    if settings.storage == "volume":
        return storage.durable(naming, NAME, DATA, opts=opts)
    return storage.forgotten(DATA, REDIS.user, megabytes(settings.tmpfs_size))
