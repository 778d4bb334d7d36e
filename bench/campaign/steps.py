"""What each step of a sequence does; what it returns is wrong."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

from docker.errors import APIError, DockerException, NotFound

from bench.campaign import checks, commands
from bench.campaign.sequences import RESTART_ENGINE, SERVICES, Step
from bench.campaign.trial import Trial
from bench.campaign.world import said
from infra.naming import OWNER_LABEL, PROJECT, PROJECT_LABEL
from tests.system import environments
from tests.system.commands.test_full_disk import MOUNT, UNSHARED
from tests.system.commands.test_obstacles import FAKETIME
from tests.system.running import PATIENCE, run, wait_until

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
    reasons = [] if trial.world.is_up(trial.services) else [commands.NOT_UP]
    reasons += ["it is switched off"] if service not in trial.services else []
    return trial.dashtam("restart", trial.world.stack, service, may_fail=reasons)[1]


def pulumi(trial: Trial, which: str) -> list[str]:
    """Run plain Pulumi."""
    flags = {"preview": (), "up": ("--yes", "--skip-preview")}.get(which, ("--yes",))
    done = trial.world.pulumi(which, *flags, "--stack", trial.world.stack)
    if which == "up":
        trial.note_update()
    return checks.crashes(done)


def docker(trial: Trial, what: str, service: str) -> list[str]:
    """Do something to a container behind Pulumi's back."""
    container = trial.world.container(service)
    if container is None:
        return []
    # The engine refuses what makes no sense, such as killing what doesn't run.
    with suppress(APIError):
        if what == "disconnect":
            trial.world.client.networks.get(_network(trial)).disconnect(container, force=True)
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
    """Remove a service's container, its installer and the volume with its files."""
    for name in (service, f"{service}-files"):
        docker(trial, "rm", name)
    with suppress(NotFound, APIError):
        trial.world.client.volumes.get(f"dashtam-{trial.world.stack}-{service}-files").remove()
    return []


def docker_remove_network(trial: Trial) -> list[str]:
    """Cut all services off and remove the network."""
    for service in SERVICES:
        docker(trial, "disconnect", service)
    with suppress(NotFound, APIError):
        trial.world.client.networks.get(_network(trial)).remove()
    return []


def _network(trial: Trial) -> str:
    return f"dashtam-{trial.world.stack}-network"


def occupy(trial: Trial, what: str) -> list[str]:
    """Take a name that the environment needs, if it is free: every update is refused and leaves the thing alone."""
    client, stack = trial.world.client, trial.world.stack
    name = {"volume": f"postgres_{stack}_data", "network": _network(trial)}.get(what, f"dashtam-{stack}-callback")
    things = getattr(client, f"{what}s")
    with suppress(NotFound):
        things.get(name)
        return []
    image = client.containers.get(trial.strangers.names[0]).attrs["Image"]
    thing = client.containers.create(image, name=name) if what == "container" else things.create(name)
    before = things.get(name).attrs
    try:
        updates = (trial.world.run("up", stack), trial.world.pulumi("up", "--yes", "--skip-preview", "--stack", stack))
        wrong = [f"{one.command} took over an unlabelled {what}" for one in updates if one.status == 0]
        wrong += checks.refusal(updates[0]) + checks.crashes(updates[1])
        return wrong if things.get(name).attrs == before else [*wrong, f"an unlabelled {what} was changed"]
    except NotFound:
        return [f"an unlabelled {what} was removed"]
    finally:
        # What was taken over is in use, and goes with the next reset.
        with suppress(NotFound, APIError):
            thing.remove()


def lose_passphrase(trial: Trial) -> list[str]:
    """Take the passphrase away for one update, which must be refused."""
    passphrase = trial.world.checkout.home / "passphrase"
    elsewhere = passphrase.rename(passphrase.with_name("elsewhere"))
    try:
        return checks.outcome(trial.world.run("up", trial.world.stack), must_fail=["a lost passphrase"])
    finally:
        elsewhere.rename(passphrase)


def full_disk(trial: Trial, what: str) -> list[str]:
    """Take a snapshot where there is no room for one: nothing is changed."""
    if not trial.world.volumes():
        return []
    checkout, stack = trial.world.checkout, trial.world.stack
    folder = checkout.home / "snapshots" / stack
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    words = ["snapshot", "create", stack] if what == "snapshot" else ["destroy", stack, "--yes"]
    command = [*UNSHARED, "sh", "-euc", MOUNT, "mount", "size=1m", str(folder), str(checkout.root / "dashtam"), *words]
    done = run(command, cwd=checkout.root, env=checkout.environ)
    return checks.outcome(said(" ".join(words), done), must_fail=["a full disk"])


