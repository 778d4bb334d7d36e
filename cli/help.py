"""The help as the command is typed: by its path, with metavars, and without the words of Python's types.

Typer 0.29 has no setting for any of these, so its parameters' methods are replaced.
"""

from __future__ import annotations

import re

from typer import Context
from typer.core import TyperArgument, TyperOption

COMMAND = "./dashtam"


class RootContext(Context):
    """Names the command by its path in usage lines; completion knows it by its name."""

    @property
    def command_path(self) -> str:
        """How the command is typed."""
        return COMMAND


def _usage(argument: TyperArgument) -> str:
    name = argument.metavar or str(argument.name).upper()
    if argument.required or name.startswith("["):
        return name
    return f"[{name}]"


def _name(argument: TyperArgument) -> str:
    return (argument.metavar or str(argument.name).upper()).replace("[", "").replace("]", "")


def _no_type(_argument: TyperArgument, ctx: Context) -> None:
    del ctx


def _value(option: TyperOption, ctx: Context) -> str | None:
    if option.is_flag:
        return None
    if option.metavar:
        return option.metavar
    is_choice = option.type_descriptor.is_choice
    return option.display_type(ctx).strip("<>") if is_choice else str(option.name).upper().replace("_", "-")


def plain(message: str) -> str:
    """Return what Typer says of a wrong value, without the words of pydantic, which it checks values with."""
    return re.sub(r"Value error, |, unable to parse .*", "", message).replace(": Input should be", ": it must be")


def simplify() -> None:
    """Show metavars and choices in place of types."""
    replaced = {"_usage_display_name": _usage, "display_name_raw": property(_name), "display_type_rich": _no_type}
    for name, value in replaced.items():
        setattr(TyperArgument, name, value)
    TyperOption.display_type_rich = _value  # type: ignore[method-assign,assignment]
    # A wrong value's error names the limit.
    TyperOption._get_number_range_help_str = lambda _: None  # type: ignore[method-assign,assignment]  # noqa: SLF001
