from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.data.backups import sql
from cli.data.backups.sql import DumpError

DUMP = r"""--
-- PostgreSQL database dump
--

\restrict aBc

SET standard_conforming_strings = on;
CREATE TABLE public."we;ird" (a text DEFAULT 'it''s; \x', b text DEFAULT E'a\';b', c text DEFAULT e'x''y;\\');
CREATE FUNCTION public.f() RETURNS void LANGUAGE sql AS $_$
GRANT x TO y;
\! ls ; $$ select '$_$;
COPY public."we;ird" (a, b) FROM stdin;
1	\! x
-- PostgreSQL database dump
GRANT a TO b;
\N	b
\.

SELECT 1 /* ; \! /* nested */ ' */;
COMMENT ON COLUMN x IS 'OWNER TO
GRANT';
--
-- PostgreSQL database dump complete
--

\unrestrict aBc
"""


def _filtered(text: str | bytes) -> str:
    out = io.BytesIO()
    sql.filter_dump(io.BytesIO(text.encode() if isinstance(text, str) else text), out)
    return out.getvalue().decode()


def test_what_pg_dump_writes_stays_as_it_is_but_its_commands() -> None:
    assert _filtered(DUMP) == DUMP.replace("\\restrict aBc", "").replace("\\unrestrict aBc", "")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE ROLE bob;",
        "ALTER ROLE bob WITH PASSWORD 'SCRAM-SHA-256$x';",
        "create user bob;",
        "CREATE DATABASE app WITH TEMPLATE = template0;",
        "DROP DATABASE IF EXISTS app;",
        "ALTER DATABASE app SET timezone TO 'UTC';",
        "COMMENT ON DATABASE app IS 'x';",
        "ALTER TABLE public.a OWNER TO bob;",
        'ALTER FUNCTION public.f(a integer,\n b "B c") OWNER TO "Bob X";',
        "ALTER FUNCTION f(numeric(1,2), b text) OWNER TO bob;",
        "GRANT SELECT ON TABLE a TO bob;",
        "REVOKE ALL ON SCHEMA public FROM PUBLIC;",
        "ALTER DEFAULT PRIVILEGES FOR ROLE bob GRANT ALL ON TABLES TO eve;",
        "SET SESSION AUTHORIZATION 'bob';",
        "SET default_tablespace = fast;",
        "CREATE TABLESPACE fast LOCATION '/fast';",
        "ALTER SYSTEM SET fsync = off;",
        "/* of bob */ GRANT a\n TO b;",
        r"\connect app",
        r"\c postgres",
    ],
)
def test_what_is_of_another_server_is_left_out_and_lines_are_counted_as_before(statement: str) -> None:
    kept = "CREATE TABLE a (n int);\n"
    assert _filtered(f"{kept}{statement}\n{kept}") == f"{kept}{chr(10) * (statement.count(chr(10)) + 1)}{kept}"
    # Beside others in a line, too.
    if not statement.startswith("\\"):
        assert _filtered(f"SELECT 1;{statement}SELECT 2;") == f"SELECT 1;{chr(10) * statement.count(chr(10))}SELECT 2;"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no SQL statement"),
        ("-- nothing\n\n", "no SQL statement"),
        ("SELECT 1;\n\\! ls\n", r"Line 2 has a command of psql: \\! ls"),
        ("SELECT 1 \\g /tmp/x\n", r"Line 1 has a command of psql: \\g"),
        ("\\set x 1\nSELECT 1;", r"psql: \\set x 1"),
        ("\\copy a from b\n", r"psql: \\copy"),
        ("\\i other.sql\n", r"psql: \\i other.sql"),
        ("\\encoding `ls`\n", r"psql: \\encoding"),
        ("\\connect a\n\\connect b\n", "Line 2 connects to b: it holds more than one database"),
        ("COPY a FROM '/etc/passwd';", "read or write a file"),
        ("COPY a TO PROGRAM 'ls';", "run a program"),
        ("SET standard_conforming_strings = off;", "standard_conforming_strings, which must be on"),
        ("SET standard_conforming_strings TO 'off';", "standard_conforming_strings, which must be on"),
        ("COPY a FROM stdin;\n1\n2\n", "cut short: the data of a table"),
        ("INSERT INTO a VALUES ('b;\n", "cut short"),
        ("SELECT $$a;\n", "cut short"),
        ("-- PostgreSQL database dump\nCREATE TABLE a (n int);\n", "cut short"),
        (b"SELECT 1;\n\0\1\n", "Line 2 has a zero byte"),
        ("SELECT 1;".encode("utf-16"), "UTF-16"),
    ],
)
def test_it_is_refused(text: str | bytes, why: str) -> None:
    with pytest.raises(DumpError, match=why):
        _filtered(text)


def test_a_dump_of_an_empty_database_is_one() -> None:
    text = "-- PostgreSQL database dump\nSET a = 1;\n-- PostgreSQL database dump complete\n"
    assert _filtered(text) == text


