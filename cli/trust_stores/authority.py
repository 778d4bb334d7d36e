"""A CA as trust stores have it, and the record of CAs that were added to one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from cli.core.atomic_files import write_whole
from cli.core.errors import UserError
from cli.environments.clone import Clone

_DIGITS = 16
"""Digits of the fingerprint in a name: enough that no two are alike."""


@dataclass(frozen=True)
class Authority:
    """The CA of an environment, with its certificate in PEM."""

    environment: str
    pem: str

    @cached_property
    def certificate(self) -> x509.Certificate:
        """The certificate."""
        return x509.load_pem_x509_certificate(self.pem.encode())

    @property
    def fingerprint(self) -> str:
        """Its SHA-256 fingerprint, hexadecimal."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    @property
    def name(self) -> str:
        """The name that it has in stores; no other CA has it."""
        return f"dashtam-{self.environment}-{self.fingerprint[:_DIGITS]}"

    def is_same(self, pem: str) -> bool:
        """Return whether a certificate is this one."""
        try:
            return x509.load_pem_x509_certificate(pem.encode()) == self.certificate
        except ValueError:
            return False

    @property
    def constraints(self) -> str:
        """The names that it may sign certificates for."""
        try:
            found = self.certificate.extensions.get_extension_for_class(x509.NameConstraints).value
        except x509.ExtensionNotFound:
            return "none: to a program that trusts it, it can sign for any name"
        return ", ".join(str(name.value) for name in found.permitted_subtrees or ())


def trusted(clone: Clone, environment: str) -> list[Authority]:
    """Return the recorded CAs of an environment, which needn't exist any more, earlier ones too."""
    files = sorted(_folder(clone, environment).glob("*.crt"))
    return [Authority(environment, file.read_text()) for file in files]


def note(clone: Clone, ca: Authority) -> Path:
    """Record that a CA is added to a store; return its certificate as a file."""
    file = _folder(clone, ca.environment) / f"{ca.fingerprint}.crt"
    write_whole(file, ca.pem)
    return file


class NotBegunError(UserError):
    """A change of a store failed before anything was changed."""


@contextmanager
def changing(clone: Clone, ca: Authority, place: str) -> Iterator[None]:
    """Record a change of a store while it is made; the record stays if a begun change fails or is interrupted."""
    before = unfinished(clone, ca)
    _write_unfinished(clone, ca, before | {place})
    try:
        yield
    except NotBegunError:
        _write_unfinished(clone, ca, before)
        raise
    _write_unfinished(clone, ca, before - {place})


def unfinished(clone: Clone, ca: Authority) -> set[str]:
    """Return the places of the stores to which adding a CA, or removing it from them, was begun and not finished."""
    with suppress(FileNotFoundError):
        return set(_unfinished_file(clone, ca).read_text().splitlines())
    return set()


def forget(clone: Clone, ca: Authority) -> None:
    """Remove the record of a CA that is in no store any more."""
    (_folder(clone, ca.environment) / f"{ca.fingerprint}.crt").unlink(missing_ok=True)
    _write_unfinished(clone, ca, set())


def _write_unfinished(clone: Clone, ca: Authority, places: set[str]) -> None:
    if places:
        write_whole(_unfinished_file(clone, ca), "\n".join(sorted(places)))
    else:
        _unfinished_file(clone, ca).unlink(missing_ok=True)


def _unfinished_file(clone: Clone, ca: Authority) -> Path:
    return _folder(clone, ca.environment) / f"{ca.fingerprint}.unfinished"


def _folder(clone: Clone, environment: str) -> Path:
    return clone.home / "trusted" / environment
