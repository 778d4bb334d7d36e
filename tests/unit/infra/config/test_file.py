from __future__ import annotations

import json
import shlex
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.config import file
from infra.config.errors import ConfigError
from infra.config.settings import load_file

VALID = """config:
  dashtam:postgres: {database: d, user: u}
  dashtam:app:
    oauth_redirect_uri: https://127.0.0.1:8182
"""


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "Pulumi.dev.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "content",
    [
        VALID.encode("utf-8-sig"),
        VALID.replace("\n", "\r\n").encode(),
        f"# caf\u00e9\n{VALID}".encode(),
        VALID.rstrip().encode(),
    ],
    ids=["BOM", "CRLF", "non-ASCII", "no last newline"],
)
def test_what_editors_write_is_read(tmp_path: Path, content: bytes) -> None:
    assert load_file("dev", written(tmp_path, content)).postgres.database == "d"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (VALID.encode("utf-16"), "line 1: the byte 0xff is not UTF-8; save the file as UTF-8"),
        (f"{VALID}# caf\u00e9\n".encode("latin-1"), "line 5: the byte 0xe9 is not UTF-8"),
        (f"{VALID}  dashtam:network: {{}}\n  dashtam:network: {{}}\n", "line 6: dashtam:network is there already, in"),
        (f"{VALID}    port: 1\n    port: 2\n", "line 6: dashtam:app.port is there already, in line 5"),
        (VALID.replace("  ", "\t", 1), "line 2, column 1: a tab is not allowed as indentation; use spaces"),
        ("- a\n", "line 1: the file must be keys with values"),
        ("hello\n", "line 1: the file must be keys with values"),
        ("x: 1\nconfig: 3\n", "line 2: config has the value 3; write keys below it"),
        ("config:\n  3: 4\n", "line 2: the key 3 has no namespace; write dashtam:3."),
        ("config:\n  app: {}\n", "line 2: the key app has no namespace; write dashtam:app."),
        ("x: &x {a: 1}\nconfig:\n  <<: *x\n", "line 2: the key a has no namespace; write dashtam:a."),
        ("config: &a\n  dashtam:app: *a\n", "line 2: *a is within what it refers to; write that out."),
        (f"{VALID}#\0\n", "line 5: the character U+0000 is not allowed; delete it, or save the file as UTF-8."),
        (VALID.encode("utf-16-le"), "line 1: the character U+0000 is not allowed"),
        (bytes(range(256)), "line 2: the byte 0x80 is not UTF-8"),
        (f"{VALID}    port: no\n", 'line 5: dashtam:app.port = "no": input should be a valid integer'),
        (f"{VALID}    debug: on\n", 'line 5: dashtam:app.debug = "on": input should be a valid boolean; write true or'),
        (f"{VALID}    prot: 1\n", "line 5: dashtam:app.prot is not a known key. Did you mean port?"),
        (f"{VALID}  dashtam:redis:\n    database: x\n", "line 6: dashtam:redis.database"),
        ("config:\n  dashtam:app: {oauth_redirect_uri: https://127.0.0.1:8182}\n", "dashtam:postgres is missing"),
        ("", "dashtam:postgres is missing"),
        (f"{VALID}    port: !!int abc\n", "line 5: abc is not of the type int; write the value in quotes."),
        (f"{VALID}    port: !!int ''\n", "line 5:  is not of the type int"),
        (f"{VALID}    port: 0x_\n", "line 5: 0x_ is not of the type int"),
        (f"{VALID}    debug: !!bool x\n", "line 5: x is not of the type bool"),
        (f"{VALID}    debug: !!timestamp x\n", "line 5: x is not of the type timestamp"),
        (f"{VALID}    !!timestamp 2001-01-01: x\n", "line 5: a key must be text"),
        (f"{VALID}    ? [a]\n    : x\n", "line 5: a key must be text"),
        (f'{VALID}    workers: "\\ud800"\n', "line 5: it escapes half of a surrogate pair"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, content: str | bytes, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load_file("dev", written(tmp_path, content))
    assert said in raised.value.problems[0]


def problems(path: Path) -> list[str]:
    try:
        load_file("dev", path)
    except ConfigError as error:
        return error.problems
    return []


def bomb(*, merge: bool = False) -> str:
    item = "{{<<: [*x{0}, *x{0}]}}" if merge else "[*x{0}, *x{0}]"
    first = "x0: &x0 {a: 1}\n"
    return first + "".join(f"x{one + 1}: &x{one + 1} {item.format(one)}\n" for one in range(99)) + VALID


RUNGS = "".join(f"x{one + 1}: &x{one + 1} [[[[*x{one}]]]]\n" for one in range(99))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (bomb(), "line 12: with its aliases it has more than 5000 values or 50 levels; use fewer of them."),
        (bomb(merge=True), "with its aliases it has more than 5000 values"),
        (f"x0: &x0 1\n{RUNGS}{VALID}", "line 14: with its aliases it has more than"),
        ("config: " + "[" * 100_000, "line 1: it is nested deeper than 50 levels; write it flatter."),
        ("\n".join(" " * one + "a:" for one in range(300)), "line 50: it is nested deeper than 50 levels"),
        ("- " * 60_000, "line 1: it is nested deeper than 50 levels"),
        ("config: [" + "1," * 60_000 + "]", "line 1: with its aliases it has more than 5000 values"),
        (VALID + "#" * 2_000_000, "it is larger than 128 KiB; put the config of one stack there."),
        (f"{VALID}    port: {'9' * 5_000}\n", f"line 5: the number {'9' * 80}... is too large"),
        (f"{VALID}    port: 0x{'f' * 100_000}\n", "line 5: the number 0xffff"),
        (f"{VALID}    port: {2**64}\n", "line 5: the number 18446744073709551616 is too large"),
        (f"{VALID}    port: 1e999\n", "line 5: the number 1e999 is too large; write a smaller one, or text in quotes."),
        (f"{VALID}    port: {'9' * 500}.5\n", "line 5: the number 999"),
        (f"config: {'x' * 100_000}\n", f"line 1: config has the value '{'x' * 79}...; write"),
    ],
    ids=lambda text: text[:20],
)
def test_what_would_take_too_much_is_refused_before_it_is_read(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load_file("dev", written(tmp_path, content))
    (problem,) = raised.value.problems
    assert said in problem
    assert len(problem) < 300


def test_aliases_and_large_numbers_that_configs_have_are_read(tmp_path: Path) -> None:
    text = f"x: &x {{a: {2**64 - 1}}}\nconfig:\n  a:b: [*x, {{<<: *x, c: 1.5e300}}]\n"
    large = 2**64 - 1
    assert file.read("dev", written(tmp_path, text)).values == {"a:b": [{"a": large}, {"a": large, "c": 1.5e300}]}


def test_a_file_that_is_not_there_or_no_file_is_named(tmp_path: Path) -> None:
    for name in ("Pulumi.gone.yaml", "", "a b"):
        path = tmp_path / name
        with pytest.raises(ConfigError, match=f"`ls -l {shlex.quote(str(path))}`"):
            file.read("dev", path)


# What `pulumi config --json` makes of each, tried with Pulumi 3.259.
PULUMIS = {
    "on": "on",
    "no": "no",
    "OFF": "OFF",
    "y": "y",
    "True": True,
    "TRUE": True,
    "false": False,
    "010": 8,
    "08": 8,
    "0o10": 8,
    "0x1F": 31,
    "0b11": 3,
    "1_000": 1000,
    "1e3": 1000,
    "1.0": 1,
    ".5": 0.5,
    "+3": 3,
    "12:30:00": "12:30:00",
    "~": None,
    "Null": None,
    "5s": "5s",
}


@pytest.mark.parametrize(("word", "value"), PULUMIS.items())
def test_words_mean_what_they_mean_to_pulumi(tmp_path: Path, word: str, value: object) -> None:
    found = file.read("dev", written(tmp_path, f"config: {{a:b: [{word}]}}\n")).values["a:b"][0]
    assert json.dumps(found) == json.dumps(value)


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: f"config: {text}".encode(errors="ignore")))
def test_any_content_is_read_or_named(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = written(tmp_path_factory.getbasetemp(), content)
    with suppress(ConfigError):
        file.read("dev", path)


NODES = st.recursive(
    st.sampled_from(["a", "1", "0x1F", "1e999", "9" * 90, "~", "!!int x", "!!binary x", '"\\ud800"', "*a", "*b", "''"]),
    lambda inner: (
        st.lists(inner, max_size=4).map(lambda items: f"[{', '.join(items)}]")
        | st.lists(st.tuples(st.sampled_from(["a", "<<", "1", "[x]", "!!set x"]), inner), max_size=3).map(
            lambda pairs: "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}"
        )
        | st.tuples(st.sampled_from("ab"), inner).map(lambda pair: f"&{pair[0]} {pair[1]}")
        | st.tuples(st.integers(1, 60), inner).map(lambda pair: "[" * pair[0] + pair[1] + "]" * pair[0])
    ),
    max_leaves=12,
)


@given(st.lists(st.tuples(st.sampled_from(["app", "postgres", "x"]), NODES), max_size=4))
def test_any_structure_is_valid_or_named_with_key_or_line(
    tmp_path_factory: pytest.TempPathFactory, sections: list[tuple[str, str]]
) -> None:
    text = "".join(f"  dashtam:{name}: {node}\n" for name, node in sections)
    path = written(tmp_path_factory.getbasetemp(), f"config:\n{text}")
    assert [one for one in problems(path) if not one.startswith(("line ", "dashtam"))] == []


LARGE = st.integers(1 - 2**64, 2**64 - 1)
PLAIN = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20)


@given(st.dictionaries(st.from_regex(r"[a-z]+:[a-z]+", fullmatch=True), LARGE | st.booleans() | PLAIN))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, values: dict[str, object]) -> None:
    path = written(tmp_path_factory.getbasetemp(), f"config: {json.dumps(values)}\n")
    assert file.read("dev", path).values == values
