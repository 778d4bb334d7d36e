"""The names under which a machine reaches itself."""

from __future__ import annotations

LOCALHOST = "localhost"
LOOPBACK = "127.0.0.1"
LOOPBACK_6 = "::1"
LOCAL = (LOCALHOST, LOOPBACK, LOOPBACK_6)
