"""What all tests share: the running environment, seen through its outputs alone."""

from __future__ import annotations

import fcntl
import gc
import json
import os
import signal
import ssl
import subprocess
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import hypothesis
import pytest
from xdist.workermanage import NodeManager  # type: ignore[import-untyped]

from infra import identity
from infra.outputs import StackOutputs, Urls
from tests.order import Order
from tests.turns import Networks, use_of

# How long an example takes says something of the machine's load only.
hypothesis.settings.register_profile(
    "quick", max_examples=30, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
# Where CI is set, hypothesis has loaded its own: 100 examples, the same ones each time.
if hypothesis.settings.get_current_profile_name() != "ci":
    hypothesis.settings.load_profile("quick")

ROOT = Path(__file__).resolve().parents[1]
STACK_VARIABLE = "DASHTAM_TEST_STACK"
OUTPUTS_VARIABLE = "DASHTAM_OUTPUTS_FILE"
TEARDOWN_SECONDS = 120
"""How long an interrupted worker may take to remove the environments that its tests brought up."""


@pytest.fixture(autouse=True)
def undisturbed(request: pytest.FixtureRequest) -> Iterator[None]:
    """Keep the environment whole while a test uses it: one that spoils a part of it waits."""
    if "outputs" not in request.fixturenames or "outage" in request.fixturenames:
        yield
        return
    outputs: StackOutputs = request.getfixturevalue("outputs")
    with use_of(outputs.environment, fcntl.LOCK_SH):
        yield


def pytest_configure(config: pytest.Config) -> None:
    """Let what the tests start be interrupted, also where this run is in a shell's background or under `nohup`."""
    config.pluginmanager.register(Networks(config))
    config.pluginmanager.register(Order(config))
    NodeManager.EXIT_TIMEOUT = TEARDOWN_SECONDS
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Spare the garbage collector what tests import, which stays: looking through it took each worker 3 s."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_sessionstart(session: pytest.Session) -> None:
    """Show dots alone where several workers' files would take turns; instafail's reporter forgot that xdist said so."""
    if session.config.getoption("numprocesses", None):
        session.config.pluginmanager.getplugin("terminalreporter").showfspath = False


@dataclass(frozen=True)
class Endpoints:
    """The environment as this process reaches it: on the host, or inside its network.

    Args:
        app_url: The service.
        callback_url: The callback server.
        database_dsn: PostgreSQL, as its owner; empty where it isn't published, as on a Swarm.
        redis_dsn: Redis, as the service's user; likewise.
        ca_file: The CA that all of them are verified with.
    """

    app_url: str
    callback_url: str
    database_dsn: str
    redis_dsn: str
    ca_file: Path

    def tls(self) -> ssl.SSLContext:
        """Return a client context that trusts the environment's CA and nothing else."""
        return ssl.create_default_context(cafile=str(self.ca_file))


def unavailable(reason: str) -> NoReturn:
    """Skip what an environment that was named doesn't have or publish; fail where it is the tests' own, which does."""
    if os.environ.get(STACK_VARIABLE):
        pytest.skip(reason)
    pytest.fail(reason)


def reached_urls(outputs: StackOutputs) -> Urls:
    """Return an environment's URLs as this process reaches them: inside its network, or on this machine."""
    return outputs.internal_urls if _is_inside() else outputs.urls


def _is_inside() -> bool:
    return OUTPUTS_VARIABLE in os.environ


def reached(outputs: StackOutputs, ca_file: Path) -> Endpoints:
    """Return an environment as this process reaches it.

    Args:
        outputs: What the environment tells the world.
        ca_file: Where its CA certificate is written.
    """
    ca_file.write_text(outputs.ca_certificate)
    urls = reached_urls(outputs)
    database = outputs.internal_database_dsn if _is_inside() else outputs.database_dsn
    redis = outputs.internal_redis_dsn if _is_inside() else outputs.redis_dsn
    if not (urls.app and urls.callback):
        unavailable(f"The app or the callback server of {outputs.environment} is not published.")
    database_dsn, redis_dsn = (one.get_secret_value() if one else "" for one in (database, redis))
    return Endpoints(urls.app, urls.callback, database_dsn, redis_dsn, ca_file)


def stack_outputs(stack: str) -> StackOutputs:
    """Return a stack's outputs from Pulumi.

    Args:
        stack: The stack's name.

    Returns:
        The outputs, secrets included.
    """
    if os.environ.get("DASHTAM_CLONE") not in {None, identity.read(ROOT)}:
        pytest.exit('This shell is set up for another clone; run `eval "$(./dashtam env)"` in this one.', returncode=1)
    command = ["pulumi", "stack", "output", "--stack", stack, "--json", "--show-secrets", "--non-interactive"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.exit(
            f"The outputs of {stack} can't be read; run ./dashtam up {stack}. {done.stderr.strip()}", returncode=1
        )
    values = json.loads(done.stdout)
    if not values:
        pytest.exit(f"{stack} is not up; run ./dashtam up {stack}, or pulumi up --stack {stack}.", returncode=1)
    return StackOutputs.model_validate(values)


@pytest.fixture(scope="session")
def outputs() -> StackOutputs:
    """The outputs of the environment under test."""
    handed_over = os.environ.get(OUTPUTS_VARIABLE)
    if handed_over:
        return StackOutputs.model_validate_json(Path(handed_over).read_text())
    return stack_outputs(os.environ.get(STACK_VARIABLE) or "test")


@pytest.fixture(scope="session")
def endpoints(outputs: StackOutputs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """The environment under test, as this process reaches it."""
    ca_file = tmp_path_factory.mktemp("ca") / "ca.crt"
    yield reached(outputs, ca_file)
    ca_file.unlink()
