"""The error tree: every failure a person may be shown.

StudioError
├── ConfigError            a setting is missing or wrong; names it
├── InputError             what a person typed or passed cannot be used
├── SignInError            who is this? nobody we can verify
│   ├── NotOurs            a cookie, token or state is not one that we gave
│   ├── SignedOut          a session that was ended before its time
│   ├── AccessDenied       verified, but not allowed
│   ├── ReplayedLoginToken a sign-in that has been used already
│   └── TooManyAttempts    too many sign-ins have failed
├── StorageError
│   ├── StorageDenied      the credentials may not do that
│   ├── StorageUnavailable the endpoint does not answer, or answers with a fault
│   └── ObjectError        about one object; names its key
│       ├── NotFound       the key is not in the bucket (any more)
│       ├── ObjectArchived its bytes lie in an archive and have to be restored first
│       └── WriteConflict  somebody else was first; `.theirs` holds their bytes
├── InjectionError         the wishes contradict each other or name what is unknown
├── EngineError            a picture could not be made; `.kind` says which way
├── LabelError             a label or a label file is invalid
├── Overloaded             too much of this is under way here; says when to come again
└── BadImage               bytes that cannot be shown as a picture

The message of each is one sentence that is fit for a person's eyes. Words and values stay apart until it is drawn:
the sentence is ours, and the values, which anybody may have written, stand in its braces
(https://docs.python.org/3/library/string.html#format-string-syntax).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from string import Formatter
from typing import Any, Final, LiteralString

VALUE_CHARS_MAX: Final = 1024  # of one value in a sentence; S3's longest key has as many bytes
# What breaks a line, and what is not to be seen: controls, overrides of the direction of writing (Unicode TR 36),
# tags, halves of characters that no UTF-8 can carry, and what XML 1.0 has no place for.
_BREAKS: Final = re.compile(r"[\t-\r\x1c-\x1e\x85\u2028\u2029]+")
UNSEEN: Final = re.compile(
    r"[\0-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff\U000e0000-\U000e007f]"
)


def legible(value: object) -> str:
    """A value as it may stand in a line of text: one line that shows what it holds, its middle left out if too long."""
    text = str(value)
    if len(text) > VALUE_CHARS_MAX:
        text = f"{text[: VALUE_CHARS_MAX // 2]}…{text[-VALUE_CHARS_MAX // 2 + 1 :]}"
    return UNSEEN.sub("\N{REPLACEMENT CHARACTER}", _BREAKS.sub(" ", text))


class _PlainText(Formatter):
    def format_field(self, value: Any, format_spec: str) -> str:
        return legible(format(value, format_spec))


class StudioError(Exception):
    """A failure with a sentence that says what is wrong and what to do, and the values that stand in it."""

    def __init__(self, sentence: LiteralString, *values: object, **named: object) -> None:
        super().__init__(sentence, *values)
        self.sentence = sentence
        self.values = values
        self.named = named

    @property
    def message(self) -> str:
        """The sentence with its values, as plain text: for logs, terminals and JSON."""
        return _PlainText().vformat(self.sentence, self.values, self.named)

    def __str__(self) -> str:
        return self.message


class ConfigError(StudioError):
    """A setting is missing or wrong; `setting` is its name in the environment."""

    def __init__(self, sentence: LiteralString, *values: object, setting: str, **named: object) -> None:
        super().__init__(sentence, *values, setting=setting, **named)
        self.setting = setting


class InputError(StudioError):
    """A value that a person gave cannot be used."""


class SignInError(StudioError):
    """The sign-in could not be verified."""


class NotOurs(SignInError):
    """A cookie, token or state is missing, or not one that we gave."""


class SignedOut(SignInError):
    """A session was ended, here or on another server."""


class AccessDenied(SignInError):
    """A verified person is not allowed to do this."""


class ReplayedLoginToken(SignInError):
    """A sign-in was handed over a second time."""


class TooManyAttempts(SignInError):
    """Too many sign-ins have failed; another one may be tried in `retry_after_s`."""

    def __init__(self, sentence: LiteralString, *values: object, retry_after_s: float) -> None:
        super().__init__(sentence, *values)
        self.retry_after_s = retry_after_s


class StorageError(StudioError):
    """S3 could not do what was asked."""


class StorageDenied(StorageError):
    """The credentials are missing, wrong, or lack a permission."""


class StorageUnavailable(StorageError):
    """The endpoint is unreachable, too slow, or failing."""


class ObjectError(StorageError):
    """Something is amiss with one object; `key` is the one that was asked for."""

    def __init__(self, sentence: LiteralString, *values: object, key: str = "", **named: object) -> None:
        super().__init__(sentence, *values, key=key, **named)
        self.key = key


class NotFound(ObjectError):
    """No object has this key."""


class ObjectArchived(ObjectError):
    """The object is in the bucket, but its bytes lie in an archive until somebody restores them."""


class WriteConflict(ObjectError):
    """A conditional write lost a race; `theirs` is what the winner wrote, if it could be read."""

    def __init__(
        self, sentence: LiteralString, *values: object, key: str = "", theirs: bytes | None = None, **named: object
    ) -> None:
        super().__init__(sentence, *values, key=key, **named)
        self.theirs = theirs


class InjectionError(StudioError):
    """The wishes name something that does not exist, or contradict each other."""


class EngineFault(StrEnum):
    """The ways in which an engine fails to deliver."""

    REFUSED = "refused"
    RATE_LIMITED = "rate_limited"
    OUT_OF_CREDIT = "out_of_credit"  # older records call it rate_limited, without a time after which to retry
    TIMED_OUT = "timed_out"
    UNAVAILABLE = "unavailable"
    BAD_REQUEST = "bad_request"
    INTERRUPTED = "interrupted"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Charge:
    """What a call cost though it brought no picture; None where nobody said, which is not the same as nothing."""

    usd: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None


class EngineError(StudioError):
    """An engine did not deliver a picture; `charge` is None when nothing is charged for that."""

    def __init__(
        self,
        sentence: LiteralString,
        *values: object,
        kind: EngineFault,
        request_id: str | None = None,
        retry_after_s: float | None = None,
        charge: Charge | None = None,
        **named: object,
    ) -> None:
        super().__init__(sentence, *values, **named)
        self.kind = kind
        self.request_id = request_id
        self.retry_after_s = retry_after_s
        self.charge = charge


class LabelError(StudioError):
    """A label, or a line of a label file, is invalid."""


class Overloaded(StudioError):
    """This process does as much of this as it may: ask again after `retry_after_s` seconds."""

    def __init__(self, sentence: LiteralString, *values: object, retry_after_s: float) -> None:
        super().__init__(sentence, *values)
        self.retry_after_s = retry_after_s


class BadImage(StudioError):
    """These bytes are not a picture that can be shown safely."""
