"""An update that can't succeed ends soon, and says what is wrong and what to do.

Soon: a wait for the health of what can't come would take longer than a test may.
"""

from __future__ import annotations

import os
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from infra.naming import SERVICES
from tests.system import checkout as checkouts
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


def test_a_port_that_a_process_has(further: Environment, checkout: Checkout) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        checkout.configure(callback={"port": port})
        try:
            said = _fails(further, checkout)
        finally:
            checkout.configure()
    assert f"Port {port}" in said
    assert str(os.getpid()) in said


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


def test_an_environment_that_another_user_has(further: Environment, checkout: Checkout, tmp_path: Path) -> None:
    """Their clone can't see this one's records: it tells by the labels on the engine, in its very first commands."""
    second = checkouts.make(tmp_path)
    (second.root / checkout.config_file.name).write_text(checkout.pristine)
    with ThreadPoolExecutor(3) as pool:
        first = [each.result() for each in [pool.submit(second.dashtam, "env", "--json") for _ in range(3)]]
    assert len({succeed(one) for one in first}) == 1
    assert any(f"Another clone has the names or ports of {checkout.stack}" in one.stderr for one in first)
    states = (second.backend / ".pulumi/stacks/dashtam").glob("*.json")
    assert {one.stem for one in states} == {"ci", "dev", "test", second.stack, checkout.stack}
    preview = succeed(second.pulumi("preview", "--stack", checkout.stack, "--suppress-progress", "--color", "never"))
    said = " ".join(preview.split())
    name = f"{checkout.stack}-{second.tools['DASHTAM_CLONE'][:4]}"
    missing = [one for one in SERVICES if f"Container dashtam-{name}-{one} create" not in said]
    assert missing == [], said
    assert further.ids()


def test_wrong_values_are_told_before_anything_is_touched(further: Environment, checkout: Checkout) -> None:
    checkout.configure(**{section: values for section, values, _ in WRONG})
    try:
        said = _fails(further, checkout)
    finally:
        checkout.configure()
    assert [part for _, _, parts in WRONG for part in (*parts, "What to do:") if part not in said] == []


def test_a_wrong_passphrase(further: Environment, checkout: Checkout) -> None:
    said = _fails(further, checkout, PULUMI_CONFIG_PASSPHRASE="not the one")
    assert "incorrect passphrase" in said
    assert "What to do: Use the passphrase that the stack was made with: unset PULUMI_CONFIG_PASSPHRASE" in said
