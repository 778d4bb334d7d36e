from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest

from app.core.errors import ServiceError
from app.core.tls import client_context

if TYPE_CHECKING:
    from pathlib import Path

    from tests.certificates import Authority


def test_one_authority_is_trusted_and_names_are_checked(authority: Authority) -> None:
    context = client_context(authority.ca_file)
    assert context.cert_store_stats()["x509_ca"] == 1
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


@pytest.mark.parametrize("content", ["", "no certificate", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"])
def test_a_file_without_a_certificate_is_named(tmp_path: Path, content: str) -> None:
    file = tmp_path / "ca.crt"
    file.write_text(content)
    with pytest.raises(ServiceError, match=f"TLS_CA_FILE={file} holds no readable certificate"):
        client_context(file)