def _section(database: str, content: str) -> str:
    return f"""--
-- Database "{database}" dump
--
\\connect {database}

--
-- PostgreSQL database dump
--
SET a = 1;
{content}--
-- PostgreSQL database dump complete
--
"""


def _cluster(*sections: str) -> str:
    marks = "-- PostgreSQL database cluster dump"
    return f"--\n{marks}\n--\nCREATE ROLE bob;\n{''.join(sections)}--\n{marks} complete\n--\n"


def _table(name: str) -> str:
    return f"CREATE TABLE {name} (n int);\nCOPY {name} FROM stdin;\n{name}-row\n\\.\n"


OF_TEMPLATE, OF_POSTGRES = _section("template1", ""), _section("postgres", _table("adm"))


@pytest.mark.parametrize(
    ("sections", "kept"),
    [
        ([OF_TEMPLATE, _section("app", _table("card")), OF_POSTGRES], ["card"]),
        ([OF_TEMPLATE, OF_POSTGRES, _section("test", _table("card"))], ["card"]),
        ([OF_POSTGRES, _section("app", _table("card")), _section("template1", _table("x"))], ["card"]),
        ([_section("template1", _table("x")), OF_POSTGRES], ["adm"]),
        ([OF_TEMPLATE, _section("app", ""), OF_POSTGRES], []),
    ],
    ids=["before and after", "both before", "the other way round", "nothing else", "an empty one"],
)
def test_of_a_whole_server_only_its_one_database_stays(sections: list[str], kept: list[str]) -> None:
    text = _cluster(*sections)
    filtered = _filtered(text)
    assert [name for name in ("x", "adm", "card") if name in filtered.replace("\n", " ").split()] == kept
    assert [name for name in ("x", "adm", "card") if f"{name}-row" in filtered] == kept
    assert [line for line in filtered.splitlines() if line == "\\."] == ["\\."] * len(kept)
    # Each line stays where it was.
    lines = zip(text.splitlines(), filtered.splitlines(), strict=True)
    assert [(was, now) for was, now in lines if now not in {"", was}] == []


def test_a_whole_server_is_refused_where_its_dump_is_cut_or_has_no_database() -> None:
    whole = _cluster(OF_TEMPLATE, _section("app", _table("card")))
    end = "-- PostgreSQL database dump complete\n"
    with pytest.raises(DumpError, match="cut short"):
        _filtered(whole[: whole.index(end) + len(end)])
    for text in (_cluster(), _cluster(OF_TEMPLATE), _cluster(OF_TEMPLATE, _section("postgres", ""))):
        with pytest.raises(DumpError, match="no SQL statement"):
            _filtered(text)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1",
        "CREATE USER MAPPING FOR current_user SERVER other;\n",
        "\\encoding LATIN1\nSELECT 1;\n",
        "COPY a TO stdout;\n",
        "ALTER TABLE hand ADD COLUMN important text DEFAULT 'x', OWNER TO bob;\n",
        "ALTER TABLE hand ADD COLUMN n numeric(1, 2), OWNER TO bob;\n",
        "ALTER TABLE hand OWNER TO bob, ADD COLUMN n int;\n",
    ],
)
def test_it_stays_as_it_is(text: str) -> None:
    assert _filtered(text) == text


def test_a_mark_of_the_encoding_is_left_out() -> None:
    assert _filtered(b"\xef\xbb\xbfSELECT 1;\n") == "SELECT 1;\n"


@pytest.mark.parametrize(("text", "makes"), [("CREATE SCHEMA public;", True), ("CREATE SCHEMA other;", False)])
def test_it_is_known_whether_the_schema_public_is_made(text: str, makes: bool) -> None:
    assert sql.filter_dump(io.BytesIO(text.encode()), io.BytesIO()) is makes


def test_a_statement_of_many_columns_is_known() -> None:
    columns = ", ".join("c" * 60 + str(n) for n in range(1600))
    text = f"COPY a ({columns}) FROM stdin;\n\\.\n"
    assert _filtered(text) == text


QUOTED = st.text("a'\"\\;$\n-/*E").map(lambda text: "'" + text.replace("'", "''") + "'")
ESCAPED = st.text("a'\"\\;$\n").map(lambda text: "E'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'")
NAMED = st.text("a'\"\\;$\n-").map(lambda text: '"' + text.replace('"', '""') + '"')
DOLLARS = st.text("a'\"\\;\n-").map(lambda text: f"$t${text}$t$")
COMMENT = st.text("a'\"\\;$\n-").map(lambda text: f"/*{text}*/")


@given(st.lists(st.one_of(QUOTED, ESCAPED, NAMED, DOLLARS, COMMENT), max_size=5))
def test_what_is_quoted_is_never_read(parts: list[str]) -> None:
    statement = f"SELECT {' , '.join(parts)};\n"
    assert _filtered(f"{statement}GRANT a TO b;\nSELECT 2;\n") == f"{statement}\nSELECT 2;\n"
