"""Labels by OpenAI's Batch API: half the price, within a day, and nothing asked twice however often it is killed.

The id of a batch's record in S3 goes along as metadata of the batch. A process that died between creating a batch and
recording it is therefore no reason to create another: the next one finds it in the vendor's list.
https://developers.openai.com/api/docs/guides/batch
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import openai

from core.errors import BadImage, EngineError, EngineFault, StudioError
from core.labels.machine.batch_records import BatchRecord, BatchRecords, BatchState
from core.labels.machine.labeler import LabelerSpec, Portrait, Problem, Proposal
from core.labels.machine.labeling import RunCounts, Sitter, fetch_portrait
from core.labels.machine.openai_errors import ErrorScope, RetryPolicy, describe, run_error, scope_of, scope_of_body
from core.labels.machine.openai_question import Question, Unreadable
from core.labels.machine.proposals import Proposals
from core.objects.objects import ObjectStore
from core.openai.answers import as_object, is_error
from core.openai.client import Endpoint
from core.openai.unsent import never_left, unsent_error

T = TypeVar("T")
URL: Final = "/v1/chat/completions"
MARK: Final = "studio_batch"
_TIMEOUT_S: Final = 300.0
_ENDED: Final = frozenset({"completed", "failed", "expired", "cancelled"})


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """How much goes into one file, which OpenAI holds to 50,000 requests and 200 MB, and how often to look."""

    requests_max: int = 50_000
    bytes_max: int = 190_000_000
    poll_s: float = 20.0


class OpenAIBatches:
    """Sends a run's pictures in batches, waits for them and takes their answers in.

    Every method that asks OpenAI raises EngineError, and every one that reads or writes S3 StorageError.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        question: Question,
        store: ObjectStore,
        proposals: Proposals,
        records: BatchRecords,
        *,
        retry: RetryPolicy | None = None,
        limits: BatchLimits | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._client = endpoint.client(timeout=_TIMEOUT_S)
        self._question = question
        self._store = store
        self._proposals = proposals
        self._records = records
        self._retry = retry or RetryPolicy()
        self._limits = limits or BatchLimits()

    def close(self) -> None:
        """End every connection."""
        self._client.close()

    @property
    def spec(self) -> LabelerSpec:
        """Which labeler answers."""
        return self._question.spec

    def send(self, sitters: Sequence[Sitter], *, run: str, counts: RunCounts) -> None:
        """Send pictures, as many batches as it takes; what is no picture gets its reason at once."""
        with tempfile.TemporaryDirectory() as folder:
            for file, asked in self._files(sitters, Path(folder), run, counts):
                record, etag = self._records.prepare(asked, run=run)
                uploaded = self._call(partial(self._client.files.create, file=file, purpose="batch"))
                self._records.mark_sent(record, etag, self._create_once(record, uploaded.id))

    def drop_unsent(self) -> None:
        """Settle what a killed process left: find its batch at OpenAI, or forget what was never sent."""
        for record, etag in self._records.list_open():
            if record.state is not BatchState.PREPARED:
                continue
            found = self._find_sent(record)
            if found is None:
                self._records.forget(record)
            else:
                self._records.mark_sent(record, etag, found)

    def collect(self, counts: RunCounts, progress: Callable[[RunCounts, str], None]) -> None:
        """Wait for every open batch and put its answers into S3."""
        waiting = self._records.list_open()
        while waiting:
            still: list[tuple[BatchRecord, str]] = []
            for record, etag in waiting:
                batch = self._call(partial(self._client.batches.retrieve, str(record.batch_id)))
                if batch.status in _ENDED:
                    self._take_in(record, etag, batch, counts)
                    progress(counts, f"batch {record.batch_id} is {batch.status}")
                else:
                    so_far = batch.request_counts
                    of = f"{so_far.completed + so_far.failed} of {so_far.total}" if so_far else "none"
                    progress(counts, f"batch {record.batch_id} is {batch.status}: {of} answered")
                    still.append((record, etag))
            if still:
                self._retry.sleep(self._limits.poll_s)
            waiting = still

    def _files(
        self, sitters: Sequence[Sitter], folder: Path, run: str, counts: RunCounts
    ) -> Iterator[tuple[Path, list[Sitter]]]:
        """Request files that are small enough, each with its pictures."""
        lines: list[bytes] = []
        asked: list[Sitter] = []
        size = 0
        for sitter in sitters:
            line = self._request_line(sitter, run, counts)
            if line is None:
                continue
            if lines and (size + len(line) > self._limits.bytes_max or len(lines) >= self._limits.requests_max):
                yield _write_requests(folder, lines), asked
                lines, asked, size = [], [], 0
            lines.append(line)
            asked.append(sitter)
            size += len(line)
        if lines:
            yield _write_requests(folder, lines), asked

    def _request_line(self, sitter: Sitter, run: str, counts: RunCounts) -> bytes | None:
        picture = fetch_portrait(self._store, sitter)
        if picture is None:
            counts.gone += 1
            return None
        try:
            body = self._question.request(picture)
        except BadImage as err:
            bad = self._question.propose_nothing(picture, Problem.BAD_PICTURE, err.message, run=run)
            counts.count(self._proposals.add(self.spec, bad))
            return None
        request = {"custom_id": sitter.etag, "method": "POST", "url": URL, "body": body}
        return json.dumps(request, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"

    def _create_once(self, record: BatchRecord, file_id: str) -> str:
        """The id of the batch; when the answer is lost on the way, look before asking again."""
        attempts = self._retry.retrying()

        def create() -> str:
            found = self._find_sent(record) if attempts.statistics.get("attempt_number", 1) > 1 else None
            return (
                found
                or self._client.batches.create(
                    input_file_id=file_id,
                    endpoint=URL,
                    completion_window="24h",
                    metadata={MARK: record.id, "run": record.run},
                ).id
            )

        try:
            return attempts(self._asking(create))
        except (openai.OpenAIError, StudioError) as err:
            raise self._failure(err) from err

    def _find_sent(self, record: BatchRecord) -> str | None:
        def look() -> str | None:
            batches = self._client.batches.list(limit=100)
            return next((batch.id for batch in batches if (batch.metadata or {}).get(MARK) == record.id), None)

        return self._call(look)

    def _take_in(self, record: BatchRecord, etag: str, batch: Any, counts: RunCounts) -> None:
        """Put the answers of a batch that has ended into S3; its other pictures are without an answer."""
        sitters = {sitter.etag: sitter for sitter in record.sitters}
        for file_id in (batch.output_file_id, batch.error_file_id):
            if file_id is not None:
                text = self._call(partial(self._client.files.content, file_id)).text
                for line in text.split("\n"):
                    self._take_line(line, sitters, record, counts)
        why = _describe_batch(batch)
        if sitters:
            counts.unanswered[why] += len(sitters)
        self._records.mark_done(record, etag)
        if batch.status == "failed":
            raise EngineError("{} failed the batch: {}.", self._endpoint.server, why, kind=EngineFault.BAD_REQUEST)

    def _take_line(self, line: str, sitters: dict[str, Sitter], record: BatchRecord, counts: RunCounts) -> None:
        """Put one answer into S3; what cannot be used leaves its picture among those without an answer."""
        try:
            row = json.loads(line)
            sitter = sitters[row["custom_id"]]
        except (ValueError, KeyError, TypeError):
            return
        proposal = self._propose(Portrait(sitter.key, sitter.etag, b""), row, record.run)
        if proposal is not None:
            counts.count(self._proposals.add(self.spec, proposal))
            del sitters[sitter.etag]

    def _propose(self, picture: Portrait, row: dict[str, Any], run: str) -> Proposal | None:
        """The label that a line of a batch's files makes; None for what is to be asked again."""
        response = as_object(row.get("response"))
        body = as_object(response.get("body"))
        status = response.get("status_code")
        if status == 200 and not is_error(body):
            try:
                return self._question.propose(picture, body, run=run, batch=True)
            except Unreadable:
                return self._question.propose_unread(picture, [self._question.usage_of(body, batch=True)], run=run)
        scope = scope_of_body(response.get("body") or row.get("error"), status if isinstance(status, int) else 0)
        return self._question.propose_for(scope, picture, run=run, request_id=response.get("request_id"))

    def _call(self, ask: Callable[[], T]) -> T:
        """Ask OpenAI, again while the fault is a moment's. Raises EngineError."""
        try:
            return self._retry.retrying()(self._asking(ask))
        except (openai.OpenAIError, StudioError) as err:
            raise self._failure(err) from err

    def _failure(self, err: openai.OpenAIError | StudioError) -> EngineError:
        """What ends the run; of what passes nobody knows whether an earlier attempt had arrived."""
        if scope_of(err) is not ErrorScope.MOMENT:
            return run_error(err, self._endpoint.server)
        return EngineError(
            "{} does not answer ({}): run again with --resume; the batch is remembered.",
            self._endpoint.server,
            describe(err),
            kind=EngineFault.UNAVAILABLE,
        )

    def _asking(self, ask: Callable[[], T]) -> Callable[[], T]:
        """The same call, which raises StudioError where nothing was sent."""

        def asked() -> T:
            try:
                return ask()
            except Exception as err:
                if never_left(err):
                    raise unsent_error(err, self._endpoint) from err
                raise

        return asked


def _write_requests(folder: Path, lines: Sequence[bytes]) -> Path:
    file = folder / "portraits.jsonl"
    file.write_bytes(b"".join(lines))
    return file


def _describe_batch(batch: Any) -> str:
    errors = batch.errors.data if batch.errors and batch.errors.data else []
    first = next((error.message for error in errors if error.message), None)
    return str(first).rstrip(".") if first else f"the batch is {batch.status} and has no answer for it"
