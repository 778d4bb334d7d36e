from __future__ import annotations

import json
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
        ("config:\n  app: {}\n", "line 2: the key 'app' has no namespace; write dashtam:app."),
        ("x: &x {a: 1}\nconfig:\n  <<: *x\n", "line 2: the key 'a' has no namespace; write dashtam:a."),
        ("config: &a\n  dashtam:app: *a\n", "it is nested without end, or an alias"),
        ("config: " + "[" * 3000, "it is nested without end"),
        (f"{VALID}#\0\n", "the character U+0000 at position"),
        (bytes(range(256)), "line 2: the byte 0x80 is not UTF-8"),
        (f"{VALID}    port: no\n", 'line 5: dashtam:app.port = "no": input should be a valid integer'),
        (f"{VALID}    debug: on\n", 'line 5: dashtam:app.debug = "on": input should be a valid boolean; write true or'),
        (f"{VALID}    prot: 1\n", "line 5: dashtam:app.prot is not a known key. Did you mean port?"),
        (f"{VALID}  dashtam:redis:\n    database: x\n", "line 6: dashtam:redis.database"),
        ("config:\n  dashtam:app: {oauth_redirect_uri: https://127.0.0.1:8182}\n", "dashtam:postgres is missing"),
        ("", "dashtam:postgres is missing"),
        (f"{VALID}    port: !!int abc\n", "write a number, or the value in quotes"),
        (f"{VALID}    port: 0x_\n", "write a number, or the value in quotes"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, content: str | bytes, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load_file("dev", written(tmp_path, content))
    assert said in raised.value.problems[0]


def test_a_file_that_is_not_there_or_no_file_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "Pulumi.gone.yaml", tmp_path):
        with pytest.raises(ConfigError, match=f"ls -l {path}"):
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


PLAIN = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20)


@given(st.dictionaries(st.from_regex(r"[a-z]+:[a-z]+", fullmatch=True), st.integers() | st.booleans() | PLAIN))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, values: dict[str, object]) -> None:
    path = written(tmp_path_factory.getbasetemp(), f"config: {json.dumps(values)}\n")
    assert file.read("dev", path).values == values
