from __future__ import annotations

import json

from infra.catalogue import ROOT


def test_the_lock_names_versions_and_no_host() -> None:
    lock = json.loads((ROOT / "sandbox/package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert packages["node_modules/oidc-provider"]["version"] == "9.13.3"
    assert all(
        "resolved" not in package and package["integrity"].startswith("sha512-") for package in packages.values()
    )
