"""An environment in the lab, in a copy of this checkout, handled as a user does."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import docker
import yaml

from cli.images import build, rebuild, source
from infra import recipes
from infra.catalogue import ALL
from infra.config.sections import ImageSettings
from infra.naming import PROJECT, STACK_LABEL
from tests.system import checkout as checkouts
from tests.system.running import run, succeed, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.system.checkout import Checkout
    from tests.system.swarm.lab import Lab, Node

REPLICAS = {"app": 3, "callback": 2}
PORTS = {"app": 8400, "callback": 8482}
PROVIDER = "offline"
OFFLINE = {
    "kind": "oauth2",
    "authorization_endpoint": "https://issuer.invalid/authorize",
    "token_endpoint": "https://issuer.invalid/token",
    "subject_field": "account",
}
"""A provider that isn't asked before a link starts: that is a write in the environment alone."""
SETTLE_SECONDS = 180.0
UP_SECONDS = 400.0
STAGES = ("production", "callback")


@dataclass(frozen=True)
class Staging:
    """The environment."""

    lab: Lab
    checkout: Checkout
    name: str
    images: str
    """Where this machine's images come from."""

    @property
    def environ(self) -> dict[str, str]:
        """What a user sets to work on the Swarm."""
        return {"DOCKER_HOST": self.lab.manager.host, "DASHTAM_IMAGE_SOURCE": self.images}

    def dashtam(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `./dashtam` as a user of the Swarm does."""
        command = [str(self.checkout.root / "dashtam"), *arguments]
        environ = {**self.checkout.environ, **self.environ}
        return run(command, cwd=self.checkout.root, env=environ, timeout=UP_SECONDS)

    def up(self) -> str:
        """Bring it up, which must succeed; return what the command printed."""
        done = self.dashtam("up", self.name)
        succeed(done)
        return done.stdout + done.stderr

    def configure(self, **changes: dict[str, object]) -> None:
        """Write the config, with changes to its sections; what Pulumi added stays."""
        present = yaml.safe_load(self._file.read_text()) if self._file.exists() else {}
        client = self.checkout.data / "client"
        client.parent.mkdir(exist_ok=True)
        client.write_text("lab")
        document = {**present, "config": _config(self.lab, str(client))}
        for section, values in changes.items():
            document["config"].setdefault(f"dashtam:{section}", {}).update(values)
        self._file.write_text(yaml.safe_dump(document, sort_keys=False))

    def outputs(self) -> dict[str, Any]:
        """Return its outputs, secrets included."""
        return self.checkout.outputs(self.name)

    def service(self, name: str) -> dict[str, Any]:
        """Return what the Swarm says of a service."""
        document: dict[str, Any] = json.loads(self.lab.manager.docker("service", "inspect", self._service(name)))[0]
        return document

    def tasks(self, name: str) -> list[dict[str, str]]:
        """Return the tasks of a service that are to run, with `Node` and `CurrentState`."""
        return self._tasks(self._service(name))

    def _tasks(self, service: str) -> list[dict[str, str]]:
        listed = self.lab.manager.docker(
            "service", "ps", service, "--filter", "desired-state=running", "--format", "{{json .}}"
        )
        return [json.loads(line) for line in listed.splitlines()]

    def container(self, name: str) -> tuple[Node, str]:
        """Return the node and the id of a running container of a service."""
        for node in self.lab.nodes:
            label = f"com.docker.swarm.service.name={self._service(name)}"
            if found := node.docker("ps", "--quiet", "--filter", f"label={label}").split():
                return node, found[0]
        raise AssertionError(f"no container of {name} runs")

    def is_whole(self) -> bool:
        """Tell whether every service has all of its replicas; the edge has one for each node, lost ones too."""
        chosen = ("--filter", f"label={STACK_LABEL}={self.name}", "--filter", "mode=replicated")
        listed = self.lab.manager.docker("service", "ls", *chosen, "--format", "{{.Name}} {{.Replicas}}")
        wanted = {line.split()[0]: int(line.split()[1].partition("/")[2]) for line in listed.splitlines()}
        return bool(wanted) and all(self._running(service) == count for service, count in wanted.items())

    def _running(self, service: str) -> int:
        # Not the number that `docker service ls` has: that counts what ran on a lost node, too, as if it still did.
        return sum(task["CurrentState"].startswith("Running") for task in self._tasks(service))

    def settle(self) -> None:
        """Wait until every service has all of its replicas."""
        wait_until(self.is_whole, f"all replicas of {self.name} run", SETTLE_SECONDS)

    def left(self) -> dict[str, list[str]]:
        """Return everything on any node that bears this environment's labels, by node and kind."""
        chosen = ("--quiet", "--filter", f"label={STACK_LABEL}={self.name}")
        found = {}
        for node in self.lab.nodes:
            kinds = {"container": ("--all",), "volume": (), "network": ()}
            if node is self.lab.manager:
                kinds |= {"service": (), "secret": (), "config": ()}
            for kind, more in kinds.items():
                if names := node.docker(kind, "ls", *more, *chosen).split():
                    found[f"{node.name} {kind}"] = names
        return found

    def publish(self) -> None:
        """Give all nodes the images of the checkout as it is now, made of those that run and its source."""
        for stage, service in (("production", "app"), ("callback", "callback")):
            runs = self.service(service)["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"].partition("@")[0]
            recipe = self.checkout.root / "Update"
            recipe.write_text(f"FROM {runs}\nUSER root\nCOPY app /srv/app\nUSER 10001:10001\n")
            reference = self._reference(stage)
            command = ["docker", "build", "--quiet", "--file", recipe.name, "--tag", reference, "."]
            succeed(run(command, cwd=self.checkout.root, env={**os.environ, "DOCKER_BUILDKIT": "0"}))
            recipe.unlink()
            try:
                self.lab.load(reference)
            finally:
                succeed(run(["docker", "rmi", reference], cwd=self.checkout.root))

    def _reference(self, stage: str) -> str:
        script = (
            "import sys; from infra import recipes; from infra.config.sections import ImageSettings as Settings;"
            "print(recipes.reference(sys.argv[1], recipes.build_arguments(sys.argv[1], Settings())))"
        )
        environ = {**self.checkout.environ, **self.environ}
        python = str(self.checkout.root / ".venv/bin/python")
        return succeed(run([python, "-c", script, stage], cwd=self.checkout.root, env=environ)).strip()

    @property
    def _file(self) -> Path:
        return self.checkout.root / f"Pulumi.{self.name}.yaml"

    def _service(self, name: str) -> str:
        return f"{PROJECT}-{self.name}-{name}"


@contextmanager
def environment(lab: Lab, checkout: Checkout, images: str, **changes: dict[str, object]) -> Iterator[Staging]:
    """Bring an environment up in the lab; it is removed at the end."""
    made = Staging(lab, checkout, f"staging-{secrets.token_hex(2)}", images)
    made.configure(**changes)
    try:
        made.up()
        yield made
    finally:
        done = made.dashtam("destroy", made.name, "--yes", "--no-snapshot")
    succeed(done)


def prepare(lab: Lab) -> str:
    """Make this machine's images and give them to all nodes; return where they come from."""
    with closing(docker.from_env()) as engine:
        found = source.decide(engine)
        build.ensure(engine, found, bases=ALL)
        settings = ImageSettings(source=found)
        wanted = {stage: recipes.build_arguments(stage, settings) for stage in STAGES}
        named = {recipes.reference(stage, arguments): stage for stage, arguments in wanted.items()}
        missing = {name: stage for name, stage in named.items() if not engine.images.list(name)}
        images = {name: rebuild.Image(stage, wanted[stage]) for name, stage in missing.items()}
        rebuild.rebuild(engine, images, cache=True)
        lab.load(*named, *(base.reference(found) for base in ALL))
    return found


def copy(folder: Path) -> Checkout:
    """Return a copy of this checkout with a state of its own."""
    return checkouts.make(folder)


def _config(lab: Lab, client: str) -> dict[str, Any]:
    address = lab.manager.address
    return {
        "dashtam:target": {
            "kind": "swarm",
            "expose": True,
            "encrypted": False,  # the lab's kernel may lack ESP
            "replicas": dict(REPLICAS),
            "data_node": lab.manager.name,
            "nodes": {node.name: node.host for node in lab.nodes},
            "drain": "6s",
        },
        "dashtam:network": {"bind_address": "0.0.0.0", "hostname": address},
        "dashtam:postgres": {"database": "dashtam", "user": "dashtam_user", "memory": "512m"},
        "dashtam:app": {"port": PORTS["app"], "oauth_redirect_uri": f"https://{address}:{PORTS['callback']}"},
        "dashtam:callback": {"port": PORTS["callback"]},
        "dashtam:sandbox": {"enabled": False},
        "dashtam:providers": {PROVIDER: {**OFFLINE, "client_id_file": client, "client_secret_file": client}},
    }
