"""What stops the service, told in one line."""

from __future__ import annotations


class ServiceError(Exception):
    """The service cannot start or go on; its text is shown to the operator, so it holds no secret."""
