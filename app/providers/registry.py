"""Makes the configured providers."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping

from app.providers.client import OAuthProvider
from app.providers.config import ProviderConfig
from app.providers.interface import Provider


def make(
    configs: Iterable[ProviderConfig], *, redirect_uri: str, environment: ssl.SSLContext, public: ssl.SSLContext
) -> Mapping[str, Provider]:
    """Make providers from their configuration."""
    contexts = {"environment": environment, "public": public}
    return {config.name: OAuthProvider(config, redirect_uri, contexts[config.trust]) for config in configs}
