"""Opens staged data with the servers that will serve it, and gives it the environment's present secrets.

Nothing is replaced before that has succeeded. `sealed_secrets` tells what becomes of each secret.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from shlex import join, quote

from app.tokens import rekeying
from app.tokens.rekeying import Rekeyed
from app.tokens.vault import MasterKeys
from cli.data import revisions
from cli.data.database import PSQL, identifier, literal
from cli.data.snapshots.helper import VOLUME, Helper
from cli.data.snapshots.volume_swap import STAGED
from cli.engine import streams
from cli.engine.streams import explain_failure
from infra.config.sections import PostgresSettings

ITERATIONS = 4096
SALT_BYTES = 16
"""The values with which PostgreSQL itself makes SCRAM verifiers."""

START_SECONDS = 600
"""How long the recovery of the last writes may take."""

USE_ANOTHER = "Use another snapshot."

DATA = f"{VOLUME}/{STAGED}"
ACCESS = "/tmp/access"  # noqa: S108 - the container's own, in memory

_PARAMETERS = {
    "listen_addresses": "",
    "unix_socket_directories": ACCESS,
    "logging_collector": "off",
    "hba_file": f"{ACCESS}/hba",
    "ident_file": f"{ACCESS}/ident",
    "shared_buffers": "128MB",
    "autovacuum": "off",
    "ssl": "off",
}

ANY_SETTINGS = "PGOPTIONS=-c default_transaction_read_only=off -c statement_timeout=0 -c lock_timeout=0"
"""What a database or a role sets for its sessions must not keep secrets from being replaced."""

STOP_POSTGRES = f"pg_ctl -D {DATA} -w -t {START_SECONDS} -m fast stop > /dev/null; rm -rf {ACCESS}"

LOAD_REDIS = f"""
redis-server --port 0 --unixsocket /tmp/redis.sock --dir {DATA} --appendonly yes --save '' > /tmp/log 2>&1 &
server=$!
ask() {{ redis-cli -s /tmp/redis.sock "$@" 2> /dev/null; }}
while ! ask ping | grep -q PONG; do
    kill -0 "$server" 2> /dev/null || {{ tail -n 20 /tmp/log >&2; exit 1; }}
    sleep 0.05
done
ask shutdown > /dev/null || true
wait "$server"
"""


@dataclass(frozen=True)
class Credentials:
    """The settings of the database, the environment's present password and master keys, and those of the data."""

    postgres: PostgresSettings
    password: str
    present_keys: MasterKeys
    former_keys: MasterKeys | None


def set_current_credentials(helper: Helper, credentials: Credentials) -> Rekeyed:
    """Recover a staged database, and give it the environment's present password and master keys."""
    with (
        explain_failure(
            "PostgreSQL can't start with the snapshot's data; nothing was changed.", USE_ANOTHER, helper.environment
        ),
        _running(helper, credentials.postgres),
    ):

        def query(sql: str) -> str:
            return _query(helper, credentials, sql)

        revisions.require_known(query, "the snapshot")
        done = rekeying.NOTHING
        if query(rekeying.HAS_KEYS) == "t":
            done = rekeying.rekey(query(rekeying.READ), credentials.present_keys, credentials.former_keys)
        owner, password = identifier(credentials.postgres.user), literal(verifier(credentials.password))
        query(f"ALTER ROLE {owner} PASSWORD {password};\n{done.script}")
        return done


def check_redis_loads(helper: Helper) -> None:
    """Load a staged cache as the service loads it."""
    message = "Redis can't load the snapshot's data; nothing was changed."
    with explain_failure(message, USE_ANOTHER, helper.environment):
        helper.script(LOAD_REDIS)


def verifier(password: str, salt: bytes | None = None) -> str:
    """Return PostgreSQL's verifier of a password in ASCII (RFC 5802; PostgreSQL manual, 51.8 pg_authid)."""
    salt = salt or secrets.token_bytes(SALT_BYTES)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    return f"SCRAM-SHA-256${ITERATIONS}:{_text(salt)}${_text(stored)}:{_text(server)}"


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def start_postgres(parameters: Mapping[str, str]) -> str:
    """Return the script that starts the server, with the service's parameters, without which it may refuse the data.

    It listens on a socket only, which nobody else sees, and lets in the container's own user without a password.
    """
    words = (word for name, value in {**parameters, **_PARAMETERS}.items() for word in ("-c", f"{name}={value}"))
    return f"""
rm -f {DATA}/postmaster.pid {DATA}/postmaster.opts
mkdir -m 0700 {ACCESS}
echo 'local all all peer map=helper' > {ACCESS}/hba
echo "helper $(id -un) all" > {ACCESS}/ident
pg_ctl -D {DATA} -w -t {START_SECONDS} -l {ACCESS}/log -o {quote(join(words))} start > /dev/null && exit
tail -n 20 {ACCESS}/log >&2
exit 1
"""


@contextmanager
def _running(helper: Helper, postgres: PostgresSettings) -> Iterator[None]:
    helper.script(start_postgres(postgres.server_parameters))
    yield
    helper.script(STOP_POSTGRES)


def _query(helper: Helper, credentials: Credentials, sql: str) -> str:
    command = ["env", ANY_SETTINGS, *PSQL, "--single-transaction", "-h", ACCESS]
    access = ["-U", credentials.postgres.user, "-d", credentials.postgres.database]
    return streams.run(helper.client, helper.id, [*command, *access], sql.encode()).strip()
