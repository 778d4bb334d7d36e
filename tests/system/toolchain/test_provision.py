"""The way to a toolchain: an official release where one is to be had, whole and verified, else a build."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cli.core.errors import UserError
from cli.core.paths import ROOT, cache_home
from cli.machine.download import Downloader, Limits
from cli.machine.provision import provision
from cli.machine.release import RELEASES_VARIABLE, Release
from cli.machine.toolchain import Origin, Toolchain, Versions, read_versions
from cli.ui.file_lock import exclusively
from tests.system.toolchain.release_host import ReleaseHost

QUICK = Limits(connect=1.0, silence=1.0, window=0.5, speed=100_000)
RUN = (
    "import sys; from pathlib import Path; from cli.machine.provision import provision; "
    "from cli.machine.toolchain import read_versions; print(provision(read_versions(Path(sys.argv[1]))).cli.origin)"
)


@pytest.fixture
def tiny(versions: Versions, tmp_path: Path) -> Versions:
    """A lock whose modules build in a second."""
    folder = tmp_path / "toolchain"
    module = folder / "tiny"
    module.mkdir(parents=True)
    shutil.copy(versions.folder / "go-requirements.txt", folder)
    (module / "go.mod").write_text(f"module example.com/tiny\n\ngo {versions.go_minimum}\n")
    for name in (*versions.programs, "pulumi-resource-one"):
        (module / name).mkdir()
        shutil.copy(ROOT / "tests/system/toolchain/data/tiny.go.txt", module / name / "main.go")
    programs = list(versions.programs)
    (folder / "lock.toml").write_text(
        f'[pulumi]\nversion = "{versions.pulumi}"\n'
        f'[go]\nminimum = "{versions.go_minimum}"\n'
        '[plugins]\none = "1.0.0"\n'
        '[[modules]]\nfolder = "tiny"\nplugins = ["pulumi-resource-one"]\nplugin_packages = ["./pulumi-resource-one"]\n'
        f"programs = {json.dumps(programs)}\nprogram_packages = {json.dumps([f'./{name}' for name in programs])}\n"
    )
    return read_versions(folder)


def release(host: ReleaseHost) -> Release:
    return Release(read_versions().pulumi, host.url, Downloader(QUICK, host.context()))


def provisioned(versions: Versions, found: Release) -> Toolchain:
    """Get what is missing, with this release for the official one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cli.machine.provision.Release", lambda _: found)
        return provision(versions)


