"""Puts the session key of restored data into Pulumi's state, so that whoever linked an account sees it again.

The next update then installs it for the app.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from cli.data import restore_journal, sealed_secrets
from cli.data.restore_journal import Entry, Phase
from cli.environments.handle import EnvironmentHandle
from cli.pulumi.process import Pulumi

_TYPE = "random:index/randomBytes:RandomBytes"
_NAME = "::session-key"

_SIGNATURE = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
"""Marks a secret in a state; Pulumi encrypts one that is given as plain text when it imports it."""


def pending(environment: EnvironmentHandle) -> Entry | None:
    """Return the restore after which the next update is to install the data's session key."""
    entry = restore_journal.of(environment.clone, environment.name).read()
    return entry if entry and entry.phase is Phase.SESSION_KEY else None


def apply(pulumi: Pulumi, environment: EnvironmentHandle) -> None:
    """Put a pending session key into the state; to be called before an update, under the environment's lock."""
    entry, clone, stack = pending(environment), environment.clone, environment.name
    if entry is None:
        return
    sealed = entry.session_key
    key = sealed_secrets.unseal(clone.passphrase_file, sealed_secrets.SESSION_KEY, sealed) if sealed else None
    state = json.loads(pulumi.run("stack", "export", "--stack", stack))
    resources = (state.get("deployment") or {}).get("resources") or []
    found = [one for one in resources if one["type"] == _TYPE and one["urn"].endswith(_NAME)]
    if key and found:
        for one in found:
            one["outputs"] |= _outputs(base64.b64decode(key))
        pulumi.run("stack", "import", "--stack", stack, stdin=json.dumps(state))
    restore_journal.of(clone, stack).clear()


def _outputs(key: bytes) -> dict[str, Any]:
    values = {"base64": base64.b64encode(key).decode(), "hex": key.hex()}
    return {name: {**_SIGNATURE, "plaintext": json.dumps(value)} for name, value in values.items()}
