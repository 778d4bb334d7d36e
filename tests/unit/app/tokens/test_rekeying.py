from __future__ import annotations

import json
import re
import uuid
from typing import Any

from app.tokens.rekeying import NOTHING, Rekeyed, rekey
from app.tokens.vault import MasterKeys, new_key, unseal

NOW = MasterKeys("k1", {"k1": new_key()})
BEFORE = MasterKeys("k1", {"k1": new_key()})
ELSEWHERE = MasterKeys("k1", {"k1": new_key()})
DATA_KEY = new_key()


def _row(master: MasterKeys, name: str = "d1", *connections: uuid.UUID) -> dict[str, object]:
    by, wrapped = master.wrap(DATA_KEY, name)
    return {"id": name, "master": by, "wrapped": wrapped.hex(), "connections": [str(one) for one in connections]}


def _written(done: Rekeyed) -> dict[str, list[Any]]:
    found = re.match(r"\\set document ([0-9a-f]+)\n", done.script)
    assert found
    content: dict[str, list[Any]] = json.loads(bytes.fromhex(found[1]))
    return content


def test_what_can_be_read_is_left_alone() -> None:
    assert rekey(json.dumps([_row(NOW)]), NOW, BEFORE) == NOTHING
    assert rekey("[]", NOW, None) == NOTHING


def test_a_key_of_the_past_is_wrapped_anew() -> None:
    done = rekey(json.dumps([_row(BEFORE), _row(NOW, "d2")]), NOW, BEFORE)
    [row] = _written(done)["rewrapped"]
    assert NOW.unwrap(row["master"], bytes.fromhex(row["wrapped"]), "d1") == DATA_KEY
    assert (done.rewrapped, done.lost) == (1, 0)


def test_what_nobody_can_read_is_revoked() -> None:
    connection = uuid.uuid4()
    done = rekey(json.dumps([_row(ELSEWHERE, "d1", connection)]), NOW, BEFORE)
    written = _written(done)
    [added], [revoked] = written["added"], written["revoked"]
    key = NOW.unwrap(added["master"], bytes.fromhex(added["wrapped"]), added["id"])
    assert revoked["id"] == str(connection)
    assert revoked["key"] == added["id"]
    # It can be read, so that it can be disconnected or linked anew, and holds nothing.
    assert unseal(key, bytes.fromhex(revoked["token"]), f"provider_connections/{connection}/access_token") == b""
    assert written["lost"] == ["d1"]
    assert (done.rewrapped, done.lost) == (0, 1)


def test_without_keys_of_the_past_they_are_lost() -> None:
    assert rekey(json.dumps([_row(BEFORE, "d1", uuid.uuid4())]), NOW, None).lost == 1


def test_no_key_is_in_the_script_in_clear() -> None:
    done = rekey(json.dumps([_row(BEFORE)]), NOW, BEFORE)
    plain = bytes.fromhex(done.script.split()[2]).decode()
    for key in (DATA_KEY, *NOW.keys.values(), *BEFORE.keys.values()):
        assert key.hex() not in plain
    assert "script" not in repr(done)
