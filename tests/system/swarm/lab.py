"""A Swarm of three Docker engines on this machine: each a process in a network namespace of its own, on one bridge.

Nothing else on the machine is touched: names and addresses are the lab's own, and what it ends it has started.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import docker
import psutil

from tests.system.running import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PROGRAMS = ("dockerd", "docker", "ip", "iptables", "nsenter", "unshare", "umount")
NODES = (1, 2, 3)
PEOPLE = range(100, 124)
"""The last parts of addresses that people have, each one of their own: what they do is counted by address."""
ENGINE_SECONDS = 60.0
STOP_SECONDS = 20.0


def obstacle() -> str | None:
    """Return why this machine can't have a lab; None if it can."""
    if sys.platform != "linux":
        return "the lab needs Linux"
    if os.geteuid() != 0:
        return "the lab needs root: sudo --preserve-env ./dashtam test swarm"
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    return f"the lab needs {', '.join(missing)} (Debian: docker.io iproute2 iptables util-linux)" if missing else None


@dataclass
class Node:
    """An engine of the lab."""

    name: str
    address: str
    namespace: str
    folder: Path
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def host(self) -> str:
        """The engine's address, as DOCKER_HOST has it."""
        return f"unix://{self.folder}/sock"

    def client(self) -> docker.DockerClient:
        """Return a client of the engine; the caller closes it."""
        return docker.DockerClient(self.host)

    def docker(self, *arguments: str) -> str:
        """Run `docker` on the engine, and return its output."""
        return _run("docker", "--host", self.host, *arguments)

    def start(self) -> None:
        """Start the engine, and wait until it answers."""
        _inside(self.namespace, "ip", "link", "set", "eth0", "up")
        # Nowhere to pull from: to find that out at once saves each start of a container half a minute.
        _inside(self.namespace, "ip", "route", "replace", "unreachable", "default")
        named = f'hostname {self.name} && exec "$@"'  # what placement constraints know a node by
        command = ["unshare", "--uts", "sh", "-c", named, "engine", *self._engine()]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["nsenter", f"--net=/var/run/netns/{self.namespace}", *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C must not end it before what it runs
            )
        wait_until(self._answers, f"the engine of {self.name} answers: see {self.folder}/log", ENGINE_SECONDS)

    def stop(self) -> None:
        """Stop the engine and its containers, as a machine's shutdown does."""
        if self._process is not None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
        self.kill()

    def kill(self) -> None:
        """Lose the node: its network first, as others see it, then every process of it."""
        _inside(self.namespace, "ip", "link", "set", "eth0", "down")
        doomed = [one for one in psutil.process_iter(["cmdline"]) if self._is_ours(one)]
        doomed += [child for one in doomed for child in _children(one)]
        for one in doomed:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        psutil.wait_procs(doomed, timeout=STOP_SECONDS)
        if self._process is not None:
            self._process.wait(STOP_SECONDS)
            self._process = None

    def restart(self) -> None:
        """Start the machine again."""
        self.stop()
        for left in (self.folder / "pid", self.folder / "exec"):
            _unmount(left)
            shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)
        self.start()

    def _engine(self) -> list[str]:
        own = f"dashtam-{self.namespace}"
        return [
            "dockerd",
            *("--host", self.host),
            *("--data-root", str(self.folder / "data")),
            *("--exec-root", str(self.folder / "exec")),
            *("--pidfile", str(self.folder / "pid")),
            *("--containerd-namespace", own, "--containerd-plugins-namespace", f"{own}-plugins"),
            *("--shutdown-timeout", "15"),
        ]

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "log").read_text()[-3000:]
        return (
            subprocess.run(["docker", "--host", self.host, "version"], check=False, capture_output=True).returncode == 0
        )

    def _is_ours(self, process: psutil.Process) -> bool:
        # The engine, its containerd and each container's shim have the folder among their arguments.
        return any(f"{self.folder}/" in word for word in process.info["cmdline"] or ())