def start(tiny: Versions, **variables: str) -> subprocess.Popen[str]:
    """Run the whole way in a process of its own, with a release host that nobody serves."""
    environment = {**os.environ, RELEASES_VARIABLE: "https://127.0.0.1:9", **variables}
    return subprocess.Popen(
        [sys.executable, "-c", RUN, str(tiny.folder)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def read_until(run: subprocess.Popen[str], text: str) -> None:
    assert run.stderr is not None
    assert any(text in line for line in run.stderr), f"{text!r} was never printed"


def leftovers(versions: Versions) -> list[str]:
    return sorted(path.name for path in versions.built.parent.rglob(".part-*"))


def test_the_official_release_with_its_own_plugins(release_host: ReleaseHost, versions: Versions) -> None:
    toolchain = provisioned(versions, release(release_host))
    assert (toolchain.cli.origin, toolchain.plugins) == (Origin.RELEASE, Origin.RELEASE)
    assert toolchain.home == versions.release_home
    assert not versions.built.exists()
    assert list((versions.release.parent / "downloads").iterdir()) == []


def test_a_second_time_nothing_is_asked_for(release_host: ReleaseHost, versions: Versions) -> None:
    first = provisioned(versions, release(release_host))
    count = len(release_host.requests)
    assert provisioned(versions, release(release_host)) == first
    assert len(release_host.requests) == count


def test_a_mirror_and_a_private_ca_by_environment(release_host: ReleaseHost, versions: Versions) -> None:
    variables = {RELEASES_VARIABLE: release_host.url, "SSL_CERT_FILE": str(release_host.ca)}
    with start(versions, **variables) as run:
        out, err = run.communicate(timeout=60)
    assert (run.returncode, out) == (0, "release\n"), err
    assert len(release_host.archive_requests) == 1


@pytest.mark.parametrize("trouble", ["missing", "slow", "wrong checksum", "always broken off"])
def test_a_release_that_is_not_to_be_had_is_built(
    release_host: ReleaseHost, tiny: Versions, trouble: str, capsys: pytest.CaptureFixture[str]
) -> None:
    release_host.missing = trouble == "missing"
    release_host.trickle = 0.01 if trouble == "slow" else 0
    release_host.break_after = [100, 100, 100] if trouble == "always broken off" else []
    if trouble == "wrong checksum":
        release_host.archive += b"something else"
    toolchain = provisioned(tiny, release(release_host))
    assert (toolchain.cli.origin, toolchain.plugins) == (Origin.BUILT, Origin.BUILT)
    assert not (tiny.release / "bin").exists()
    assert "The official release can't be downloaded" in capsys.readouterr().err


def test_the_users_cli_gets_built_plugins_where_official_ones_fail(
    release_host: ReleaseHost, tiny: Versions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    pulumi = folder / "pulumi"
    pulumi.write_text(
        '#!/bin/sh\nfolder="$PULUMI_HOME/plugins/resource-$4-v$5"\ncase "$*" in version) echo v3.999.0;; '
        '*--file*) mkdir -p "$folder"; : > "$folder/pulumi-resource-$4";; '
        "*) echo no network; exit 1;; esac\n"
    )
    pulumi.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    toolchain = provisioned(tiny, release(release_host))
    assert (toolchain.cli.origin, toolchain.plugins) == (Origin.PATH, Origin.BUILT)
    assert toolchain.home == tiny.built_home
    assert not (tmp_path / "home" / ".pulumi" / "plugins").exists()
    assert not (tiny.built / "bin" / "pulumi").exists(), "its own CLI is not built again"
    assert release_host.requests == []


@pytest.mark.parametrize("gone", ["bin/pulumi", "bin/pulumi-language-python", "home", "."])
def test_what_was_deleted_is_mended(tiny: Versions, gone: str) -> None:
    nowhere = Release(tiny.pulumi, "https://127.0.0.1:9", Downloader(QUICK))
    first = provisioned(tiny, nowhere)
    target = tiny.built / gone
    shutil.rmtree(target) if target.is_dir() else target.unlink()
    assert provisioned(tiny, nowhere) == first


def test_a_build_that_fails_says_what_go_says(tiny: Versions) -> None:
    (tiny.folder / "tiny" / "pulumi" / "main.go").write_text("package main\n\nfunc main() { undefined() }\n")
    with pytest.raises(UserError, match="`go build` ended with status 1") as raised:
        provisioned(tiny, Release(tiny.pulumi, "https://127.0.0.1:9", Downloader(QUICK)))
    assert "undefined: undefined" in raised.value.cause
    assert leftovers(tiny) == []


@pytest.mark.campaign
@pytest.mark.timeout(600)
def test_an_interrupted_build_is_taken_up_again(tiny: Versions, tmp_path: Path) -> None:
    # A Go cache of its own, so that there is something to compile and to interrupt.
    fresh = {"GOCACHE": str(tmp_path / "go-cache")}
    for number in (signal.SIGINT, signal.SIGKILL):
        with start(tiny, **fresh) as run:
            read_until(run, "Compiling Pulumi (tiny): started")
            assert run.poll() is None
            run.send_signal(number)
            run.communicate(timeout=60)
        assert run.returncode != 0
        assert not (tiny.built / "bin" / "pulumi").exists()
    with start(tiny, **fresh) as run:
        out, err = run.communicate(timeout=300)
    assert (run.returncode, out) == (0, "built\n"), err
    assert leftovers(tiny) == []


def test_two_runs_at_once(tiny: Versions) -> None:
    waiting = "Another command is setting up Pulumi; waiting for it."
    with exclusively(cache_home() / "toolchain.lock"):
        runs = [start(tiny) for _ in range(2)]
        for run in runs:
            read_until(run, waiting)
    answers = [run.communicate(timeout=300) for run in runs]
    assert [out for out, _ in answers] == ["built\n", "built\n"], answers
    assert sum("Compiling Pulumi (tiny): started" in err for _, err in answers) == 1
