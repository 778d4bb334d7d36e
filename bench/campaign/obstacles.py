"""What stands in the way of an update, for a while: it is refused, and nothing is changed."""

from __future__ import annotations

from contextlib import suppress

from docker.errors import APIError, NotFound

from bench.campaign import checks
from bench.campaign.trial import Trial
from bench.campaign.world import said
from tests.system.commands.test_full_disk import MOUNT, UNSHARED
from tests.system.commands.test_obstacles import FAKETIME
from tests.system.running import run


def occupy(trial: Trial, what: str) -> list[str]:
    """Take a name that the environment needs, if it is free: every update is refused and leaves the thing alone."""
    client, stack = trial.world.client, trial.world.stack
    name = {"volume": f"postgres_{stack}_data", "network": trial.world.network}.get(what, f"dashtam-{stack}-callback")
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
    trial.note_update(done)
    return wrong
