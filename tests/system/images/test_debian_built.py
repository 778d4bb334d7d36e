# ruff: noqa: ANN401 - options and fixtures pass through to the docker SDK
"""What holds for the images built from Debian packages alone: their names, labels, content, and how they are made."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from cli.images import build, rootfs
from cli.images.local import local_references
from infra.catalogue import ALL, IMAGES, NODE, POSTGRES, PYTHON, Base, ImageSource

if TYPE_CHECKING:
    from pathlib import Path

    from docker import DockerClient
    from docker.models.containers import Container

VERIFYING = (PYTHON, NODE)
"""The images whose programs verify servers of others."""

PART = "----- next -----"
DATA = "/var/lib/postgresql/data"
ENVIRONMENT = {"POSTGRES_USER": "kept", "POSTGRES_PASSWORD": "x"}


# Where a machine's own images come from a registry, the first of these tests builds those of Debian.
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="session", autouse=True)
def built(client: DockerClient) -> None:
    if (obstacle := rootfs.obstacle()) and build.missing(client, ImageSource.DEBIAN, ALL):
        pytest.skip(f"{obstacle.message}: {obstacle.cause}")
    build.ensure(client, ImageSource.DEBIAN, bases=ALL)


@pytest.fixture(scope="session")
def reference() -> Any:
    return lambda base: base.reference(ImageSource.DEBIAN)


def output(run: Any, base: Base, script: str) -> str:
    container = run(base, ["-c", script], entrypoint="sh", user="0:0", cap_drop=[])
    assert container.wait(timeout=60)["StatusCode"] == 0, container.logs().decode()
    text: str = container.logs().decode().strip()
    return text


def test_labels_tell_what_it_is_and_which_version(client: DockerClient, base: Base) -> None:
    labels = client.images.get(base.reference(ImageSource.DEBIAN)).labels
    assert labels["dashtam.component"] == "base"
    assert labels["dashtam.base"] == base.name
    assert labels["dashtam.origin"] == "debian"
    assert labels["dashtam.version"][0].isdigit()


def test_nothing_of_the_building_machine_is_left_and_only_debians_own_authorities_are_trusted(
    run: Any, base: Base
) -> None:
    left = (
        "find /var/lib/apt/lists /var/cache/apt /usr/local/share/ca-certificates /tmp /root -mindepth 1 -type f"
        " ! -name .bashrc ! -name .profile 2>/dev/null; find / -xdev -name '*.deb'; find /var/log -name '*.log'; "
        "find /etc/machine-id /etc/ssl/private -type f 2>/dev/null || true"
    )
    trusting = "cat /etc/ssl/certs/*.crt /etc/ssl/certs/*.pem 2>/dev/null || true"
    packing = "cat /usr/share/ca-certificates/*/*.crt 2>/dev/null || true"
    said = output(run, base, f"{left}; echo; echo {PART}; {trusting}; echo; echo {PART}; {packing}")
    listed, trusted, packed = (part.strip() for part in said.split(PART))
    assert listed == ""
    _assert_packed(base, certificates(trusted), certificates(packed))


def _assert_packed(base: Base, trusted: set[str], packed: set[str]) -> None:
    assert trusted - packed == set()
    assert bool(trusted) is (base in VERIFYING)


def certificates(text: str) -> set[str]:
    return {"".join(one.split()) for one in re.findall(r"-----BEGIN CERTIFICATE-----([^-]+)", text)}


@pytest.mark.parametrize(
    "moment",
    [
        *(pytest.param(one, marks=pytest.mark.campaign) for one in ("creating directory", "running bootstrap")),
        "ready to accept",
        *(pytest.param(one, marks=pytest.mark.campaign) for one in ("post-bootstrap", "shutting down", "syncing data")),
    ],
)
def test_a_database_whose_making_was_killed_is_made_anew(run: Any, volume: Any, until: Any, moment: str) -> None:
    options = {"environment": ENVIRONMENT, "volumes": [f"{volume().name}:{DATA}"]}
    first = run(POSTGRES, **options)
    killed = False
    for line in first.logs(stream=True, follow=True):
        if moment in line.decode() and not killed:
            first.kill()
            killed = True
    assert killed, "the log never told of this moment"
    second = run(POSTGRES, **options)
    until(lambda: answers(second), second)
    assert not {".init", ".ready"} & entries(second)


def answers(container: Container) -> bool:
    command = ["psql", "-XAtwc", "select 1", "postgresql://kept:x@127.0.0.1/kept"]
    return container.exec_run(command).exit_code == 0


def entries(container: Container) -> set[str]:
    """Return the names of what is in the data folder."""
    listed: Any = container.exec_run(["ls", "-A", DATA])
    assert listed.exit_code == 0
    names = {*listed.output.decode().split()}
    assert "PG_VERSION" in names
    return names


@pytest.mark.parametrize(
    "back",
    [
        "PG_VERSION base global",
        *(
            pytest.param(one, marks=pytest.mark.campaign)
            for one in ("PG_VERSION", "PG_VERSION base pg_wal postgresql.conf", "")
        ),
    ],
)
def test_a_database_is_served_once_and_goes_on_after_a_kill_while_it_moved_in(
    run: Any, volume: Any, until: Any, back: str
) -> None:
    options = {"environment": ENVIRONMENT, "volumes": [f"{volume().name}:{DATA}"]}
    first = run(POSTGRES, **options)
    until(lambda: answers(first), first)
    query = "create table kept (answer int)"
    assert first.exec_run(["psql", "-c", query, "postgresql://kept:x@127.0.0.1/kept"])[0] == 0
    waiting = run(POSTGRES, **options)
    until(lambda: b"in use by another container" in waiting.logs(), waiting)
    assert not answers(waiting)
    first.stop(timeout=30)
    until(lambda: answers(waiting), waiting)
    waiting.stop(timeout=30)
    move = f"cd {DATA} && mkdir .ready && for x in {back}; do mv $x .ready/; done"
    assert run(POSTGRES, ["-c", move], entrypoint="sh", **options).wait(timeout=60)["StatusCode"] == 0
    second = run(POSTGRES, **options)
    until(lambda: answers(second), second)
    query = "select count(*) from kept"
    assert second.exec_run(["psql", "-c", query, "postgresql://kept:x@127.0.0.1/kept"])[0] == 0
    assert ".ready" not in entries(second)


def test_a_folder_that_holds_something_else_is_refused_and_left(run: Any, volume: Any) -> None:
    mount = {"volumes": [f"{volume().name}:{DATA}"]}
    assert (
        run(POSTGRES, ["-c", f"echo mine > {DATA}/letter"], entrypoint="sh", **mount).wait(timeout=60)["StatusCode"]
        == 0
    )
    container = run(POSTGRES, environment=ENVIRONMENT, **mount)
    assert container.wait(timeout=60)["StatusCode"] == 1
    assert b"holds letter but no database" in container.logs()
    kept = run(POSTGRES, [f"{DATA}/letter"], entrypoint="cat", **mount)
    kept.wait(timeout=60)
    assert kept.logs() == b"mine\n"


BUILD = (
    "from cli.engine.connect import connect; from cli.images import build, debian; from cli.ui import progress; "
    "print(debian.root_reference()); progress.PLAIN_INTERVAL_SECONDS = 3.0; "
    "build.ensure(connect(), build.ImageSource('debian'))"
)


@pytest.mark.parametrize("ending", [pytest.param(signal.SIGINT, marks=pytest.mark.campaign), signal.SIGKILL])
def test_a_build_that_is_ended_leaves_nothing_half_made(
    client: DockerClient, tmp_path: Path, ending: signal.Signals, until_gone: Any
) -> None:
    """Under a changed recipe, and so under names of its own, the root file system is begun and broken off."""
    recipe = tmp_path / "images"
    subprocess.run(["cp", "-a", str(IMAGES), str(recipe)], check=True)
    (recipe / "base" / "changed").write_text(str(tmp_path))
    patch = f"from pathlib import Path; import infra.catalogue as c; c.IMAGES = Path({str(recipe)!r}); "
    environment = {**os.environ, "DASHTAM_CACHE_HOME": str(tmp_path / "cache")}
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", patch + BUILD], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True,
    )  # fmt: skip
    with process:
        for line in process.stderr or ():
            if "s so far" in line:
                break
        assert process.poll() is None
        process.send_signal(ending)
        name = process.communicate(timeout=60)[0].strip()
    assert process.returncode != 0
    assert name.startswith("dashtam-debian/base:")
    assert name not in local_references(client)
    until_gone(str(tmp_path / "cache"))
