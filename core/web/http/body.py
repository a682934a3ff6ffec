"""Bodies of requests, no longer than their routes take."""

from __future__ import annotations

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from core.web.http.answers import plain


async def answer_body(
    request: Request, answer: Callable[[Request, bytes], Response], *, bytes_max: int, too_long: str
) -> Response:
    """What `answer` says, on a thread, to a request and its body; `too_long` where there is more of it."""
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > bytes_max:
                return plain(too_long, 413)
    except ClientDisconnect:  # uvicorn would log a traceback for whoever hangs up
        return plain("The request broke off.", 400)
    return await run_in_threadpool(answer, request, body)
