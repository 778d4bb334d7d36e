"""The launcher: what it does on a machine before there is any Python of the project's."""

import fcntl
import os
import pwd
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cli.core.paths import ROOT

ODD = " it's 50% of #1? \\& $x `y` ü "

UV = """#!/bin/sh
if [ "$1" = --version ]; then echo "uv ${FAKE_UV_VERSION:-0.99.0}"; exit; fi
echo "$*" >> "$FAKE_UV_LOG"
case "$*" in
    *--offline*) [ -z "${FAKE_UV_CACHE_LACKS:-}" ] || { echo "no $FAKE_UV_CACHE_LACKS in the cache" >&2; exit 2; } ;;
    *) [ -z "${FAKE_UV_FAILS:-}" ] || { echo "no network" >&2; exit 2; } ;;
esac
mkdir -p "$UV_PROJECT_ENVIRONMENT/bin"
printf '#!/bin/sh\\necho "$0:$PWD:$*"\\n' > "$UV_PROJECT_ENVIRONMENT/bin/dashtam"
printf '#!/bin/sh\\n' > "$UV_PROJECT_ENVIRONMENT/bin/python"
chmod +x "$UV_PROJECT_ENVIRONMENT/bin/dashtam" "$UV_PROJECT_ENVIRONMENT/bin/python"
echo "installing on standard output too"
"""


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone, with a `uv` on PATH that makes a small environment."""
    clone = tmp_path / "a clone"
    clone.mkdir()
    shutil.copy(ROOT / "dashtam", clone)
    (clone / "uv.lock").touch()
    (clone / "pyproject.toml").touch()
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "uv").write_text(UV)
    (tools / "uv").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_UV_LOG", str(tmp_path / "uv.log"))
    monkeypatch.setenv("DASHTAM_CACHE_HOME", str(tmp_path / "cache"))
    return clone


def launch(clone: Path, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = clone / "dashtam" if clone.is_dir() else clone
    return subprocess.run([command, *arguments], cwd=cwd, capture_output=True, text=True, check=False, timeout=60)


def syncs(tmp_path: Path) -> int:
    log = tmp_path / "uv.log"
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_the_first_run_makes_the_environment_and_only_the_first(clone: Path, tmp_path: Path) -> None:
    for _ in range(3):
        answer = launch(clone, "up", "two words", cwd=tmp_path)
        assert answer.stdout == f"{clone}/.venv/bin/dashtam:{tmp_path}:up two words\n"
    assert syncs(tmp_path) == 1


def test_later_runs_are_silent(clone: Path) -> None:
    assert "bringing the virtual environment up to date" in launch(clone).stderr
    assert launch(clone).stderr == ""


@pytest.mark.parametrize("changed", ["uv.lock", "pyproject.toml", ".venv/bin/python", ".venv/bin/dashtam"])
def test_what_changed_or_went_missing_is_made_again(clone: Path, tmp_path: Path, changed: str) -> None:
    launch(clone)
    path = clone / changed
    if changed.startswith(".venv"):
        path.unlink()
    else:
        later = (clone / ".venv/.dashtam").stat().st_mtime + 5
        os.utime(path, (later, later))
    assert launch(clone).returncode == 0
    assert syncs(tmp_path) == 2


def test_a_failed_run_is_not_taken_for_a_finished_one(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_UV_CACHE_LACKS", "redis")
    monkeypatch.setenv("FAKE_UV_FAILS", "1")
    failed = launch(clone)
    assert failed.returncode == 1
    assert "no network" in failed.stderr
    monkeypatch.delenv("FAKE_UV_FAILS")
    again = launch(clone)
    assert again.returncode == 0
    assert "redis" not in again.stderr
    assert syncs(tmp_path) == 4


def test_what_the_cache_has_needs_no_network(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    launch(clone)
    monkeypatch.setenv("FAKE_UV_FAILS", "1")
    # As by a checkout of another branch.
    later = (clone / ".venv/.dashtam").stat().st_mtime + 1
    os.utime(clone / "pyproject.toml", (later, later))
    assert launch(clone).returncode == 0


def test_a_file_of_a_killed_run_does_not_stay(clone: Path) -> None:
    (clone / ".build").mkdir()
    (clone / ".build" / "stamp.aB3xYz").touch()
    assert launch(clone).returncode == 0
    assert [one.name for one in (clone / ".build").iterdir()] == ["venv.lock"]


def test_a_run_that_waits_ends_without_a_traceback(clone: Path) -> None:
    (clone / ".build").mkdir()
    with (clone / ".build" / "venv.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        run = subprocess.Popen([clone / "dashtam"], stderr=subprocess.PIPE, text=True, start_new_session=True)
        assert run.stderr is not None
        assert "waiting for it" in run.stderr.readline()
        os.killpg(run.pid, signal.SIGINT)
        assert run.communicate(timeout=60)[1] == ""
        assert run.returncode in {-signal.SIGINT, 128 + signal.SIGINT}


def test_through_links(clone: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "one").symlink_to("two")
    (tmp_path / "bin" / "two").symlink_to(clone / "dashtam")
    assert launch(tmp_path / "bin" / "one", "status").stdout.startswith(f"{clone}/.venv/bin/dashtam:")


def test_a_copied_clone_gets_an_environment_of_its_own(clone: Path, tmp_path: Path) -> None:
    launch(clone)
    copy = Path(shutil.copytree(clone, tmp_path / "copy"))
    answer = launch(copy)
    assert f"removing the virtual environment that was made for {clone}" in answer.stderr
    assert answer.stdout.startswith(f"{copy}/.venv/bin/dashtam:")


def test_nothing_is_installed_against_the_users_will(clone: Path, tmp_path: Path) -> None:
    answer = launch(clone, "up", "dev", "--no-install")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "--no-install forbids" in answer.stderr
    assert not (clone / ".venv").exists()
    assert syncs(tmp_path) == 0


def test_no_install_is_handed_on_when_nothing_is_missing(clone: Path) -> None:
    launch(clone)
    assert launch(clone, "up", "--no-install").stdout.endswith(":up --no-install\n")


def test_arguments_for_pytest_are_not_the_launchers(clone: Path) -> None:
    assert launch(clone, "test", "--", "--no-install").stdout.endswith(":test -- --no-install\n")


def test_several_at_once_make_it_once_each_and_all_succeed(clone: Path) -> None:
    runs = [
        subprocess.Popen([clone / "dashtam", str(number)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for number in range(4)
    ]
    answers = [run.communicate(timeout=60) for run in runs]
    assert [out.rsplit(":", 1)[-1] for out, _ in answers] == [f"{number}\n" for number in range(4)]
    assert sum("bringing the virtual environment up to date" in err for _, err in answers) == 1


def test_a_uv_that_is_too_old_is_not_used(clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cached = tmp_path / "cache" / "uv" / pinned_uv() / "uv"
    cached.parent.mkdir(parents=True)
    cached.write_text(UV.replace("FAKE_UV_VERSION", "CACHED_UV_VERSION"))
    cached.chmod(0o755)
    monkeypatch.setenv("FAKE_UV_VERSION", "0.2.37")
    monkeypatch.setenv("CACHED_UV_VERSION", pinned_uv())
    (tmp_path / "tools" / "uv").write_text('#!/bin/sh\n[ "$1" = --version ] && echo uv 0.2.37 || exit 9\n')
    assert launch(clone).returncode == 0
    assert syncs(tmp_path) == 1
    own = clone / ".venv/bin/uv"
    assert own.resolve() == cached
    # Also in a shell with `./dashtam env`, which has that folder on PATH, and after a later version is pinned.
    monkeypatch.setenv("PATH", f"{own.parent}:{os.environ['PATH']}")
    own.unlink()
    own.symlink_to(tmp_path / "tools" / "uv")
    (clone / ".venv/bin/dashtam").unlink()
    assert launch(clone).returncode == 0
    assert own.resolve() == cached


def test_a_uv_on_path_is_used_where_it_is(clone: Path) -> None:
    assert launch(clone).returncode == 0
    assert not (clone / ".venv/bin/uv").exists()


PYTHON = """#!/bin/sh
case "$*" in
    *"import ensurepip"*) [ -e "$FAKE_VENV" ] ;;
    "-m venv"*) mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
    "-m pip"*) cp "$FAKE_UV" "${0%/*}/uv" ;;
    *) exec {python} "$@" ;;