@dataclass(frozen=True)
class Lab:
    """A Swarm: the first node is its manager."""

    nodes: Sequence[Node]
    people: Sequence[str]
    """Addresses on the nodes' network that nobody else has."""

    @property
    def manager(self) -> Node:
        """The node through which the Swarm is managed."""
        return self.nodes[0]

    def states(self) -> dict[str, str]:
        """Return what the manager takes the nodes for, by name: `Ready`, or `Down`."""
        listed = self.manager.docker("node", "ls", "--format", "{{.Hostname}} {{.Status}}")
        return dict(line.split() for line in listed.splitlines())

    def load(self, *references: str) -> None:
        """Give all nodes images that the machine's own engine has."""
        with tempfile.NamedTemporaryFile(dir=self.manager.folder) as archive:
            _run("docker", "save", "--output", archive.name, *references)
            for node in self.nodes:
                node.docker("load", "--quiet", "--input", archive.name)


@contextmanager
def swarm() -> Iterator[Lab]:
    """Make a lab; it is removed whatever happens."""
    token, network = secrets.token_hex(3), _free_network()
    folder = Path(tempfile.mkdtemp(prefix="dashtam-lab-"))  # a socket's path must be short
    bridge = f"dsw{token}"
    nodes = [Node(f"node{n}", f"{network}.{n}", f"{bridge}n{n}", folder / str(n)) for n in NODES]
    with ExitStack() as made:
        made.callback(_remove, folder)
        people = [f"{network}.{n}" for n in PEOPLE]
        _bridge(bridge, [f"{network}.254", *people], made)
        for node in nodes:
            node.folder.mkdir()
            _connect(node, bridge, made)
            made.callback(node.stop)
            node.start()
        manager = nodes[0]
        manager.docker("swarm", "init", "--advertise-addr", manager.address)
        joining = manager.docker("swarm", "join-token", "--quiet", "worker").strip()
        for node in nodes[1:]:
            node.docker("swarm", "join", "--token", joining, "--advertise-addr", node.address, manager.address)
        yield Lab(nodes, people)


def _free_network() -> str:
    """Return a /24 of the range for tests of networks (RFC 2544) that this machine doesn't use."""
    used = _run("ip", "-4", "route")
    return next(one for one in (f"198.18.{secrets.randbelow(256)}" for _ in range(1000)) if f"{one}." not in used)


def _bridge(name: str, addresses: Sequence[str], made: ExitStack) -> None:
    _run("ip", "link", "add", name, "type", "bridge")
    made.callback(_run, "ip", "link", "del", name)
    for address in addresses:
        _run("ip", "address", "add", f"{address}/24", "dev", name)
    _run("ip", "link", "set", name, "up")
    # An engine sets the chain to drop what it doesn't know.
    rule = ("FORWARD", "-i", name, "-o", name, "-j", "ACCEPT")
    _run("iptables", "--wait", "-I", *rule)
    made.callback(_run, "iptables", "--wait", "-D", *rule)


def _connect(node: Node, bridge: str, made: ExitStack) -> None:
    _run("ip", "netns", "add", node.namespace)
    made.callback(_run, "ip", "netns", "del", node.namespace)
    cable = f"v{node.namespace}"
    _run("ip", "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", node.namespace)
    _run("ip", "link", "set", cable, "master", bridge, "up")
    _inside(node.namespace, "ip", "address", "add", f"{node.address}/24", "dev", "eth0")
    _inside(node.namespace, "ip", "link", "set", "lo", "up")


def _children(process: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return process.children(recursive=True)
    return []


def _remove(folder: Path) -> None:
    _unmount(folder)
    shutil.rmtree(folder)


def _unmount(folder: Path) -> None:
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for mount in reversed([one for one in mounts if one == str(folder) or one.startswith(f"{folder}/")]):
        subprocess.run(["umount", "--lazy", mount], check=False, capture_output=True)


def _inside(namespace: str, *command: str) -> str:
    return _run("nsenter", f"--net=/var/run/netns/{namespace}", *command)


def _run(*command: str) -> str:
    # Ctrl-C comes to all of a terminal's processes: what makes or removes a part of the lab ends its work.
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=300, process_group=0, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout
