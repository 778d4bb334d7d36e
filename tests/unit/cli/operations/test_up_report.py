from __future__ import annotations

import io

import pytest
from pydantic import SecretStr
from rich.console import Console

from cli.operations.up_report import reach, summary
from infra.outputs import Containers, Database, ImageReferences, Ports, StackOutputs, Urls

INSIDE = Urls(app="https://app:8000", docs=None, callback="https://callback:8182", sandbox="https://sandbox:8282")


def outputs_of(*, published: bool) -> StackOutputs:
    outside = Urls(
        app="https://localhost:8001", docs=None, callback="https://localhost:8183", sandbox="https://localhost:8283"
    )
    names = {service: f"dashtam-test-{service}" for service in ("postgres", "redis", "app", "callback", "sandbox")}
    return StackOutputs(
        environment="test",
        network="dashtam-test-network",
        containers=Containers(**names),
        volumes={},
        images=ImageReferences(**names, tests=None),
        ports=Ports(app=8001, postgres=5433, redis=6380, callback=8183)
        if published
        else Ports(app=None, postgres=None, redis=None, callback=None),
        urls=outside if published else Urls(app=None, docs=None, callback=None),
        internal_urls=INSIDE,
        ca_certificate="PEM",
        database=Database(name="d", user="u"),
        internal_database_dsn=SecretStr("postgresql://u:hidden@postgres/d"),
        redis_database=1,
        internal_redis_dsn=SecretStr("rediss://u:hidden@redis/1"),
        oauth_redirect_uri="https://127.0.0.1:8183",
    )


@pytest.mark.parametrize(
    ("published", "addresses"),
    [
        (True, ["127.0.0.1:5433", "127.0.0.1:6380", *(f"https://localhost:{port}" for port in (8001, 8183, 8283))]),
        (
            False,
            ["postgres:5432 (in the network only)", "redis:6379 (in", *INSIDE.model_dump(exclude={"docs"}).values()],
        ),
    ],
)
def test_the_summary_says_where_each_service_is(published: bool, addresses: list[str]) -> None:
    written = io.StringIO()
    Console(file=written, width=200).print(summary(outputs_of(published=published)))
    title, _, *rows = written.getvalue().splitlines()
    assert title.strip() == "test is up"
    assert [address in row for address, row in zip(addresses, rows, strict=True)] == [True] * 5
    assert "hidden" not in written.getvalue()


def test_what_an_environment_does_not_have_is_not_in_the_summary() -> None:
    outputs = outputs_of(published=True)
    without = outputs.model_copy(update={"containers": outputs.containers.model_copy(update={"sandbox": None})})
    written = io.StringIO()
    Console(file=written, width=200).print(summary(without))
    assert "callback" in written.getvalue()
    assert "sandbox" not in written.getvalue()


@pytest.mark.parametrize(
    ("published", "address", "here", "said"),
    [
        *((True, address, True, "") for address in ("127.0.0.1", "::1")),
        *((False, address, here, "") for address in ("127.0.0.1", "0.0.0.0") for here in (True, False)),
        *((True, "10.0.0.9", here, "its ports are published on 10.0.0.9.") for here in (True, False)),
        *(
            (True, address, False, "hostname of dashtam:network in Pulumi.test.yaml")
            for address in ("127.0.0.1", "::1")
        ),
    ],
)
def test_ports_that_other_computers_reach_or_this_one_does_not_are_stated(
    published: bool, address: str, here: bool, said: str
) -> None:
    found = reach(outputs_of(published=published).model_copy(update={"bind_address": address}), publishes_here=here)
    assert said in found
    assert bool(said) is bool(found)


def test_the_summary_has_the_address_that_clients_connect_to() -> None:
    outputs = outputs_of(published=True).model_copy(update={"client_host": "2001:db8::7"})
    written = io.StringIO()
    Console(file=written, width=200).print(summary(outputs))
    assert "[2001:db8::7]:5433" in written.getvalue()
