"""Publishes two versions of a label file in turn, until it is killed."""

from __future__ import annotations

import sys
from pathlib import Path

from core.storage.local.disk import renew


def main() -> None:
    file = Path(sys.argv[1])
    versions = [Path(f"{file}.{name}").read_bytes() for name in ("old", "new")]
    print("ready", flush=True)
    while True:
        for version in versions:
            renew(file, version, file.read_bytes())


if __name__ == "__main__":
    main()
