"""What the OpenAPI document says beside the routes: how a program proves who it is, and what a problem looks like."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from app.http.csrf import HEADER
from app.http.problems import Problem, ProblemResponse
from app.http.sessions import cookie_name

if TYPE_CHECKING:
    from app.core.settings import AppSettings

READS: dict[str, Any] = {"security": [{"session": []}, {}]}
"""For a route that reads: without a session one begins."""

CHANGES: dict[str, Any] = {"security": [{"session": [], "csrf": []}]}
"""For a route that changes something."""

_SCHEMAS = "#/components/schemas/"
_RETRY_AFTER = {
    "description": "Seconds after which to try again.",
    "required": True,
    "schema": {"type": "integer", "minimum": 1},
}
_TELLS_WHEN = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


def problems(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """Describe the problems that a route answers with."""
    content = {ProblemResponse.media_type: {"schema": {"$ref": f"{_SCHEMAS}{Problem.__name__}"}}}
    return {
        status.value: {
            "description": status.phrase,
            "content": content,
            **({"headers": {"Retry-After": _RETRY_AFTER}} if status in _TELLS_WHEN else {}),
        }
        for status in statuses
    }


def install(app: FastAPI, settings: AppSettings) -> None:
    """Complete the document."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            components = FastAPI.openapi(app).setdefault("components", {})
            components.setdefault("schemas", {}).update(_problem_schemas())
            components["securitySchemes"] = _schemes(cookie_name(settings.public_url))
        return FastAPI.openapi(app)

    app.openapi = document  # type: ignore[method-assign] # as FastAPI's own docs say


def _schemes(cookie: str) -> dict[str, Any]:
    session = "A person's session: GET /api/v1/session begins one. A browser sends its own by itself."
    csrf = "The session's token, as GET /api/v1/session tells it."
    return {
        "session": {"type": "apiKey", "in": "cookie", "name": cookie, "description": session},
        "csrf": {"type": "apiKey", "in": "header", "name": HEADER, "description": csrf},
    }


def _problem_schemas() -> dict[str, Any]:
    _, schemas = models_json_schema([(Problem, "serialization")], ref_template=f"{_SCHEMAS}{{model}}")
    return dict(schemas["$defs"])
