"""Tiles: what stands in the place of a picture that cannot be shown."""

from __future__ import annotations

import html

from starlette.responses import Response

from core.errors import legible
from core.web.http.answers import SAFE_HEADERS


def labelled_tile(name: str, reason: str) -> Response:
    """A grey tile with the file's name and what is wrong with it, in place of a picture."""
    name = legible(name)
    lines = [name if len(name) <= 28 else f"{name[:13]}…{name[-13:]}", *_wrapped(reason, 32)]
    text = "".join(
        f'<text x="160" y="{180 + 25 * at}" font-size="{19 if at == 0 else 17}"'
        f' font-weight="{600 if at == 0 else 400}">{html.escape(line)}</text>'
        for at, line in enumerate(lines)
    )
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 400" width="320" height="400">'
        '<rect width="320" height="400" fill="#d4d4d4"/>'
        '<g fill="none" stroke="#1e1e1e" stroke-width="3"><path d="M122 86l76 64"/>'
        '<path d="M132 96h56v44h-56z M132 140l18-20 12 12 10-8 16 16"/></g>'
        f'<g fill="#111" text-anchor="middle" font-family="Inter, sans-serif">{text}</g></svg>'
    )
    headers = {**SAFE_HEADERS, "Cache-Control": "private, max-age=300"}
    return Response(svg, media_type="image/svg+xml", headers=headers)


def _wrapped(text: str, width: int) -> list[str]:
    lines, line = [], ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return [*lines, line]
