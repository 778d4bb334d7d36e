"""Which environments have a config file, and what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cli.core.errors import UsageError, UserError, did_you_mean
from cli.core.paths import ROOT
from infra import naming

if TYPE_CHECKING:
    from infra.config.settings import StackSettings

_BELOW_SALT = re.compile(rb"^encryptionsalt:.*\n(?:\s*(?:#.*)?\n)*[ \t]+[^\s#]", re.MULTILINE)


def configured_stacks(root: Path = ROOT) -> list[str]:
    """Return the environments that have a config file, or a link to another's, sorted."""
    return sorted(name for name in _named(root) if naming.is_name(name))


def skipped_files(root: Path = ROOT) -> list[str]:
    """Return the files that are named as configs of environments that can't be, such as `Pulumi.dev copy.yaml`."""
    return sorted(config_file(name, root).name for name in _named(root) if not naming.is_name(name))


def announce_skipped(root: Path = ROOT) -> None:
    """Name these files, which no command uses, on standard error."""
    from cli.ui.console import announce  # noqa: PLC0415 - slow to import, and names are completed without it

    for name in skipped_files(root):
        announce(f"{name} is skipped: {naming.FORM}.")


def _named(root: Path) -> Iterator[str]:
    found = (path.name for path in root.glob("Pulumi.*.yaml") if path.is_file())  # not a link that leads nowhere
    return (name.removeprefix("Pulumi.").removesuffix(".yaml") for name in found)


def readable_stacks(root: Path = ROOT) -> list[str]:
    """Return those of them whose config Pulumi can read; what uses another says what is wrong with it."""
    from infra.config import file  # noqa: PLC0415 - slow to import
    from infra.config.errors import ConfigError  # noqa: PLC0415

    found = []
    for stack in configured_stacks(root):
        with suppress(ConfigError):
            file.read(stack, config_file(stack, root))
            found.append(stack)
    return found


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
    if not naming.is_name(stack):
        remedy = f"Rename {file.name}." if file.exists() else f"There are: {', '.join(known)}."
        raise unfit_name(stack, f"{naming.FORM[:1].upper()}{naming.FORM[1:]}.", remedy)
    raise UsageError(
        f"There is no environment {stack!r}.",
        cause=f"{file.name} does not exist; there are: {', '.join(known)}.",
        remedy=f"{did_you_mean(stack, known)}Choose one of these, or make another from the config of one:"
        " `./dashtam up dev --name NAME`.",
    )


def unfit_name(name: str, cause: str, remedy: str = "Choose another name, such as feature-x.") -> UsageError:
    """Return the error for a name that no environment can have."""
    return UsageError(f"{name!r} can't be an environment's name.", cause=cause, remedy=remedy)


def require_readable(stack: str, root: Path = ROOT) -> None:
    """Refuse an environment whose config file Pulumi can't read, which it would report without line and remedy."""
    from infra.config import file  # noqa: PLC0415 - slow to import

    require_configured(stack, root)
    with _explained(stack, root):
        file.read(stack, config_file(stack, root))


def configuration(root: Path, stack: str) -> StackSettings:
    """Return an environment's settings from its file; the files that it names are checked too."""
    from infra.config import settings  # noqa: PLC0415 - slow to import; most commands only need the names
    from infra.services.providers import read_credentials  # noqa: PLC0415

    with _explained(stack, root):
        config = settings.load_file(stack, config_file(stack, root))
        read_credentials(stack, config.providers)
    return config


@contextmanager
def _explained(stack: str, root: Path) -> Iterator[None]:
    from infra.config.errors import ConfigError  # noqa: PLC0415 - slow to import

    try:
        yield
    except ConfigError as error:
        file = config_file(stack, root)
        raise UserError(
            f"Pulumi.{stack}.yaml is not valid.",
            cause="\n".join(error.problems),
            remedy=f"Keys of config go above encryptionsalt: move what is below it there, in {file}."
            if _has_keys_below_salt(file)
            else f"Edit {file}.",
        ) from None


def _has_keys_below_salt(file: Path) -> bool:
    """Return whether lines were added at the end, where Pulumi writes its salt after all of config."""
    try:
        return _BELOW_SALT.search(file.read_bytes()) is not None
    except OSError:
        return False
