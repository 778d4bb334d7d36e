"""The pages as their reader sees them: links, headings, quotes, and commands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[3]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
PROGRAM = "./dashtam"
SHELL = ("sh", "bash")


@dataclass(frozen=True)
class Page:
    """A page of the documentation."""

    path: Path

    @property
    def tokens(self) -> list[Token]:
        """What Markdown makes of it."""
        return _parsed(self.path)

    def links(self) -> list[str]:
        """Return the targets of its links and images."""
        inline = [child for token in self.tokens for child in token.children or []]
        return [str(one.attrGet("href") or one.attrGet("src")) for one in inline if one.type in {"link_open", "image"}]

    def headings(self, level: int | None = None) -> list[str]:
        """Return its headings, of one level if one is named."""
        pairs = zip(self.tokens, self.tokens[1:], strict=False)
        return [
            after.content
            for token, after in pairs
            if token.type == "heading_open" and level in {None, int(token.tag[1])}
        ]

    def anchors(self) -> set[str]:
        """Return what a link to a part of it may name, as GitHub and editors make it of headings."""
        return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in self.headings()}

    def quotes(self) -> Iterator[str]:
        """Yield what is quoted, each paragraph in one line."""
        quoted = False
        for token in self.tokens:
            quoted = token.type == "blockquote_open" or (quoted and token.type != "blockquote_close")
            if quoted and token.type == "inline":
                yield token.content.replace("\n", " ")

    def scripts(self) -> list[str]:
        """Return the blocks that are for a shell."""
        return [token.content for token in self.tokens if token.type == "fence" and token.info in SHELL]

    def mentions(self) -> Iterator[list[str]]:
        """Yield the words of our commands that stand within a line."""
        for child in (child for token in self.tokens for child in token.children or []):
            if child.type == "code_inline" and child.content.startswith(f"{PROGRAM} "):
                yield child.content.split()[1:]


@cache
def _parsed(path: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(path.read_text())


def commands(script: str) -> Iterator[list[str]]:
    """Yield the arguments of each of our commands in a script."""
    # Within $(...) too: quotes around it would hide what is run.
    for line in script.replace("\\\n", " ").replace('"$(', "$(").replace(')"', ")").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        arguments: list[str] | None = None
        for word in lexer:
            if arguments is not None and set(word) <= set("();<>|&"):
                yield arguments
                arguments = None
            elif arguments is not None:
                arguments.append(word)
            elif word == PROGRAM:
                arguments = []
        if arguments is not None:
            yield arguments
