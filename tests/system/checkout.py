"""A copy of this checkout with a state of its own, and in it an environment that nobody wrote code for."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import yaml

from cli.environments.clone import Clone
from infra.naming import SERVICES
from tests.system import environments, pulumi_secrets
from tests.system.running import run, succeed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import docker

ROOT = Path(__file__).resolve().parents[2]
SALT = "encryptionsalt:"
PUBLISHED = ("app", "postgres", "redis", "callback", "sandbox")
OWN_PORTS = range(10_000, 23_000)
"""Below what the tool gives to further environments, and what Linux gives to outgoing connections (from 32768 on)."""
BUSY = "4m"
"""What a service may take to become healthy: a machine that runs all of the suites at once is slow."""
OWN = (
    "PULUMI_",
    "DASHTAM_CLONE",
    "DASHTAM_DATA_HOME",
    "DASHTAM_TEST_STACK",
    "VIRTUAL_ENV",
    "COV",
    "UV_",
)
"""Variables of the clone that runs the tests, which the copy must not inherit."""
_OUTPUTS: dict[tuple[Path, int], dict[str, Any]] = {}
"""Outputs by the state that they were read from."""
_TOOLS: dict[tuple[Path, Path], dict[str, str]] = {}
"""What `./dashtam env` gives, by checkout and where its state is."""


@dataclass(frozen=True)
class Checkout:
    """A checkout made for the tests.

    Args:
        root: Where it is.
        data: Where its state and passphrase are.
        stack: The further environment, whose config is a copy of dev's, with patience for a busy machine.
        pristine: That config as it is committed.
        services: Which of the further environment's services run; all if empty.
    """

    root: Path
    data: Path
    stack: str
    pristine: str
    services: tuple[str, ...] = ()

    @property
    def config_file(self) -> Path:
        """The further environment's config."""
        return self.root / f"Pulumi.{self.stack}.yaml"

    @property
    def environ(self) -> dict[str, str]:
        """The environment of a user who works in this checkout."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(OWN)}
        return {**inherited, "DASHTAM_DATA_HOME": str(self.data)}

    @property
    def tools(self) -> dict[str, str]:
        """The environment that `eval "$(./dashtam env)"` gives."""
        key = (self.root, self.data)
        if key not in _TOOLS:
            _TOOLS[key] = {**self.environ, **json.loads(succeed(self.dashtam("env", "--json")))}
        return _TOOLS[key]

    @property
    def home(self) -> Path:
        """Where this checkout's own state is kept; those of its worktrees are beside it."""
        return self.data / "clones" / self.tools["DASHTAM_CLONE"]

    @property
    def clone(self) -> Clone:
        """This checkout as commands have it, for what is called without the second in which one starts."""
        return Clone(self.tools["DASHTAM_CLONE"], self.root, self.home)

    @property
    def backend(self) -> Path:
        """The folder in which Pulumi keeps its state."""
        return Path(unquote(urlsplit(self.tools["PULUMI_BACKEND_URL"]).path))

    def configure(self, **changes: dict[str, object]) -> None:
        """Write the config: the committed one, with changes to its sections."""
        document = yaml.safe_load(self.pristine)
        for section, values in changes.items():
            document["config"].setdefault(f"dashtam:{section}", {}).update(values)
        text = yaml.safe_dump(document, sort_keys=False) if changes else self.pristine
        present = self.config_file.read_text().splitlines(keepends=True) if self.config_file.exists() else []
        self.config_file.write_text(text + "".join(line for line in present if line.startswith(SALT)))

    def dashtam(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run `./dashtam`."""
        command = [str(self.root / "dashtam"), *arguments]
        return run(command, cwd=self.root, env={**self.environ, **env})

    def up(self) -> None:
        """Bring the further environment up; it must succeed."""
        succeed(self.dashtam("up", self.stack, *self.services))

    def ensure_up(self, client: docker.DockerClient) -> None:
        """Bring the further environment up as it is committed, where a test left it otherwise."""
        edited = _without_salt(self.config_file.read_text()) != self.pristine
        if edited or not environments.is_up(client, self.stack, services=self.services or SERVICES):
            self.configure()
            self.up()

    def install(self) -> None:
        """Make the virtual environment, as the first command after a copy or a move does."""
        succeed(self.dashtam("--help"))
        _share_compiled(self.root)

    def pulumi(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run plain `pulumi` as in a shell that was set up."""
        return run(["pulumi", *arguments, "--non-interactive"], cwd=self.root, env=self.tools)

    def start(self, *arguments: str, said: Path | None = None, **env: str) -> subprocess.Popen[bytes]:
        """Start `./dashtam` in a session of its own, to be interrupted or killed.

        What it says goes to a file, or with what the test itself prints.
        """
        with said.open("wb") if said else nullcontext() as file:
            return subprocess.Popen(
                [str(self.root / "dashtam"), *arguments],
                cwd=self.root,
                env={**self.environ, **env},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )

    def status(self) -> str:
        """Return what git holds for changed."""
        return succeed(run(["git", "status", "--porcelain"], cwd=self.root))

    def awaits_replacement(self, service: str) -> bool:
        """Tell whether the state says that a service's container was deleted and its successor isn't there yet."""
        state = json.loads(self.state().read_text())
        container = f"::dashtam-{self.stack}-{service}"
        resources = state["checkpoint"]["latest"]["resources"]
        return any(one.get("pendingReplacement") for one in resources if one["urn"].endswith(container))

    def state(self, stack: str = "") -> Path:
        """Return the file in which Pulumi keeps the state of the further environment, or of another one."""
        return self.backend / f".pulumi/stacks/dashtam/{stack or self.stack}.json"

    def outputs(self, stack: str = "") -> dict[str, Any]:
        """Return the outputs of the further environment, or of another one, secrets included."""
        state = self.state(stack)
        key = (state, state.stat().st_mtime_ns)
        if key not in _OUTPUTS:
            passphrase = Path(self.tools["PULUMI_CONFIG_PASSPHRASE_FILE"]).read_text().strip()
            _OUTPUTS[key] = pulumi_secrets.outputs(state.read_bytes(), passphrase)
        return _OUTPUTS[key]


def make(folder: Path, like: str = "dev") -> Checkout:
    """Copy what git tracks or would track of this checkout, as it is now, and commit it.

    Args:
        folder: An empty folder.
        like: The environment whose config the further one has.

    Returns:
        The copy.
    """
    root = folder / "dashtam"
    for name in succeed(run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT)).split(
        "\0"
    ):
        if name and (ROOT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, root / name)
    for config in root.glob("Pulumi.*.yaml"):
        config.write_text(_without_salt(config.read_text()))
    stack = f"verify-{secrets.token_hex(4)}"
    made = Checkout(root, folder / "data", stack, _copied_config(root, like))
    made.configure()
    _commit(root)
    made.install()
    return made