esac
"""
APT = """#!/bin/sh
case "$*" in
    *update*) echo "an unrelated source fails"; exit 100 ;;
    *python3-venv) touch "$FAKE_VENV" ;;
    *) exit 9 ;;
esac
"""


@pytest.fixture
def debian(clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without uv, whose Python lacks what Debian packs apart."""
    tools = tmp_path / "tools"
    (tools / "uv").rename(tmp_path / "published-uv")
    python = PYTHON.replace("{python}", sys.executable)
    for name, content in {"python3": python, "apt-get": APT, "id": "#!/bin/sh\necho $FAKE_ID\n"}.items():
        (tools / name).write_text(content)
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    monkeypatch.setenv("FAKE_VENV", str(tmp_path / "venv-package"))
    monkeypatch.setenv("FAKE_UV", str(tmp_path / "published-uv"))
    return clone


def test_root_gets_what_is_missing(debian: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FAKE_ID", "0")
    answer = launch(debian, "up")
    assert answer.stdout.endswith(":up\n")
    assert answer.stdout.count("\n") == 1, "progress belongs on standard error"
    assert "installing Debian's python3-venv" in answer.stderr
    assert "apt-get update failed in part" in answer.stderr
    assert [path.name for path in (tmp_path / "cache/uv" / pinned_uv()).iterdir()] == ["uv"]


def test_others_are_told_what_to_install(debian: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_ID", "1000")
    answer = launch(debian, "up")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "sudo apt-get install --yes python3-venv" in answer.stderr


def pinned_uv() -> str:
    line = next(line for line in (ROOT / "dashtam").read_text().splitlines() if line.startswith("UV_VERSION="))
    return line.split()[0].removeprefix("UV_VERSION=")


SHOWING = UV.replace('echo "$0:$PWD:$*"', "env")
FOREIGN = {
    "PYTHONPATH": "/another/project",
    "PYTHONHOME": "/another/python",
    "PYTHONINSPECT": "1",
    "VIRTUAL_ENV": "/another/.venv",
    "GIT_DIR": "/another/.git",
    "GIT_INDEX_FILE": "/another/index",
    "GIT_WORK_TREE": "/another",
    "PULUMI_STACK": "prod",
    "PULUMI_CONFIG": "{}",
    "PULUMI_PYTHON_CMD": "/another/python",
    "UV_PYTHON": "3.9",
    "UV_NO_EDITABLE": "1",
    "PIP_USER": "1",
    "PIP_REQUIRE_VIRTUALENV": "1",
    "NODE_OPTIONS": "--require nothere",
    "NODE_ENV": "production",
    "PGHOST": "db.example.com",
    "PGSSLMODE": "disable",
    "REDISCLI_AUTH": "secret",
    "DOCKER_API_VERSION": "1.12",
    "TMPDIR": "/nonexistent",
    "FORCE_COLOR": "0",
}
RESPECTED = {
    "GIT_SSH_COMMAND": "ssh -i key",
    "GIT_CONFIG_GLOBAL": "/home/me/gitconfig",
    "PULUMI_BACKEND_URL": "file:///home/me/state",
    "PULUMI_CONFIG_PASSPHRASE": "",
    "PULUMI_CREDENTIALS_PATH": "/home/me/.pulumi",
    "UV_INDEX_URL": "https://mirror.example.com",
    "UV_OFFLINE": "1",
    "PIP_INDEX_URL": "https://mirror.example.com",
    "PIP_CERT": "/etc/ca.pem",
    "NODE_EXTRA_CA_CERTS": "/etc/ca.pem",
    "DOCKER_HOST": "tcp://engine.example.com",
    "DOCKER_CONFIG": "/home/me/docker",
    "COMPOSE_PROJECT_NAME": "mine",
    "LC_ALL": "de_DE.UTF-8",
    "TZ": "Asia/Kolkata",
    "HTTPS_PROXY": "http://proxy.example.com",
    "COLUMNS": "20",
}


@pytest.fixture
def shown(clone: Path, tmp_path: Path) -> Path:
    """A clone whose command prints its variables."""
    (tmp_path / "tools" / "uv").write_text(SHOWING)
    return clone


def variables(clone: Path) -> dict[str, str]:
    answer = launch(clone)
    assert answer.returncode == 0, answer.stderr
    return dict(line.split("=", 1) for line in answer.stdout.splitlines() if "=" in line)


def test_variables_of_other_tools_do_not_leak_in(shown: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**FOREIGN, **RESPECTED}.items():
        monkeypatch.setenv(name, value)
    found = variables(shown)
    assert found.keys() & FOREIGN.keys() == set()
    assert {name: found.get(name) for name in RESPECTED} == RESPECTED
    assert found["PYTHONUTF8"] == "1"


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"CLICOLOR": "0"}, {"NO_COLOR": "1"}),
        ({"CLICOLOR_FORCE": "1"}, {"FORCE_COLOR": "1"}),
        ({"CLICOLOR": "1", "CLICOLOR_FORCE": "0"}, {}),
        ({"NO_COLOR": "1", "FORCE_COLOR": "3"}, {"NO_COLOR": "1", "FORCE_COLOR": "3"}),
    ],
)
def test_every_way_to_ask_for_colours_is_one(
    shown: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], meant: dict[str, str]
) -> None:
    names = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE")
    for name in names:
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert {name: value for name, value in variables(shown).items() if name in names[:2]} == meant


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_stream_that_is_closed_is_one_that_is_empty(clone: Path, tmp_path: Path, closed: str) -> None:
    streams = 'exec 5>"$OUT"; for n in 0 1 2; do (readlink /proc/$$/fd/$n || echo closed) >&5; done'
    (tmp_path / "tools" / "uv").write_text(UV.replace('echo "$0:$PWD:$*"', streams))
    out = tmp_path / "streams"
    command = f'dash "$1" {closed}'
    environ = {**os.environ, "OUT": str(out)}
    subprocess.run(["sh", "-c", command, "sh", clone / "dashtam"], env=environ, capture_output=True, check=True)
    found = out.read_text().splitlines()
    assert [found["<>2".index(one[0])] for one in closed.split()] == ["/dev/null"] * len(closed.split())
    assert "closed" not in found


