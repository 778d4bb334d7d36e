"""Providers that are known: an entry with `preset` needs only what is secret."""

from __future__ import annotations

from collections.abc import Mapping

PRESETS: Mapping[str, Mapping[str, object]] = {
    # Schwab's developer portal, "Authenticate with OAuth": authorization code, client secret by HTTP Basic.
    "schwab": {
        "name": "schwab",
        "title": "Charles Schwab",
        "kind": "oauth2",
        "authorization_endpoint": "https://api.schwabapi.com/v1/oauth/authorize",
        "token_endpoint": "https://api.schwabapi.com/v1/oauth/token",
        # The customer who logged in, whichever of their accounts they allow; tokens alone name nobody.
        "subject_url": "https://api.schwabapi.com/trader/v1/userPreference",
        "subject_field": "/streamerInfo/0/schwabClientCustomerId",
        "scopes": ("readonly",),
        "token_auth": "client_secret_basic",
        "trust": "public",
    },
}
"""What each preset fills in; what an entry says itself comes first."""
