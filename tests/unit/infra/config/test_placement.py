from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from infra import identity
from infra.catalogue import ROOT
from infra.config import placement, settings
from infra.config.placement import Placement, follow
from infra.config.sections import NetworkSettings
from infra.naming import SERVICES

if TYPE_CHECKING:
    from tests.unit.infra.conftest import Load

STACKS = ("dev", "test", "ci")
PORTS = {"postgres": 23010, "redis": 23011, "app": 23012, "callback": 23013, "sandbox": 23014}
BANK = {"preset": "schwab", "client_id_file": "id", "client_secret_file": "secret"}
OTHER = {**BANK, "issuer": "https://bank.example", "authorization_response_iss_parameter_supported": True}

PLACEMENTS = st.builds(
    Placement,
    source=st.sampled_from(STACKS),
    name=st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True),
    ports=st.dictionaries(st.sampled_from(SERVICES), st.integers(1, 65535)),
)


def committed(stack: str) -> settings.StackSettings:
    document = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())
    return settings.load_document(stack, document["config"])


def placed(**ports: int) -> Placement:
    return Placement(source="dev", name="feature-x", ports=ports)


@pytest.mark.parametrize("stack", STACKS)
def test_a_plain_stack_is_as_its_config_says(stack: str) -> None:
    assert placement.plain(stack).is_plain(stack)
    assert placement.plain(stack).applied(committed(stack)) == committed(stack)


@pytest.mark.parametrize("stack", ["dev", "test"])
def test_the_ports_are_the_placements(stack: str) -> None:
    config = placed(**PORTS).applied(committed(stack))
    assert config.ports == {**PORTS, "debugger": None}
    assert config.app.oauth_redirect_uri == "https://127.0.0.1:23013"


@pytest.mark.parametrize("stack", ["dev", "test"])
def test_nothing_but_addresses_changes(stack: str) -> None:
    before, after = committed(stack).model_dump(), placed(**PORTS).applied(committed(stack)).model_dump()
    for service in SERVICES:
        assert before[service].pop("port") != after[service].pop("port")
    assert before["app"].pop("oauth_redirect_uri") != after["app"].pop("oauth_redirect_uri")
    assert before == after


def test_what_publishes_nothing_goes_on_publishing_nothing() -> None:
    assert placed(**PORTS).applied(committed("ci")) == committed("ci")


def test_a_service_that_the_placement_does_not_know_keeps_its_port(load: Load) -> None:
    config = placed(app=23012).applied(load({"app.port": 8001, "redis.port": 6380}))
    assert (config.app.port, config.redis.port) == (23012, 6380)


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("https://127.0.0.1:8182", "https://127.0.0.1:23013"),
        ("https://localhost:8182/", "https://localhost:23013/"),
        ("https://[::1]:8182/back", "https://[::1]:23013/back"),
        ("https://127.0.0.1:8183", "https://127.0.0.1:8183"),
        ("https://127.0.0.1", "https://127.0.0.1"),
        ("https://callback:8182", "https://callback:8182"),
        ("https://tunnel.example:8182/8182", "https://tunnel.example:8182/8182"),
    ],
)
def test_a_redirect_uri_follows_if_it_leads_to_the_callback(load: Load, uri: str, expected: str) -> None:
    assert follow(uri, 8182, 23013, NetworkSettings()) == expected
    provider = {**BANK, "redirect_uri": uri}
    config = load({"callback.port": 8182, "app.oauth_redirect_uri": uri, "providers": {"bank": provider, "two": OTHER}})
    after = placed(callback=23013).applied(config)
    assert after.app.oauth_redirect_uri == expected
    assert [one.redirect_uri for one in after.providers.values()] == [expected, None]


def test_the_port_that_https_implies_is_followed_too() -> None:
    assert follow("https://localhost/back", 443, 23013, NetworkSettings()) == "https://localhost:23013/back"


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("https://127.0.0.1:8182", "https://build.example:8182"),
        ("https://localhost:8182/back", "https://build.example:8182/back"),
        ("https://build.example:8182", "https://build.example:8182"),
        ("https://127.0.0.1:9000", "https://127.0.0.1:9000"),
        ("https://tunnel.example:8182", "https://tunnel.example:8182"),
    ],
)
def test_a_redirect_uri_leads_to_the_name_that_clients_know(load: Load, uri: str, expected: str) -> None:
    known = {"network.hostname": "build.example", "callback.port": 8182, "app.oauth_redirect_uri": uri}
    assert placement.plain("test").applied(load(known)).app.oauth_redirect_uri == expected
    moved = placed(callback=23013).applied(load(known)).app.oauth_redirect_uri
    assert moved == expected.replace("build.example:8182", "build.example:23013")


def test_a_redirect_uri_stays_where_no_callback_is_published(load: Load) -> None:
    config = load({"app.oauth_redirect_uri": "https://127.0.0.1:8182"})
    assert placed(**PORTS).applied(config).app.oauth_redirect_uri == "https://127.0.0.1:8182"


@given(placements=st.dictionaries(st.sampled_from([*STACKS, "feature-x"]), PLACEMENTS))
def test_a_record_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, placements: dict[str, Placement]
) -> None:
    file = tmp_path_factory.mktemp("record") / "placements.json"
    file.write_text(placement.written(placements))
    assert placement.read(file) == placements


@pytest.mark.parametrize("file", [None, Path("/nowhere/placements.json")])
def test_without_a_record_everything_is_plain(file: Path | None) -> None:
    assert placement.read(file) == {}


@pytest.mark.parametrize(
    "content", ["", "[]", '{"dev": {}}', '{"dev": {"source": "dev", "name": "dev", "ports": {"app": 0}}}']
)
def test_another_file_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "record").write_text(content)
    with pytest.raises(ValueError, match="can't be read: it is not such a record"):
        placement.read(tmp_path / "record")


def test_a_record_that_can_not_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="of this clone's stacks, can't be read"):
        placement.read(tmp_path)


def test_the_record_is_found_by_the_checkouts_marker(tmp_path: Path) -> None:
    assert placement.record(tmp_path) is None
    identity.write(tmp_path, "abc", tmp_path / "home")
    with pytest.raises(ValueError, match=r"Run `\./dashtam env` once"):
        placement.record(tmp_path)
    (tmp_path / "home/clones/abc").mkdir(parents=True)
    assert placement.record(tmp_path) == tmp_path / "home/clones/abc/placements.json"


def test_where_a_stack_is_put_is_reported_with_its_record() -> None:
    assert list(placement.report("dev", placed(app=23012), Path("/home/placements.json"))) == [
        "dev has the name feature-x, the config of dev and the ports app 23012: see /home/placements.json."
    ]


def test_the_debuggers_port_is_placed_too(load: Load) -> None:
    config = load({"app.build": "development", "app.debugger_port": 5678, "app.port": 8000})
    moved = placed(app=23012, debugger=23015).applied(config).app
    assert (moved.port, moved.debugger_port) == (23012, 23015)
    assert placed(debugger=23015).applied(load({})).app.debugger_port is None
