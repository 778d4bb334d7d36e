"""The client of an engine over TLS, and what an engine says of a folder that it is to mount."""

from __future__ import annotations

import json
import re
import ssl
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, ClassVar, cast
from unittest.mock import Mock

import pytest
from docker.errors import APIError, DockerException, ImageNotFound
from docker.utils import version_lt

from infra import engine
from tests.certificates import authority, new_authority
from tests.unit.infra.listening import listening, write_client_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from docker import DockerClient

    from tests.certificates import Authority

__all__ = ["authority", "new_authority"]

FOLDER = cast("Path", "/home/me/dashtam/app")


class Engine(BaseHTTPRequestHandler):
    asked: ClassVar[list[str]] = []
    ping: ClassVar[dict[str, str]] = {}
    minimum: ClassVar[str] = "1.24"
    """The oldest version that it takes; the newest is that in `ping`."""

    def do_GET(self) -> None:
        self.asked.append(self.path)
        body = json.dumps({"ApiVersion": "1.41", "MinAPIVersion": self.minimum}).encode()
        self.send_response(200 if self._takes_version() else 400)
        for name, value in self.ping.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _takes_version(self) -> bool:
        version = re.match(r"/v([\d.]+)/", self.path)
        newest = self.ping.get("Api-Version", "1.41")
        return version is None or not (version_lt(version[1], self.minimum) or version_lt(newest, version[1]))

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def certificates(authority: Authority, tmp_path: Path) -> Path:
    """A client's folder as Docker's clients have it."""
    write_client_folder(authority, tmp_path)
    return tmp_path


def _agreed(monkeypatch: pytest.MonkeyPatch) -> tuple[str, list[str]]:
    """Return the version of the API that a client uses, and what it asked for that."""
    monkeypatch.setattr(Engine, "asked", [])
    with listening(Engine, None) as host:
        client = engine.client_of({"DOCKER_HOST": host})
        client.close()
    return str(client.api.api_version), Engine.asked


def test_all_versions_are_asked_for_where_a_proxy_drops_the_header(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Engine, "ping", {})
    version, asked = _agreed(monkeypatch)
    assert (version, asked[1:]) == ("1.41", ["/version"])


@pytest.mark.parametrize(
    ("newest", "minimum", "version", "asked"),
    [
        ("1.41", "1.12", "1.41", ["/v1.45/_ping"]),
        ("1.45", "1.24", "1.45", ["/v1.45/_ping"]),
        ("1.53", "1.44", "1.45", ["/v1.45/_ping"]),
        ("2.0", "1.50", "1.50", ["/v1.45/_ping", "/version"]),
    ],
)
def test_no_newer_version_is_used_than_both_know_unless_the_engine_requires_it(
    monkeypatch: pytest.MonkeyPatch, newest: str, minimum: str, version: str, asked: list[str]
) -> None:
    monkeypatch.setattr("docker.constants.DEFAULT_DOCKER_API_VERSION", "1.45")
    monkeypatch.setattr(Engine, "ping", {"Api-Version": newest})
    monkeypatch.setattr(Engine, "minimum", minimum)
    assert _agreed(monkeypatch) == (version, asked)


def test_an_engine_that_ends_the_connection_is_an_error_of_the_sdks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Engine, "do_GET", lambda self: self.connection.close())
    with listening(Engine, None) as host, pytest.raises(DockerException, match="Error while fetching server API"):
        engine.client_of({"DOCKER_HOST": host})


def test_an_address_that_no_host_can_have_is_an_error_of_the_sdks() -> None:
    with pytest.raises(DockerException, match="Error while fetching server API version"):
        engine.client_of({"DOCKER_HOST": "http://a..b:2375"})


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_an_engine_is_verified_with_its_own_ca_whatever_is_trusted_besides(
    authority: Authority,
    new_authority: Callable[[], Authority],
    certificates: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
) -> None:
    other = new_authority().ca_file
    monkeypatch.setenv(variable, str(other))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.issue())
    with listening(Engine, context) as host:
        environ = {"DOCKER_HOST": host, "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(certificates)}
        client = engine.client_of(environ)
        assert client.api.version()["ApiVersion"] == "1.41"
        client.close()
        (certificates / "ca.pem").write_bytes(other.read_bytes())
        with pytest.raises(DockerException, match="CERTIFICATE_VERIFY_FAILED"):
            engine.client_of(environ)


def client(answer: Exception | dict[str, str]) -> DockerClient:
    api: Any = Mock()
    api.create_container.side_effect = [answer]
    return cast("DockerClient", Mock(api=api))


def refusal(status: int, text: str) -> APIError:
    return APIError("refused", response=Mock(status_code=status), explanation=text)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (refusal(400, "bind source path does not exist: /home/me"), "bind source path does not exist: /home/me"),
        (ImageNotFound("no such image", response=Mock(status_code=404)), ""),
        (refusal(500, "something else"), ""),
    ],
)
def test_an_engine_that_lacks_a_folder_says_so_before_it_looks_for_the_image(answer: APIError, reason: str) -> None:
    assert engine.not_mountable(client(answer), FOLDER) == reason
