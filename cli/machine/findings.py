"""What `./dashtam doctor` finds about the machine. Nothing here changes anything."""

from __future__ import annotations

import os
import shutil
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.filesize import decimal

from cli.core.errors import UserError
from cli.core.paths import cache_home, data_home
from cli.core.redaction import without_credentials
from cli.engine.connect import UnreachableError, explain, find_engine
from cli.machine.pulumi import find_cli, missing_plugins, official_home, with_plugins
from cli.machine.toolchain import Cli, Origin, Versions, read_versions
from infra import proxies
from infra.engine import NOT_PODMAN

_SETUP = "Run `./dashtam up dev`: it sets up what is missing."
_LOW_SPACE_BYTES = 3 * 10**9
_TRUST_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


@dataclass(frozen=True)
class Finding:
    """One check and its result; cause and remedy are shown where it is not ok."""

    check: str
    ok: bool
    detail: str
    cause: str = ""
    remedy: str = ""

    @classmethod
    def of(cls, check: str, error: UserError) -> Finding:
        """Return the finding of a check that met an error."""
        return cls(check, ok=False, detail=error.message, cause=error.cause, remedy=error.remedy)


def findings() -> Iterator[Finding]:
    """Check everything that a machine needs."""
    yield _engine()
    versions = read_versions()
    cli = find_cli(versions, remember=False)
    yield from (_pulumi(versions, cli), _plugins(versions, cli), *_trust(), *_proxies(), *_folders(), _space())


def _engine() -> Finding:
    check = "Docker engine"
    try:
        engine = find_engine()
    except UnreachableError as failure:
        return Finding.of(check, explain(failure))
    except UserError as error:
        return Finding.of(check, error)
    where = f"{engine.version} at {engine.endpoint.host} ({engine.endpoint.origin})"
    if engine.is_podman:
        cause, remedy = NOT_PODMAN
        return Finding(check, ok=False, detail=f"Podman {where} can't be used.", cause=cause, remedy=remedy)
    return Finding(check, ok=True, detail=where)


def _pulumi(versions: Versions, cli: Cli | None) -> Finding:
    check = "Pulumi CLI"
    if cli is None:
        wanted = versions.pulumi
        return Finding(
            check,
            ok=False,
            detail=f"Pulumi {wanted} or newer is not installed.",
            cause=f"None on PATH, and none was downloaded or built below {cache_home()}.",
            remedy=_SETUP,
        )
    origin = {Origin.PATH: "from PATH", Origin.RELEASE: "official release", Origin.BUILT: "built from Go modules"}
    return Finding(check, ok=True, detail=f"{cli.version}, {origin[cli.origin]} ({cli.pulumi})")


def _plugins(versions: Versions, cli: Cli | None) -> Finding:
    check = "Pulumi plugins"
    toolchain = with_plugins(cli, versions) if cli else None
    if toolchain:
        names = ", ".join(f"{name} {version}" for name, version in versions.plugins)
        built = (
            "; built from source; the docker plugin has terraform-provider-docker 2.23.0, not the version of its name"
        )
        return Finding(check, ok=True, detail=names + (built if toolchain.plugins is Origin.BUILT else "; official"))
    built_only = cli is None or cli.origin is Origin.BUILT
    home = versions.built_home if cli is None or built_only else official_home(cli, versions)
    names = ", ".join(f"{name} {version}" for name, version in missing_plugins(versions, home))
    return Finding(check, ok=False, detail=f"Missing: {names}.", cause=f"{home} does not hold them.", remedy=_SETUP)


def _trust() -> Iterator[Finding]:
    """Check the files of trusted certificates: a wrong one fails every download, with obscure messages."""
    named = [(name, Path(os.environ[name])) for name in _TRUST_VARIABLES if os.environ.get(name)]
    for name, path in named:
        problem = _problem(name, path)
        yield Finding(
            f"Trusted certificates ({name})",
            ok=not problem,
            detail=f"{path} {problem}." if problem else str(path),
            cause="Every download fails without trusted certificates.",
            remedy=f"Set {name} to the machine's certificates, or unset it.",
        )


def _problem(variable: str, path: Path) -> str:
    if variable == "SSL_CERT_DIR":
        return "" if path.is_dir() else "is not a folder"
    try:
        ssl.create_default_context(cafile=str(path))
    except FileNotFoundError:
        return "does not exist"
    except (OSError, ssl.SSLError) as error:
        return f"holds no usable certificates: {error}"
    return ""


def _proxies() -> Iterator[Finding]:
    """Name the proxies, and those that image builds can't reach."""
    for_containers, hidden = proxies.for_containers(), proxies.only_here()
    if not for_containers and not hidden:
        return
    shown = [f"{name}={value}" for name, value in for_containers.items() if name.isupper()]
    yield Finding(
        "Proxies of image builds",
        ok=not hidden or bool(for_containers),
        detail=without_credentials(", ".join(shown)) or "none",
        cause=f"{', '.join(hidden)} names one on this machine's loopback, where no container reaches it.",
        remedy="Name one that containers reach in ~/.docker/config.json:"
        ' {"proxies": {"default": {"httpProxy": URL, "httpsProxy": URL}}}.',
    )


def _folders() -> Iterator[Finding]:
    """Check that the folders outside the checkout can be made and written to."""
    for variable, folder in (("DASHTAM_DATA_HOME", data_home()), ("DASHTAM_CACHE_HOME", cache_home())):
        there = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
        usable = there.is_dir() and os.access(there, os.W_OK | os.X_OK)
        yield Finding(
            f"Folder ({variable})",
            ok=usable,
            detail=str(folder),
            cause=f"{there} is not a folder that you may write to.",
            remedy=f"Set {variable} to one on a local disk.",
        )


def _space() -> Finding:
    folder = next(path for path in (cache_home(), *cache_home().parents) if path.exists())
    free = shutil.disk_usage(folder).free
    return Finding(
        "Disk space",
        ok=free > _LOW_SPACE_BYTES,
        detail=f"{decimal(free)} free at {folder}",
        cause="Images and builds need several GB.",
        remedy="Free some space: `docker system df` shows what images take.",
    )
