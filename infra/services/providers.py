"""The providers whose accounts the service links, as it reads them: those of the config, and the environment's own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from infra import authorities, proxies
from infra.config.errors import ConfigError
from infra.config.providers import ProviderSettings
from infra.config.values import seconds
from infra.endpoints import Endpoint
from infra.naming import SANDBOX

FILES = ("client_id", "client_secret")
DISCOVERY = "/.well-known/openid-configuration"
SCOPES = ("openid", "offline_access")
"""What an OpenID provider is asked for where its settings don't say."""


@dataclass(frozen=True)
class Credentials:
    """What the service is known by at a provider."""

    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)


def read_credentials(stack: str, providers: Mapping[str, ProviderSettings]) -> dict[str, Credentials]:
    """Read the files with the clients' ids and secrets, by provider; a `ConfigError` names all that can't be read."""
    problems: list[str] = []
    read = {
        name: Credentials(*(_read(f"{name}.{kind}_file", getattr(one, f"{kind}_file"), problems) for kind in FILES))
        for name, one in providers.items()
    }
    if problems:
        raise ConfigError(stack, problems)
    return read


def _read(key: str, file: str, problems: list[str]) -> str:
    what = key.rpartition(".")[2].removesuffix("_file").replace("_", " ")
    try:
        text = Path(file).expanduser().read_text(encoding="utf-8-sig").strip()
        reason = unsendable(text)
    except (OSError, RuntimeError, UnicodeDecodeError) as error:
        text, reason = "", (getattr(error, "strerror", None) or str(error)).lower()
    if reason:
        problems.append(
            f"dashtam:providers.{key} = {json.dumps(file)}: {reason};"
            f" put the {what} that the provider gave you there, and nothing else."
        )
    return text


def unsendable(text: str) -> str:
    """Return why a text is neither an id nor a secret of a client (RFC 6749, appendix A.1); empty if it may be one."""
    if not text:
        return "it is empty"
    if not text.isprintable():
        return "it is not one line of text"
    return "" if text.isascii() else "it has characters other than ASCII's"


def configured(name: str, settings: ProviderSettings, credentials: Credentials) -> dict[str, Any]:
    """Return a configured provider as the service reads it; with a preset, only what overrides that."""
    given = settings.model_dump(mode="json", exclude_none=True, exclude={f"{kind}_file" for kind in FILES})
    if settings.link_lifetime:
        given["link_lifetime"] = int(seconds(settings.link_lifetime))
    # In this file rather than a variable: a proxy's address may hold a password.
    if proxy := proxies.for_url(str(settings.issuer or settings.token_endpoint or "")):
        given["proxy"] = proxy
    if settings.trust != "environment" and (certificates := authorities.added()):
        given["ca_certificates"] = certificates
    if not settings.preset:
        given = {"title": name.capitalize(), **({"scopes": SCOPES} if settings.kind == "oidc" else {}), **given}
    return {"name": name, **given, **asdict(credentials)}


def sandbox(endpoint: Endpoint, credentials: Credentials) -> dict[str, Any]:
    """Return the environment's own provider: browsers use its public origin, the service the one in the network."""
    issuer = endpoint.for_browsers
    return {
        "name": SANDBOX,
        "title": "Sandbox",
        "kind": "oidc",
        "issuer": issuer,
        "discovery_url": f"{endpoint.in_network}{DISCOVERY}",
        "authorization_endpoint": f"{issuer}/auth",
        "authorization_response_iss_parameter_supported": True,
        "response_mode": "any",
        "scopes": SCOPES,
        "trust": "environment",
        **asdict(credentials),
    }


def on_host(sandbox: Mapping[str, Any]) -> dict[str, Any]:
    """Return the environment's own provider for a service that runs outside of its network."""
    return {**sandbox, "discovery_url": f"{sandbox['issuer']}{DISCOVERY}"}


def document(providers: Iterable[Mapping[str, Any]]) -> str:
    """Return the service's `providers.json`."""
    return json.dumps(list(providers), indent=2) + "\n"
