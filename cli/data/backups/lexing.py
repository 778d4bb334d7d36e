"""SQL as psql splits it into statements (PostgreSQL manual, 4.1): none ends in what is quoted or a comment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

_WORD = rb"A-Za-z0-9_\x80-\xff$"
_NORMAL = re.compile(
    rb"--[^\n]*|/\*|(?:(?<![" + _WORD + rb"])[eE])?'|\"|;|\\"
    rb"|(?<![" + _WORD + rb"])\$(?:[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*)?\$"
)
_COMMENT = re.compile(rb"/\*|\*/")
_ENDS = {b"'": re.compile(rb"'"), b'"': re.compile(rb'"'), b"E'": re.compile(rb"\\.|'", re.DOTALL)}


class Kind(Enum):
    """What a part of a line is."""

    WORDS = auto()
    """Of a statement, neither quoted nor a comment."""
    QUOTED = auto()
    """The beginning of what is quoted."""
    END = auto()
    """Of a statement."""
    COMMAND = auto()
    """One of psql's own, up to the line's end."""


@dataclass(frozen=True)
class Part:
    """A part of a line.

    Args:
        kind: What it is.
        start: Where it begins.
        end: Where it ends.
    """

    kind: Kind
    start: int
    end: int


class Lexer:
    """Splits a text line by line.

    Attributes:
        until: What begins the quoted text or comment in which the last line ended; empty if in none.
    """

    def __init__(self) -> None:
        self.until = b""
        self._depth = 0

    def split(self, line: bytes) -> Iterator[Part]:
        """Yield the parts of the next line that count; after a statement's end one may stop."""
        position = 0
        while position < len(line):
            if self.until:
                position = self._inside(line, position)
                continue
            found = _NORMAL.search(line, position)
            yield Part(Kind.WORDS, position, found.start() if found else len(line))
            if found is None:
                return
            position = found.end()
            yield from self._token(found[0], found.start(), len(line))

    def _token(self, token: bytes, start: int, end: int) -> Iterator[Part]:
        if token == b"\\":
            yield Part(Kind.COMMAND, start, end)
        elif token == b";":
            yield Part(Kind.END, start, start + 1)
        elif token == b"/*":
            self.until, self._depth = token, 1
        elif not token.startswith(b"--"):
            self.until = token.upper() if token[-1:] == b"'" else token
            yield Part(Kind.QUOTED, start, start + len(token))

    def _inside(self, line: bytes, position: int) -> int:
        """Return where what is quoted, or a comment, ends; the line's end where it goes on in the next one."""
        if self.until == b"/*":
            return self._in_comment(line, position)
        if self.until.startswith(b"$"):
            at, length = line.find(self.until, position), len(self.until)
            self.until = self.until if at < 0 else b""
            return len(line) if at < 0 else at + length
        found = _ENDS[self.until].search(line, position)
        if found is None:
            return len(line)
        if found[0].startswith(b"\\"):
            return found.end()
        # A quote that is written twice ends and begins at once, which comes to the same, but not where E began it.
        again = self.until == b"E'" and line[found.end() : found.end() + 1] == b"'"
        self.until = self.until if again else b""
        return found.end() + again

    def _in_comment(self, line: bytes, position: int) -> int:
        found = _COMMENT.search(line, position)
        if found is None:
            return len(line)
        self._depth += 1 if found[0] == b"/*" else -1
        self.until = self.until if self._depth else b""
        return found.end()
