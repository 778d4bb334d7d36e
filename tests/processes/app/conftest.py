from __future__ import annotations

from tests.app_environment import app_environment, tls_environment, tls_files
from tests.certificates import authority, new_authority

__all__ = ["app_environment", "authority", "new_authority", "tls_environment", "tls_files"]
