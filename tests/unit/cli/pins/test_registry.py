from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest

from cli.pins import registry
from cli.pins.proposal import NoAnswerError
from cli.pins.registry import Repository

DIGEST = "sha256:" + "ab" * 32
PATH = "/v2/team/postgres"


class Server(http.server.ThreadingHTTPServer):
    """Serves the registry in the way that a test wants."""

    daemon_threads = True
    realm = ""
    following = ""
    asked: ClassVar[dict[str, list[str]]] = {}


class Registry(http.server.BaseHTTPRequestHandler):
    """A registry of one image with two pages of tags, that asks everybody for a token."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, Server)
        url = urlsplit(self.path)
        address = f"127.0.0.1:{server.server_port}"
        if url.path == "/token":
            Server.asked = parse_qs(url.query)
            self.answer(200, {"token": "t1"})
        elif self.headers.get("Authorization") != "Bearer t1":
            realm = f'Bearer realm="{server.realm or f"http://{address}/token"}",service="here",scope="pull"'
            self.answer(401, {}, {"WWW-Authenticate": realm})
        elif url.path == f"{PATH}/tags/list" and "last" not in url.query:
            following = server.following or f"{PATH}/tags/list?n=1000&last=17.6"
            self.answer(200, {"tags": ["17.5", "17.6"]}, {"Link": f'<{following}>; rel="next"'})
        elif url.path == f"{PATH}/tags/list":
            self.answer(200, {"tags": ["17.7"]})
        elif url.path == f"{PATH}/manifests/17.7":
            self.answer(200, {}, {"Docker-Content-Digest": DIGEST})
        else:
            self.answer(404 if "none" in url.path else 200, ["not", "an", "object"])

    do_HEAD = do_GET  # noqa: N815 - the name that the library calls

    def answer(self, status: int, document: object, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep the tests' output quiet."""


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(("127.0.0.1", 0), Registry)
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("image", "host", "name"),
    [
        ("postgres", registry.DOCKER_HUB, "library/postgres"),
        ("team/postgres", registry.DOCKER_HUB, "team/postgres"),
        ("registry.example/team/postgres", "registry.example", "team/postgres"),
        ("localhost:5000/postgres", "localhost:5000", "postgres"),
        ("localhost/postgres", "localhost", "postgres"),
    ],
)
def test_an_image_has_a_place(image: str, host: str, name: str) -> None:
    assert Repository.of(image) == Repository(host, name)


def test_only_a_registry_of_this_machine_is_asked_without_tls() -> None:
    assert Repository.of("postgres").url.startswith("https://")
    assert Repository.of("registry.example/a").url.startswith("https://")
    assert Repository.of("127.0.0.1:5000/a").url == "http://127.0.0.1:5000/v2/a"


def test_all_tags_are_listed_with_a_token_that_anybody_gets(server: Server) -> None:
    assert registry.tags(f"127.0.0.1:{server.server_port}/team/postgres") == ["17.5", "17.6", "17.7"]
    assert server.asked == {"service": ["here"], "scope": ["pull"]}


def test_a_tags_digest_is_told(server: Server) -> None:
    image = f"127.0.0.1:{server.server_port}/team/postgres"
    assert registry.digest(image, "17.7") == DIGEST
    with pytest.raises(NoAnswerError, match="gave no digest"):
        registry.digest(image, "17.8")


@pytest.mark.parametrize(
    ("image", "changes", "told"),
    [
        ("none", {}, "answers 404 for none"),
        ("other", {}, "gave no list of tags"),
        ("team/postgres", {"realm": "http://elsewhere.invalid/token"}, "answers 401"),
        (
            "team/postgres",
            {"following": "https://elsewhere.invalid/v2/team/postgres/tags/list"},
            "leads to another host",
        ),
        ("team/postgres", {"following": f"{PATH}/tags/list?n=1000"}, "no end of tags"),
    ],
)
def test_what_is_no_answer_is_told(
    server: Server, monkeypatch: pytest.MonkeyPatch, image: str, changes: dict[str, str], told: str
) -> None:
    monkeypatch.setattr(registry, "PAGES", 3)
    for name, value in changes.items():
        setattr(server, name, value)
    with pytest.raises(NoAnswerError, match=told):
        registry.tags(f"127.0.0.1:{server.server_port}/{image}")


def test_a_registry_that_is_not_there_is_told(server: Server) -> None:
    server.shutdown()
    server.server_close()
    with pytest.raises(NoAnswerError, match="can't be reached"):
        registry.tags(f"127.0.0.1:{server.server_port}/team/postgres")
