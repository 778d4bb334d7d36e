"""Which environments have a config file, and what it says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cli.core.errors import USAGE, UserError, did_you_mean
from cli.core.paths import ROOT

if TYPE_CHECKING:
    from infra.config.settings import StackSettings


def configured_stacks(root: Path = ROOT) -> list[str]:
    """Return the environments that have a config file, or a link to another's, sorted."""
    found = [path.name for path in root.glob("Pulumi.*.yaml") if path.exists()]  # not a link that leads nowhere
    return sorted(name.removeprefix("Pulumi.").removesuffix(".yaml") for name in found)


def config_file(stack: str, root: Path = ROOT) -> Path:
    """Return where the config of a stack is, as Pulumi looks for it."""
    return root / f"Pulumi.{stack}.yaml"


def require_configured(stack: str, root: Path = ROOT) -> None:
    """Refuse an environment that has no config file."""
    known = configured_stacks(root)
    file = config_file(stack, root)
    if stack in known:
        return
    if file.is_symlink():
        raise UserError(
            f"{stack} has lost its config.",
            cause=f"It was made from {file.readlink()}, which does not exist any more.",
            remedy="Put that file back; git has it if it was committed.",
        )
    raise UserError(
        f"There is no environment {stack!r}.",
        cause=f"{file.name} does not exist; there are: {', '.join(known)}.",
        remedy=f"{did_you_mean(stack, known)}Choose one of these, or make another from the config of one:"
        " `./dashtam up dev --name NAME`.",
        exit_status=USAGE,
    )


def configuration(root: Path, stack: str) -> StackSettings:
    """Return an environment's settings from its file; the files that it names are checked too."""
    import yaml  # noqa: PLC0415 - slow to import, as is the config's schema; most commands only need the names

    from infra.config import settings  # noqa: PLC0415
    from infra.config.errors import ConfigError  # noqa: PLC0415
    from infra.services.providers import read_credentials  # noqa: PLC0415

    name = f"Pulumi.{stack}.yaml"
    try:
        document = yaml.safe_load((root / name).read_text()) or {}
        config = settings.load_document(stack, document.get("config") or {})
        read_credentials(stack, config.providers)
    except (ConfigError, yaml.YAMLError) as error:
        raise UserError(f"{name} is not valid.", cause=str(error), remedy=f"Edit {name}.") from None
    return config
