"""An update that can't succeed ends soon, and says what is wrong and how to mend it; mended, it goes on.

Soon: a wait for the health of what can't come would take longer than a test may.
"""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

from infra.naming import SERVICES
from tests.system import checkout as checkouts
from tests.system import environments
from tests.system.checkout import free_ports
from tests.system.running import succeed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.system.checkout import Checkout
    from tests.system.environments import Environment

WRONG: tuple[tuple[str, dict[str, object], tuple[str, ...]], ...] = (
    ("app", {"port": 80000}, ("dashtam:app.port", "80000")),
    ("postgres", {"tuning": "speed"}, ("tuning speed", "storage: tmpfs")),
    ("redis", {"memory": "lots"}, ("dashtam:redis.memory", "lots", "512m")),
    ("colour", {"red": 1}, ("dashtam:colour",)),
)
"""Sections with wrong values, and what is said of them."""


def _fails(further: Environment, checkout: Checkout, **env: str) -> str:
    """Return what `up` says when it refuses; nothing may have changed."""
    before = further.ids()
    done = checkout.dashtam("up", checkout.stack, **env)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert further.ids() == before
    return " ".join(done.stderr.split())


def _comes_up(further: Environment, checkout: Checkout) -> None:
    checkout.configure()
    checkout.up()
    assert environments.is_up(further.client, checkout.stack)


def test_a_port_that_a_process_has(further: Environment, checkout: Checkout) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        checkout.configure(callback={"port": port})
        said = _fails(further, checkout)
    assert f"Port {port}" in said
    assert str(os.getpid()) in said
    _comes_up(further, checkout)


def test_a_port_that_a_container_has(further: Environment, checkout: Checkout) -> None:
    [port] = free_ports(1)
    other = further.client.containers.run(
        further.image("postgres"),
        ["sleep", "600"],
        entrypoint=[],
        name=f"dashtam-probe-{checkout.stack}",
        ports={"6379/tcp": ("127.0.0.1", port)},
        detach=True,
    )
    try:
        checkout.configure(redis={"port": port})
        said = _fails(further, checkout)
    finally:
        checkout.configure()
        other.remove(v=True, force=True)
    assert f"Port {port}" in said
    assert f"dashtam-probe-{checkout.stack} listens" in said


def test_a_container_name_that_is_taken(further: Environment, checkout: Checkout) -> None:
    name = f"dashtam-{further.name}-callback"
    further.container("callback").remove(v=True, force=True)
    other = further.client.containers.create(further.image("postgres"), ["true"], name=name)
    try:
        said = _fails(further, checkout)
    finally:
        other.remove(v=True, force=True)
    assert name in said
    assert "What to do:" in said
    _comes_up(further, checkout)


def test_an_environment_that_another_user_has(further: Environment, checkout: Checkout, tmp_path: Path) -> None:
    """This clone can't see the other one's records: it tells by its labels on the engine."""
    second = checkouts.make(tmp_path)
    (second.root / checkout.config_file.name).write_text(checkout.pristine)
    told = second.dashtam("env")
    succeed(told)
    assert f"Another clone has the names or ports of {checkout.stack}" in told.stderr
    preview = succeed(second.pulumi("preview", "--stack", checkout.stack, "--suppress-progress", "--color", "never"))
    said = " ".join(preview.split())
    name = f"{checkout.stack}-{second.tools['DASHTAM_CLONE'][:4]}"
    missing = [one for one in SERVICES if f"Container dashtam-{name}-{one} create" not in said]
    assert missing == [], said
    assert further.ids()


def test_wrong_values_are_told_before_anything_is_touched(further: Environment, checkout: Checkout) -> None:
    missing = {}
    try:
        for section, values, parts in WRONG:
            checkout.configure(**{section: values})
            said = _fails(further, checkout)
            missing[section] = [part for part in (*parts, "What to do:") if part not in said]
    finally:
        checkout.configure()
    assert missing == {section: [] for section, _, _ in WRONG}


def test_a_wrong_passphrase(further: Environment, checkout: Checkout) -> None:
    said = _fails(further, checkout, PULUMI_CONFIG_PASSPHRASE="not the one")
    assert "incorrect passphrase" in said
    assert "What to do: Use the passphrase that the stack was made with: unset PULUMI_CONFIG_PASSPHRASE" in said


def test_an_engine_that_does_not_answer(further: Environment, checkout: Checkout, tmp_path: Path) -> None:
    said = _fails(further, checkout, DOCKER_HOST=f"unix://{tmp_path}/none.sock")
    assert "none.sock" in said
    assert "What to do:" in said
