"""A server that is killed right after it has taken a vote: `python -m tests.votes.killed_voter …`."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from core.storage.client import Reach
from core.storage.s3 import Store
from core.viewer import PersonRole, Viewer
from core.votes.records.votes import Answer
from tests.votes.ballot_box import VoteServer


def main() -> None:
    """Take the votes that are named, each as JSON, say so, and die without a word."""
    bucket, endpoint, access_key, secret_key, prefix, disk, *votes = sys.argv[1:]
    store = Store(Reach(bucket, endpoint, access_key, secret_key), attempts=1)
    server = VoteServer(store, Path(disk), prefix)
    for vote in votes:
        asked = json.loads(vote)
        server.voters._ids[asked["email"]] = asked["voter"]  # known from before S3 went away
        viewer = Viewer(asked["email"], PersonRole.DESIGNER)
        server.service.cast(viewer, asked["token"], Answer(asked["answer"]), seconds=1.0)
    sys.stdout.write("taken\n")
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
