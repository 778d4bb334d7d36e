from __future__ import annotations

import fnmatch
import hashlib
import shlex

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from infra.config.sections import RedisSettings
from infra.services import redis

AOF = RedisSettings()
FORGOTTEN = RedisSettings(storage="tmpfs", persistence="none", memory="64m")


def directives(configuration: str) -> dict[str, list[str]]:
    assert configuration.endswith("\n")
    lines = [shlex.split(line) for line in configuration.splitlines()]
    assert len({words[0] for words in lines}) == len(lines)
    return {words[0]: words[1:] for words in lines}


@pytest.mark.parametrize("settings", [AOF, FORGOTTEN])
def test_every_server_speaks_tls_only(settings: RedisSettings) -> None:
    given = directives(redis.configuration(settings))
    assert given["port"] == ["0"]
    assert given["tls-port"] == ["6379"]
    assert given["tls-cert-file"] == ["/run/secrets/tls.crt"]
    assert given["tls-key-file"] == ["/run/secrets/tls.key"]
    assert given["tls-ca-cert-file"] == ["/run/secrets/ca.crt"]
    assert given["tls-protocols"] == ["TLSv1.2 TLSv1.3"]
    assert given["tls-ciphers"] == ["ECDHE+AESGCM:ECDHE+CHACHA20"]
    assert given["aclfile"] == ["/run/secrets/users.acl"]
    assert given["dir"] == ["/data"]
    assert "requirepass" not in given


def test_aof_is_written_where_data_lasts() -> None:
    given = directives(redis.configuration(AOF))
    assert (given["appendonly"], given["appendfsync"], given["save"]) == (["yes"], ["everysec"], [""])


def test_nothing_is_written_where_data_is_forgotten() -> None:
    given = directives(redis.configuration(FORGOTTEN))
    assert (given["appendonly"], given["save"]) == (["no"], [""])
    assert "appendfsync" not in given


@given(megabytes=st.integers(16, 65536))
def test_redis_refuses_before_the_engine_kills(megabytes: int) -> None:
    given = directives(redis.configuration(RedisSettings(memory=f"{megabytes}m")))
    (limit,) = given["maxmemory"]
    assert limit.endswith("mb")
    assert 0 < int(limit.removesuffix("mb")) < megabytes
    assert given["maxmemory-policy"] == ["noeviction"]


@given(password=st.text(min_size=1).filter(lambda text: text not in "user default off on ~* &* +@all -@admin"))
def test_the_users_file_holds_a_digest_only(password: str) -> None:
    default, service = redis.acl(password).splitlines()
    assert default == "user default off"
    words = service.split()
    assert words[:3] == ["user", "dashtam", "on"]
    assert words[3] == f"#{hashlib.sha256(password.encode()).hexdigest()}"
    assert f">{password}" not in words


def test_the_service_may_not_administer() -> None:
    words = redis.acl("password").split()
    assert words.index("+@all") < words.index("-@admin")
    assert words.index("+@all") < words.index("-@dangerous")
    assert {word for word in words[words.index("-@dangerous") :] if word.startswith("+")} == {"+info", "+keys"}


@given(st.text(min_size=1) | st.text().map(redis.SANDBOX_KEYS.__add__))
@example("sandbox")
@example("sandboxes:1")
def test_a_key_is_the_services_or_the_sandboxes(name: str) -> None:
    patterns = [pattern.replace("[^", "[!") for pattern in redis.outside(redis.SANDBOX_KEYS)]
    assert any(fnmatch.fnmatchcase(name, one) for one in patterns) is not name.startswith(redis.SANDBOX_KEYS)


def test_the_sandbox_has_a_user_of_its_own_with_the_least_that_will_do() -> None:
    *_, sandbox = redis.acl("password", "another").splitlines()
    words = sandbox.split()
    assert words[:3] == ["user", "sandbox", "on"]
    assert words[3:5] == [f"#{hashlib.sha256(b'another').hexdigest()}", "~sandbox:*"]
    assert words[5:]
    assert all(word.startswith("+") and not word.startswith("+@") for word in words[5:])


def test_where_there_is_no_sandbox_it_has_no_user() -> None:
    assert [line.split()[1] for line in redis.acl("password").splitlines()] == ["default", "dashtam"]


def test_readiness_is_authenticated_verified_and_shows_no_password() -> None:
    assert "--tls --cacert /run/secrets/ca.crt -h localhost" in redis.HEALTH
    assert "--insecure" not in redis.HEALTH
    assert 'REDISCLI_AUTH="$(cat /run/secrets/password)" timeout "$limit" redis-cli -e ' in redis.HEALTH
    assert not {"-a", "--pass"} & set(redis.HEALTH.split())
