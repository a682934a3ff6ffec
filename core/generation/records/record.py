"""The record: JSON that S3 keeps for good, read by one parser."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import StorageError


class Record(BaseModel):
    """Part of what is written down; fields that a later version added are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read one. Raises StorageError when it is none."""
        try:
            return cls.model_validate_json(data)
        except ValidationError as err:
            first = err.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise StorageError("This record cannot be read: {}: {}.", where, first["msg"]) from err
