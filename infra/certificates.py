"""TLS: one CA a stack, and a certificate for each service, by pulumi-tls."""

from __future__ import annotations

import pulumi
import pulumi_tls as tls

from infra.config.sections import CertificateSettings
from infra.endpoints import Endpoint
from infra.loopback import LOOPBACK, LOOPBACK_6
from infra.naming import Naming

HOURS_A_DAY = 24
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2: authenticated encryption with forward secrecy alone (RFC 9325, section 4.2). TLS 1.3 has no other."""


class Certificates(pulumi.ComponentResource):
    """A certificate authority, and the certificates that it signs."""

    ca: pulumi.Output[str]
    """The CA's certificate in PEM, by which every client verifies."""

    def __init__(self, naming: Naming, settings: CertificateSettings, parent: pulumi.Resource) -> None:
        super().__init__("dashtam:index:Certificates", "certificates", None, pulumi.ResourceOptions(parent=parent))
        self._validity = settings.validity_days * HOURS_A_DAY
        self._renewal = settings.renewal_days * HOURS_A_DAY
        self._child = pulumi.ResourceOptions(parent=self)
        self._ca_key = self._key("ca")
        self.ca = self._sign_itself(f"Dashtam {naming.environment} CA ({naming.owner})").cert_pem
        self.register_outputs({"ca": self.ca})

    def _key(self, name: str) -> tls.PrivateKey:
        return tls.PrivateKey(f"{name}-key", algorithm="ECDSA", ecdsa_curve="P256", opts=self._child)

    def _sign_itself(self, name: str) -> tls.SelfSignedCert:
        return tls.SelfSignedCert(
            "ca",
            private_key_pem=self._ca_key.private_key_pem,
            subject=tls.SelfSignedCertSubjectArgs(common_name=name, organization="Dashtam"),
            is_ca_certificate=True,
            set_subject_key_id=True,
            set_authority_key_id=True,
            allowed_uses=["cert_signing", "crl_signing"],
            validity_period_hours=self._validity,
            early_renewal_hours=self._renewal,
            opts=self._child,
        )

    def issue(self, endpoint: Endpoint) -> dict[str, pulumi.Output[str]]:
        """Declare a service's certificate, for every name by which it is reached; return its files, with the CA's."""
        service = endpoint.host
        key = self._key(service)
        request = tls.CertRequest(
            f"{service}-request",
            private_key_pem=key.private_key_pem,
            subject=tls.CertRequestSubjectArgs(common_name=service, organization="Dashtam"),
            dns_names=list(endpoint.names),
            ip_addresses=[LOOPBACK, LOOPBACK_6, *endpoint.reach.addresses],
            opts=self._child,
        )
        certificate = tls.LocallySignedCert(
            f"{service}-certificate",
            cert_request_pem=request.cert_request_pem,
            ca_private_key_pem=self._ca_key.private_key_pem,
            ca_cert_pem=self.ca,
            set_subject_key_id=True,
            allowed_uses=["digital_signature", "server_auth"],
            validity_period_hours=self._validity,
            early_renewal_hours=self._renewal,
            opts=self._child,
        )
        return {"ca.crt": self.ca, "tls.crt": certificate.cert_pem, "tls.key": key.private_key_pem}
