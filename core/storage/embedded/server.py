"""The embedded S3: moto's server inside this process, with every write on disk before it is acknowledged.

How a write goes: its bytes and its header go into one temporary file, which is fsynced; then, under
the one lock, its condition is decided, the file is renamed into place, moto is told and the folder is
fsynced; then the answer leaves. So a kill at any moment leaves the old object or the new one. Reading
and listing are moto's own.

    EmbeddedS3 ─→ DataDir ────────────────────→ disk    one process serves a DATA_DIR, the others use its server
        └─→ WsgiApp ─→ Bucket ─→ ObjectFiles ─→ disk    a request, the bucket's state, the files below DATA_DIR/s3
               └─────→ S3Request, upload                what a request asks for and brings

The server listens on loopback and asks for the access key of its DATA_DIR, which keeps out other
users of the machine and web pages.
"""

from __future__ import annotations

import http.client
import threading
import time
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import make_server

from core.errors import ConfigError, StorageUnavailable
from core.storage.embedded.bucket import BUCKET, Bucket
from core.storage.embedded.object_files import ObjectFiles
from core.storage.embedded.wsgi_app import WsgiApp
from core.storage.local.data_dir import Credentials, DataDir

LOCK_PATIENCE_S: Final = 60.0
STOP_POLL_S: Final = 0.1


class EmbeddedS3:
    """A running embedded S3: this process's own, or the one of another process on the same DATA_DIR.

    `owner` says which. A borrowed server lives only as long as the process that owns it.
    """

    bucket: Final = BUCKET

    def __init__(self, endpoint_url: str, credentials: Credentials, serving: ExitStack | None = None) -> None:
        self.endpoint_url = endpoint_url
        self.access_key = credentials.access_key
        self.secret_key = credentials.secret_key
        self.owner = serving is not None
        self._serving = serving or ExitStack()

    @classmethod
    def open(cls, data_dir: Path, samples: Path, *, lends: bool = True) -> EmbeddedS3:
        """Serve `data_dir`, or find the server of the process that already does.

        A process that will soon end does not lend its server (`lends=False`): others wait for it to finish
        instead of losing it halfway.

        `samples` is the sample library's folder; its name is the first part of the samples' keys.
        Raises ConfigError if DATA_DIR cannot be written or the samples are missing, StorageUnavailable
        if another process holds DATA_DIR and is silent.
        """
        if not samples.is_dir():
            raise ConfigError(
                "{setting} is not set, and the sample library is not at “{}” either.", samples, setting="S3_BUCKET"
            )
        patience_ends = time.monotonic() + LOCK_PATIENCE_S
        try:
            ours = DataDir(data_dir)
            while not ours.claim():
                running = cls._find_running(ours)
                if running is not None:
                    return running
                if time.monotonic() > patience_ends:
                    raise StorageUnavailable(
                        "Another process holds DATA_DIR ({}) but does not answer; stop it first.", data_dir
                    )
                time.sleep(0.05)  # flock cannot wait for a lock and for an announced server at once
            return cls._serve(ours, samples, lends=lends)
        except OSError as err:
            raise ConfigError(
                "{setting} is “{}”, which cannot be used: {}.", data_dir, err.strerror or err, setting="DATA_DIR"
            ) from err

    @classmethod
    def _serve(cls, data_dir: DataDir, samples: Path, *, lends: bool) -> EmbeddedS3:
        with ExitStack() as ending:  # what was begun ends in reverse, now if the rest fails, else at `close`
            ending.callback(data_dir.release)
            data_dir.withdraw()
            credentials = data_dir.credentials()
            bucket = Bucket(ObjectFiles(data_dir.objects), samples)
            ending.callback(bucket.close)
            app = WsgiApp(bucket, credentials.access_key)
            server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_QuietHandler)
            thread = threading.Thread(target=server.serve_forever, args=(STOP_POLL_S,), name="embedded-s3", daemon=True)
            thread.start()
            ending.callback(thread.join)
            ending.callback(server.shutdown)
            endpoint_url = f"http://127.0.0.1:{server.port}"
            if lends:
                ending.callback(data_dir.withdraw)
                data_dir.announce(endpoint_url)
            return cls(endpoint_url, credentials, ending.pop_all())

    @classmethod
    def _find_running(cls, data_dir: DataDir) -> EmbeddedS3 | None:
        announcement = data_dir.announcement()
        return cls(*announcement) if announcement is not None and _answers(*announcement) else None

    def close(self) -> None:
        """Stop serving, after the write in progress; a borrowed server is left alone."""
        self._serving.close()


class _QuietHandler(MotoRequestHandler):
    """Moto's handler without a log line for every request."""

    def log_request(self, *_args: object) -> None:
        """Say nothing."""


def _answers(endpoint_url: str, credentials: Credentials) -> bool:
    where = urlsplit(endpoint_url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=2)
    try:
        connection.request("HEAD", f"/{BUCKET}", headers={"Authorization": f"Credential={credentials.access_key}/"})
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
