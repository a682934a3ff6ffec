"""Serve an embedded S3 until killed: `serve_embedded.py DATA_DIR SAMPLES [LARGEST_FILE_BYTES]`."""

import json
import resource
import signal
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from core.storage.embedded.server import EmbeddedS3


def main() -> None:
    data_dir, samples, largest_file_bytes = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    if largest_file_bytes:
        # the kernel refuses a longer file in the middle of a write, as a full disk does
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file_bytes, largest_file_bytes))
    server = EmbeddedS3.open(data_dir, samples)
    where = {
        "endpoint_url": server.endpoint_url,
        "bucket": server.bucket,
        "access_key": server.access_key,
        "secret_key": server.secret_key,
    }
    print(json.dumps(where), flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