def test_a_checkout_with_a_line_break_in_its_name_is_refused(clone: Path, tmp_path: Path) -> None:
    odd = clone.rename(tmp_path / "two\nlines")
    answer = launch(odd)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "line break in its name" in answer.stderr
    assert syncs(tmp_path) == 0


def test_a_checkout_with_any_other_name_is_made_an_environment_once(clone: Path, tmp_path: Path) -> None:
    odd = clone.rename(tmp_path / ODD)
    for _ in range(2):
        assert launch(odd).stdout.startswith(f"{odd}/.venv/bin/dashtam:")
    assert syncs(tmp_path) == 1


def test_the_remedy_for_a_checkout_that_cant_be_written_works_for_any_name(clone: Path, tmp_path: Path) -> None:
    odd = clone.rename(tmp_path / ODD)
    (odd / ".build").touch()  # in the place of a folder that can't be made
    answer = launch(odd)
    assert answer.returncode == 1
    assert shlex.split(answer.stderr.rpartition("own it: ")[2]) == ["sudo", "chown", "-R", str(os.getuid()), str(odd)]


def test_a_missing_home_is_the_accounts(shown: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME")
    assert variables(shown)["HOME"] == pwd.getpwuid(os.getuid()).pw_dir


def test_a_home_that_is_no_absolute_path_is_named(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "home")
    answer = launch(clone)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "HOME=home is not an absolute path. Set HOME to a folder" in answer.stderr


def test_a_user_without_a_home_is_named_it(clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tools" / "id").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "tools" / "id").chmod(0o755)
    monkeypatch.delenv("HOME")
    answer = launch(clone)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "Set HOME to a folder" in answer.stderr


def test_a_file_system_without_locks_is_no_obstacle(clone: Path, tmp_path: Path) -> None:
    without = tmp_path / "without" / "fcntl.py"
    without.parent.mkdir()
    without.write_text("LOCK_EX, LOCK_NB = 2, 4\ndef flock(*_):\n    raise OSError(37, 'No locks available')\n")
    python = f'#!/bin/sh\nPYTHONPATH={without.parent} exec {sys.executable} "$@"\n'
    (tmp_path / "tools" / "python3").write_text(python)
    (tmp_path / "tools" / "python3").chmod(0o755)
    answer = launch(clone, "up")
    assert answer.stdout.endswith(":up\n")
    assert f"continuing without a lock on {clone}/.build: No locks available" in answer.stderr
