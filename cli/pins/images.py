"""Newer base images: a tag is changed wherever the project names it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

from cli.pins import tags
from cli.pins.proposal import Change, Edit, NoAnswerError, Proposal
from infra.catalogue import BASES, LOCK, ROOT

SOURCE = "base images"
OFFICIAL = tuple(base.official for base in BASES)
KEPT = {"python": 2}
"""How many leading numbers of a version stay: another minor version of Python is another Python."""


def propose(root: Path = ROOT, pinned: tuple[str, ...] = OFFICIAL) -> Proposal:
    """Ask the registry for newer tags of the same major version.

    Args:
        root: The project's root.
        pinned: The images as they are pinned, by exact tag.

    Returns:
        The proposal. Where digests are recorded, they are those of the images that it ends with.

    Raises:
        NoAnswerError: The registry doesn't tell.
    """
    newer = {reference: _newest(reference) for reference in pinned}
    edits = _replaced(root, {old: new for old, new in newer.items() if old != new})
    changes = [Change(*_split(old), _split(new)[1]) for old, new in newer.items() if old != new]
    lock = root / LOCK.relative_to(ROOT)
    if lock.exists():
        from cli.pins import registry  # noqa: PLC0415 - as below

        before, after = json.loads(lock.read_text()), {new: registry.digest(*_split(new)) for new in newer.values()}
        moved = [new for new, digest in after.items() if before.get(new, digest) != digest]
        changes += [Change(f"{new}@", before[new], after[new]) for new in moved]
        text = json.dumps(after, indent=2, sort_keys=True) + "\n"
        edits = [one for one in edits if one.path != str(lock.relative_to(root))]
        edits += [Edit(str(lock.relative_to(root)), lock.read_text(), text)] if before != after else []
    return Proposal(SOURCE, tuple(changes), tuple(edits))


def _newest(reference: str) -> str:
    image, tag = _split(reference)
    kept = KEPT.get(image.rpartition("/")[2], 1)
    from cli.pins import registry  # noqa: PLC0415 - its client takes long to import, which the help needn't wait for

    return f"{image}:{tags.newest(tag, registry.tags(image), kept=kept)}"


def _split(reference: str) -> tuple[str, str]:
    image, _, tag = reference.rpartition(":")
    return image, tag


def _replaced(root: Path, newer: Mapping[str, str]) -> list[Edit]:
    edits = []
    for path in _naming(root, newer):
        old = new = (root / path).read_text()
        for reference, other in newer.items():
            new = new.replace(reference, other)
        edits.append(Edit(path, old, new))
    return edits


def _naming(root: Path, references: Mapping[str, str]) -> list[str]:
    """Return the files of the repository that name one of the images."""
    if not references:
        return []
    patterns = [part for reference in references for part in ("-e", reference)]
    command = ["git", "-C", str(root), "grep", "-z", "--name-only", "--fixed-strings", *patterns]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NoAnswerError(f"git can't tell where the images are named: {done.stderr.strip() or 'nowhere'}")
    return [path for path in done.stdout.split("\0") if path]
