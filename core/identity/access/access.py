"""Access: the studio's list of people as S3 has it, at most a minute old, and changed by admins only."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

import structlog

from core.identity.access.access_list import AccessLevel, AccessList
from core.objects.documents import Version, settings_document
from core.objects.objects import ObjectStore
from core.settings import Settings
from core.viewer import Capability, PersonRole, Viewer

_log = structlog.get_logger(__name__)


class Access:
    """Answers who may come in. Until `access.json` exists the settings decide; from then on it alone does."""

    def __init__(
        self,
        store: ObjectStore,
        settings: Settings,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._now = now
        self._contact = settings.access_contact or ""
        bootstrap = AccessList.from_settings(settings)
        self._document = settings_document(store, f"{settings.s3_app_prefix}access.json", bootstrap, clock=monotonic)

    def role_of(self, email: str, *, hosted_domain: str) -> PersonRole:
        """The role of a verified address. Raises AccessDenied, or StorageError when the list cannot be read."""
        return self._document.value().role_of(email, hosted_domain=hosted_domain, contact=self._contact)

    def names(self, email: str) -> bool:
        """Whether an address, or its domain, is on the list now. Raises StorageError when that cannot be read."""
        return self._document.value().names(email)

    def read(self, viewer: Viewer) -> Version[AccessList]:
        """The list as it is now, for an admin. Raises AccessDenied or StorageError."""
        viewer.require(Capability.ADMINISTER)
        return self._document.read()

    def change(
        self, viewer: Viewer, entry: str, level: AccessLevel | None, *, seen: Version[AccessList]
    ) -> Version[AccessList]:
        """Give an address or a domain a level, or remove it, in the list that was seen.

        Raises AccessDenied, InputError, and WriteConflict when somebody else has changed the list since.
        """
        seen.value.require_admin(viewer, contact=self._contact)
        changed = seen.value.with_entry(entry, level, by=viewer.email, at=self._now())
        if changed == seen.value:
            return seen
        version = self._document.write(changed, seen)
        last = changed.changes[-1]
        _log.info("access_changed", by=last.by, entry=last.entry, before=last.before, after=last.after)
        return version
