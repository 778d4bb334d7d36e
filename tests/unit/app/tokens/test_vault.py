from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import ServiceError
from app.tokens import vault
from app.tokens.vault import MasterKeys, UnreadableError

KEY, OTHER = b"k" * 32, b"o" * 32
TEXTS = st.binary(max_size=200)


def _document(**changes: object) -> str:
    encoded = base64.b64encode(KEY).decode()
    return json.dumps({"active": "k1", "keys": {"k1": encoded}, **changes})


@given(plaintext=TEXTS, place=st.text(max_size=40))
def test_what_was_sealed_is_opened(plaintext: bytes, place: str) -> None:
    assert vault.unseal(KEY, vault.seal(KEY, plaintext, place), place) == plaintext


@given(plaintext=TEXTS, data=st.data())
def test_any_other_byte_is_refused(plaintext: bytes, data: st.DataObject) -> None:
    sealed = bytearray(vault.seal(KEY, plaintext, "row/column"))
    position = data.draw(st.integers(0, len(sealed) - 1))
    sealed[position] ^= data.draw(st.integers(1, 255))
    with pytest.raises(UnreadableError):
        vault.unseal(KEY, bytes(sealed), "row/column")


@given(plaintext=TEXTS, length=st.integers(0, 27))
def test_what_was_cut_is_refused(plaintext: bytes, length: int) -> None:
    with pytest.raises(UnreadableError):
        vault.unseal(KEY, vault.seal(KEY, plaintext, "row")[:length], "row")


@given(place=st.text(max_size=20), other=st.text(max_size=20))
def test_what_was_moved_is_refused(place: str, other: str) -> None:
    sealed = vault.seal(KEY, b"token", place)
    if place != other:
        with pytest.raises(UnreadableError) as raised:
            vault.unseal(KEY, sealed, other)
        assert "token" not in str(raised.value).replace(other, "")


def test_another_key_is_refused() -> None:
    with pytest.raises(UnreadableError):
        vault.unseal(OTHER, vault.seal(KEY, b"token", "row"), "row")


def test_the_same_text_is_never_sealed_alike() -> None:
    assert vault.seal(KEY, b"token", "row") != vault.seal(KEY, b"token", "row")


def test_a_data_key_is_wrapped_by_the_active_key() -> None:
    keys = MasterKeys("k2", {"k1": KEY, "k2": OTHER})
    master, wrapped = keys.wrap(vault.new_key(), "d1")
    assert master == "k2"
    assert len(keys.unwrap("k2", wrapped, "d1")) == vault.KEY_BYTES


@pytest.mark.parametrize(("master", "name"), [("k1", "d1"), ("k9", "d1"), ("k2", "d2")])
def test_a_data_key_is_bound_to_its_name_and_its_master_key(master: str, name: str) -> None:
    keys = MasterKeys("k2", {"k1": KEY, "k2": OTHER})
    _, wrapped = keys.wrap(vault.new_key(), "d1")
    with pytest.raises(UnreadableError):
        keys.unwrap(master, wrapped, name)


def test_master_keys_are_read_and_not_shown() -> None:
    keys = MasterKeys.parse(_document())
    assert (keys.active, keys.keys) == ("k1", {"k1": KEY})
    assert "kkkk" not in repr(keys)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "3",
        "{}",
        _document(active="k2"),
        _document(active=None),
        _document(keys=[]),
        _document(keys={"k1": "not base64!"}),
        _document(keys={"k1": base64.b64encode(b"short").decode()}),
        _document(keys={"k1": 5}),
    ],
)
def test_other_master_keys_are_refused(text: str) -> None:
    with pytest.raises(ServiceError, match="TOKEN_KEYS") as raised:
        MasterKeys.parse(text)
    assert base64.b64encode(KEY).decode() not in str(raised.value)
