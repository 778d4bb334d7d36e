from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cli.trust_stores.authority import Authority

MakeAuthority = Callable[..., Authority]


@pytest.fixture
def make_authority() -> MakeAuthority:
    """Returns a CA of an environment's, of its own each time."""

    def make(environment: str = "test", *extensions: x509.ExtensionType) -> Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Dashtam {environment} CA")])
        builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        now = datetime.now(UTC)
        builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        for one in extensions:
            builder = builder.add_extension(one, critical=True)
        made = builder.sign(key, hashes.SHA256())
        return Authority(environment, made.public_bytes(serialization.Encoding.PEM).decode())

    return make


@pytest.fixture
def ca(make_authority: MakeAuthority) -> Authority:
    """A CA."""
    return make_authority()
