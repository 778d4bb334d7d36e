"""Remedies for what the engine, the services, Pulumi and image builds report, found by their words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Remedy:
    """What to do about a failure, whose text holds one of the marks (in lower case), and what the failure means."""

    marks: tuple[str, ...]
    text: str
    cause: str = ""
    only_images: bool = False
    """Whether the marks are so common that they mean this only where an image is made."""


OUT_OF_MEMORY = "killed for lack of memory"
"""How a report names a container that the kernel has ended."""

MIGRATING = "still migrating the database"
"""How a report names a container whose migration has begun and not ended."""

_ANOTHER_PORT = (
    " Stop it, or give the service another port: in the stack's config, or by another environment"
    " (`./dashtam up ENVIRONMENT --name NAME`)."
)

REMEDIES = (
    # First those whose text holds the words of a more general one below.
    Remedy(
        ("file watch limit", "max_user_watches", "max_user_instances", "inotify", "fsnotify", "watcher"),
        "Raise the limits of watched files: `sudo sysctl fs.inotify.max_user_watches=524288"
        " fs.inotify.max_user_instances=1024`; the same lines in /etc/sysctl.d/60-inotify.conf keep them.",
        cause="this machine lets a user watch too few files",
    ),
    Remedy(
        ("could not resize shared memory segment", "could not map anonymous shared memory"),
        "Give the database more memory: raise `dashtam:postgres.memory` in the stack's config; or let the query take"
        " less: `SET max_parallel_workers_per_gather = 0`, or a smaller `work_mem`.",
        cause="the database's shared memory is full",
    ),
    Remedy(
        ("database files are incompatible with server", "is not compatible with this version"),
        "The data was made by another major version of PostgreSQL. Name an image of that version in"
        " `dashtam:images.postgres` and run `./dashtam up ENVIRONMENT` and `./dashtam backup ENVIRONMENT FILE`; then"
        " remove the key again, and run `./dashtam destroy ENVIRONMENT`, `./dashtam up ENVIRONMENT` and"
        " `./dashtam restore ENVIRONMENT FILE`.",
    ),
    Remedy(
        ("refuses the user or the password",),
        "The data was made with another password: `./dashtam snapshot create ENVIRONMENT NAME` and `./dashtam snapshot"
        " restore ENVIRONMENT NAME` set the present one.",
    ),
    Remedy(
        ("waiting for state to become 'removed'",),
        "Something else uses it: `docker network inspect NAME`, or `docker ps --all --filter volume=NAME`, shows which"
        " container; disconnect or remove that, and run the same command again.",
    ),
    Remedy(
        ("which this checkout doesn't have",),
        "Check out the branch or version that migrated the database; or restore older data, `./dashtam snapshot list"
        " ENVIRONMENT` lists it; or delete the data: `./dashtam destroy ENVIRONMENT`, then `./dashtam up ENVIRONMENT`.",
    ),
    Remedy(
        ('lock file "postmaster.pid" already exists', "is another postmaster"),
        "Another container uses the same data: `docker ps --filter volume=NAME` shows which; stop it, and run"
        " `./dashtam up ENVIRONMENT` again. `docker volume ls` shows the names.",
    ),
    Remedy(
        ('fatal:  could not access file "',),
        "The database's image doesn't have that library: remove it from `dashtam:postgres.preload`, or name an image"
        " that has it in `dashtam:images.postgres`; then run `./dashtam up ENVIRONMENT` again. Of a snapshot, where"
        " `ALTER SYSTEM` has set it: use another one.",
        cause="a library that PostgreSQL is to load is missing",
    ),
    Remedy(
        (
            *("bad file format reading the append only file", "unexpected end of file reading the append only file"),
            *("fatal error loading the db", "wrong signature trying to load db", "can't handle rdb format version"),
            "unrecoverable error reading the append only file",
        ),
        "Restore the data of a snapshot: `./dashtam snapshot list ENVIRONMENT`, `./dashtam snapshot restore"
        " ENVIRONMENT NAME`. Without one, delete the end of the file that can't be read. `./dashtam status ENVIRONMENT"
        " --json` shows the VOLUME and the IMAGE of Redis; note them, and run `./dashtam down ENVIRONMENT`, `docker run"
        " --rm -it -v VOLUME:/data IMAGE redis-check-aof --fix /data/appendonlydir/appendonly.aof.manifest` and"
        " `./dashtam up ENVIRONMENT`.",
        cause="the file with Redis' data is damaged, or of a newer version",
    ),
    Remedy(
        (OUT_OF_MEMORY,),
        "Raise the `memory` of that service in the stack's config, or free memory on this machine: `docker stats`"
        " shows who takes it.",
    ),
    Remedy(
        (MIGRATING,),
        "Wait until `./dashtam logs ENVIRONMENT app --follow` shows that the migration has ended, then run `./dashtam"
        " up ENVIRONMENT`; sooner, that ends the migration and undoes it. To let `up` wait longer for the next one,"
        " raise `wait` of `dashtam:health` in Pulumi.ENVIRONMENT.yaml, 10m at most.",
    ),
    Remedy(
        (
            *("available, non-overlapping ipv4 address pool", "all predefined address pools have been fully subnetted"),
            "pool overlaps with other one on this address space",
        ),
        "Remove networks that nothing uses: `docker network prune`. If a VPN takes these addresses, disconnect it"
        ' meanwhile, or give Docker others in /etc/docker/daemon.json, such as `{"default-address-pools": [{"base":'
        ' "10.210.0.0/16", "size": 24}]}`, and restart it.',
        cause="Docker has no addresses left for another network",
    ),
    Remedy(
        ("docker-init",),
        "Install what Docker starts containers with: `sudo apt-get install --yes tini`, or your distribution's package"
        " that has docker-init; then run the same command again.",
        cause="Docker's docker-init is not installed",
    ),
    Remedy(
        (
            *("no chain/target/match by that name", "docker-isolation", "unable to enable skip dnat rule"),
            *("unable to enable direct access filtering", "iptables failed"),
        ),
        "Restart Docker, which makes its rules again: `sudo systemctl restart docker`. Do that after each reload of a"
        " firewall that removes them.",
        cause="Docker's firewall rules are missing",
    ),
    Remedy(
        ("error loading registry auth config",),
        "Write `{}` to that file, in a new folder where the folder is missing too. Removing needs no login. The next"
        " `./dashtam up ENVIRONMENT` records the current file.",
        cause="Docker's config file that the last `up` logged in with does not exist any more",
    ),
    Remedy(
        ("docker-credential-", "credentials store error", "error getting credentials"),
        "Remove `credsStore` and `credHelpers` from ~/.docker/config.json (or the folder that DOCKER_CONFIG names), or"
        " install the named program: it comes with Docker Desktop. The default images need no login.",
        cause="Docker's config names a program for passwords that doesn't work",
    ),
    Remedy(
        ("toomanyrequests", "pull rate limit"),
        "Log in with `docker login`, or wait for six hours; a mirror of your own goes into `registry-mirrors` of"
        " /etc/docker/daemon.json. `./dashtam images source debian` needs no registry.",
        cause="the registry's limit for this address is reached",
    ),
    Remedy(
        ("exec format error", "no matching manifest for", "does not match the detected host platform"),
        "Unset DOCKER_DEFAULT_PLATFORM, delete the image with `docker image rm --force IMAGE`, and run the same command"
        " again: it gets the image for this machine.",
        cause="the image is for another processor",
    ),
    Remedy(
        ("cgroup mountpoint does not exist", "unable to apply cgroup configuration", "cannot find cgroup mount"),
        "Let Docker limit memory: on WSL2, `wsl --update` and `wsl --shutdown`; with rootless Docker, delegate control"
        " groups to your user (https://docs.docker.com/engine/security/rootless/); then restart Docker.",
        cause="Docker can't use this machine's control groups",
    ),
    Remedy(
        (
            "mounts denied",
            "is not shared from the host",
            "bind source path does not exist",
            "creating mount source path",
        ),
        "Share the checkout's folder with Docker: in Docker Desktop, Settings, Resources, File sharing. Docker's snap"
        " sees only what is below your home folder: clone there.",
        cause="Docker can't see the source's folder",
    ),
    Remedy(
        ("client sent an http request to an https server",),
        "Set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH=FOLDER; the folder holds ca.pem, cert.pem and key.pem.",
        cause="Docker's engine speaks TLS, and DOCKER_TLS_VERIFY is not set",
    ),
    Remedy(
        ("path to a certificate and key files must be provided", "invalid ca certificate provided"),
        "Set DOCKER_CERT_PATH to the folder with the engine's ca.pem, cert.pem and key.pem; or unset DOCKER_TLS_VERIFY"
        " if the engine doesn't speak TLS.",
        cause="the certificates for Docker's engine are missing",
    ),
    Remedy(
        ("permission denied while trying to connect to the docker",),
        "Join its group with `sudo usermod -aG docker $USER`, then log in again (or run `newgrp docker`).",
    ),
    Remedy(
        ("port is already allocated",),
        "Another container publishes that port: `docker ps` shows which." + _ANOTHER_PORT,
    ),
    Remedy(
        ("address already in use", "ports are not available"),
        "Another process listens on that port: `ss -ltnp` shows which." + _ANOTHER_PORT,
    ),
    Remedy(("is already in use by container",), "Remove or rename that container if it isn't needed."),
    Remedy(
        ("no space left on device", "not enough free space", "no space is left on its disk", "can't write to its disk"),
        "Free some disk space; `docker system df` shows what the engine uses. For data in memory, raise"
        " `tmpfs_size` in the config.",
        cause="the disk is full",
    ),
    Remedy(
        ("proxyconnect tcp",),
        "Images are pulled by Docker itself, not by this command: correct its own proxy, in `systemctl edit docker`"
        " (Environment=HTTPS_PROXY=...) or Docker Desktop's settings, and restart it.",
        cause="Docker can't reach its proxy",
    ),
    Remedy(
        ("x509: certificate signed by unknown authority", "x509: certificate has expired"),
        "Images are pulled by Docker itself: add your CA to the machine's certificates (`sudo cp CA.crt"
        " /usr/local/share/ca-certificates/ && sudo update-ca-certificates`), check its clock, and restart Docker.",
        cause="Docker doesn't trust the registry's certificate",
    ),
    Remedy(("unable to pull image dashtam-debian/",), "Build the base images: `./dashtam images build`."),
    Remedy(
        ("unable to pull image",),
        "See whether the registry can be reached, or build from Debian packages: `./dashtam images source debian`, then"
        " run `./dashtam up ENVIRONMENT`.",
    ),
    Remedy(
        ("pulumi_access_token must be set", "unable to open state directory", "unable to open bucket"),
        "PULUMI_BACKEND_URL or `pulumi login` chose where Pulumi keeps its state, and Pulumi can't use that. To use"
        " this clone's own state, run `unset PULUMI_BACKEND_URL; pulumi logout`; or set up access to the other.",
    ),
    Remedy(
        ("unable to read pulumi_config_passphrase_file",),
        "Unset PULUMI_CONFIG_PASSPHRASE_FILE to use this clone's own passphrase, or name the file that has it.",
    ),
    Remedy(
        ("incorrect passphrase",),
        "Use the passphrase that the stack was made with: unset PULUMI_CONFIG_PASSPHRASE and"
        " PULUMI_CONFIG_PASSPHRASE_FILE to use this clone's own. If that is in use, a failed change of the passphrase"
        " left its salt: delete the line `encryptionsalt:` from Pulumi.ENVIRONMENT.yaml.",
    ),
    Remedy(
        ("passphrase must be set",),
        'Run the command through ./dashtam, or run `eval "$(./dashtam env)"` first.',
    ),
    Remedy(
        ("because it is protected",),
        "Run `./dashtam destroy ENVIRONMENT`: it takes a snapshot of the data, then deletes it.",
    ),
    Remedy(
        ("snapshot integrity error",),
        'Repair the state, and run the same command again: `eval "$(./dashtam env)"; pulumi state repair --yes --stack'
        " ENVIRONMENT`.",
        cause="an update left out what others depend on",
    ),
    Remedy(
        ("dpkg was interrupted",),
        "Run `sudo dpkg --configure -a`, then the same command again.",
        cause="an earlier installation of packages was killed",
    ),
    Remedy(("no stack named",), "`./dashtam status` lists the environments."),
    Remedy(
        ("currently locked",),
        "Wait for the update that the lock names. If it was killed, release the lock:"
        ' `eval "$(./dashtam env)"; pulumi cancel --yes --stack ENVIRONMENT`.',
    ),
    Remedy(
        (
            *("failure resolving", "could not resolve", "name resolution", "unable to connect", "connection timed out"),
            *("connection refused", "failed getting release file", "couldn't download", "failed to fetch"),
        ),
        "Check the network to the Debian packages, then run the same command again: it continues where it stopped.",
        cause="a package couldn't be downloaded",
        only_images=True,
    ),
    Remedy(
        (
            *("invalid release signature", "unknown key", "hash sum mismatch"),
            *("keyring file not available", "not signed"),
        ),
        "Check the machine's clock and any proxy in between, and update the package debian-archive-keyring.",
        cause="the packages' signatures or checksums don't verify",
        only_images=True,
    ),
    Remedy(
        (
            *("cannot install into target", "mounted with noexec", "mounted with nodev"),
            *("cannot mknod", "operation not permitted"),
        ),
        "Set DASHTAM_CACHE_HOME to a folder on a local disk that allows devices and programs, and run as root.",
        cause="this user or file system may not hold a root file system",
        only_images=True,
    ),
)


def find(*texts: str, images: bool = False) -> Remedy | None:
    """Return the first remedy for one of the texts, the most specific text first."""
    known = [one for one in REMEDIES if images or not one.only_images]
    lowered = [text.lower() for text in texts]
    return next((one for text in lowered for one in known if any(mark in text for mark in one.marks)), None)


def known(*texts: str, environment: str = "") -> str:
    """Return what to do about one of the texts, in an environment if any; empty where no remedy is known."""
    found = find(*texts)
    return found.text.replace("ENVIRONMENT", environment or "ENVIRONMENT") if found else ""
