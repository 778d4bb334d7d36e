from __future__ import annotations

import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest

from reference import screenshots

AGAIN = "\r\x1b[2K\x1b[1A\x1b[2K\x1b[1A\x1b[2K"
DRAWN = (
    "\x1b[?25l  dev network  creating\r\n  1 s\r\n"
    f"{AGAIN}  dev network  \x1b[32mready\x1b[0m\r\n  dev app      starting\r\n  3 s\r\n"
    f"{AGAIN}  dev network  \x1b[32mready\x1b[0m\r\n  dev app      healthy\r\n  9 s\r\n"
    "\r\x1b[2K\x1b[?25hdev is up\r\n"
)


def test_the_last_of_the_busiest_frames_is_shown() -> None:
    frames = screenshots.frames(DRAWN)
    assert len(frames) == 4
    shown = screenshots.busiest(frames)
    assert all(part in shown for part in ("ready", "healthy", "9 s"))


def test_the_picture_has_the_text_and_loads_nothing() -> None:
    picture = screenshots.svg(screenshots.frames(DRAWN)[1], "./dashtam up dev")
    texts = "".join(ET.fromstring(picture).itertext())  # noqa: S314 - it is our own
    assert "starting" in texts
    assert "url(http" not in picture


def test_a_command_sees_a_terminal_and_its_failure_is_told() -> None:
    program = "import sys; print(sys.stdout.isatty()); sys.exit(len(sys.argv) - 1)"
    assert screenshots.in_terminal([sys.executable, "-c", program]) == "True\r\n"
    with pytest.raises(subprocess.CalledProcessError):
        screenshots.in_terminal([sys.executable, "-c", program, "fail"])
