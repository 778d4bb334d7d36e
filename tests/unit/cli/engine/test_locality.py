from __future__ import annotations

import platform

import pytest

from cli.engine import locality

OWN = {"Name": platform.node(), "KernelVersion": platform.release()}
SOCKET = "http+docker://localhost"


@pytest.mark.parametrize(
    ("info", "address", "here", "publishes"),
    [
        (OWN, SOCKET, True, True),
        (OWN, "https://127.0.0.1:2376", True, True),
        ({**OWN, "KernelVersion": "1"}, SOCKET, False, False),
        ({**OWN, "Name": "build-host"}, SOCKET, False, False),
        ({**OWN, "Name": "dind"}, "https://docker:2376", False, False),
        ({"Name": "docker-desktop", "OperatingSystem": "Docker Desktop"}, SOCKET, False, True),
        ({"Name": "colima"}, SOCKET, False, True),
        ({"Name": "docker-desktop", "OperatingSystem": "Docker Desktop"}, "http://10.0.0.9:2375", False, False),
        ({"Name": "docker-desktop", "OperatingSystem": "Docker Desktop"}, "http://localhost:2375", False, True),
        ({"Name": "a-tunnel"}, "http://localhost:2375", False, False),
    ],
)
def test_which_computer_an_engine_is_on(info: dict[str, str], address: str, here: bool, publishes: bool) -> None:
    assert locality.is_here(info) is here
    assert locality.publishes_here(info, address) is publishes
