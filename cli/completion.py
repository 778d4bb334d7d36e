"""Completion of `./dashtam` as people type it: by its path, since it is on nobody's PATH."""

from __future__ import annotations

from pathlib import Path

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


def complete_by_path() -> None:
    """Have shells ask the command that is typed, as bash does. Typer's own scripts look for it on PATH."""
    shared._completion_scripts |= {"zsh": ZSH, "fish": FISH}  # noqa: SLF001 - no other way leads there
    shared.install_fish = _install_fish


def _install_fish(*, prog_name: str, complete_var: str, shell: str) -> Path:
    """Install where fish looks when it starts: for what isn't on PATH it doesn't look later (fish-shell#9133)."""
    path = Path.home() / ".config/fish/conf.d" / f"{prog_name}.fish"
    path.parent.mkdir(parents=True, exist_ok=True)
    script = shared.get_completion_script(prog_name=prog_name, complete_var=complete_var, shell=shell)
    path.write_text(f"{script}\n")
    return path
