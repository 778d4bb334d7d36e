from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any
from unittest.mock import Mock
from urllib.parse import urlsplit

import pytest

from cli.environments.clone import Clone
from cli.operations import client_settings
from infra.outputs import StackOutputs

PASSWORD = "p%40ss%2Fword"
IN_CLEAR = "p@ss/word"


def outputs(**changes: Any) -> StackOutputs:  # noqa: ANN401 - whatever they have
    services = ("postgres", "redis", "app", "callback")
    urls = {"app": "https://localhost:8001", "docs": "https://localhost:8001/docs", "callback": None}
    known = {
        "environment": "test",
        "network": "net",
        "containers": {name: f"dashtam-test-{name}" for name in services},
        "volumes": {},
        "images": {**dict.fromkeys(services, "image:1"), "tests": None},
        "ports": {"postgres": 5433, "redis": 6380, "app": 8001, "callback": None},
        "urls": urls,
        "internal_urls": urls,
        "ca_certificate": "PEM\n",
        "database": {"name": "dashtam", "user": "owner"},
        "database_dsn": f"postgresql://owner:{PASSWORD}@127.0.0.1:5433/dashtam?sslmode=verify-full",
        "internal_database_dsn": "postgresql://x",
        "redis_database": 1,
        "redis_dsn": f"rediss://dashtam:{PASSWORD}@127.0.0.1:6380/1",
        "internal_redis_dsn": "rediss://x",
        "oauth_redirect_uri": "https://127.0.0.1:8183",
    }
    return StackOutputs.model_validate({**known, **changes})


def test_clients_get_the_names_that_they_know() -> None:
    found = client_settings.variables(outputs(), Path("/home/me/the ca.crt"), secrets=True)
    assert found["DATABASE_URL"] == (
        f"postgresql://owner:{PASSWORD}@127.0.0.1:5433/dashtam?sslmode=verify-full&sslrootcert=/home/me/the%20ca.crt"
    )
    assert found["REDIS_URL"] == f"rediss://dashtam:{PASSWORD}@127.0.0.1:6380/1?ssl_ca_certs=/home/me/the%20ca.crt"
    assert (found["PGPASSWORD"], found["REDISCLI_AUTH"]) == (IN_CLEAR, IN_CLEAR)
    assert (found["PGHOST"], found["PGPORT"], found["PGUSER"], found["PGDATABASE"]) == (
        *("127.0.0.1", "5433"),
        *("owner", "dashtam"),
    )
    assert (found["PGSSLMODE"], found["PGSSLROOTCERT"]) == ("verify-full", "/home/me/the ca.crt")
    assert (found["APP_URL"], found["DOCS_URL"]) == ("https://localhost:8001", "https://localhost:8001/docs")


def test_without_secrets_no_password_is_told() -> None:
    found = client_settings.variables(outputs(), Path("ca"), secrets=False)
    assert PASSWORD not in str(found)
    assert IN_CLEAR not in str(found)
    assert urlsplit(found["DATABASE_URL"]).password is None
    assert urlsplit(found["REDIS_URL"]).username == "dashtam"


def test_what_is_not_published_is_left_out() -> None:
    found = client_settings.variables(outputs(database_dsn=None, redis_dsn=None), Path("ca"), secrets=True)
    assert set(found) == {"DASHTAM_ENVIRONMENT", "DASHTAM_CA_FILE", "APP_URL", "DOCS_URL"}


@pytest.mark.parametrize("before", [None, "old", "PEM\n"])
def test_the_certificate_is_kept_at_one_place(tmp_path: Path, before: str | None) -> None:
    clone = Clone("me", tmp_path, tmp_path / "home")
    if before:
        (clone.home / "ca").mkdir(parents=True)
        (clone.home / "ca/test.crt").write_text(before)
    path = client_settings.authority_file(clone, outputs())
    assert (path, path.read_text()) == (clone.home / "ca/test.crt", "PEM\n")


def _with_app(secret: str, **changes: Any) -> StackOutputs:  # noqa: ANN401 - whatever they have
    document = {"variables": {"DATABASE_HOST": "127.0.0.1"}, "files": {"SECRET_KEY_FILE": secret}}
    return outputs(app_on_host=json.dumps(document), containers={"postgres": "p", "redis": "r"}, **changes)


def test_files_that_clients_were_given_follow_an_update(tmp_path: Path) -> None:
    clone = Clone("me", tmp_path, tmp_path / "home")
    given = client_settings.of(clone, _with_app("first"), secrets=True)
    renewed = _with_app("second", ca_certificate="NEW PEM\n")
    client_settings.refresh(clone, renewed.public(), lambda: renewed)
    assert Path(given["DASHTAM_CA_FILE"]).read_text() == "NEW PEM\n"
    assert Path(given["SECRET_KEY_FILE"]).read_text() == "second"


def test_an_update_makes_no_file_that_no_client_was_given(tmp_path: Path) -> None:
    clone = Clone("me", tmp_path, tmp_path / "home")
    secrets = Mock()
    client_settings.refresh(clone, _with_app("secret").public(), secrets)
    assert list(tmp_path.iterdir()) == []
    client_settings.of(clone, _with_app("secret"), secrets=True)
    client_settings.refresh(clone, outputs().public(), secrets)
    assert secrets.call_count == 0, "Pulumi was asked for secrets that nobody needs: the app runs in its container"


def test_the_app_finds_its_files_and_no_one_else_reads_them(tmp_path: Path) -> None:
    clone = Clone("me", tmp_path, tmp_path / "home")
    for secret in ("first", "second"):
        found = client_settings.of_app(clone, _with_app(secret))
        file = tmp_path / "home/app/test/secret_key"
        assert found == {"DATABASE_HOST": "127.0.0.1", "SECRET_KEY_FILE": str(file)}
        assert file.read_text() == secret
        assert [one.name for one in file.parent.iterdir()] == [file.name]
        assert [stat.S_IMODE(one.stat().st_mode) for one in (file, file.parent)] == [0o600, 0o700]


def test_the_app_s_files_end_with_the_environment(tmp_path: Path) -> None:
    clone = Clone("me", tmp_path, tmp_path / "home")
    client_settings.of_app(clone, _with_app("a-secret"))
    for _ in range(2):
        client_settings.forget_app(clone, "test")
        assert list((tmp_path / "home/app").iterdir()) == []


def test_nothing_is_written_while_the_app_runs(tmp_path: Path) -> None:
    assert client_settings.of_app(Clone("me", tmp_path, tmp_path / "home"), outputs()) == {}
    assert list(tmp_path.iterdir()) == []
