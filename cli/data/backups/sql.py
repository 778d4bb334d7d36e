"""Filters dumps in plain SQL: statements with effects outside the database that is loaded are left out, or refused.

Owners, rights, roles, tablespaces and databases belong to the server of the dump, and are left out as by `pg_restore
--no-owner --no-privileges`. Of psql's own commands, those that `pg_dump` writes are left out, others are refused. Each
line that is left out becomes an empty one, so that psql's line numbers are the file's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from cli.data.backups.lexing import Kind, Lexer

_LEFT_OUT = re.compile(
    r"(?:CREATE|ALTER|DROP|COMMENT ON) (?:ROLE|USER(?! MAPPING\b)|GROUP|DATABASE|TABLESPACE)\b|(?:GRANT|REVOKE) "
    r"|ALTER SYSTEM\b|ALTER DEFAULT PRIVILEGES\b|(?:REASSIGN|DROP) OWNED\b"
    # Not one with other actions, which commas separate outside brackets.
    r"|ALTER (?:[^,(]|\((?:[^()]|\([^()]*\))*\))* OWNER TO \S+$"
    r"|RESET (?:ROLE|SESSION AUTHORIZATION)|SET (?:SESSION |LOCAL )?(?:ROLE|SESSION AUTHORIZATION|DEFAULT_TABLESPACE)\b"
)
_COPY = re.compile(r"COPY\b")
_COPY_IN = re.compile(r"COPY\b.* FROM STDIN\b")
_COPY_OUT = re.compile(r"COPY\b.* TO STDOUT\b")
_ODD_STRINGS = re.compile(r"SET (?:SESSION |LOCAL )?STANDARD_CONFORMING_STRINGS ?(?:=|TO) ?(?:OFF|FALSE|NO|0|'X')")
_SETTING = re.compile(r"SET |SELECT PG_CATALOG\.SET_CONFIG")

_COMMAND = re.compile(r"\\(\w+|\S)\s*(.*)", re.DOTALL)
_ENCODING = re.compile(r"[\w-]+")
_OTHERS = frozenset({"template1", "postgres"})
"""Databases of every server, which `pg_dumpall` writes beside those of the applications."""

_BEGINS, _CLUSTER_BEGINS = b"-- PostgreSQL database dump", b"-- PostgreSQL database cluster dump"
_COMPLETE = b" complete"
"""Follows each of these at the end of what it begins."""
_MARKS = (_BEGINS, _CLUSTER_BEGINS, _BEGINS + _COMPLETE, _CLUSTER_BEGINS + _COMPLETE)

_MARK = b"\xef\xbb\xbf"
"""The byte order mark with which editors on Windows begin a text in UTF-8."""

LONGEST = 1 << 18
"""Characters by which a statement is recognised: more than the names of a table's columns can have."""


class DumpError(ValueError):
    """A dump can't be loaded; the text says why."""


@dataclass
class _Statement:
    """A statement that has not ended: its text, and its words without comments and with `"x"`, `'x'` for quotes."""

    text: list[bytes] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    length: int = 0

    def add(self, words: bytes) -> None:
        if words.strip() and self.length < LONGEST:
            self.words.append(words.decode(errors="replace"))
            self.length += len(words)

    @property
    def head(self) -> str:
        return " ".join(" ".join(self.words).upper().split())


@dataclass(frozen=True)
class _Place:
    """A place in what is written: its offset, and the lines and statements before it."""

    offset: int
    lines: int
    statements: int
    makes_public: bool


