from __future__ import annotations

import base64

from cli.data.snapshots.staged_credentials import verifier


def test_a_verifier_is_the_one_that_postgres_makes() -> None:
    # As RFC 7677's example: its salt, iterations and password, and the keys that follow from them.
    salt = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
    assert verifier("pencil", salt) == (
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
        "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    )


def test_no_two_are_alike() -> None:
    assert verifier("pencil") != verifier("pencil")
