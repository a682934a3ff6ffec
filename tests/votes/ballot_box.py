"""A bucket with comparisons to vote on, and any number of servers at it, each as the studio puts one together."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from ulid import ULID

from core.generation.records.attempt import AttemptId, this_server
from core.generation.records.comparison import Comparison
from core.generation.records.history import History
from core.generation.records.outcome import Cost, Outcome, StoredPicture
from core.injection.reading.reader import Reading
from core.injection.request.slots import Slot
from core.injection.request.wishes import SideName, Wishes
from core.storage.embedded.server import EmbeddedS3
from core.storage.local.file_spool import FileSpool
from core.storage.s3 import Store
from core.viewer import PersonRole, Viewer
from core.votes.ballots.ballot_pictures import BallotPictures
from core.votes.ballots.ballots import BallotSeals
from core.votes.ballots.pool import PairingPool
from core.votes.cast_judgements import CastVotes
from core.votes.records.outbox import Outbox
from core.votes.records.seen import Seen
from core.votes.records.store import VoteStore
from core.votes.records.voters import Voters
from core.votes.records.votes import Vote
from core.votes.service import VoteService
from tests.generation.comparisons import StudioFixture, comparison
from tests.support.timeouts import until

KIM = Viewer("kim@studio.example", PersonRole.DESIGNER)
BO = Viewer("bo@studio.example", PersonRole.OPS)
SECRET = "a secret that all servers share, of 40 bytes"
A, B = SideName.TONE_ONLY, SideName.TONE_ANGLE


def picture(side: SideName, number: int, size: tuple[int, int] = (48, 60)) -> bytes:
    """A PNG that says loudly which side it is: in its texts, in how it is packed and in its length."""
    said = PngInfo()
    said.add_text("Comment", f"{side.value} gpt-image-2 fidelity 61")
    level = 9 if side is A else 0
    pixels = np.random.default_rng(number).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    if side is A:
        pixels[:, :, :] = (number % 255, 90, 120)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", pnginfo=said, compress_level=level)
    return out.getvalue()


@dataclass
class VoteServer:
    """One server: its own memory, and its own disk unless it is given another one's."""

    store: Store
    disk: Path
    prefix: str
    days: int = 30
    clock: Callable[[], float] = time.time
    gone: set[str] = field(default_factory=set)  # who is no longer on the studio's list
    list_pages: Any = None

    def __post_init__(self) -> None:
        place = {"app_prefix": self.prefix}
        self.history = History(self.store, **place, server=this_server(), list_pages=self.list_pages)
        self.voters = Voters(self.store, **place, may_come_in=lambda email: email not in self.gone)
        outbox = Outbox(FileSpool(self.disk))
        self.seen = Seen(self.store, self.voters, outbox, **place)
        self.votes = VoteStore(self.store, outbox, self.seen, **place, list_pages=self.list_pages)
        self.pool = PairingPool(self.store, **place, list_pages=self.list_pages, comparison=self.history.get)
        self.cast_votes = CastVotes(self.votes.book, self.pool)
        self.service = VoteService(
            self.votes,
            self.pool,
            self.voters,
            self.seen,
            BallotSeals(SECRET, clock=self.clock),
            BallotPictures(self.store),
            folder_of=self.history.folder_of,
            comparison=self.history.get,
            days=self.days,
        )

    def read(self) -> VoteServer:
        """As a start does, and one round of each loop."""
        self.votes.recover()
        self.pool.catch_up()
        self.votes.catch_up()
        return self

    def deliver(self) -> None:
        """Write what waits, as the loop does."""
        self.votes.outbox.deliver_all()

    def known_as_seen(self, viewer: Viewer, comparison_id: str) -> None:
        """Mark it, and wait until the mark is on disk."""
        self.seen.mark(viewer.email, comparison_id)
        until(lambda: any(comparison_id in name for name, _ in self.votes.outbox.kept()))


class BallotBox:
    """A prefix of a bucket with what lies there."""

    def __init__(self, s3: EmbeddedS3, prefix: str, disk: Path) -> None:
        self.studio = StudioFixture(s3, prefix)
        self.prefix = prefix
        self.disk = disk
        self._made = 0

    def server(self, *, name: str = "one", store: Store | None = None, **changes: Any) -> VoteServer:
        """A server at it that has read everything; of one name it has one disk."""
        return self.bare_server(name=name, store=store, **changes).read()

    def bare_server(self, *, name: str = "one", store: Store | None = None, **changes: Any) -> VoteServer:
        """A server that has not read anything yet."""
        return VoteServer(store or self.studio.store, self.disk / name, self.prefix, **changes)

    def compared(
        self,
        *slots: Slot,
        age: timedelta = timedelta(),
        takes: int = 1,
        prompt: str = "a portrait",
        without: Sequence[tuple[SideName, int]] = (),
        **changes: Any,
    ) -> Comparison:
        """A comparison whose pictures are there, but for those in `without`: these have failed."""
        one = ULID.from_datetime(datetime.now(UTC) - age)
        wishes = changes.pop("wishes", None) or Wishes(prompt=prompt, tone="vivid")
        record = comparison(
            *slots,
            id=str(one),
            created_at=one.datetime,
            takes=takes,
            wishes=wishes,
            reading=Reading("offline", True, None, None, None, None, None, ()),
            **changes,
        )
        history = self.studio.history()
        history.add(record)
        for place in record.side_takes:
            if tuple(place) not in without:
                self.finish(record, AttemptId(record.id, place.side, 1, place.take))
        return record

    def finish(self, record: Comparison, of: AttemptId) -> None:
        """Have an attempt end with a picture."""
        self._made += 1
        history = self.studio.history()
        is_first = of.side is record.sides[0].side
        key, etag = history.add_picture(of, picture(A if is_first else B, self._made))
        made = StoredPicture(
            key=key, etag=etag, content_type="image/png", size=record.size, fidelity=60.0 if is_first else 70.0
        )
        ended = record.created_at + timedelta(seconds=4)
        history.add_outcome(Outcome.done(of, made, began=record.created_at, ended=ended, cost=Cost(usd=0.04)))

    def stored(self) -> list[Vote]:
        """The votes in S3, by id; withdrawals and skips are no votes."""
        return [Vote.model_validate_json(each) for each in self._records("vote")]

    def skips(self) -> int:
        """How many skips are in S3, taken back or not."""
        return len(self._records("skip"))

    def _records(self, kind: str) -> list[bytes]:
        rows = self.studio.store.list(f"{self.prefix}votes/cast/")
        data = [self.studio.store.get(row.key).data for row in rows]
        return [each for each in data if f'"kind": "{kind}"'.encode() in each]