def clock(trial: Trial, jump: str) -> list[str]:
    """Bring it up while the clock is wrong."""
    later = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": jump}
    done, wrong = trial.dashtam("up", trial.world.stack, may_fail=["a wrong clock"], **later)
    trial.note_update()
    return wrong if done.status else []


def name(trial: Trial) -> list[str]:
    """Make another environment of the same config, and remove it."""
    before, other = trial.world.containers(), f"{trial.world.stack}-x"
    _, wrong = trial.dashtam("up", trial.world.stack, "--name", other)
    wrong += trial.dashtam("destroy", other, "--yes", "--no-snapshot", may_fail=["it was never made"])[1]
    environments.remove_all(trial.world.client, other, trial.world.owner)
    return wrong + _unchanged(trial, before, "another environment")


def second(trial: Trial, how: str) -> list[str]:
    """Do something in another clone, which has an environment of the same name."""
    with _second_configured(trial):
        before = trial.world.containers()
        wrong = {"up": _second_up, "plain": _second_plain}.get(how, _second_with_first_env)(trial, how)
        return wrong + _unchanged(trial, before, "a second clone")


@contextmanager
def _second_configured(trial: Trial) -> Iterator[None]:
    trial.world.second.config_file.write_text(trial.world.second.pristine)
    try:
        yield
    finally:
        owner = trial.world.second.tools["DASHTAM_CLONE"]
        environments.remove_all(trial.world.client, trial.world.stack, owner)


def _second_up(trial: Trial, _: str) -> list[str]:
    other, stack = trial.world.second, trial.world.stack
    ups = said("up in a second clone", other.dashtam("up", stack))
    down = said("destroy in a second clone", other.dashtam("destroy", stack, "--yes", "--no-snapshot"))
    return checks.outcome(ups) + checks.outcome(down)


def _second_plain(trial: Trial, _: str) -> list[str]:
    """Use plain Pulumi in a shell that knows nothing of the project, with a backend of its own."""
    other, stack = trial.world.second, trial.world.stack
    backend = trial.world.folder / "own-backend"
    shutil.rmtree(backend, ignore_errors=True)
    backend.mkdir()
    own = {"PULUMI_BACKEND_URL": backend.as_uri(), "PULUMI_CONFIG_PASSPHRASE": "own"}
    ours = ("DASHTAM_CLONE", "DASHTAM_PLACEMENTS", "PULUMI_CONFIG_PASSPHRASE_FILE")
    env = {key: value for key, value in other.tools.items() if key not in ours} | own
    found: list[str] = []
    for words in (["stack", "init", stack], ["up", "--yes", "--skip-preview", "--stack", stack], [*_DESTROY, stack]):
        done = run(["pulumi", *words, "--non-interactive"], cwd=other.root, env=env)
        found += checks.crashes(said(f"pulumi {words[0]} in a second clone", done))
    environments.remove_all(trial.world.client, stack, "unclaimed")
    return found


_DESTROY = ["destroy", "--yes", "--stack"]


def _second_with_first_env(trial: Trial, how: str) -> list[str]:
    """Use a second clone in a shell that was set up for the first one."""
    other, tools = trial.world.second, trial.world.checkout.tools
    env = {key: value for key, value in tools.items() if key.startswith(("PULUMI_", "DASHTAM_"))}
    what = how.removeprefix("env-")
    words = [what, trial.world.stack, *(["--yes"] if what == "destroy" else [])]
    return checks.crashes(said(f"{what} in a second clone with the first's env", other.dashtam(*words, **env)))


def _unchanged(trial: Trial, before: Mapping[str, str], by: str) -> list[str]:
    return [] if before == trial.world.containers() else [f"{by} changed the environment's containers"]


def restart_engine(trial: Trial, command: str) -> list[str]:
    """Restart the engine with the command that the user gave for it."""
    subprocess.run(["sh", "-c", command], check=True, timeout=PATIENCE)  # noqa: S607

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
    "occupy": occupy,
    "lose-passphrase": lose_passphrase,
    "full-disk": full_disk,
    "clock": clock,
    "name": name,
    "second": second,
}
