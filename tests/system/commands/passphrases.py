"""A clone's passphrase, lost for a while or another one."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.system.checkout import Checkout


@contextmanager
def losing(checkout: Checkout) -> Iterator[Path]:
    """Take the passphrase away; it comes back unless another took its place."""
    passphrase = checkout.home / "passphrase"
    elsewhere = passphrase.rename(passphrase.with_name("elsewhere"))
    try:
        yield passphrase
    finally:
        if passphrase.exists():
            elsewhere.unlink()
        else:
            elsewhere.rename(passphrase)


@contextmanager
def another(checkout: Checkout) -> Iterator[None]:
    """Put another passphrase in its place, as on another machine."""
    with losing(checkout) as passphrase:
        passphrase.write_text("of another clone")
        try:
            yield
        finally:
            passphrase.unlink()
