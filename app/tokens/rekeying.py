"""Makes linked accounts of a restored copy of the database readable in the environment that it is restored to.

Master keys belong to one database. So the data keys of a copy may be wrapped by former master keys: those that are
still known serve to wrap them again. Connections whose tokens nobody can read any more are marked as revoked, so that
the service works and the account can be linked again.
"""

from __future__ import annotations

import json
import secrets
import uuid
from dataclasses import dataclass, field
from typing import Any

from app.tokens.keys import place
from app.tokens.vault import MasterKeys, UnreadableError, new_key, seal

HAS_KEYS = "SELECT to_regclass('token_keys') IS NOT NULL"
"""Whether a database has data keys: older ones have none."""

READ = """
SELECT coalesce(json_agg(json_build_object(
    'id', k.id, 'master', k.master, 'wrapped', encode(k.wrapped, 'hex'),
    'connections', (SELECT coalesce(json_agg(c.id), '[]') FROM provider_connections c WHERE c.key_id = k.id)
)), '[]') FROM token_keys k
"""
"""Reads the data keys, and the connections that each seals, as one JSON document."""


WRITE = """
WITH document AS (SELECT convert_from(decode(:'document', 'hex'), 'UTF8')::json AS content),
row AS (SELECT r.* FROM document, json_to_recordset(content->'rewrapped') AS r (id text, master text, wrapped text))
UPDATE token_keys k SET master = row.master, wrapped = decode(row.wrapped, 'hex') FROM row WHERE k.id = row.id;

WITH document AS (SELECT convert_from(decode(:'document', 'hex'), 'UTF8')::json AS content)
INSERT INTO token_keys (id, master, wrapped) SELECT r.id, r.master, decode(r.wrapped, 'hex')
FROM document, json_to_recordset(content->'added') AS r (id text, master text, wrapped text);

WITH document AS (SELECT convert_from(decode(:'document', 'hex'), 'UTF8')::json AS content),
row AS (SELECT r.* FROM document, json_to_recordset(content->'revoked') AS r (id uuid, key text, token text))
UPDATE provider_connections c
SET status = 'revoked', key_id = row.key, access_token = decode(row.token, 'hex'), refresh_token = NULL
FROM row WHERE c.id = row.id;

WITH document AS (SELECT convert_from(decode(:'document', 'hex'), 'UTF8')::json AS content)
DELETE FROM token_keys USING document, json_array_elements_text(content->'lost') AS lost WHERE id = lost;
"""
"""Writes the result of `rekey`, given to psql as the variable `document`."""


@dataclass(frozen=True)
class Rekeyed:
    """The change that makes a copy readable."""

    script: str = field(repr=False)
    """For psql, in one transaction; it holds no key in clear."""
    rewrapped: int
    """How many data keys get another master key."""
    lost: int
    """How many connections can't be read any more, and are marked as revoked."""


NOTHING = Rekeyed("", 0, 0)


def rekey(document: str, held: MasterKeys, former: MasterKeys | None) -> Rekeyed:
    """Make a copy readable: from `READ`'s document, the environment's keys, and the copy's keys where known."""
    rewrapped: list[dict[str, str]] = []
    lost: list[dict[str, Any]] = []
    for row in json.loads(document):
        if _key(held, row):
            continue
        if former and (key := _key(former, row)):
            rewrapped.append(_wrapped(held, row["id"], key))
        else:
            lost.append(row)
    if not rewrapped and not lost:
        return NOTHING
    added, revoked = _revoked(lost, held)
    written = {"rewrapped": rewrapped, "added": added, "revoked": revoked, "lost": [row["id"] for row in lost]}
    script = f"\\set document {json.dumps(written).encode().hex()}\n{WRITE}"
    return Rekeyed(script, len(rewrapped), len(revoked))


def _key(master: MasterKeys, row: dict[str, Any]) -> bytes | None:
    try:
        return master.unwrap(row["master"], bytes.fromhex(row["wrapped"]), row["id"])
    except UnreadableError:
        return None


def _wrapped(master: MasterKeys, name: str, key: bytes) -> dict[str, str]:
    by, wrapped = master.wrap(key, name)
    return {"id": name, "master": by, "wrapped": wrapped.hex()}


def _revoked(lost: list[dict[str, Any]], held: MasterKeys) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Return a key that can be read, and an empty token for each connection whose tokens can't."""
    if not lost:
        return [], []
    name, key = secrets.token_hex(8), new_key()
    revoked = []
    for one in (one for row in lost for one in row["connections"]):
        nothing = seal(key, b"", place(uuid.UUID(one), "access_token"))
        revoked.append({"id": one, "key": name, "token": nothing.hex()})
    return [_wrapped(held, name, key)], revoked
