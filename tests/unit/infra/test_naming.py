from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.naming import FILES, NEEDS, SERVICES, Naming

STACKS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", fullmatch=True)
COMPONENTS = (*SERVICES, FILES, "tests")
ENGINE_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")  # RestrictedNamePattern in moby/moby, daemon/names
HOST_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")  # RFC 1123, 2.1


def test_the_needs_of_every_service_are_known() -> None:
    assert set(NEEDS) == {*SERVICES} >= {other for needed in NEEDS.values() for other in needed}


def names(naming: Naming) -> dict[str, set[str]]:
    return {
        "containers": {naming.container(component) for component in COMPONENTS},
        "volumes": {
            *(naming.data_volume(service) for service in SERVICES),
            *(naming.files_volume(service) for service in SERVICES),
        },
        "networks": {naming.network},
    }


@pytest.mark.parametrize("stack", ["dev", "test", "ci"])
def test_names_are_the_promised_ones(stack: str) -> None:
    naming = Naming(stack, "me")
    assert naming.network == f"dashtam-{stack}-network"
    assert [naming.container(service) for service in SERVICES] == [
        f"dashtam-{stack}-postgres",
        f"dashtam-{stack}-redis",
        f"dashtam-{stack}-app",
        f"dashtam-{stack}-callback",
        f"dashtam-{stack}-sandbox",
    ]
    assert naming.data_volume("postgres") == f"postgres_{stack}_data"
    assert naming.data_volume("redis") == f"redis_{stack}_data"
    assert naming.hosts("app") == ("app", f"dashtam-{stack}-app", "localhost")


def test_labels_say_what_and_whose() -> None:
    assert Naming("dev", "me").labels("redis") == {
        "dashtam.project": "dashtam",
        "dashtam.stack": "dev",
        "dashtam.component": "redis",
        "dashtam.owner": "me",
    }


@given(stack=STACKS, placed=STACKS)
def test_a_placed_stack_has_the_names_of_its_place_and_its_own_label(stack: str, placed: str) -> None:
    naming = Naming(stack, "me", placed)
    assert names(naming) == names(Naming(placed, "me"))
    assert naming.labels("app")["dashtam.stack"] == naming.environment == stack


@given(stack=STACKS)
def test_every_name_is_valid_for_the_engine_and_as_a_host(stack: str) -> None:
    naming = Naming(stack, "me")
    everything = names(naming)
    assert all(ENGINE_NAME.fullmatch(name) for kind in everything.values() for name in kind)
    assert all(HOST_LABEL.fullmatch(name) for name in everything["containers"])
    assert all(HOST_LABEL.fullmatch(host) for service in SERVICES for host in naming.hosts(service))


@given(stack=STACKS)
def test_names_within_a_stack_are_distinct(stack: str) -> None:
    everything = names(Naming(stack, "me"))
    assert len(everything["containers"]) == len(COMPONENTS)
    assert len(everything["volumes"]) == 2 * len(SERVICES)


NEAR = st.tuples(STACKS, st.sampled_from(["", *(f"-{component}" for component in COMPONENTS), "-files", "-network"]))


@given(first=NEAR, second=NEAR)
def test_stacks_share_no_name(first: tuple[str, str], second: tuple[str, str]) -> None:
    one, other = ("".join(parts)[:40].rstrip("-") for parts in (first, second))
    for kind, taken in names(Naming(one, "me")).items():
        assert one == other or taken.isdisjoint(names(Naming(other, "me"))[kind])


@given(stack=STACKS.filter(lambda name: len(name) < 20), suffix=st.sampled_from(COMPONENTS))
def test_a_stack_named_after_anothers_component_shares_no_name(stack: str, suffix: str) -> None:
    longer = names(Naming(f"{stack}-{suffix}", "me"))
    assert all(taken.isdisjoint(longer[kind]) for kind, taken in names(Naming(stack, "me")).items())


@pytest.mark.parametrize("stack", ["", "-dev", "dev-", "Dev", "a_b", "a.b", "a b", "ä", "x" * 41, "dev\n"])
def test_other_stack_names_are_refused(stack: str) -> None:
    with pytest.raises(ValueError, match="the stack name ") as error:
        Naming(stack, "me")
    if stack:
        with pytest.raises(ValueError, match="the stack name "):
            Naming("dev", "me", stack)
    assert str(error.value) == (
        f"the stack name {stack!r} can't be part of container and host names:"
        " use 1 to 40 lower-case letters, digits and inner hyphens, such as review-42"
    )
