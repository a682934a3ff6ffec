"""A request that is answered with an S3 error."""

from __future__ import annotations

from http import HTTPStatus


class S3Error(Exception):
    """What the client is told: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html."""

    def __init__(self, status: HTTPStatus, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def not_kept(what: str) -> S3Error:
    """The error for what could not be made durable."""
    message = f"The embedded S3 could not keep this across a restart, so it does not take it: {what}."
    return S3Error(HTTPStatus.NOT_IMPLEMENTED, "NotImplemented", message)


def no_such_key() -> S3Error:
    """The error for what needs an object that is not there."""
    return S3Error(HTTPStatus.NOT_FOUND, "NoSuchKey", "The specified key does not exist.")


def precondition_failed() -> S3Error:
    """The error for a write whose condition does not hold."""
    message = "At least one of the pre-conditions you specified did not hold"
    return S3Error(HTTPStatus.PRECONDITION_FAILED, "PreconditionFailed", message)
