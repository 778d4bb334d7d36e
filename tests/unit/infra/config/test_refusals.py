from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.config.errors import SHOWN

if TYPE_CHECKING:
    from tests.unit.infra.conftest import Change, Refused

URI = "it must be an absolute https URL with neither query, fragment nor user"
PINNED = (
    "it must be an image by an exact tag, such as postgres:17.6-alpine3.22, or by a digest (@sha256:...);"
    " pin it, or it changes without a commit."
)
SIZE = "it must be a whole number of m or g, from 16m to 64g, such as 512m; write 512m or 2g."
DURATION = "it must be a whole number of ms, s or m, from 100ms to 10m, such as 2s; write 500ms, 2s or 1m."
INTEGER = "input should be a valid integer; write a whole number, without quotes."
BOOLEAN = "input should be a valid boolean; write true or false, without quotes."
OBJECT = "input should be an object; write an object, a key and a value a line."
IDENTIFIER = (
    "it must be a name of 1 to 63 lower-case letters, digits and underscores, no digit first;"
    " write dashtam_test, for example."
)
SECTIONS = (
    "network, postgres, redis, app, callback, sandbox, providers, tokens,"
    " health, containers, certificates, images, hooks, tests, target"
)


FILES = {"client_id_file": "id", "client_secret_file": "secret"}
BANK = {**FILES, "kind": "oidc", "issuer": "https://bank.example"}
TWICE = "dashtam:tokens: a key is named twice; give each a name of its own, such as k1 and k2."


