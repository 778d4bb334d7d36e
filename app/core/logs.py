"""One pipeline for all logs: JSON, or readable lines when debugging; never a secret, never a query string."""

from __future__ import annotations

import logging
import logging.config
import re
import sys
from http import HTTPStatus
from typing import cast

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

HIDDEN = "***"
_WHOLE = r"(?:code|state|receipt|nonce|code_verifier)"  # secret only where it is the whole name: status_code is none
_PART = r"(?:token|password|passwd|secret|authorization|cookie|api[_-]?key)"
_SECRET_KEY = re.compile(rf"^{_WHOLE}$|{_PART}", re.IGNORECASE)
_SECRET_TEXT = re.compile(
    rf"""(?P<name>(?<![\w-]){_WHOLE}=|{_PART}[\w-]*=)[^\s&"']+|(?P<user>://[^\s:/@]*:)[^\s/@]+(?=@)""",
    re.IGNORECASE,
)
_ACCESS = ("client", "method", "path", "status")
_PROBED = ("/health", "/ready", "/metrics")


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Hide values that are secret by their name or place."""
    return {key: _hide(key, value) for key, value in event.items()}


def _hide(key: str, value: object) -> object:
    if key.startswith("_"):  # structlog's own
        return value
    if _SECRET_KEY.search(key):
        return HIDDEN
    if isinstance(value, dict):
        return {name: _hide(str(name), part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_hide("", part) for part in value]
    return _SECRET_TEXT.sub(rf"\g<name>\g<user>{HIDDEN}", value) if isinstance(value, str) else value


def name_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Put an exception's type and text on the line that has the request's id; its traceback follows without."""
    event["event"] = str(event.get("event", "")).strip()  # uvicorn's ends its line before the fields
    info = event.get("exc_info")
    error = info if isinstance(info, BaseException) else (info if isinstance(info, tuple) else sys.exc_info())[1]
    if info and error:
        event["error"] = " ".join([f"{type(error).__name__}:", *str(error).split()])
    return event


class AccessFilter(logging.Filter):
    """Turns uvicorn's access line into fields, without the query string, where OAuth codes come.

    Successful probes are left out: there is one every few seconds.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record; return whether to log it."""
        client, method, target, _version, status = cast("tuple[str, str, str, str, int]", record.args)
        path = target.partition("?")[0]
        record.msg, record.args = "request", ()
        record.__dict__.update(client=client, method=method, path=path, status=int(status))
        return path not in _PROBED or status >= HTTPStatus.BAD_REQUEST


_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure(*, debug: bool) -> None:
    """Send all logs, uvicorn's and libraries' too, through one pipeline to standard output."""
    level = logging.DEBUG if debug else logging.INFO
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"all": {"()": lambda: _formatter(debug=debug)}},
            "handlers": {"out": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "all"}},
            "root": {"handlers": ["out"], "level": "INFO"},
            "filters": {"access": {"()": AccessFilter}},
            "loggers": {
                "app": {"level": level},
                "httpx2": {"level": "WARNING"},  # it logs whole URLs
                "alembic": {"level": "WARNING"},  # two lines before each migration
                "watchfiles": {"level": "WARNING"},  # logs every change, of other files than sources too
                "uvicorn.access": {"filters": ["access"]},
            },
        }
    )


def _formatter(*, debug: bool) -> logging.Formatter:
    renderer: Processor = structlog.processors.JSONRenderer()
    if debug:
        renderer = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    remove_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_SHARED, structlog.stdlib.ExtraAdder(_ACCESS)],
        processors=[remove_meta, name_exception, structlog.processors.format_exc_info, redact, renderer],
    )
