from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy import text

from app.core.cache import create_cache
from app.core.dependency_errors import explain

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncEngine

    from app.core.settings import AppSettings

    EngineFor = Callable[[AppSettings], AsyncEngine]


@pytest.fixture
def other_ca(tmp_path: Path) -> Path:
    """A CA that signed nothing here."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "another CA")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "other.crt"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return path


def other_name(host: str) -> str:
    """Name the same server so that it is reached, but not as its certificate names it."""
    address = socket.gethostbyname(host)
    return "127.1" if address == "127.0.0.1" else address


async def test_the_database_connection_is_encrypted(settings: AppSettings, engine_of: EngineFor) -> None:
    query = text("SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    async with engine_of(settings).connect() as connection:
        encrypted, version = (await connection.execute(query)).one()
    assert encrypted is True
    assert version in {"TLSv1.2", "TLSv1.3"}


async def test_the_database_of_another_authority_is_refused(
    settings: AppSettings, engine_of: EngineFor, other_ca: Path
) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        async with engine_of(settings.model_copy(update={"tls_ca_file": other_ca})).connect():
            pass


async def test_the_cache_of_another_authority_is_refused(settings: AppSettings, other_ca: Path) -> None:
    async with create_cache(settings.model_copy(update={"tls_ca_file": other_ca})) as cache:
        with pytest.raises(RedisConnectionError) as caught:
            await cache.ping()
    assert explain(caught.value).reason.startswith("its certificate is refused")


async def test_the_database_certificate_must_hold_the_name(settings: AppSettings, engine_of: EngineFor) -> None:
    host = other_name(settings.database_host)
    engine = engine_of(settings.model_copy(update={"database_host": host}))
    with pytest.raises(ssl.SSLCertVerificationError) as caught:
        async with engine.connect():
            pass
    assert "certificate is refused" in explain(caught.value).reason


async def test_the_cache_certificate_must_hold_the_name(settings: AppSettings) -> None:
    async with create_cache(settings.model_copy(update={"redis_host": other_name(settings.redis_host)})) as cache:
        with pytest.raises(RedisConnectionError) as caught:
            await cache.ping()
    assert explain(caught.value).reason.startswith("its certificate is refused")
