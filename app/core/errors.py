"""What stops the service, in one line."""

from __future__ import annotations


class ServiceError(Exception):
    """The service cannot start or continue; its text is shown to the operator, so it holds no secret."""
