"""Gives an environment the session key of the data that was restored into it: whoever linked an account sees it again.

The key is Pulumi's, so it is changed in the state, and the next update installs it for the app.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from cli.data.snapshots import journal, keys
from cli.data.snapshots.journal import Phase
from cli.environments.clone import Clone
from cli.pulumi.process import Pulumi

_TYPE = "random:index/randomBytes:RandomBytes"
_NAME = "::session-key"

_SIGNATURE = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
"""Marks a secret in a state; Pulumi encrypts one that is given as plain text when it imports it."""


def is_wanted(clone: Clone, stack: str) -> bool:
    """Return whether an environment is to get another session key at its next update."""
    entry = journal.of(clone, stack).read()
    return entry is not None and entry.phase is Phase.KEYS


def apply(pulumi: Pulumi, clone: Clone, stack: str) -> None:
    """Put the wanted session key into the state, if one is wanted. To be called before an update, in its turn."""
    noted = journal.of(clone, stack)
    entry = noted.read()
    if entry is None or entry.phase is not Phase.KEYS:
        return
    key = keys.unsealed_session_key(clone.passphrase_file, entry.session_key) if entry.session_key else None
    state = json.loads(pulumi.run("stack", "export", "--stack", stack))
    resources = (state.get("deployment") or {}).get("resources") or []
    found = [one for one in resources if one["type"] == _TYPE and one["urn"].endswith(_NAME)]
    if key and found:
        for one in found:
            one["outputs"] |= _outputs(base64.b64decode(key))
        pulumi.run("stack", "import", "--stack", stack, stdin=json.dumps(state))
    noted.clear()


def _outputs(key: bytes) -> dict[str, Any]:
    values = {"base64": base64.b64encode(key).decode(), "hex": key.hex()}
    return {name: {**_SIGNATURE, "plaintext": json.dumps(value)} for name, value in values.items()}
