"""Files that outlive a power cut: complete under a temporary name first, then renamed into place."""

from __future__ import annotations

import fcntl
import io
import os
import re
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_LEFT_AFTER_S: Final = 3600.0  # no writer is at one file for so long
_SHARED: Final = 0o644


def make_folder(folder: Path) -> None:
    """Make a folder for its owner alone, with those above it that are missing."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)


@contextmanager
def stage(temporary: Path, *parts: bytes) -> Iterator[Path]:
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
    with stage(_beside(path), content) as temporary:
        temporary.replace(path)
        sync_folder(path.parent)


def renew(path: Path, content: bytes, instead_of: bytes) -> bool:
    """Replace a file that others read too, as a whole and with its permissions; a new one is readable by all.

    Whether it held `instead_of` until it was replaced, empty for no file: else it stays as it is. Writers of ours wait
    for each other; an editor does not, and has the microseconds between this look and the renaming. What a killed
    writer left beside it an hour ago or longer is removed.
    """
    _sweep(path)
    mode = stat.S_IMODE(path.stat().st_mode) if path.is_file() else _SHARED
    with stage(_beside(path), content) as temporary, _alone_in(path.parent):
        temporary.chmod(mode)  # before it is in place: a crash must not leave a file that others cannot read
        if (path.read_bytes() if path.exists() else b"") != instead_of:
            return False
        temporary.replace(path)
        sync_folder(path.parent)
    return True


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable, such as that of a file just renamed."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Wait for other writers of ours in this folder; a lock ends with its process."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.{secrets.token_hex(4)}")


def _sweep(path: Path) -> None:
    """Remove temporary files of this one that nobody is writing any more."""
    temporary = re.compile(re.escape(path.name) + r"\.[0-9a-f]{8}")
    for each in path.parent.iterdir():
        if temporary.fullmatch(each.name) and time.time() - each.stat().st_mtime > _LEFT_AFTER_S:
            each.unlink(missing_ok=True)


def _sync(descriptor: int) -> None:
    full_sync = getattr(fcntl, "F_FULLFSYNC", None)  # macOS: fsync alone stops at the disk's own cache
    if full_sync is not None:
        with suppress(OSError):
            fcntl.fcntl(descriptor, full_sync)
            return
    os.fsync(descriptor)
