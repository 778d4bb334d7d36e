from __future__ import annotations

import asyncpg  # type: ignore[import-untyped]
import pytest
from redis.exceptions import ResponseError

from app.core.dependency_errors import explain
from cli.core import remedies
from cli.core.remedies import REMEDIES, Remedy

MARKS = [(mark, one) for one in REMEDIES for mark in one.marks]


@pytest.mark.parametrize(("mark", "remedy"), MARKS)
def test_what_is_known_has_its_remedy(mark: str, remedy: Remedy) -> None:
    assert mark == mark.lower()
    assert remedies.find("boom", f"x {mark.upper()}x", images=True) == remedy
    assert remedies.known("boom", f"x {mark.upper()}x") == ("" if remedy.only_images else remedy.text)


@pytest.mark.parametrize(
    "error", [asyncpg.DiskFullError(), ResponseError("MISCONF Errors writing to the AOF file: No space left on device")]
)
def test_a_full_disk_in_the_services_words_has_its_remedy(error: Exception) -> None:
    assert remedies.known(explain(error).reason).startswith("Free some disk space")


def test_the_most_telling_counts() -> None:
    assert remedies.known("port is already allocated", "no space left on device").startswith("Another container")


def test_what_is_not_known_has_none() -> None:
    assert remedies.known("boom", "") == remedies.known() == ""


def test_a_remedy_names_the_environment() -> None:
    said = remedies.known("is at revision 9999, which this checkout doesn't have", environment="test")
    assert "`./dashtam destroy test`" in said
    assert "ENVIRONMENT" not in said


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        # dockerd 20.10 and 27
        (
            (
                "could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the"
                " network"
            ),
            "docker network prune",
        ),
        ("Error response from daemon: all predefined address pools have been fully subnetted", "docker network prune"),
        ('Error response from daemon: exec: "docker-init": executable file not found in $PATH: unknown', "tini"),
        (
            (
                "driver failed programming external connectivity on endpoint app (1f2e): (iptables failed:"
                " iptables --wait -t nat -A DOCKER -p tcp -d 127.0.0.1 --dport 8000 -j DNAT: iptables: No"
                " chain/target/match by that name.\n (exit status 1))"
            ),
            "systemctl restart docker",
        ),
        (
            (
                "Failed to Setup IP tables: Unable to enable SKIP DNAT rule: (iptables failed: iptables --wait -t nat"
                " -I DOCKER -i br-1 -j RETURN: iptables v1.8.7 (nf_tables): Chain 'DOCKER-ISOLATION-STAGE-1' not there)"
            ),
            "systemctl restart docker",
        ),
        # watchfiles (notify), docker logs, systemd
        (
            '_rust_notify.WatchfilesRustInternalError: OS file watch limit reached. about ["/srv/app"]',
            "max_user_watches",
        ),
        ("Error creating recommended watcher: Too many open files (os error 24)", "max_user_instances"),
        ("inotify_add_watch(/srv/app) failed: No space left on device", "max_user_watches"),
        ("failed to create fsnotify watcher: too many open files", "max_user_instances"),
        # PostgreSQL 17
        (
            (
                "FATAL:  database files are incompatible with server\nDETAIL:  The data directory was initialized by"
                " PostgreSQL version 16, which is not compatible with this version 17.6."
            ),
            "./dashtam backup",
        ),
        (
            (
                'ERROR:  could not resize shared memory segment "/PostgreSQL.2012345" to 8388608 bytes: No space left'
                " on device"
            ),
            "dashtam:postgres.memory",
        ),
        (
            (
                'FATAL:  lock file "postmaster.pid" already exists\nHINT:  Is another postmaster (PID 1) running in'
                ' data directory "/var/lib/postgresql/data"?'
            ),
            "docker ps --filter volume",
        ),
        ('FATAL:  could not access file "pg_cron": No such file or directory', "dashtam:postgres.preload"),
        # Redis 8
        (
            (
                "Bad file format reading the append only file appendonly.aof: make a backup of your AOF file,"
                " then use ./redis-check-aof --fix <filename.manifest>"
            ),
            "./dashtam snapshot restore",
        ),
        ("Fatal error loading the DB, check server logs. Exiting.", "./dashtam snapshot restore"),
        ("dashtam-dev-postgres: exited with status 137, killed for lack of memory", "Raise the `memory`"),
        # docker-py and the plugin
        (
            (
                "the Docker engine at tcp://node1:2376 can't be used.\nCause: Error loading registry auth config: could"
                " not open config file from filePath: /ci/42/config.json. Error: open /ci/42/config.json: no such file"
            ),
            "Write `{}` to that file",
        ),
        (
            "Credentials store error: StoreError('docker-credential-desktop not installed or not available in PATH')",
            "credsStore",
        ),
        (
            (
                'error getting credentials - err: exec: "docker-credential-desktop": executable file not found in'
                " $PATH, out: ``"
            ),
            "credsStore",
        ),
        (
            (
                "Error while fetching server API version: 400 Client Error for http://build:2376/version: Bad Request"
                " (\"b'Client sent an HTTP request to an HTTPS server.\\n'\")"
            ),
            "DOCKER_TLS_VERIFY=1",
        ),
        ("Invalid CA certificate provided for `ca_cert`.. TLS configurations should map", "Set DOCKER_CERT_PATH"),
        (
            (
                "toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating"
                " and upgrading: https://www.docker.com/increase-rate-limit"
            ),
            "docker login",
        ),
        ("exec /usr/local/bin/docker-entrypoint.sh: exec format error", "DOCKER_DEFAULT_PLATFORM"),
        ("no matching manifest for linux/arm64/v8 in the manifest list entries", "docker image rm"),
        ("cgroups: cgroup mountpoint does not exist: unknown", "wsl --update"),
        (
            "Got permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock",
            "usermod -aG docker",
        ),
        (
            (
                "Error response from daemon: Mounts denied: The path /work/app is not shared from the host and is not"
                " known to Docker."
            ),
            "File sharing",
        ),
        (
            (
                "Ports are not available: exposing port TCP 127.0.0.1:8000 -> 127.0.0.1:0: listen tcp 127.0.0.1:8000:"
                " bind: address already in use"
            ),
            "Another process listens",
        ),
        (
            (
                'Get "https://registry-1.docker.io/v2/": proxyconnect tcp: dial tcp: lookup proxy on 127.0.0.53:53:'
                " no such host"
            ),
            "pulled by Docker itself",
        ),
        ('Get "https://registry/v2/": x509: certificate signed by unknown authority', "update-ca-certificates"),
        ("failed to register layer: write /usr/lib/x: no space left on device", "Free some disk space"),
    ],
)
def test_what_engines_and_servers_really_print_has_its_remedy(said: str, remedy: str) -> None:
    assert remedy in remedies.known(said)
