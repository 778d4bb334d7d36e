"""The server around it: how it starts, answers and stops, and when it refuses to."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import subprocess
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.processes.sandbox.conftest import awaited
from tests.processes.sandbox.node import SANDBOX
from tests.processes.sandbox.provider import ISSUER, REDIRECT, SECRET, Authorization, redeem

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.processes.sandbox.conftest import Environ, Start
    from tests.processes.sandbox.provider import Person, Running

    Meet = Callable[[Running], Person]

BEGINNING = "The sandbox provider does not start: "
URL = "is no https URL without query, fragment and user"
WRONG = [
    ("SANDBOX_ALLOWED", None, "SANDBOX_ALLOWED is not true: anyone may log in here as anybody,"),
    ("SANDBOX_ALLOWED", "false", "SANDBOX_ALLOWED is not true: anyone may log in here as anybody,"),
    ("SANDBOX_ALLOWED", "1", "SANDBOX_ALLOWED is not true: anyone may log in here as anybody,"),
    ("CLIENT_ID", "", "CLIENT_ID is not set"),
    ("ISSUER", None, "ISSUER is not set"),
    ("ISSUER", "http://localhost:8282", f"ISSUER=http://localhost:8282 {URL}"),
    ("ISSUER", "https://localhost:8282/", "ISSUER=https://localhost:8282/ is no origin such as https://localhost:8282"),
    ("REDIRECT_URI", "https://a/#b", f"REDIRECT_URI=https://a/#b {URL}"),
    ("REDIRECT_URI", "127.0.0.1", f"REDIRECT_URI=127.0.0.1 {URL}"),
    ("CLIENT_SECRET_FILE", "/nowhere", "CLIENT_SECRET_FILE=/nowhere cannot be read: ENOENT"),
    ("COOKIE_KEY_FILE", "/dev/null", "COOKIE_KEY_FILE=/dev/null is empty"),
    ("SIGNING_KEY_FILE", "/etc/hostname", "SIGNING_KEY_FILE=/etc/hostname holds no private key in PEM"),
    ("PORT", "none", "PORT=none is no whole number"),
    ("REDIS_HOST", None, "REDIS_HOST is not set"),
    ("REDIS_PORT", "65536", "REDIS_PORT=65536 is no port"),
    ("REDIS_DB", "-1", "REDIS_DB=-1 is no whole number"),
    ("REDIS_USER", "", "REDIS_USER is not set"),
    ("REDIS_PASSWORD_FILE", "/nowhere", "REDIS_PASSWORD_FILE=/nowhere cannot be read: ENOENT"),
    ("TLS_CA_FILE", None, "TLS_CA_FILE is not set"),
    ("STARTUP_TIMEOUT", "soon", "STARTUP_TIMEOUT=soon is no whole number"),
    ("PORT", "70000", "PORT=70000 is no port"),
]

LOAD_EACH = f"""
import {{ readFileSync }} from "node:fs";
import {{ load }} from {json.dumps((SANDBOX / "src" / "settings.mjs").as_uri())};

