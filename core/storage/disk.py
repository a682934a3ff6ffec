"""Files that outlive a power cut: complete under a temporary name first, then renamed into place."""

from __future__ import annotations

import fcntl
import io
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def staged(temporary: Path, *parts: bytes) -> Iterator[Path]:
    """A complete, fsynced file that only its owner reads; gone afterwards unless it was renamed."""
    try:
        with io.FileIO(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            for part in parts:
                rest = memoryview(part)
                while rest:
                    rest = rest[file.write(rest) :]
            _sync(file.fileno())
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def publish(path: Path, content: bytes) -> None:
    """Write or replace a file as a whole."""
    with staged(path.with_name(f"{path.name}.{secrets.token_hex(4)}"), content) as temporary:
        temporary.replace(path)
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable, such as that of a file just renamed."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync(descriptor: int) -> None:
    full_sync = getattr(fcntl, "F_FULLFSYNC", None)  # macOS: fsync alone stops at the disk's own cache
    if full_sync is not None:
        with suppress(OSError):
            fcntl.fcntl(descriptor, full_sync)
            return
    os.fsync(descriptor)
