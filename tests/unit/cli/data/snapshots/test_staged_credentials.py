from __future__ import annotations

import base64
import shlex
import subprocess
from pathlib import Path

import pytest

from cli.data.snapshots.staged_credentials import start_postgres, verifier
from tests.unit.cli.conftest import MakeProgram


def test_a_verifier_is_the_one_that_postgres_makes() -> None:
    # As RFC 7677's example: its salt, iterations and password, and the keys that follow from them.
    salt = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
    assert verifier("pencil", salt) == (
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
        "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    )


def test_no_two_are_alike() -> None:
    assert verifier("pencil") != verifier("pencil")


@pytest.mark.parametrize(
    ("parameters", "given"),
    [
        ({"wal_level": "logical"}, "wal_level=logical"),
        ({"shared_preload_libraries": "pg_stat_statements,auto_explain"}, "pg_stat_statements,auto_explain"),
        ({"search_path": """"it's mine", $user"""}, """search_path="it's mine", $user"""),
        ({"shared_buffers": "2GB"}, "shared_buffers=128MB"),
    ],
)
def test_the_staged_server_starts_with_the_parameters_of_the_service(
    program: MakeProgram, tmp_path: Path, parameters: dict[str, str], given: str
) -> None:
    program("mkdir", "")
    folder = program("pg_ctl", f"printf '%s' \"$9\" > {tmp_path}/options")
    script = start_postgres(parameters).replace("/tmp/access/", f"{tmp_path}/")  # noqa: S108 - the container's
    subprocess.run(["sh", "-euc", script], env={"PATH": f"{folder}:/usr/bin:/bin"}, check=True)
    options = shlex.split((tmp_path / "options").read_text())
    assert set(options[::2]) == {"-c"}
    assert any(one.endswith(given) for one in options[1::2])
    names = [one.partition("=")[0] for one in options[1::2]]
    assert len(set(names)) == len(names)
