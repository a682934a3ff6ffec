"""Files and batches for the OpenAI server for tests: JSON lines go in, wait for a while, and come out answered.

https://developers.openai.com/api/docs/guides/batch
"""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.openai_text import Asked, FakeText

ENDPOINT = "/v1/chat/completions"
REQUESTS_MAX = 50_000


@dataclass(slots=True)
class Batch:
    """A batch and what it will come to; `left` is how often it is asked about before it ends."""

    id: str
    fields: dict[str, Any]
    left: int
    status: str = "in_progress"
    output_file_id: str | None = None
    error_file_id: str | None = None
    answered: int = 0
    failed: int = 0
    total: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)


class FakeBatches:
    """Keeps files and batches; answers each line as FakeText would answer it alone."""

    def __init__(self, text: FakeText) -> None:
        self._text = text
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, Batch] = {}
        self.polls = 1
        self.ends_as = "completed"
        self.lose_created = 0  # how many answers to a creation get lost on the way, the batch being there all the same

    def reset(self) -> None:
        """Forget everything."""
        self.files.clear()
        self.batches.clear()
        self.polls, self.ends_as, self.lose_created = 1, "completed", 0

    def routes(self) -> list[Route]:
        """Where it answers."""
        return [
            Route("/v1/files", self._upload, methods=["POST"]),
            Route("/v1/files/{id}/content", self._content, methods=["GET"]),
            Route("/v1/batches", self._create, methods=["POST"]),
            Route("/v1/batches", self._list, methods=["GET"]),
            Route("/v1/batches/{id}", self._retrieve, methods=["GET"]),
        ]

    def _keep(self, data: bytes) -> str:
        file_id = f"file-{uuid.uuid4().hex}"
        self.files[file_id] = data
        return file_id

    async def _upload(self, request: Request) -> Response:
        async with request.form() as form:
            file = form.get("file")
            if form.get("purpose") != "batch" or not isinstance(file, UploadFile):
                return _error(400, "invalid_value", "A file for the purpose 'batch' is needed.")
            if not str(file.filename).endswith(".jsonl"):
                return _error(400, "invalid_file_format", "The file must end with .jsonl.")
            data = await file.read()
        file_id = self._keep(data)
        return JSONResponse(
            {
                "id": file_id,
                "object": "file",
                "bytes": len(data),
                "created_at": int(time.time()),
                "filename": file.filename,
                "purpose": "batch",
                "status": "processed",
            }
        )

    async def _content(self, request: Request) -> Response:
        data = self.files.get(request.path_params["id"])
        if data is None:
            return _error(404, "not_found", "No such File object.")
        return Response(data, media_type="application/octet-stream")

    async def _create(self, request: Request) -> Response:
        fields = await request.json()
        wrong = self._wrong(fields)
        if wrong:
            return _error(400, "invalid_value", wrong)
        batch = Batch(f"batch_{uuid.uuid4().hex}", fields, self.polls)
        self.batches[batch.id] = batch
        if self.lose_created:
            self.lose_created -= 1
            return _error(502, "server_error", "Bad gateway.")
        return JSONResponse(_shown(batch))

    def _wrong(self, fields: dict[str, Any]) -> str | None:
        if not set(fields) <= {"input_file_id", "endpoint", "completion_window", "metadata"}:
            return "Unknown parameter."
        if fields.get("endpoint") != ENDPOINT or fields.get("completion_window") != "24h":
            return "Invalid endpoint or completion_window."
        if fields.get("input_file_id") not in self.files:
            return "No such file."
        metadata = fields.get("metadata") or {}
        if len(metadata) > 16 or any(len(str(value)) > 512 for value in metadata.values()):
            return "Invalid metadata."
        return None

    async def _list(self, request: Request) -> Response:
        newest_first = list(reversed(self.batches.values()))
        after = request.query_params.get("after")
        if after:
            at = [batch.id for batch in newest_first].index(after)
            newest_first = newest_first[at + 1 :]
        limit = int(request.query_params.get("limit", 20))
        data = [_shown(batch) for batch in newest_first[:limit]]
        return JSONResponse(
            {
                "object": "list",
                "data": data,
                "first_id": data[0]["id"] if data else None,
                "last_id": data[-1]["id"] if data else None,
                "has_more": len(newest_first) > limit,
            }
        )

    async def _retrieve(self, request: Request) -> Response:
        batch = self.batches.get(request.path_params["id"])
        if batch is None:
            return _error(404, "not_found", "No such batch.")
        if batch.status == "in_progress":
            batch.left -= 1
            if batch.left < 0:
                self._end(batch)
        return JSONResponse(_shown(batch))

    def _end(self, batch: Batch) -> None:
        lines = self.files[batch.fields["input_file_id"]].decode().splitlines()
        batch.total = len(lines)
        batch.status = self.ends_as
        if self.ends_as == "failed" or len(lines) > REQUESTS_MAX:
            batch.status = "failed"
            batch.errors = [{"code": "token_limit_exceeded", "message": "Enqueued token limit reached.", "line": None}]
            return
        if self.ends_as == "expired":
            lines = lines[: len(lines) // 2]
        good, bad = [], []
        for line in lines:
            row = self._answered(json.loads(line))
            (good if row["response"]["status_code"] == 200 else bad).append(row)
        batch.answered, batch.failed = len(good), len(bad)
        batch.output_file_id = self._keep(_lines(good)) if good else None
        batch.error_file_id = self._keep(_lines(bad)) if bad else None

    def _answered(self, row: dict[str, Any]) -> dict[str, Any]:
        assert set(row) == {"custom_id", "method", "url", "body"}
        assert (row["method"], row["url"]) == ("POST", ENDPOINT)
        wrong = self._text.check(row["body"])
        if wrong is not None:
            status, kind, code, message = wrong
            body: Any = {"error": {"message": message, "type": kind, "param": None, "code": code}}
        else:
            asked = Asked({}, row["body"])
            self._text.asked.append(asked)
            answer = self._text.portrait(asked)
            status, body = answer.status_code, json.loads(bytes(answer.body))
        return {
            "id": f"batch_req_{uuid.uuid4().hex}",
            "custom_id": row["custom_id"],
            "response": {"status_code": status, "request_id": f"req_{uuid.uuid4().hex}", "body": body},
            "error": None,
        }


def _lines(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def _shown(batch: Batch) -> dict[str, Any]:
    return {
        "id": batch.id,
        "object": "batch",
        "endpoint": ENDPOINT,
        "errors": {"object": "list", "data": batch.errors} if batch.errors else None,
        "input_file_id": batch.fields["input_file_id"],
        "completion_window": "24h",
        "status": batch.status,
        "output_file_id": batch.output_file_id,
        "error_file_id": batch.error_file_id,
        "created_at": int(time.time()),
        "request_counts": {"total": batch.total, "completed": batch.answered, "failed": batch.failed},
        "metadata": batch.fields.get("metadata"),
    }


def _error(status: int, code: str, message: str) -> Response:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return JSONResponse({"error": error}, status, headers={"x-request-id": f"req_{uuid.uuid4().hex}"})
