from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509

from cli.environments.clone import Clone
from cli.trust_stores import authority
from cli.trust_stores.authority import Authority
from tests.unit.cli.trust_stores.conftest import MakeAuthority


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone("me", tmp_path, tmp_path / "home")


def test_a_ca_is_known_by_its_fingerprint(ca: Authority, make_authority: MakeAuthority) -> None:
    assert ca.name == f"dashtam-test-{ca.fingerprint[:16]}"
    assert ca.is_same(ca.pem)
    assert not ca.is_same(make_authority().pem)
    assert not ca.is_same("damaged")


def test_the_names_that_it_may_vouch_for(ca: Authority, make_authority: MakeAuthority) -> None:
    limited = make_authority("test", x509.NameConstraints([x509.DNSName("localhost")], None))
    assert limited.constraints == "localhost"
    assert "any name" in ca.constraints


def test_what_was_put_in_is_remembered(clone: Clone, ca: Authority, make_authority: MakeAuthority) -> None:
    other = make_authority()
    for one in (ca, ca, other, make_authority("dev")):
        assert authority.note(clone, one).read_text() == one.pem
    assert sorted(authority.trusted(clone, "test"), key=str) == sorted([ca, other], key=str)
    authority.forget(clone, ca)
    authority.forget(clone, ca)
    assert authority.trusted(clone, "test") == [other]
    assert authority.trusted(clone, "nowhere") == []