@contextmanager
def brought_up(
    client: docker.DockerClient, folder: Path, *services: str, like: str = "dev", **changes: dict[str, object]
) -> Iterator[Checkout]:
    """Make a copy, bring its further environment up, and remove all of it at the end whatever happened.

    Args:
        client: The engine.
        folder: An empty folder.
        services: Which of its services run; all if none is named.
        like: The environment whose config it has.
        changes: To sections of the further environment's config.

    Yields:
        The copy.
    """
    made = replace(make(folder, like), services=services)
    made.configure(**changes)
    try:
        made.up()
        yield made
    finally:
        environments.remove_all(client, made.stack)
        shutil.rmtree(folder)


def free_ports(count: int) -> list[int]:
    """Return ports on which nothing listens now, and which no outgoing connection can take meanwhile."""
    with ExitStack() as held:
        ports: list[int] = []
        while len(ports) < count:
            one = held.enter_context(socket.socket())
            port = secrets.choice(OWN_PORTS)
            with suppress(OSError):
                one.bind(("127.0.0.1", port))
                ports.append(port)
        return ports


def _share_compiled(root: Path) -> None:
    """Give a copy what Python has compiled of the packages here, which takes it some ten seconds otherwise."""
    for compiled in (ROOT / ".venv/lib").rglob("__pycache__/*.pyc"):
        there = root / compiled.relative_to(ROOT)
        there.parent.mkdir(exist_ok=True)
        with suppress(OSError):  # it is there already, or on another file system: Python compiles it where needed
            there.hardlink_to(compiled)


def with_free_ports(document: dict[str, Any]) -> str:
    """Return a config's text with ports of its own in place of those that it has."""
    config = document["config"]
    published = [f"dashtam:{one}" for one in PUBLISHED if "port" in config.get(f"dashtam:{one}", {})]
    for section, port in zip(published, free_ports(len(published)), strict=True):
        config[section]["port"] = port
        if section == "dashtam:callback":
            config["dashtam:app"]["oauth_redirect_uri"] = f"https://127.0.0.1:{port}"
    text: str = yaml.safe_dump(document, sort_keys=False)
    return text


def _copied_config(root: Path, like: str) -> str:
    document = yaml.safe_load((root / f"Pulumi.{like}.yaml").read_text())
    document["config"]["dashtam:health"]["wait"] = BUSY
    return with_free_ports(document)


def _without_salt(text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(SALT))


def _commit(root: Path) -> None:
    author = ["-c", "user.name=Verify", "-c", "user.email=verify@example.invalid"]
    commands: Iterable[list[str]] = (
        ["init", "--quiet"],
        ["add", "--all"],
        [*author, "-c", "core.hooksPath=/dev/null", "commit", "--quiet", "--no-gpg-sign", "-m", "Verify"],
    )
    for command in commands:
        succeed(run(["git", *command], cwd=root))
