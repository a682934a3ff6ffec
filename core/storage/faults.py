"""Storage faults: what boto3 raises, and the error and sentence it becomes; the one place that knows S3's codes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final, LiteralString, NamedTuple

from botocore import exceptions as vendor
from botocore.parsers import ResponseParserError

from core.errors import (
    InputError,
    NotFound,
    ObjectArchived,
    StorageDenied,
    StorageError,
    StorageUnavailable,
    StudioError,
    WriteConflict,
)


class _Fault(NamedTuple):
    error: type[StudioError]
    sentence: LiteralString


_NOT_FOUND = _Fault(NotFound, "There is no object “{key}” in the bucket “{bucket}”.")
_NO_BUCKET = _Fault(StorageUnavailable, "The bucket “{bucket}” does not exist at {endpoint}.")
_ARCHIVED = _Fault(
    ObjectArchived,
    "“{key}” lies in an archive of S3, where it cannot be read: restore it in the S3 console, or with "
    "`aws s3api restore-object`. That takes minutes to 48 hours.",
)
_DENIED = _Fault(StorageDenied, "The credentials may not do that in the bucket “{bucket}” ({code}).")
_UNKNOWN_CREDENTIALS = _Fault(StorageDenied, "{endpoint} does not accept the S3 credentials ({code}).")
_NO_CREDENTIALS = _Fault(StorageDenied, "No usable S3 credentials were found ({code}).")
_CONFLICT = _Fault(WriteConflict, "Somebody else wrote “{key}” first.")
_TIMED_OUT = _Fault(StorageUnavailable, "{endpoint} did not answer in time.")
_UNREACHABLE = _Fault(StorageUnavailable, "{endpoint} could not be reached ({code}).")
_BROKE_OFF = _Fault(StorageUnavailable, "{endpoint} broke off in the middle of an answer.")
_FAILING = _Fault(StorageUnavailable, "{endpoint} answers with a fault ({code}).")
_NOT_S3 = _Fault(StorageUnavailable, "{endpoint} gave an answer that is not S3's.")
_BAD_KEY = _Fault(InputError, "“{key}” cannot be a key: it must have 1 to 1024 bytes of UTF-8.")
_BAD_RANGE = _Fault(InputError, "“{key}” is shorter than the byte range that was asked for.")

# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html; HEAD answers have no body, so
# botocore puts the bare status where the code would be.
_BY_CODE: Final[Mapping[str, _Fault]] = {
    "NoSuchKey": _NOT_FOUND,
    "NoSuchVersion": _NOT_FOUND,
    "404": _NOT_FOUND,
    "NoSuchBucket": _NO_BUCKET,
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html: a 403 that is none of the permissions
    "InvalidObjectState": _ARCHIVED,
    "AccessDenied": _DENIED,
    "AllAccessDisabled": _DENIED,
    "AccountProblem": _DENIED,
    "403": _DENIED,
    "401": _DENIED,
    "InvalidAccessKeyId": _UNKNOWN_CREDENTIALS,
    "SignatureDoesNotMatch": _UNKNOWN_CREDENTIALS,
    "AuthorizationHeaderMalformed": _UNKNOWN_CREDENTIALS,
    "ExpiredToken": _UNKNOWN_CREDENTIALS,
    "InvalidToken": _UNKNOWN_CREDENTIALS,
    "TokenRefreshRequired": _UNKNOWN_CREDENTIALS,
    "RequestTimeTooSkewed": _UNKNOWN_CREDENTIALS,
    "PreconditionFailed": _CONFLICT,
    "412": _CONFLICT,
    "ConditionalRequestConflict": _CONFLICT,
    "KeyTooLongError": _BAD_KEY,
    "InvalidRange": _BAD_RANGE,
    "416": _BAD_RANGE,
    "RequestTimeout": _TIMED_OUT,
}
_BY_STATUS: Final[Mapping[int, _Fault]] = {401: _DENIED, 403: _DENIED, 404: _NOT_FOUND, 412: _CONFLICT}
# The first match counts: time-outs are connection errors too.
_BY_EXCEPTION: Final[tuple[tuple[type[Exception], _Fault], ...]] = (
    (vendor.NoCredentialsError, _NO_CREDENTIALS),
    (vendor.PartialCredentialsError, _NO_CREDENTIALS),
    (vendor.CredentialRetrievalError, _NO_CREDENTIALS),
    (vendor.NoAuthTokenError, _NO_CREDENTIALS),
    (vendor.TokenRetrievalError, _NO_CREDENTIALS),
    (vendor.SSOError, _NO_CREDENTIALS),
    (vendor.ConnectTimeoutError, _TIMED_OUT),
    (vendor.ReadTimeoutError, _TIMED_OUT),
    (vendor.ResponseStreamingError, _BROKE_OFF),
    (vendor.IncompleteReadError, _BROKE_OFF),
    (vendor.ConnectionError, _UNREACHABLE),
    (vendor.HTTPClientError, _UNREACHABLE),
    (vendor.ParamValidationError, _BAD_KEY),
    (UnicodeEncodeError, _BAD_KEY),
    (ResponseParserError, _NOT_S3),
    (vendor.BotoCoreError, _FAILING),
)


@contextmanager
def translate_faults(*, bucket: str, endpoint: str, key: str = "") -> Iterator[None]:
    """Raise what boto3 raises as the studio's own errors."""
    try:
        yield
    except (vendor.ClientError, vendor.BotoCoreError, ResponseParserError, UnicodeEncodeError) as err:
        fault, code = _fault_of(err)
        raise fault.error(fault.sentence, bucket=bucket, key=key, endpoint=endpoint, code=code) from err


def no_bucket(*, bucket: str, endpoint: str) -> StorageUnavailable:
    """The error for a bucket that is not there, which an answer without a body cannot say."""
    return StorageUnavailable(_NO_BUCKET.sentence, bucket=bucket, endpoint=endpoint)


def _fault_of(err: Exception) -> tuple[_Fault, str]:
    if isinstance(err, vendor.ClientError):
        code = str(err.response.get("Error", {}).get("Code", "unknown"))
        status = err.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return _BY_CODE.get(code) or _BY_STATUS.get(status, _FAILING), code
    fault = next((fault for kind, fault in _BY_EXCEPTION if isinstance(err, kind)), _FAILING)
    return fault, type(err).__name__


def is_not_implemented(err: StorageError) -> bool:
    """Whether the server knows what it was asked and says that it cannot do it."""
    cause = err.__cause__
    return isinstance(cause, vendor.ClientError) and cause.response["Error"].get("Code") in (
        "NotImplemented",
        "501",
    )
