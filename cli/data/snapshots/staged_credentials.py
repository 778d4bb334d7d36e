"""Opens staged data with what will serve it, before anything is replaced, and fits it to the environment's secrets."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from app.linking import rekeying
from app.linking.rekeying import Rekeyed
from app.vault import MasterKeys
from cli.core.errors import UserError
from cli.data import revisions
from cli.data.snapshots.helper import VOLUME, Helper
from cli.data.snapshots.swap import STAGED
from cli.engine.streams import CommandError

ITERATIONS = 4096
SALT_BYTES = 16
"""As PostgreSQL itself makes SCRAM verifiers."""

START_SECONDS = 600
"""How long the recovery of what was written last may take."""

DATA = f"{VOLUME}/{STAGED}"
ACCESS = "/tmp/access"  # noqa: S108 - the container's own, in memory

_PARAMETERS = {
    "listen_addresses": "",
    "unix_socket_directories": ACCESS,
    "hba_file": f"{ACCESS}/hba",
    "ident_file": f"{ACCESS}/ident",
    "shared_buffers": "128MB",
    "autovacuum": "off",
    "ssl": "off",
}
_OPTIONS = " ".join(f"-c {name}={value}" for name, value in _PARAMETERS.items())

START_POSTGRES = f"""
rm -f {DATA}/postmaster.pid {DATA}/postmaster.opts
mkdir -m 0700 {ACCESS}
echo 'local all all peer map=helper' > {ACCESS}/hba
echo "helper $(id -un) all" > {ACCESS}/ident
pg_ctl -D {DATA} -w -t {START_SECONDS} -l {ACCESS}/log -o '{_OPTIONS}' start > /dev/null && exit
tail -n 20 {ACCESS}/log >&2
exit 1
"""
"""On a socket alone, which nobody else sees, and which lets in the container's own user without a password."""

STOP_POSTGRES = f"pg_ctl -D {DATA} -w -t {START_SECONDS} -m fast stop > /dev/null; rm -rf {ACCESS}"

OPEN_REDIS = f"""
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
class Fit:
    """What staged data must fit.

    Args:
        database: The database.
        user: Its owner.
        password: Of the owner, as the environment has it now.
        held: The master keys that the environment has now.
        former: Those of the time of the data; None if there were none.
    """

    database: str
    user: str
    password: str
    held: MasterKeys
    former: MasterKeys | None


def postgres(helper: Helper, fit: Fit) -> Rekeyed:
    """Recover a staged database, and give it the environment's password and master keys.

    Args:
        helper: With the staged data.
        fit: What it must fit.

    Returns:
        What was done with its data keys.

    Raises:
        UserError: It can't be opened.
    """
    with _told("database"), _running(helper):
        revisions.require_known(lambda sql: _query(helper, fit, sql), "the snapshot")
        done = rekeying.NOTHING
        if _query(helper, fit, rekeying.HAS_KEYS) == "t":
            done = rekeying.rekey(_query(helper, fit, rekeying.READ), fit.held, fit.former)
        owner = fit.user.replace('"', '""')
        _query(helper, fit, f"ALTER ROLE \"{owner}\" PASSWORD '{verifier(fit.password)}';\n{done.script}")
        return done


def redis(helper: Helper) -> None:
    """Load a staged cache, as it will be loaded.

    Args:
        helper: With the staged data.

    Raises:
        UserError: It can't be loaded.
    """
    with _told("cache"):
        helper.script(OPEN_REDIS)


def verifier(password: str, salt: bytes | None = None) -> str:
    """Return what PostgreSQL keeps of a password (RFC 5802; PostgreSQL manual, 51.8 pg_authid).

    Args:
        password: ASCII, so that it needs no preparation.
        salt: Random; a new one if None.
    """
    salt = salt or secrets.token_bytes(SALT_BYTES)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    return f"SCRAM-SHA-256${ITERATIONS}:{_text(salt)}${_text(stored)}:{_text(server)}"


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


@contextmanager
def _running(helper: Helper) -> Iterator[None]:
    helper.script(START_POSTGRES)
    yield
    helper.script(STOP_POSTGRES)


def _query(helper: Helper, fit: Fit, sql: str) -> str:
    command = ["psql", "-qXAt", "--single-transaction", "-v", "ON_ERROR_STOP=1", "-h", ACCESS, "-U", fit.user]
    return helper.run(*command, "-d", fit.database, "-f", "-", stdin=sql.encode()).strip()


@contextmanager
def _told(what: str) -> Iterator[None]:
    try:
        yield
    except CommandError as error:
        raise UserError(
            f"The snapshot's {what} can't be opened; nothing was changed.", cause=error.said, remedy="Use another one."
        ) from None
