"""What each step of a sequence does; what it returns is wrong."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress

from docker.errors import APIError, DockerException, NotFound

from bench.campaign import checks, clones, commands, obstacles
from bench.campaign.sequences import RESTART_ENGINE, SERVICES, Step
from bench.campaign.trial import Trial
from infra.naming import OWNER_LABEL, PROJECT, PROJECT_LABEL
from tests.system.running import TIMEOUT, wait_until

CODE = {
    "label": ("infra/naming.py", "            OWNER_LABEL: self.owner,\n", '            "dashtam.more": "1",\n'),
    "app": ("app/main.py", "", "\n# Edited.\n"),
    "image": ("Dockerfile", "", "\n# Edited.\n"),
}
"""Edits of the code: in which file, after which text (else at its end), and what is added."""

ENGINE = 120.0
"""Seconds in which an engine that is restarted answers again."""

Do = Callable[..., list[str]]


def do(trial: Trial, step: Step, engine: str = "") -> list[str]:
    """Do a step.

    Args:
        trial: The sequence.
        step: The step.
        engine: The command that restarts the engine.

    Returns:
        What is wrong.
    """
    if step.name == RESTART_ENGINE:
        return restart_engine(trial, engine)
    trial.is_damaged |= step.name.startswith("docker")
    if step.name in commands.COMMANDS and step.name != "up":
        return trial.checked(commands.run(trial, step.name, *step.arguments))
    return trial.checked(STEPS[step.name](trial, *step.arguments))


def up(trial: Trial, twice: str = "") -> list[str]:
    """Bring it up."""
    return trial.up(twice=bool(twice))


def write(trial: Trial) -> list[str]:
    """Write into it."""
    return trial.write()


def config(trial: Trial, kind: str, edit: str) -> list[str]:
    """Give a key of the config another value."""
    key, _, text = edit.partition("=")
    trial.edits[key] = (kind, text)
    return _configured(trial)


def config_reset(trial: Trial) -> list[str]:
    """Take the config's edits back."""
    trial.edits.clear()
    return _configured(trial)


def _configured(trial: Trial) -> list[str]:
    trial.world.configure({key: text for key, (_, text) in trial.edits.items()})
    return []


def code(trial: Trial, which: str) -> list[str]:
    """Edit the code."""
    name, after, more = CODE[which]
    file = trial.world.checkout.root / name
    text = file.read_text()
    file.write_text(text.replace(after, after + more, 1) if after else text + more)
    return []


def code_reset(trial: Trial) -> list[str]:
    """Take the code's edits back."""
    trial.world.discard_code()
    return []


def restart(trial: Trial, service: str) -> list[str]:
    """Restart a service."""
    reasons = [*trial.ailments, *(["it is switched off"] if service not in trial.services else [])]
    return trial.dashtam("restart", trial.world.stack, service, may_fail=reasons)[1]


def pulumi(trial: Trial, which: str) -> list[str]:
    """Run plain Pulumi."""
    flags = {"preview": (), "up": ("--yes", "--skip-preview")}.get(which, ("--yes",))
    done = trial.world.pulumi(which, *flags, "--stack", trial.world.stack)
    if which == "up":
        trial.note_update(done)
    return checks.crashes(done)


def docker(trial: Trial, what: str, service: str) -> list[str]:
    """Do something to a container behind Pulumi's back."""
    container = trial.world.container(service)
    if container is None:
        return []
    # The engine refuses what makes no sense, such as killing what doesn't run.
    with suppress(APIError):
        if what == "disconnect":
            trial.world.client.networks.get(trial.world.network).disconnect(container, force=True)
        elif what == "rm":
            container.remove(force=True)
        else:
            getattr(container, what)()
    return []


def docker_prune(trial: Trial) -> list[str]:
    """Prune the environment's stopped containers."""
    labels = [f"{PROJECT_LABEL}={PROJECT}", f"{OWNER_LABEL}={trial.world.owner}"]
    trial.world.client.containers.prune(filters={"label": labels})
    return []


def docker_remove_files(trial: Trial, service: str) -> list[str]:
    """Remove a service's container, the installer and the volume with its files."""
    for name in (service, "files"):
        docker(trial, "rm", name)
    with suppress(NotFound, APIError):
        trial.world.client.volumes.get(f"dashtam-{trial.world.stack}-{service}-files").remove()
    trial.lacks_keys |= service == "app"
    return []


def docker_remove_network(trial: Trial) -> list[str]:
    """Cut all services off and remove the network."""
    for service in SERVICES:
        docker(trial, "disconnect", service)
    with suppress(NotFound, APIError):
        trial.world.client.networks.get(trial.world.network).remove()
    return []


def restart_engine(trial: Trial, command: str) -> list[str]:
    """Restart the engine with the command that the user gave for it."""
    subprocess.run(["sh", "-c", command], check=True, timeout=TIMEOUT)  # noqa: S607

    def answers() -> bool:
        with suppress(DockerException, OSError):
            return bool(trial.world.client.ping())
        return False

    wait_until(answers, "the engine answers", ENGINE)
    trial.before = trial.strangers.look()
    return trial.checked([])


STEPS: Mapping[str, Do] = {
    "up": up,
    "write": write,
    "config": config,
    "config-reset": config_reset,
    "code": code,
    "code-reset": code_reset,
    "restart": restart,
    "pulumi": pulumi,
    "kill": commands.kill,
    "docker": docker,
    "docker-prune": docker_prune,
    "docker-remove-files": docker_remove_files,
    "docker-remove-network": docker_remove_network,
    "occupy": obstacles.occupy,
    "lose-passphrase": obstacles.lose_passphrase,
    "full-disk": obstacles.full_disk,
    "clock": obstacles.clock,
    "name": clones.name,
    "second": clones.second,
}
