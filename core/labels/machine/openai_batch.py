"""Labels by OpenAI's Batch API: half the price, within a day, and nothing asked twice however often it is killed.

The id of a batch's record in S3 goes along as metadata of the batch. A process that died between creating a batch and
recording it is therefore no reason to create another: the next one finds it in the vendor's list.
https://developers.openai.com/api/docs/guides/batch
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import openai
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from core.errors import BadImage, EngineError, EngineFault, NotFound
from core.labels.machine.batch_records import BatchRecord, BatchRecords, BatchState
from core.labels.machine.labeler import LabelerSpec, Portrayed, Problem
from core.labels.machine.labeling import Sitter, Tally
from core.labels.machine.openai_faults import ErrorScope, blame_of, blame_of_code, said, stopped
from core.labels.machine.openai_question import Paid, Question, Unreadable
from core.labels.machine.proposals import Proposals
from core.objects import ObjectStore

_Answer = TypeVar("_Answer")
ENDPOINT: Final = "/v1/chat/completions"
MARK: Final = "studio_batch"
# A file may have 50,000 requests and 200 MB.
_REQUESTS_MAX: Final = 50_000
_BYTES_MAX: Final = 190_000_000
_ENDED: Final = frozenset({"completed", "failed", "expired", "cancelled"})
_POLL_S: Final = 20.0
_ATTEMPTS: Final = 6
_UNREADABLE: Final = "OpenAI's answer about this picture could not be read; a person has to label it."


class OpenAIBatches:
    """Sends a run's pictures in batches, waits for them and takes their answers in.

    Every method raises EngineError when OpenAI does not play along, StorageError when S3 does not.
    """

    def __init__(
        self,
        api_key: str,
        base_url: str | None,
        question: Question,
        store: ObjectStore,
        proposals: Proposals,
        *,
        app_prefix: str,
        poll_s: float = _POLL_S,
        backoff_s: float = 1.0,
        bytes_max: int = _BYTES_MAX,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = openai.OpenAI(api_key=api_key, base_url=base_url, max_retries=0, timeout=300.0)
        self._question = question
        self._store = store
        self._proposals = proposals
        self._records = BatchRecords(store, app_prefix=app_prefix, labeler=question.spec.slug)
        self._poll_s = poll_s
        self._backoff_s = backoff_s
        self._bytes_max = bytes_max
        self._sleep = sleep

    def close(self) -> None:
        """End every connection."""
        self._client.close()

    @property
    def spec(self) -> LabelerSpec:
        """Which labeler answers."""
        return self._question.spec

    def send(self, sitters: Sequence[Sitter], *, run: str, tally: Tally) -> None:
        """Send pictures, as many batches as it takes; what is no picture gets its reason at once."""
        with tempfile.TemporaryDirectory() as folder:
            for file, asked in self._files(sitters, Path(folder), run, tally):
                record, etag = self._records.prepare(asked, run=run)
                uploaded = self._patiently(partial(self._client.files.create, file=file, purpose="batch"))
                self._records.sent(record, etag, self._created(record, uploaded.id))

    def open_records(self) -> list[BatchRecord]:
        """The batches of this labeler whose answers have not been taken in, oldest first."""
        return [record for record, _ in self._records.open()]

    def drop_unsent(self) -> None:
        """Settle what a killed process left: find its batch at OpenAI, or forget what was never sent."""
        for record, etag in self._records.open():
            if record.state is not BatchState.PREPARED:
                continue
            found = self._sent_already(record)
            if found is None:
                self._records.forget(record)
            else:
                self._records.sent(record, etag, found)

    def collect(self, tally: Tally, progress: Callable[[Tally, str], None]) -> None:
        """Wait for every open batch and put its answers into S3."""
        waiting = self._records.open()
        while waiting:
            still: list[tuple[BatchRecord, str]] = []
            for record, etag in waiting:
                batch = self._patiently(partial(self._client.batches.retrieve, str(record.batch_id)))
                if batch.status in _ENDED:
                    self._take_in(record, etag, batch, tally)
                    progress(tally, f"batch {record.batch_id} is {batch.status}")
                else:
                    counts = batch.request_counts
                    of = f"{counts.completed + counts.failed} of {counts.total}" if counts else "none"
                    progress(tally, f"batch {record.batch_id} is {batch.status}: {of} answered")
                    still.append((record, etag))
            if still:
                self._sleep(self._poll_s)
            waiting = still

    def _files(
        self, sitters: Sequence[Sitter], folder: Path, run: str, tally: Tally
    ) -> Iterator[tuple[Path, list[Sitter]]]:
        """Request files that are small enough, each with its pictures."""
        lines: list[bytes] = []
        asked: list[Sitter] = []
        size = 0
        for sitter in sitters:
            line = self._line(sitter, run, tally)
            if line is None:
                continue
            if lines and (size + len(line) > self._bytes_max or len(lines) >= _REQUESTS_MAX):
                yield _written(folder, lines), asked
                lines, asked, size = [], [], 0
            lines.append(line)
            asked.append(sitter)
            size += len(line)
        if lines:
            yield _written(folder, lines), asked

    def _line(self, sitter: Sitter, run: str, tally: Tally) -> bytes | None:
        try:
            blob = self._store.get(sitter.key)
        except NotFound:
            tally.gone += 1
            return None
        if blob.etag != sitter.etag:
            tally.gone += 1
            return None
        picture = Portrayed(sitter.key, sitter.etag, blob.data)
        try:
            body = self._question.request(picture)
        except BadImage as err:
            paid = Paid(None, 0, 0, 0.0)
            bad = self._question.without(picture, Problem.BAD_PICTURE, err.message, run=run, paid=paid)
            tally.count(self._proposals.add(self.spec, bad))
            return None
        request = {"custom_id": sitter.etag, "method": "POST", "url": ENDPOINT, "body": body}
        return json.dumps(request, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"

    def _created(self, record: BatchRecord, file_id: str) -> str:
        """Create the batch once: when the answer is lost on the way, look before asking again."""

        def create() -> str:
            found = self._sent_already(record) if attempts.statistics.get("attempt_number", 1) > 1 else None
            return (
                found
                or self._client.batches.create(
                    input_file_id=file_id,
                    endpoint=ENDPOINT,
                    completion_window="24h",
                    metadata={MARK: record.id, "run": record.run},
                ).id
            )

        attempts = self._retrying()
        try:
            return attempts(create)
        except openai.OpenAIError as err:
            raise stopped(err) from err

    def _sent_already(self, record: BatchRecord) -> str | None:
        def look() -> str | None:
            return next(
                (
                    batch.id
                    for batch in self._client.batches.list(limit=100)
                    if (batch.metadata or {}).get(MARK) == record.id
                ),
                None,
            )

        return self._patiently(look)

    def _take_in(self, record: BatchRecord, etag: str, batch: Any, tally: Tally) -> None:
        sitters = {sitter.etag: sitter for sitter in record.sitters}
        for file_id in (batch.output_file_id, batch.error_file_id):
            if file_id is not None:
                text = self._patiently(partial(self._client.files.content, file_id)).text
                for line in text.split("\n"):
                    self._take_line(line, sitters, record, tally)
        if sitters:
            tally.unanswered[_why(batch)] += len(sitters)
        self._records.done(record, etag)
        if batch.status == "failed":
            raise EngineError(f"OpenAI failed the batch: {_why(batch)}.", kind=EngineFault.BAD_REQUEST)

    def _take_line(self, line: str, sitters: dict[str, Sitter], record: BatchRecord, tally: Tally) -> None:
        """One answer into S3; what cannot be used leaves its picture among those without an answer."""
        try:
            row = json.loads(line)
            sitter = sitters[row["custom_id"]]
        except (ValueError, KeyError, TypeError):
            return
        picture = Portrayed(sitter.key, sitter.etag, b"")
        response = row.get("response") or {}
        body = response.get("body") or {}
        if response.get("status_code") == 200:
            try:
                proposal = self._question.proposal(picture, body, run=record.run, batch=True)
            except Unreadable:
                paid = self._question.paid(body, batch=True)
                proposal = self._question.without(picture, Problem.BAD_ANSWER, _UNREADABLE, run=record.run, paid=paid)
        else:
            error = body.get("error") or row.get("error") or {}
            blame = blame_of_code(error.get("code"))
            request_id = response.get("request_id")
            if blame is ErrorScope.REFUSED:
                proposal = self._question.refused(picture, run=record.run, request_id=request_id)
            elif blame is ErrorScope.PICTURE:
                paid = Paid(request_id, 0, 0, 0.0)
                reason = "OpenAI cannot read this picture."
                proposal = self._question.without(picture, Problem.BAD_PICTURE, reason, run=record.run, paid=paid)
            else:
                return
        tally.count(self._proposals.add(self.spec, proposal))
        del sitters[sitter.etag]

    def _retrying(self) -> Retrying:
        return Retrying(
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_random_exponential(multiplier=self._backoff_s, max=60),
            retry=retry_if_exception(
                lambda err: isinstance(err, openai.OpenAIError) and blame_of(err) is ErrorScope.MOMENT
            ),
            sleep=self._sleep,
            reraise=True,
        )

    def _patiently(self, ask: Callable[[], _Answer]) -> _Answer:
        try:
            return self._retrying()(ask)
        except openai.OpenAIError as err:
            if blame_of(err) is ErrorScope.MOMENT:
                raise EngineError(
                    f"OpenAI does not answer ({said(err)}): run again with --resume; the batch is remembered.",
                    kind=EngineFault.UNAVAILABLE,
                ) from err
            raise stopped(err) from err


def _written(folder: Path, lines: Sequence[bytes]) -> Path:
    file = folder / "portraits.jsonl"
    file.write_bytes(b"".join(lines))
    return file


def _why(batch: Any) -> str:
    errors = batch.errors.data if batch.errors and batch.errors.data else []
    first = next((error.message for error in errors if error.message), None)
    return str(first).rstrip(".") if first else f"the batch is {batch.status} and has no answer for it"
