"""Other environments of the same config, here and in a second clone: they leave the first one alone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from bench.campaign import checks
from bench.campaign.trial import Trial
from bench.campaign.world import said
from tests.system import environments
from tests.system.running import run


def name(trial: Trial) -> list[str]:
    """Make another environment of the same config, and remove it."""
    before, other = trial.world.containers(), f"{trial.world.stack}-x"
    _, wrong = trial.dashtam("up", trial.world.stack, "--name", other)
    if (trial.world.checkout.root / f"Pulumi.{other}.yaml").is_symlink():  # else it was refused before it was made
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
    ours = ("DASHTAM_CLONE", "PULUMI_CONFIG_PASSPHRASE_FILE")
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
