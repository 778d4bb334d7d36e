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


_ANOTHER_PORT = (
    " Stop it, or give the service another port: in the stack's config, or by another environment"
    " (`./dashtam up dev --name NAME`)."
)

REMEDIES = (
    Remedy(
        ("port is already allocated",),
        "Another container publishes that port: `docker ps` shows which." + _ANOTHER_PORT,
    ),
    Remedy(
        ("address already in use",), "Another process listens on that port: `ss -ltnp` shows which." + _ANOTHER_PORT
    ),
    Remedy(("is already in use by container",), "Remove or rename that container if it isn't needed."),
    Remedy(
        ("no space left on device", "not enough free space", "no space is left on its disk", "can't write to its disk"),
        "Free some disk space; `docker system df` shows what the engine uses. For data in memory, raise"
        " `tmpfs_size` in the config.",
        cause="the disk is full",
    ),
    Remedy(("unable to pull image dashtam-debian/",), "Build the base images: `./dashtam images build`."),
    Remedy(
        ("unable to pull image",),
        "See whether the registry can be reached, or build from Debian packages: `./dashtam images source debian`.",
    ),
    Remedy(
        ("incorrect passphrase",),
        "Use the passphrase that the stack was made with: unset PULUMI_CONFIG_PASSPHRASE and"
        " PULUMI_CONFIG_PASSPHRASE_FILE to use this clone's own.",
    ),
    Remedy(
        ("passphrase must be set",),
        'Run the command through ./dashtam, or run `eval "$(./dashtam env)"` first.',
    ),
    Remedy(
        ("because it is protected",),
        "`./dashtam destroy` takes a snapshot of the data first, and then deletes it.",
    ),
    Remedy(("no stack named",), "`./dashtam status` lists the environments."),
    Remedy(("currently locked",), "Another update is running; wait for it, or run `pulumi cancel` if it has died."),
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


def known(*texts: str) -> str:
    """Return what to do about one of the texts; empty where no remedy is known."""
    found = find(*texts)
    return found.text if found else ""