REFUSALS: list[tuple[Change, str]] = [
    # Keys that don't exist.
    ({"postgress.database": "x"}, "dashtam:postgress is not a known key. Did you mean postgres?"),
    ({"postgres.prot": 5}, "dashtam:postgres.prot is not a known key. Did you mean port?"),
    ({"app.redirect_uri": "x"}, "dashtam:app.redirect_uri is not a known key. Did you mean oauth_redirect_uri?"),
    ({"network.mtu": 9}, "dashtam:network.mtu is not a known key. Known here: internal, bind_address, hostname."),
    ({"zzz": {}}, f"dashtam:zzz is not a known key. Known here: {SECTIONS}."),
    ({"a\nb": {}}, f"dashtam:a\\nb is not a known key. Known here: {SECTIONS}."),
    # Ports.
    (
        {"postgres.port": 0},
        "dashtam:postgres.port = 0: input should be greater than or equal to 1; write a number from 1 on.",
    ),
    (
        {"app.port": 65536},
        "dashtam:app.port = 65536: input should be less than or equal to 65535; write a number up to 65535.",
    ),
    ({"redis.port": "6380"}, f'dashtam:redis.port = "6380": {INTEGER}'),
    ({"callback.port": 8182.5}, f"dashtam:callback.port = 8182.5: {INTEGER}"),
    ({"callback.port": True}, f"dashtam:callback.port = true: {INTEGER}"),
    (
        {"app.port": 8001, "callback.port": 8001},
        (
            "dashtam: port 8001 is used by both app and callback, and only one can listen on it;"
            " give callback another port."
        ),
    ),
    (
        {"network.internal": True, "app.port": 8001, "redis.port": 6380},
        (
            "dashtam: an internal network publishes nothing, but app, redis ask for a port;"
            " remove the port, or set network.internal: false."
        ),
    ),
    # The sandbox and the providers.
    (
        {"sandbox.enabled": True},
        (
            "dashtam: sandbox.enabled lets anyone link an account as anybody, so it is allowed only with app.debug or"
            " app.testing; set one of these, or sandbox.enabled: false."
        ),
    ),
    (
        {"sandbox.enabled": True, "sandbox.port": 8182, "callback.port": 8182, "app.testing": True},
        (
            "dashtam: port 8182 is used by both callback and sandbox, and only one can listen on it;"
            " give sandbox another port."
        ),
    ),
    (
        {"providers.sandbox": BANK},
        ("dashtam:providers: sandbox is the environment's own provider, set by dashtam:sandbox; choose another name."),
    ),
    (
        {"providers.bank": {**FILES}},
        ("dashtam:providers.bank: it has neither a preset nor a kind; set preset: schwab, or kind: oidc or oauth2."),
    ),
    (
        {"providers.bank": {**FILES, "kind": "oauth2", "issuer": "https://bank.example"}},
        ("dashtam:providers.bank: a provider of kind oauth2 needs authorization_endpoint and token_endpoint; add it."),
    ),
    (
        {"providers.bank": {**FILES, "kind": "oidc"}},
        "dashtam:providers.bank: a provider of kind oidc needs issuer; add it.",
    ),
    (
        {"providers.bank": {**BANK, "token_endpiont": "x"}},
        "dashtam:providers.bank.token_endpiont is not a known key. Did you mean token_endpoint?",
    ),
    (
        {"providers.bank": {**BANK, "token_endpoint": "http://bank.example/token"}},
        (
            'dashtam:providers.bank.token_endpoint = "http://bank.example/token": it must be an absolute https'
            " URL without fragment and user; write https://example.org/token, for example."
        ),
    ),
    (
        {"providers.bank": {"preset": "schwab", "client_id_file": "id"}},
        (
            "dashtam:providers.bank.client_secret_file is missing: it has no default. Add it;"
            " `client_secret_file: ~/.config/dashtam/client-secret`, for example."
        ),
    ),
    (
        {"providers.bank": {**FILES, "preset": "swab"}},
        "dashtam:providers.bank.preset = \"swab\": input should be 'schwab'; write 'schwab'.",
    ),
    (
        {"providers.bank": {**BANK, "scopes": [" "]}},
        (
            'dashtam:providers.bank.scopes.0 = " ": it must be a word of printable ASCII; write one scope an entry,'
            " such as profile."
        ),
    ),
    (
        {"app.oauth_redirect_uri": "https://[:::]"},
        (
            'dashtam:app.oauth_redirect_uri = "https://[:::]": no host has this address; write https://[::1]:8182, for'
            " example."
        ),
    ),
    (
        {"providers.bank": {**BANK, "authorization_parameters": {"access_type": "offline", "state": "x"}}},
        "dashtam:providers.bank.authorization_parameters: the flow itself sets state; remove it.",
    ),
    (
        {"providers.bank": {**FILES, "preset": "schwab", "authorization_response_iss_parameter_supported": True}},
        "dashtam:providers.bank: redirects that name the issuer need an issuer to compare with; add it.",
    ),
    (
        {"providers.bank": {**FILES, "preset": "schwab", "kind": "oidc", "issuer": "https://bank.example"}},
        "dashtam:providers.bank: its preset says the kind; remove kind.",
    ),
    (
        {"providers.bank": {**BANK, "scopes": ["profile"]}},
        "dashtam:providers.bank: the scopes of a provider of kind oidc need openid; add it.",
    ),
    (
        {"providers.bank": {**FILES, "preset": "schwab", "discovery_url": "https://bank.example/metadata"}},
        "dashtam:providers.bank: a discovery_url needs an issuer, which the metadata there must name; add it.",
    ),
    (
        {"providers.bank": {**BANK, "subject_url": "https://bank.example/whoami"}},
        "dashtam:providers.bank: a subject_url needs a subject_field to look for there; add it.",
    ),
    (
        {"providers": {"bank": BANK, "schwab": {**FILES, "preset": "schwab"}}},
        (
            "dashtam: redirects of the providers bank and schwab can't be distinguished, so one of them could get the"
            " other's codes; set authorization_response_iss_parameter_supported: true where the provider's metadata"
            " says so, and give every other provider but one a redirect_uri with a path of its own."
        ),
    ),
    ({"tokens.keys": ["k1", "k1"]}, TWICE),
    # Sizes and durations.
    ({"postgres.memory": "15m"}, f'dashtam:postgres.memory = "15m": {SIZE}'),
    ({"redis.memory": "65g"}, f'dashtam:redis.memory = "65g": {SIZE}'),
    ({"app.memory": "512k"}, f'dashtam:app.memory = "512k": {SIZE}'),
    ({"callback.memory": 512}, f"dashtam:callback.memory = 512: {SIZE}"),
    ({"postgres.tmpfs_size": "1.5g"}, f'dashtam:postgres.tmpfs_size = "1.5g": {SIZE}'),
    ({"containers.log_size": "0m"}, f'dashtam:containers.log_size = "0m": {SIZE}'),
    ({"health.interval": "99ms"}, f'dashtam:health.interval = "99ms": {DURATION}'),
    ({"health.wait": "11m"}, f'dashtam:health.wait = "11m": {DURATION}'),
    ({"health.timeout": "1h"}, f'dashtam:health.timeout = "1h": {DURATION}'),
    ({"containers.stop_grace": 30}, f"dashtam:containers.stop_grace = 30: {DURATION}"),
    (
        {"health.interval": "1s", "health.start_interval": "2s"},
        (
            "dashtam:health: start_interval 2s is longer than interval 1s, but a service that starts is to be"
            " checked more often; set interval to it or more."
        ),
    ),
    # Images.
    ({"images.postgres": "postgres:latest"}, f'dashtam:images.postgres = "postgres:latest": {PINNED}'),
    ({"images.redis": "redis"}, f'dashtam:images.redis = "redis": {PINNED}'),
    ({"images.python": "python :3"}, f'dashtam:images.python = "python :3": {PINNED}'),
    ({"images.python": "python@sha256:ab"}, f'dashtam:images.python = "python@sha256:ab": {PINNED}'),
    (
        {"images.source": "quay"},
        "dashtam:images.source = \"quay\": input should be 'registry' or 'debian'; write 'registry' or 'debian'.",
    ),
    # What does not go together.
    (
        {"postgres.tuning": "speed", "postgres.storage": "volume"},
        (
            "dashtam:postgres: tuning speed turns fsync off, so a crash would ruin the data that storage volume"
            " promises to keep; set tuning: durable, or storage: tmpfs."
        ),
    ),
    (
        {"postgres.memory": "703m"},
        (
            "dashtam:postgres: memory 703m is less than what PostgreSQL takes with tuning durable and a tmpfs of"
            " 512m, so the engine would kill it; set memory: 704m or more, or a smaller tmpfs_size."
        ),
    ),
    (
        {"postgres.memory": "383m", "postgres.tuning": "speed", "postgres.tmpfs_size": "16m"},
        (
            "dashtam:postgres: memory 383m is less than what PostgreSQL takes with tuning speed and a tmpfs of"
            " 16m, so the engine would kill it; set memory: 400m or more, or a smaller tmpfs_size."
        ),
    ),
    (
        {"postgres.memory": "191m", "postgres.storage": "volume"},
        (
            "dashtam:postgres: memory 191m is less than what PostgreSQL takes with tuning durable, so the engine"
            " would kill it; set memory: 192m or more."
        ),
    ),
    (
        {"redis.persistence": "aof"},
        (
            "dashtam:redis: persistence aof can't be combined with storage tmpfs: what is written would not last, or"
            " the volume would stay empty; use aof with volume, or none with tmpfs."
        ),
    ),
    (
        {"redis.storage": "volume"},
        (
            "dashtam:redis: persistence none can't be combined with storage volume: what is written would not last,"
            " or the volume would stay empty; use aof with volume, or none with tmpfs."
        ),
    ),
    (
        {"certificates.validity_days": 30, "certificates.renewal_days": 30},
        (
            "dashtam:certificates: certificates of 30 days would be renewed at every up;"
            " set renewal_days below validity_days."
        ),
    ),
    # Types.
    ({"app.debug": "true"}, f'dashtam:app.debug = "true": {BOOLEAN}'),
    ({"app.testing": 1}, f"dashtam:app.testing = 1: {BOOLEAN}"),
    ({"tests.image": "yes"}, f'dashtam:tests.image = "yes": {BOOLEAN}'),
    ({"network": "internal"}, f'dashtam:network = "internal": {OBJECT}'),
    ({"network": ""}, f'dashtam:network = "": {OBJECT}'),
    ({"health": [1]}, f"dashtam:health = [1]: {OBJECT}"),
    ({"callback": 8182}, f"dashtam:callback = 8182: {OBJECT}"),
    ({"postgres.database": 5}, f"dashtam:postgres.database = 5: {IDENTIFIER}"),
    ({"postgres.user": "Dash-tam"}, f'dashtam:postgres.user = "Dash-tam": {IDENTIFIER}'),
    (
        {"redis.database": 16},
        "dashtam:redis.database = 16: input should be less than or equal to 15; write a number up to 15.",
    ),
    (
        {"containers.restart": "often"},
        (
            "dashtam:containers.restart = \"often\": input should be 'no', 'on-failure', 'unless-stopped' or"
            " 'always'; write 'no', 'on-failure', 'unless-stopped' or 'always'."
        ),
    ),
    # What has no default.
    (
        {"postgres": None},
        (
            "dashtam:postgres is missing: it has no default. Add it;"
            " `postgres: {database: dashtam_test, user: dashtam_test_user}`, for example."
        ),
    ),
    (
        {"postgres.database": None},
        "dashtam:postgres.database is missing: it has no default. Add it; `database: dashtam_test`, for example.",
    ),
    (
        {"app": None},
        (
            "dashtam:app is missing: it has no default. Add it;"
            " `app: {oauth_redirect_uri: https://127.0.0.1:8182}`, for example."
        ),
    ),
    # URLs.
    (
        {"app.oauth_redirect_uri": "http://127.0.0.1:8182"},
        (
            f'dashtam:app.oauth_redirect_uri = "http://127.0.0.1:8182": {URI}; write https://127.0.0.1:8182,'
            " for example."
        ),
    ),
]
"""Changes that make a valid config wrong, and what is said of each."""


@pytest.mark.parametrize(("change", "message"), REFUSALS)
def test_a_wrong_value_is_told_in_one_line(refused: Refused, change: Change, message: str) -> None:
    assert refused(change) == [message]


def test_all_problems_are_told_at_once(refused: Refused) -> None:
    problems = refused({"postgres.port": 0, "redis.memory": "1k", "app.oauth_redirect_uri": None, "sevrice": {}})
    assert [problem.split()[0] for problem in problems] == [
        "dashtam:postgres.port",
        "dashtam:redis.memory",
        "dashtam:app.oauth_redirect_uri",
        "dashtam:sevrice",
    ]


def test_a_long_value_is_cut(refused: Refused) -> None:
    (problem,) = refused({"postgres.database": "x" * 5000})
    assert problem == f'dashtam:postgres.database = "{"x" * (SHOWN - 1)}...: {IDENTIFIER}'
