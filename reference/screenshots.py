"""Make the documentation's pictures: `python -m reference.screenshots`, which takes dev down and up again.

It needs Chromium, as the suite e2e does. The account that it links for the picture is disconnected at the end.
"""

from __future__ import annotations

import asyncio
import io
import os
import pty
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "images"
ENVIRONMENT = "dev"
COLUMNS = 72
PERSON = "ada"

_REDRAWN = re.compile(r"(?:\r|\x1b\[2K|\x1b\[1A|\x1b\[\?25[lh])+")
_STATES = ("ready", "healthy", "waiting for health", "starting", "installing certificates and secrets")
_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def main() -> None:
    """Make both pictures."""
    FOLDER.mkdir(exist_ok=True)
    command = [str(ROOT / "dashtam"), "up", ENVIRONMENT]
    subprocess.run([str(ROOT / "dashtam"), "down", ENVIRONMENT], check=True)
    (FOLDER / "up.svg").write_text(svg(busiest(frames(in_terminal(command))), f"./dashtam up {ENVIRONMENT}"))
    printed = subprocess.run(
        [str(ROOT / "dashtam"), "open", ENVIRONMENT], check=True, stdout=subprocess.PIPE, text=True
    )
    asyncio.run(photograph(printed.stdout.strip(), FOLDER / "app.png"))
    sys.stdout.write(f"{FOLDER} holds the pictures of {ENVIRONMENT}.\n")


def in_terminal(command: list[str]) -> str:
    """Run a command in a terminal of its own, and return everything it writes there."""
    main_end, terminal = pty.openpty()
    environ = {**os.environ, "COLUMNS": str(COLUMNS), "TERM": "xterm-256color"}
    with subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal, env=environ) as process:
        os.close(terminal)
        written = bytearray()
        try:
            while piece := os.read(main_end, 1 << 16):
                written += piece
        except OSError:  # Linux's way to report the end of a terminal (pty(7))
            pass
    os.close(main_end)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, written.decode(errors="replace"))
    return written.decode(errors="replace")


def frames(written: str) -> list[str]:
    """Return each state of a table that is drawn again and again in the same place."""
    return [frame.rstrip() for frame in _REDRAWN.split(written.replace("\r\n", "\n")) if frame.strip()]


def busiest(drawn: list[str]) -> str:
    """Return the last frame of those with the most rows and, among these, the most different states."""
    return max(reversed(drawn), key=lambda one: (one.count(f"{ENVIRONMENT} "), sum(state in one for state in _STATES)))


def svg(text: str, title: str) -> str:
    """Return coloured terminal output as a picture that loads no font from elsewhere."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi(text))
    return _FONTS.sub("", console.export_svg(title=title))


async def photograph(url: str, file: Path) -> None:
    """Link an account at the sandbox as a person does, take a picture of the app's page, and disconnect it."""
    from tests.e2e.browser import chromium  # noqa: PLC0415 - pytest is no dependency of the rest here
    from tests.e2e.pages import Home, Sandbox, link  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as home:
        async with chromium(Path(home)) as browser:
            page = await browser.new_page(
                viewport={"width": 960, "height": 580}, ignore_https_errors=True, locale="en-GB"
            )
            app = Home(page, url)
            await link(app, Sandbox(page), PERSON)
            await app.open()
            await page.screenshot(path=file)
            await app.disconnect(PERSON)


if __name__ == "__main__":
    main()
