"""What the processes on one DATA_DIR agree by: who serves it, where, and with which access key.

DATA_DIR/s3.lock               held by the process that serves
DATA_DIR/s3.endpoint.json      where that process's server listens
DATA_DIR/s3.credentials.json   the access key, mode 0600
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from core.storage.local.disk import publish


@dataclass(frozen=True, slots=True)
class Credentials:
    """The access key of one DATA_DIR."""

    access_key: str
    secret_key: str


class DataDir:
    """One process's view of a DATA_DIR."""

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.objects = path / "s3"
        self._lock_file = path / "s3.lock"
        self._endpoint_file = path / "s3.endpoint.json"
        self._credentials_file = path / "s3.credentials.json"
        self._lock: int | None = None

    def claim(self) -> bool:
        """Become the one that serves; False if another process, or another opening in this one, is."""
        lock = os.open(self._lock_file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as err:
            os.close(lock)
            if isinstance(err, BlockingIOError):
                return False
            raise
        self._lock = lock
        return True

    def release(self) -> None:
        """Let another process serve; the reverse of `claim`."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def credentials(self) -> Credentials:
        """The credentials, made up at the first time."""
        with suppress(FileNotFoundError, ValueError, KeyError):
            return self._read_credentials()
        made = Credentials(f"STUDIO{secrets.token_hex(16).upper()}", secrets.token_urlsafe(30))
        publish(self._credentials_file, json.dumps(asdict(made)).encode())
        return made

    def announce(self, endpoint_url: str) -> None:
        """Tell the other processes where the server listens."""
        publish(self._endpoint_file, json.dumps({"endpoint_url": endpoint_url, "pid": os.getpid()}).encode())

    def withdraw(self) -> None:
        """Take back what this process, or one that was killed, announced."""
        self._endpoint_file.unlink(missing_ok=True)

    def announcement(self) -> tuple[str, Credentials] | None:
        """Where a server is said to listen; it may be a killed process's."""
        with suppress(FileNotFoundError, ValueError, KeyError):
            return json.loads(self._endpoint_file.read_text())["endpoint_url"], self._read_credentials()
        return None

    def _read_credentials(self) -> Credentials:
        content = json.loads(self._credentials_file.read_text())
        return Credentials(content["access_key"], content["secret_key"])
