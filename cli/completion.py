"""Completion of `./dashtam` as people type it: by its path, since it is on nobody's PATH."""

from __future__ import annotations

from typer import _completion_shared as shared

ZSH = """
#compdef %(prog_name)s

%(complete_func)s() {
  eval $(env _TYPER_COMPLETE_ARGS="${words[1,$CURRENT]}" %(autocomplete_var)s=complete_zsh ${~words[1]})
}

compdef %(complete_func)s %(prog_name)s
# Loaded by a first TAB, it is to complete at once.
[[ $funcstack[1] != _%(prog_name)s ]] || %(complete_func)s "$@"
"""

FISH = (
    'complete --command %(prog_name)s --no-files --arguments "({ask}get-args {line})" --condition "{ask}is-args {line}"'
).format(
    ask="env %(autocomplete_var)s=complete_fish _TYPER_COMPLETE_FISH_ACTION=",
    line="_TYPER_COMPLETE_ARGS=(commandline -cp) (commandline -opc)[1]",
)


def ask_what_is_typed() -> None:
    """Have zsh and fish ask the command that is typed, as bash does. Typer's own scripts look for it on PATH."""
    shared._completion_scripts |= {"zsh": ZSH, "fish": FISH}  # noqa: SLF001 - no other way leads there
