"""Environments as they change, until Ctrl-C."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

import typer
from rich.console import RenderableType
from rich.live import Live

from cli.core import signals
from cli.engine.container import ContainerView
from cli.operations.status.collect import Overview
from cli.ui.console import out

WATCH_SECONDS = 1.0


def watch(look: Callable[[], list[Overview]], render: Callable[[list[Overview]], RenderableType]) -> None:
    """Show environments until Ctrl-C: as a table that is refreshed, or without a terminal as a line a change."""
    try:
        if out.is_terminal:
            _refresh(lambda: render(look()))
        else:
            _follow(look)
    except KeyboardInterrupt:
        if signals.status() != signals.INTERRUPTED:
            raise


def _refresh(look: Callable[[], RenderableType]) -> None:
    with Live(look(), console=out, auto_refresh=False, vertical_overflow="visible") as live:
        while True:
            time.sleep(WATCH_SECONDS)
            live.update(look(), refresh=True)


def _follow(look: Callable[[], list[Overview]]) -> None:
    before: dict[str, str] = {}
    while True:
        now = {one.name: _health(one) for found in look() for one in found.services}
        for name in sorted(now.keys() | before.keys()):
            if (state := now.get(name, "removed")) != before.get(name):
                typer.echo(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {name} {state}")
        before = now
        time.sleep(WATCH_SECONDS)


def _health(container: ContainerView) -> str:
    return f"{container.state} {container.health}".strip()
