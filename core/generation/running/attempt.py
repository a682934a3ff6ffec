"""An attempt: the references are fetched, the engine is called once, and its picture is stored."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime

from PIL import Image

from core.errors import Charge, EngineError, EngineFault, StorageError, StudioError
from core.generation.engines.engine import AttachedReference, Engine, FinalPicture, SideRequest
from core.generation.records.history import History
from core.generation.records.outcome import Outcome, StoredPicture
from core.generation.running.attachments import Attachments
from core.generation.running.job import Job
from core.generation.running.spool import Spool
from core.images.decode import decode_picture
from core.images.tone_fidelity import tone_fidelity
from core.injection.request.wishes import SideName, Varies
from core.references.vocabulary import Role

Patience = Callable[[Callable[[], tuple[str, str]]], tuple[str, str]]
# The score samples 48 × 48 fields: of a camera's picture an eighth is decoded, which is ten times faster.
_SCORED_SIDE = 512


class Attempts:
    """Carries out attempts for the runner."""

    def __init__(
        self,
        history: History,
        attachments: Attachments,
        engines: Mapping[str, Engine],
        spool: Spool | None,
        *,
        deadline_s: float,
    ) -> None:
        self._history = history
        self._attachments = attachments
        self._engines = engines
        self._spool = spool
        self._deadline_s = deadline_s
        self._scorers = ThreadPoolExecutor(2, thread_name_prefix="fidelity")

    def make(self, job: Job, patiently: Patience) -> Outcome:
        """Call the engine and store its picture, offered to S3 `patiently`. Raises EngineError or StorageError.

        The picture is on this server's disk before that, and stays there (`job.kept`) if S3 does not take it.
        """
        job.check_wanted()
        comparison, render = job.comparison, job.render
        record = comparison.side(job.place.side)
        references = self._attachments.of(record)
        request = SideRequest(
            side=job.place.side,
            take=job.place.take,
            prompt=record.prompt,
            references=references,
            size=render.size,
            quality=render.quality,
            model=render.model,
            seed=comparison.seed,
            deadline_s=self._deadline_s,
            person_hash=hashlib.sha256(comparison.person.strip().lower().encode()).hexdigest(),
        )
        tone = self._tone_of(references) or self._tone_in_words(job)
        final = self._final(job, request)
        draft = self._draft(job, final)
        job.kept = self._spool is not None and self._spool.keep(draft, final.data)
        score = self._scorers.submit(_fidelity, final.data, tone) if tone else None
        try:
            key, etag = patiently(lambda: self._history.add_picture(job.id, final.data))
        except StorageError as err:
            raise _not_stored(err, final, kept=job.kept) from err
        done = draft.with_picture(key, etag, fidelity=score.result() if score else None)
        return done.model_copy(update={"finished_at": datetime.now(UTC)})

    def close(self) -> None:
        """End the threads."""
        self._scorers.shutdown(wait=True)

    def _final(self, job: Job, request: SideRequest) -> FinalPicture:
        final = None
        for step in self._engines[job.render.engine].generate(request, job.is_stopped):
            if isinstance(step, FinalPicture):
                final = step
            else:
                job.partial = step
        if final is None:
            raise EngineError("The engine ended without a picture: retry this side.", kind=EngineFault.UNAVAILABLE)
        return final

    def _draft(self, job: Job, final: FinalPicture) -> Outcome:
        """The outcome as it will be, but for what only S3 and the score can say."""
        return Outcome.done(
            job.id,
            StoredPicture(key="", etag="", content_type="image/png", size=final.size),
            began=job.since,
            ended=datetime.now(UTC),
            request_id=final.request_id,
            cost=final.cost,
            notes=final.notes,
            person=job.person,
            mode=job.comparison.mode,
            varies=job.comparison.varies,
        )

    def _tone_of(self, references: tuple[AttachedReference, ...]) -> Future[Image.Image] | None:
        """The tone reference, decoded for its score while the engine is at work; None without one."""
        tone = next((reference for reference in references if reference.role is Role.TONE), None)
        return self._scorers.submit(decode_picture, tone.data, max_side=_SCORED_SIDE) if tone else None

    def _tone_in_words(self, job: Job) -> Future[Image.Image] | None:
        """What a side is scored against whose tone goes in words alone: the reference that the other side is sent."""
        if job.place.side is not SideName.B or job.comparison.varies is not Varies.TONE_WAY:
            return None
        other = job.comparison.side(SideName.A)
        tone = other.model_copy(update={"slots": tuple(slot for slot in other.slots if slot.role is Role.TONE)})
        try:
            return self._tone_of(self._attachments.of(tone))
        except StudioError:  # a side that does not send it can be made without it
            return None


def _fidelity(picture: bytes, tone: Future[Image.Image]) -> float | None:
    """The score while S3 takes the picture; the tone was begun before, on the same threads."""
    try:
        return round(tone_fidelity(decode_picture(picture), tone.result()), 1)
    except StudioError:
        return None


def _not_stored(err: StorageError, final: FinalPicture, *, kept: bool) -> EngineError:
    """The price of the picture is not lost with it; nor is the picture, where this server keeps it."""
    return EngineError(
        "The picture is made and kept on this server, but S3 does not take it: {} It will be stored when S3 is back."
        if kept
        else "{}",
        err,
        kind=EngineFault.UNAVAILABLE,
        request_id=final.request_id,
        charge=Charge(final.cost.usd, final.cost.input_tokens, final.cost.output_tokens),
    )
