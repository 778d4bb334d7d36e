"""Splits SQL into statements as psql does (PostgreSQL manual, 4.1): none ends in a quote or a comment."""

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
    """What a part of a line is: words outside quotes, the begin of a quote, a statement's end, a command of psql."""

    WORDS = auto()
    QUOTED = auto()
    END = auto()
    COMMAND = auto()


@dataclass(frozen=True)
class Part:
    """A part of a line, by its begin and end; a command ends with the line."""

    kind: Kind
    start: int
    end: int


class Lexer:
    """Splits a text line by line; `until` is the token that began the quote or comment in which the last line ended."""

    def __init__(self) -> None:
        self.until = b""
        self._depth = 0

    def split(self, line: bytes) -> Iterator[Part]:
        """Yield the next line's parts outside comments and quotes; the caller may stop after a statement's end."""
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
        """Return the end of the quote or comment; the line's end if it continues in the next line."""
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
        # A doubled quote ends one string and begins another, which is the same, except in one that E began.
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