class _Filter:
    """The state of reading a dump.

    What follows a connection to one of `_OTHERS` is left out if another database is in the dump.
    """

    def __init__(self, out: BinaryIO) -> None:
        self.makes_public = False
        self._out = out
        self._line = 0
        self._lexer = Lexer()
        self._statement = _Statement()
        self._statements = 0
        self._connected: set[str] = set()
        self._marks: Counter[bytes] = Counter()
        self._others_begin: _Place | None = None
        self._leaves_out = False

    def read(self, lines: Iterator[bytes]) -> None:
        for text in lines:
            self._line += 1
            line = text.removeprefix(_MARK) if self._line == 1 else text
            if b"\0" in line:
                raise DumpError(f"Line {self._line} has a zero byte: it is not a text, or one in UTF-16.")
            if not self._lexer.until and not self._statement.words:
                self._marks.update(one for one in _MARKS if line.rstrip() == one)
            self._scan(line, lines)
        self._end()

    def _end(self) -> None:
        marks = self._marks
        if self._lexer.until or any(marks[one] != marks[one + _COMPLETE] for one in (_BEGINS, _CLUSTER_BEGINS)):
            raise DumpError("It is cut short: its end is missing.")
        if self._statement.words:
            self._finish()
        self._out.write(b"".join(self._statement.text))
        if not self._statements and (self._others_begin or not marks[_BEGINS]):
            raise DumpError("It has no SQL statement for a database.")

    def _scan(self, line: bytes, lines: Iterator[bytes]) -> None:
        start = 0
        for part in self._lexer.split(line):
            if part.kind is Kind.WORDS:
                self._statement.add(line[part.start : part.end])
            elif part.kind is Kind.QUOTED:
                self._statement.add(b'"x"' if line[part.start : part.end] == b'"' else b" 'x'")
            elif part.kind is Kind.COMMAND:
                self._statement.text.append(line[start : part.start])
                self._command(line[part.start :].decode(errors="replace").strip())
                return
            else:
                self._statement.text.append(line[start : part.end])
                start = part.end
                if self._finish():
                    self._out.write(line[start:])
                    self._copy(lines)
                    return
        self._statement.text.append(line[start:])

    def _finish(self) -> bool:
        """Write the statement that has ended, or leave it out; return whether a table's data follows."""
        head, text = self._statement.head, b"".join(self._statement.text)
        self._statement = _Statement()
        if _ODD_STRINGS.match(head):
            raise DumpError(f"Line {self._line} sets standard_conforming_strings, which must be on.")
        is_data = _COPY_IN.match(head) is not None
        if _COPY.match(head) and not is_data and not _COPY_OUT.match(head):
            raise DumpError(f"Line {self._line} has the server read or write a file, or run a program: {head[:80]}")
        if self._leaves_out or _LEFT_OUT.match(head):
            self._out.write(b"\n" * text.count(b"\n"))
            return is_data
        self.makes_public = self.makes_public or head == "CREATE SCHEMA PUBLIC"
        self._statements += not _SETTING.match(head)
        self._out.write(text)
        return is_data

    def _copy(self, lines: Iterator[bytes]) -> None:
        for line in lines:
            self._line += 1
            self._out.write(b"\n" if self._leaves_out else line)
            if line.rstrip(b"\r\n") == b"\\.":
                return
        raise DumpError("It is cut short: the data of a table has no end.")

    def _command(self, text: str) -> None:
        found = _COMMAND.fullmatch(text)
        name, argument = (found[1], found[2]) if found and not self._statement.words else ("", "")
        if name in {"c", "connect"}:
            self._connect(argument)
        elif name not in {"restrict", "unrestrict"} and not (name == "encoding" and _ENCODING.fullmatch(argument)):
            raise DumpError(f"Line {self._line} has a command of psql: {text[:80]}")
        command = text.encode() if name == "encoding" else b""
        self._out.write(b"".join(self._statement.text) + command + b"\n")
        self._statement = _Statement()

    def _connect(self, argument: str) -> None:
        name = argument.rpartition(" ")[2].strip("\"'")
        self._leave_out_others()
        self._leaves_out = name in _OTHERS and bool(self._connected)
        if name in _OTHERS:
            self._others_begin = None if self._connected else self._place()
            return
        self._connected.add(name)
        if len(self._connected) > 1:
            raise DumpError(f"Line {self._line} connects to {name}: it holds more than one database.")

    def _place(self) -> _Place:
        pending = b"".join(self._statement.text).count(b"\n")
        return _Place(self._out.tell(), self._line - 1 - pending, self._statements, self.makes_public)

    def _leave_out_others(self) -> None:
        """Take back what was written since a connection to one of `_OTHERS`."""
        if begin := self._others_begin:
            lines = self._place().lines - begin.lines
            self._out.seek(begin.offset)
            self._out.truncate()
            self._out.write(b"\n" * lines)
            self._statements, self.makes_public = begin.statements, begin.makes_public
            self._others_begin = None


def filter_dump(source: BinaryIO, out: BinaryIO) -> bool:
    """Write what of a dump is loaded; return whether it makes the schema `public`, which every new database has."""
    state = _Filter(out)
    state.read(iter(source))
    return state.makes_public
