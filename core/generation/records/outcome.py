"""The outcome record: how an attempt ended, what it brought and what it cost."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, TypedDict, Unpack

import structlog
from pydantic import Field

from core.errors import Charge, EngineError, EngineFault, StorageError
from core.generation.records.attempt import AttemptId
from core.generation.records.comparison import Size
from core.generation.records.record import Record
from core.injection.request.wishes import Mode, SideName, Varies
from core.objects.objects import StoredObject

_log = structlog.get_logger(__name__)
_WAIT_S_MAX: Final = 86_400.0  # nobody is kept from a retry for longer, whatever the far side says


class OutcomeState(StrEnum):
    """How an attempt ended."""

    DONE = "done"
    FAILED = "failed"


class Failure(Record):
    """Why an attempt brought no picture: a sentence for people, and what support needs."""

    kind: EngineFault
    message: str
    request_id: str | None = None
    retry_after_s: float | None = None


class StoredPicture(Record):
    """A finished picture in S3. `fidelity` is the tone-fidelity score from 0 to 100, if there was a tone."""

    key: str
    etag: str
    content_type: str
    size: Size
    fidelity: float | None = None


class Cost(Record):
    """What an attempt cost; `usd` None means unpriced, which is not the same as free.

    It is an `estimate` where the price is known at second hand only.
    """

    usd: float | None
    input_tokens: int | None = None
    output_tokens: int | None = None
    estimate: bool = False

    @classmethod
    def of(cls, charge: Charge) -> Cost:
        """What a call without a picture cost."""
        return cls(usd=charge.usd, input_tokens=charge.input_tokens, output_tokens=charge.output_tokens)


class Cancellation(Record):
    """Who had an attempt stopped, and when they asked for it."""

    person: str
    at: datetime


class Extras(TypedDict, total=False):
    """What an outcome may say besides how it ended."""

    request_id: str | None
    cost: Cost | None
    notes: tuple[str, ...]
    person: str | None
    mode: Mode | None
    varies: Varies | None


class Outcome(Record):
    """How one attempt of one take of a side ended. Written once, never overwritten.

    `cost` is None when nothing is charged. `person` is who asked for this attempt, `mode` and `varies` are the
    comparison's, and `cancelled` says who stopped it; older records lack these.
    """

    comparison: str
    side: SideName
    attempt: int = Field(ge=1)
    take: int = Field(default=1, ge=1)
    state: OutcomeState
    started_at: datetime
    finished_at: datetime
    picture: StoredPicture | None = None
    failure: Failure | None = None
    request_id: str | None = None
    cost: Cost | None = None
    notes: tuple[str, ...] = ()
    person: str | None = None
    mode: Mode | None = None
    varies: Varies | None = None
    cancelled: Cancellation | None = None

    @classmethod
    def done(
        cls, of: AttemptId, picture: StoredPicture, *, began: datetime, ended: datetime, **extras: Unpack[Extras]
    ) -> Outcome:
        """The outcome of an attempt that brought a picture."""
        state = OutcomeState.DONE
        return cls(**of._asdict(), state=state, started_at=began, finished_at=ended, picture=picture, **extras)

    @classmethod
    def failed(
        cls,
        of: AttemptId,
        err: EngineError,
        *,
        began: datetime,
        ended: datetime,
        person: str | None = None,
        mode: Mode | None = None,
        varies: Varies | None = None,
        cancelled: Cancellation | None = None,
    ) -> Outcome:
        """The outcome of an attempt that brought none."""
        failure = Failure(
            kind=err.kind, message=err.message, request_id=err.request_id, retry_after_s=err.retry_after_s
        )
        return cls(
            **of._asdict(),
            state=OutcomeState.FAILED,
            started_at=began,
            finished_at=ended,
            failure=failure,
            request_id=err.request_id,
            cost=Cost.of(err.charge) if err.charge else None,
            person=person,
            mode=mode,
            varies=varies,
            cancelled=cancelled if err.kind is EngineFault.CANCELLED else None,
        )

    @classmethod
    def read(cls, data: bytes, row: StoredObject, of: AttemptId, *, charge: Charge | None = None) -> Outcome:
        """How an attempt ended; when that makes no sense, it failed with the reason why, and with this charge."""
        try:
            return cls.from_json(data)
        except StorageError as err:
            _log.warning("record_left_out", key=row.key, error=err.message)
            unreadable = EngineError("{} Retry this side.", err, kind=EngineFault.UNAVAILABLE, charge=charge)
            return cls.failed(of, unreadable, began=row.modified, ended=row.modified)

    @property
    def id(self) -> AttemptId:
        """The attempt's name."""
        return AttemptId(self.comparison, self.side, self.attempt, self.take)

    @property
    def seconds(self) -> float:
        """Wall-clock time from start to end; none where the clock was set back meanwhile."""
        return max(0.0, (self.finished_at - self.started_at).total_seconds())

    @property
    def retry_at(self) -> datetime | None:
        """From when on the far side wants to be asked again, by this studio's clock; None where it has not said."""
        wait_s = self.failure.retry_after_s if self.failure else None
        return None if wait_s is None else self.finished_at + timedelta(seconds=min(wait_s, _WAIT_S_MAX))

    def with_picture(self, key: str, etag: str, *, fidelity: float | None = None) -> Outcome:
        """The same, once its picture has a place in S3."""
        if self.picture is None:
            return self
        placed = {"key": key, "etag": etag, "fidelity": fidelity}
        return self.model_copy(update={"picture": self.picture.model_copy(update=placed)})
