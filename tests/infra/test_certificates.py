from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.infra.recording import Deployment

SERVICES = ("postgres", "redis", "app", "callback", "sandbox")


def test_one_authority_signs_everything(deployment: Deployment) -> None:
    (authority,) = deployment.of("SelfSignedCert")
    assert authority.inputs["isCaCertificate"] is True
    assert set(authority.inputs["allowedUses"]) == {"cert_signing", "crl_signing"}
    assert deployment.stack in authority.inputs["subject"]["commonName"]
    certificates = deployment.of("LocallySignedCert")
    assert {certificate.name for certificate in certificates} == {f"{service}-certificate" for service in SERVICES}
    for certificate in certificates:
        assert certificate.inputs["caCertPem"] == "certificate ca"
        assert certificate.inputs["caPrivateKeyPem"] == f"{deployment.secret}-ca-key"
        assert set(certificate.inputs["allowedUses"]) == {"digital_signature", "server_auth"}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_verified_by_each_of_its_names(deployment: Deployment, service: str) -> None:
    request = deployment.named("CertRequest", f"{service}-request").inputs
    assert set(request["dnsNames"]) == {service, f"dashtam-{deployment.stack}-{service}", "localhost"}
    assert set(request["ipAddresses"]) == {"127.0.0.1", "::1"}
    assert request["privateKeyPem"] == f"{deployment.secret}-{service}-key"


def test_certificates_are_renewed_before_they_end(deployment: Deployment) -> None:
    for certificate in [*deployment.of("SelfSignedCert"), *deployment.of("LocallySignedCert")]:
        assert certificate.inputs["validityPeriodHours"] == 365 * 24
        assert certificate.inputs["earlyRenewalHours"] == 30 * 24


def test_only_what_the_environment_has_gets_a_certificate(without_sandbox: Deployment) -> None:
    requests = {request.name for request in without_sandbox.of("CertRequest")}
    assert requests == {f"{service}-request" for service in SERVICES if service != "sandbox"}


def test_keys_are_elliptic_and_nobodys_twice(deployment: Deployment) -> None:
    keys = [key for key in deployment.of("PrivateKey") if key.name != "sandbox-signing-key"]
    assert {key.name for key in keys} == {"ca-key", *(f"{service}-key" for service in SERVICES)}
    assert all((key.inputs["algorithm"], key.inputs["ecdsaCurve"]) == ("ECDSA", "P256") for key in keys)
