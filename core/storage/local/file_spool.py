"""A file spool: named bytes in a folder on this machine's disk, there for good once they are acknowledged."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import NotFound, StorageUnavailable
from core.storage.local.disk import make_folder, stage, sync_folder

_UNFINISHED = ".tmp"


class FileSpool:
    """Files of one folder, which is made when the first one is kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, name: str, *parts: bytes) -> None:
        """Write or replace a file as a whole. Raises StorageUnavailable."""
        with self._faults():
            make_folder(self._folder)
            with stage(self._folder / f"{name}.{secrets.token_hex(4)}{_UNFINISHED}", *parts) as temporary:
                temporary.replace(self._folder / name)
                sync_folder(self._folder)

    def names(self) -> list[str]:
        """The finished files, in the order of their names. Raises StorageUnavailable."""
        with self._faults():
            if not self._folder.is_dir():
                return []
            return sorted(file.name for file in self._folder.iterdir() if file.suffix != _UNFINISHED)

    def read(self, name: str) -> bytes:
        """A file's bytes. Raises NotFound or StorageUnavailable."""
        with self._faults(name):
            return (self._folder / name).read_bytes()

    def drop(self, name: str) -> None:
        """Remove a file; a missing one is no error. Raises StorageUnavailable."""
        with self._faults():
            (self._folder / name).unlink(missing_ok=True)

    @contextmanager
    def _faults(self, name: str = "") -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as err:
            raise NotFound("There is no file “{key}” in “{}”.", self._folder, key=name) from err
        except OSError as err:
            raise StorageUnavailable("The folder “{}” cannot be used: {}.", self._folder, err.strerror or err) from err
