"""What the processes on one DATA_DIR agree by: who serves it, where, and with which access key.

It is for its owner alone (0700), and so are the files in it.

DATA_DIR/s3.lock               held by the process that serves
DATA_DIR/s3.endpoint.json      where that process's server listens
DATA_DIR/s3.credentials.json   the access key, mode 0600
DATA_DIR/outbox/, votes/       pictures and votes on their way to S3
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import stat
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from core.errors import ConfigError
from core.storage.local.disk import make_folder, publish

ADDRESS_FILE: Final = "address"  # what to open, where a start-up token is asked for and nobody sits at a terminal
# All that is ever made in one, half-written files too, and what systems put into folders by themselves.
_OURS: Final = re.compile(r"(s3|address)(\..+)?|outbox|votes|lost\+found|\.gitignore|\.DS_Store")
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def keep_private(path: Path) -> None:
    """Make a DATA_DIR that is there its owner's alone.

    A folder that others may enter is closed if there is nothing in it but the dashboard's own: what else lies in it may
    be meant for them. Raises ConfigError for such a folder, and for one that is somebody else's.
    """
    try:
        if not path.is_dir() or not path.stat().st_mode & _OTHERS:
            return
        is_ours = path.stat().st_uid == os.geteuid() and all(_OURS.fullmatch(each.name) for each in path.iterdir())
        if is_ours:
            path.chmod(0o700)
    except OSError as err:
        message = "DATA_DIR is “{}”, which cannot be used: {}."
        raise ConfigError(message, path, err.strerror or err, setting="DATA_DIR") from err
    if not is_ours:
        raise ConfigError(
            "DATA_DIR is “{}”, which other users of this machine may enter, and not the dashboard's alone: "
            "give it a folder of its own, or close that one with chmod 700.",
            path,
            setting="DATA_DIR",
        )


@dataclass(frozen=True, slots=True)
class Credentials:
    """The access key of one DATA_DIR."""

    access_key: str
    secret_key: str


class DataDir:
    """One process's view of a DATA_DIR."""

    def __init__(self, path: Path) -> None:
        make_folder(path)
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
