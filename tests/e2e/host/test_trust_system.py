"""What `./dashtam trust` tells the system: programs that ask its store verify the service, and refuse it again after.

The command sees the machine's own store through a layer that holds its changes and is gone with it, whatever happens.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from cli.core.paths import ROOT
from tests.system.running import run, succeed

if TYPE_CHECKING:
    from pathlib import Path

    from infra.outputs import StackOutputs

STORE = ("/etc/ssl/certs", "/usr/local/share/ca-certificates")
TRUSTED_BY_NAME = ("SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE")
"""What would take the place of the system's store."""

LAYERED = """
set -eu
layers=$1; shift
mount -t tmpfs none "$layers"
for folder in /etc/ssl/certs /usr/local/share/ca-certificates; do
    layer=$layers/$(echo "$folder" | tr / _)
    mkdir -p "$layer/changes" "$layer/work"
    mount -t overlay -o "lowerdir=$folder,upperdir=$layer/changes,workdir=$layer/work" none "$folder"
done
exec "$@"
"""

TRIED = """
set -eu
environment=$1 url=$2 python=$3 fetch=$4
content() {
    # Java's store notes when each entry came.
    find /etc/ssl/certs /usr/local/share/ca-certificates -type f ! -path '*/java/*' -exec sha256sum {} + | sort
    find /etc/ssl/certs /usr/local/share/ca-certificates -type l -printf '%p %l\\n' | sort
}
refused() {
    if "$python" -c "$fetch" "$url"; then echo "python trusts it" >&2; return 1; fi
    if curl --silent --fail "$url"; then echo "curl trusts it" >&2; return 1; fi
}
update-ca-certificates >/dev/null
before=$(content)
refused
for again in first second; do
    ./dashtam trust "$environment" --store system --yes
    "$python" -c "$fetch" "$url"
    curl --silent --show-error --fail "$url"
done
[ "$(content)" != "$before" ]
./dashtam untrust "$environment" --store system --yes
refused
[ "$(content)" = "$before" ]
echo "as it was"
"""

FETCH = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=10).status)"


def test_the_system_trusts_the_environment_as_long_as_it_is_told_to(outputs: StackOutputs, tmp_path: Path) -> None:
    assert outputs.urls.app
    before = _content()
    environ = {name: value for name, value in os.environ.items() if name not in TRUSTED_BY_NAME}
    layers = tmp_path / "layers"
    layers.mkdir()
    mapped = [] if os.geteuid() == 0 else ["--map-root-user"]
    layered = ["unshare", "--mount", *mapped, "sh", "-c", LAYERED, "sh", str(layers)]
    tried = ["sh", "-c", TRIED, "sh", outputs.environment, f"{outputs.urls.app}/health", sys.executable, FETCH]
    said = succeed(run([*layered, *tried], cwd=ROOT, env=environ))
    assert said.count('{"status":"ok"}') == 2
    assert said.endswith("as it was\n")
    assert _content() == before


def _content() -> str:
    return succeed(run(["find", *STORE, "-printf", "%p %l %s %T@\n"], cwd=ROOT))
