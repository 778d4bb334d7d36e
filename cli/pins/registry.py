"""What an image registry has: tags and digests, asked over its HTTP API (OCI Distribution)."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit
from urllib.request import parse_http_list, parse_keqv_list

import httpx
import truststore

from cli.pins.proposal import NoAnswerError

DOCKER_HUB = "registry-1.docker.io"
PAGES = 100
_TIMEOUT = httpx.Timeout(10.0, connect=3.0)
_LOOPBACK = ("127.0.0.1", "localhost")
_MANIFESTS = ", ".join(
    [
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    ]
)


@dataclass(frozen=True)
class Repository:
    """An image's place in a registry.

    Args:
        host: The registry, with its port if it has one.
        name: The repository.
    """

    host: str
    name: str

    @classmethod
    def of(cls, image: str) -> Repository:
        """Return the place of an image, as the engine understands its name.

        Args:
            image: The name without a tag, such as `postgres` or `localhost:5000/team/postgres`.
        """
        first, slash, rest = image.partition("/")
        if slash and ("." in first or ":" in first or first == "localhost"):
            return cls(first, rest)
        return cls(DOCKER_HUB, image if slash else f"library/{image}")

    @property
    def url(self) -> str:
        """The address of what it has. Like the engine, we take a registry of this very machine without TLS."""
        scheme = "http" if self.host.partition(":")[0] in _LOOPBACK else "https"
        return f"{scheme}://{self.host}/v2/{self.name}"


def tags(image: str) -> list[str]:
    """Return all tags of an image.

    Args:
        image: Its name without a tag.

    Raises:
        NoAnswerError: The registry doesn't tell.
    """
    place = Repository.of(image)
    found: list[str] = []
    url = f"{place.url}/tags/list?n=1000"
    with _client() as client:
        for _ in range(PAGES):
            answer = _get(client, place, url)
            found += _tags_in(answer, place)
            following = answer.links.get("next", {}).get("url")
            if not following:
                return found
            url = urljoin(url, following)
    raise NoAnswerError(f"{place.host} has no end of tags for {place.name}")


def digest(image: str, tag: str) -> str:
    """Return the digest that a tag names.

    Args:
        image: The image's name without a tag.
        tag: The tag.

    Raises:
        NoAnswerError: The registry doesn't tell.
    """
    place = Repository.of(image)
    with _client() as client:
        answer = _get(client, place, f"{place.url}/manifests/{tag}", method="HEAD")
    found: str = answer.headers.get("Docker-Content-Digest", "")
    if not found.startswith("sha256:"):
        raise NoAnswerError(f"{place.host} gave no digest for {image}:{tag}")
    return found


def _client() -> httpx.Client:
    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx.Client(verify=context, timeout=_TIMEOUT, follow_redirects=True, headers={"Accept": _MANIFESTS})


def _get(client: httpx.Client, place: Repository, url: str, method: str = "GET") -> httpx.Response:
    if urlsplit(url).netloc != place.host:
        raise NoAnswerError(f"{place.host} leads to another host for {place.name}")
    try:
        answer = client.request(method, url)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            client.headers["Authorization"] = f"Bearer {_token(client, answer)}"
            answer = client.request(method, url)
        answer.raise_for_status()
    except httpx.HTTPStatusError as error:
        raise NoAnswerError(f"{place.host} answers {error.response.status_code} for {place.name}") from None
    except httpx.HTTPError as error:
        raise NoAnswerError(f"{place.host} can't be reached: {str(error) or type(error).__name__}") from None
    return answer


def _token(client: httpx.Client, refusal: httpx.Response) -> str:
    """Get the token that anybody may have, from where the registry says (docker.com/registry/spec/auth/token)."""
    scheme, _, rest = refusal.headers.get("WWW-Authenticate", "").partition(" ")
    asked = parse_keqv_list(parse_http_list(rest)) if scheme.lower() == "bearer" else {}
    realm = urlsplit(asked.pop("realm", ""))
    if realm.scheme != "https" and realm.hostname not in _LOOPBACK:
        refusal.raise_for_status()
    answer = client.get(realm.geturl(), params=asked)
    answer.raise_for_status()
    given = _json(answer)
    return str(given.get("token") or given.get("access_token") or "")


def _tags_in(answer: httpx.Response, place: Repository) -> list[str]:
    listed = _json(answer).get("tags")
    if not isinstance(listed, list):
        raise NoAnswerError(f"{place.host} gave no list of tags for {place.name}")
    return [tag for tag in listed if isinstance(tag, str)]


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        content = answer.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
