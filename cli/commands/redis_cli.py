"""`dashtam redis-cli`."""

from __future__ import annotations

import typer

from cli.commands.parameters import PASSED_ON, Environment, RedisWords
from cli.engine import container_exec
from cli.environments import handle

REDIS = "redis"

# The password is read in the container, by the only user who can; redis-cli takes it from a variable of its own.
LOGIN = (
    'REDISCLI_AUTH="$(cat /run/secrets/password)"; export REDISCLI_AUTH;'
    ' exec redis-cli --tls --cacert /run/secrets/ca.crt -h localhost --user dashtam -n "$REDIS_DB" "$@"'
)
HISTORY = {"REDISCLI_HISTFILE": "/tmp/.rediscli_history"}  # noqa: S108 - the container's own, in memory

app = typer.Typer(add_completion=False)


@app.command(
    "redis-cli",
    epilog="Examples: ./dashtam redis-cli dev; ./dashtam redis-cli dev -- --scan --pattern 'dashtam:*'",
    context_settings=PASSED_ON,
)
def redis_cli(environment: Environment, arguments: RedisWords = None) -> None:
    """Open redis-cli on an environment's cache, as the service's user, over TLS; arguments are passed to it."""
    command = ["sh", "-c", LOGIN, "redis-cli", *(arguments or [])]
    there = handle.of(environment)
    container_exec.become(there.view, there.running(REDIS), command, HISTORY)