const told = JSON.parse(readFileSync(0, "utf8")).map((environ) => {{
  try {{
    load(environ);
    return "accepted";
  }} catch (error) {{
    return `${{error.constructor.name}}: ${{error.message}}`;
  }}
}});
console.log(JSON.stringify(told));
"""
"""Loads settings from each of the environments that it is given, and prints what is wrong with each."""


def test_every_wrong_setting_is_named_with_its_reason(node: Path, environ: Environ) -> None:
    wrong = [
        *WRONG,
        ("SIGNING_KEY_FILE", environ["TLS_KEY_FILE"], f"SIGNING_KEY_FILE={environ['TLS_KEY_FILE']} holds no RSA key"),
    ]
    given = [
        {key: kept for key, kept in {**environ, name: value}.items() if kept is not None} for name, value, _ in wrong
    ]
    done = subprocess.run(
        [node, "--input-type=module", "-e", LOAD_EACH],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    told = json.loads(done.stdout)
    assert len(told) == len(wrong)
    assert [
        (case, said) for case, said in zip(wrong, told, strict=True) if not said.startswith(f"StartError: {case[2]}")
    ] == []


def test_a_start_that_is_refused_is_one_line_and_an_exit_status(start: Start, environ: Environ) -> None:
    process = start({name: value for name, value in environ.items() if name != "SANDBOX_ALLOWED"})
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (1, "")
    (line,) = err.splitlines()
    assert line.startswith(f"{BEGINNING}SANDBOX_ALLOWED is not true: ")


def test_a_port_that_is_taken_is_one_line(start: Start, environ: Environ, running: Running) -> None:
    process = start({**environ, "PORT": str(running.port)})
    _, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert err.splitlines()[-1].startswith(f"{BEGINNING}Error: listen EADDRINUSE")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_in_good_order(start: Start, environ: Environ, number: signal.Signals) -> None:
    process = start(environ)
    server = awaited(process, environ)
    with server.client() as kept:  # a connection that idles must not hold it up
        assert kept.get("/health").status_code == 200
        process.send_signal(number)
        out, _ = process.communicate(timeout=4)
    assert process.returncode == 0
    assert json.loads(out.splitlines()[-1])["event"] == "stopping"


def test_its_first_page_leads_to_the_callback_server(running: Running) -> None:
    with running.client() as client:
        page = client.get("/")
    assert page.status_code == 200
    assert f'<a href="{REDIRECT}">Go to Dashtam</a>' in page.text


def test_health(running: Running) -> None:
    with running.client() as client:
        assert client.get("/health").json() == {"status": "ok"}


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_the_endpoints_follow_the_host_and_the_issuer_stays(running: Running, host: str) -> None:
    with running.client() as client:
        found = client.get(f"https://{host}:{running.port}/.well-known/openid-configuration").json()
    assert found["issuer"] == ISSUER
    here = f"https://{host}:{running.port}"
    assert {name: url for name, url in found.items() if name.endswith(("_endpoint", "_uri"))} == {
        "authorization_endpoint": f"{here}/auth",
        "token_endpoint": f"{here}/token",
        "revocation_endpoint": f"{here}/token/revocation",
        "userinfo_endpoint": f"{here}/me",
        "jwks_uri": f"{here}/jwks",
    }
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["response_types_supported"] == ["code"]
    assert found["authorization_response_iss_parameter_supported"] is True


def test_pages_carry_headers_that_keep_them_plain(running: Running, person: Person) -> None:
    with running.client() as client:
        pages = [person.opens(Authorization()), client.get("/interaction/none"), client.get("/auth")]
    assert [page.status_code for page in pages] == [200, 400, 400]
    for page in pages:
        assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
        assert page.headers["x-content-type-options"] == "nosniff"
        assert page.headers["cache-control"] == "no-store"
        assert "<script" not in page.text
        assert '<html lang="en">' in page.text


def test_the_style_is_served(running: Running) -> None:
    with running.client() as client:
        style = client.get("/style.css")
    assert style.headers["content-type"] == "text/css"
    assert style.text == (SANDBOX / "src" / "style.css").read_text()


def test_cookies_are_the_ports_own_and_go_over_tls_alone(running: Running) -> None:
    with running.client() as browser:
        cookies = browser.get("/auth", params=Authorization().parameters()).headers.get_list("set-cookie")
    assert cookies
    for cookie in cookies:
        assert cookie.startswith(f"sandbox_{urlsplit(ISSUER).port}_")
        assert {"secure", "httponly", "samesite=lax"} <= {part.strip().lower() for part in cookie.split(";")}


def test_plain_http_and_old_tls_are_refused(running: Running) -> None:
    with socket.create_connection(("127.0.0.1", running.port)) as plain:
        plain.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"200" not in plain.recv(64)
    old = ssl.create_default_context()
    # OpenSSL offers the old versions only at security level 0.
    old.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with (
        socket.create_connection(("127.0.0.1", running.port)) as raw,
        pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"),
    ):
        old.wrap_socket(raw, server_hostname="localhost")


def test_neither_codes_nor_tokens_are_logged(start: Start, environ: Environ, meet: Meet) -> None:
    process = start(environ)
    server = awaited(process, environ)
    asked = Authorization()
    code = meet(server).links(asked)["code"]
    tokens = redeem(server, asked, code).json()
    assert redeem(server, asked, code).status_code == 400
    process.terminate()
    out, err = process.communicate(timeout=20)
    events = [json.loads(line)["event"] for line in out.splitlines()]
    assert events == ["authorization granted", "tokens issued", "grant.error", "stopping"]
    secrets = [
        SECRET,
        code,
        asked.state,
        asked.verifier,
        *(tokens[f"{kind}_token"] for kind in ("access", "refresh", "id")),
    ]
    assert [secret for secret in secrets if secret in out + err] == []


@pytest.mark.parametrize(
    "case",
    [("/health", "TLS_CA_FILE", 0), ("/nowhere", "TLS_CA_FILE", 1), ("/health", "TLS_KEY_FILE", 1)],
)
def test_the_probe_asks_over_verified_tls(
    running: Running, node: Path, environ: Environ, case: tuple[str, str, int]
) -> None:
    path, ca, status = case
    command = [str(node), str(SANDBOX / "src" / "probe.mjs"), f"{running.url}{path}"]
    done = subprocess.run(command, env={"TLS_CA_FILE": environ[ca]}, capture_output=True, text=True, check=False)
    assert done.returncode == status
    assert len(done.stderr.splitlines()) == status


def test_the_probe_asks_again_until_its_deadline(running: Running, node: Path, environ: Environ) -> None:
    deadline = int(time.time()) + 2
    command = [str(node), str(SANDBOX / "src" / "probe.mjs"), f"{running.url}/nowhere", str(deadline)]
    done = subprocess.run(
        command, env={"TLS_CA_FILE": environ["TLS_CA_FILE"]}, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert time.time() >= deadline
