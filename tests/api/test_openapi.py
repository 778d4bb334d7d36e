"""The app answers as its OpenAPI document says, whatever it is asked."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.api.person import Person
    from tests.conftest import Endpoints

CONFIG = Path(__file__).with_name("schemathesis.toml")
PATIENCE = 900
"""Seconds that it may take: more than it does, so that it ends."""


@pytest.mark.usefixtures("sandbox")
# A program of its own: Schemathesis' fixtures write to an attribute that pytest 9.2 no longer has.
def test_the_app_does_what_its_document_says(endpoints: Endpoints, person: Person, tmp_path: Path) -> None:
    run = uuid.uuid4().hex[:8]
    accounts = {"KEPT": person.link(f"kept-{run}"), "DISCONNECTED": person.link(f"disconnected-{run}")}
    command = ["run", f"{endpoints.app_url}/openapi.json", "--tls-verify", str(endpoints.ca_file)]
    done = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "--no-color", *command],
        cwd=tmp_path,
        # Nothing of this machine's proxies and certificates.
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **accounts, **person.proofs()},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
