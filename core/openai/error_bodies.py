"""The body of a failed call, in whichever shape it comes: OpenAI's, Azure's, a gateway's, or a web server's page."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from core.openai.answers import mappings_in

_MESSAGE_MAX: Final = 200
_LINK_MAX: Final = 200
_READ_MAX: Final = 10_000  # characters of a text that are looked at
_SENTENCES_MAX: Final = 3
_DEPTH_MAX: Final = 6
# Where words stand, the more telling first: {"error": {…}} is OpenAI's, `detail` FastAPI's and RFC 9457's, which has
# `title` too, `errors` Cloudflare's, `error_description` RFC 6749's.
_WORDS: Final = ("message", "error_description", "detail", "error", "msg", "errors", "title", "reason")
_NAMES: Final = ("code", "type", "status", "statusCode", "status_code")
_PAGE: Final = re.compile(r"^<|<(!doctype|html|head|title)\b", re.IGNORECASE)
_TITLE: Final = re.compile(r"<(title|h1|message)\b[^>]*>(.*?)</\1", re.IGNORECASE | re.DOTALL)
_UNREAD: Final = re.compile(r"<(script|style|head)\b.*?</\1\s*>|<[^>]*>", re.IGNORECASE | re.DOTALL)
_JSON: Final = re.compile(r"\s*[\[{]\s*[\"\[{]")  # also as a text in another document
_LINK: Final = re.compile(r"https?://[^\s\"'<>]+")
_KEY: Final = re.compile(
    r"\b(?:sk|sess)-[\w*.-]+|(?<=[Bb]earer )[\w*.~+/=-]{6,}|(?<=[Kk]ey=)[^\s&\"']{6,}|(?<=://)[^\s/@]+@"
)
# A refusal by the names that Azure and LiteLLM give it, and by what they quote.
_REFUSAL_NAME: Final = re.compile(
    r"ContentPolicyViolation|ResponsibleAIPolicyViolation|content_policy_violation|moderation_blocked", re.IGNORECASE
)
_REFUSAL_WORDS: Final = re.compile(
    r"\bsafety system|content (management|moderation|safety|usage) polic|\bcontent polic(y|ies)\b|\bwas flagged\b",
    re.IGNORECASE,
)
# An account without money, as LiteLLM quotes it: it has no code of its own but that of the status, which is the same as
# of too many requests. Google says OpenAI's very words of a limit by the minute, with a link to pages of its own.
_MONEY_NAME: Final = re.compile(r"\b(?:insufficient_quota|billing_not_active|billing_hard_limit_reached)\b")
_MONEY_WORDS: Final = re.compile(r"\bexceeded your current quota\b.{1,150}\bopenai\.com/", re.IGNORECASE)
_NO_MONEY: Final = "insufficient_quota"
_REFUSAL_STATUSES: Final = frozenset({0, 400, 403, 422, 451})
REFUSED: Final = "content_filter"


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """What a body says.

    `message` is its own words on one line, shortened, without anything that looks like a key; None where there are
    none. `names` are codes and types as words, `status` the HTTP status that it names itself or 0, and `categories`
    those of a refusal, in words.
    """

    message: str | None
    names: frozenset[str]
    status: int
    categories: tuple[str, ...]


def read_body(body: object, *, status: int = 0, secret: str = "") -> ErrorBody:
    """Read a body: parsed JSON, or the text that came in its place. `secret` is left out of its words.

    `status` is that of the answer; what is said of a refusal counts only where it fits.
    """
    words = "; ".join(_words_in(body))[:_READ_MAX]
    named = [name for mapping in mappings_in(body) for name in _names_in(mapping)]
    own_status = next((int(name) for name in named if re.fullmatch(r"[45]\d\d", name)), 0)
    categories = tuple(dict.fromkeys(_categories_in(body, words)))
    is_named = any(map(_REFUSAL_NAME.search, [words, *named]))
    is_told = _REFUSAL_WORDS.search(words) and (status if status >= 400 else own_status) in _REFUSAL_STATUSES
    if is_named or is_told or _filtered_in(body):
        named.append(REFUSED)
    named += _MONEY_NAME.findall(words) or ([_NO_MONEY] if _MONEY_WORDS.search(words) else [])
    return ErrorBody(_shortened(words, secret), frozenset(named), own_status, categories)


def _words_in(said: object, depth: int = _DEPTH_MAX) -> Iterator[str]:
    """What is said, a text for each part."""
    if isinstance(said, str) and _JSON.match(said):
        try:
            read = json.loads(said)
        except (ValueError, RecursionError):
            # Half of a document is nothing to read to anybody; a whole one in Python's spelling is.
            read = None if not said.rstrip().endswith(("]", "}")) else _plain(said)
        yield from [read] if isinstance(read, str) else _words_in(read, max(depth - 1, 0))
    elif isinstance(said, str):
        yield from filter(None, [_plain(said)])
    elif isinstance(said, list) and depth:
        for each in said[:_SENTENCES_MAX]:
            yield from _words_in(each, depth - 1)
    elif isinstance(said, dict) and depth:
        said = {str(name).lower(): each for name, each in said.items()}  # Amazon's names have capitals
        place = said.get("loc")
        for name in _WORDS:
            if words := "; ".join(_words_in(said.get(name), depth - 1)):
                # FastAPI's parts of `detail` name the field that they are about.
                yield f"{'.'.join(map(str, place))}: {words}" if isinstance(place, list) and place else words
                return


def _plain(text: str) -> str:
    """A text on one line; of a page in it the title, or else what it shows."""
    text = text[:_READ_MAX].strip().lstrip("\ufeff")
    if page := _PAGE.search(text):
        inside = text[page.start() :]
        titles = {name.lower(): title for name, title in reversed(_TITLE.findall(inside))}
        found = next((titles[name] for name in ("title", "h1", "message") if titles.get(name, "").strip()), inside)
        text = text[: page.start()] + html.unescape(_UNREAD.sub(" ", found))
    return " ".join(text.split())


def _names_in(mapping: dict[str, Any]) -> Iterator[str]:
    for name in _NAMES:
        value = mapping.get(name)
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, str | int) and not isinstance(each, bool):
                yield str(each)[:_MESSAGE_MAX]


def _categories_in(body: object, words: str) -> Iterator[str]:
    """From the details of a refusal, or else from its message."""
    listed: list[object] = []
    for mapping in mappings_in(body):
        details = mapping.get("moderation_details")
        categories = details.get("categories") if isinstance(details, dict) else None
        listed += categories if isinstance(categories, list) else []
    if not listed and (found := re.search(r"safety_violations=\[([^\]]*)\]", words)):
        listed += found[1].split(",")
    for category in [*listed, *_filtered_in(body)]:
        if word := re.sub(r"[^a-z]+", " ", str(category).lower()).strip():
            yield word


def _filtered_in(body: object) -> list[str]:
    """The categories in which Azure's content filter struck: `{"violence": {"filtered": true, "severity": "high"}}`."""
    return [
        str(name)
        for mapping in mappings_in(body)
        for name, verdict in mapping.items()
        if isinstance(verdict, dict) and verdict.get("filtered") is True
    ]


def _shortened(words: str, secret: str) -> str | None:
    line = words.replace(secret, "[key]") if len(secret) >= 6 else words
    line = _KEY.sub("[key]", line).rstrip(". ")
    if len(line) <= _MESSAGE_MAX:
        return line or None
    link = _LINK.search(line)
    line = line[:_MESSAGE_MAX].rstrip() + "…"
    # Such as the one behind which an organisation is verified: the way out must not fall to the cut.
    return f"{line} {link[0][:_LINK_MAX]}" if link and link.end() > _MESSAGE_MAX else line
