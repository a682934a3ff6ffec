"""The access list: who may come in and as what, with the trail of who changed it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

from core.errors import AccessDenied, ConfigError, InputError
from core.settings import Profile, Settings
from core.viewer import Capability, PersonRole, Viewer

DEMO_EMAIL: Final = "demo@localhost"
ENTRY_CHARS_MAX: Final = 254  # of an address (RFC 5321 §4.5.3.1.3, without the brackets); a domain is shorter
_EMAIL = re.compile(r"[^@\s\"(),:;<>\[\\\]\ud800-\udfff]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+|demo@localhost")
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
# Where everybody may have an address. Google names no domain for such accounts, so an entry here lets nobody in.
# https://developers.google.com/identity/openid-connect/openid-connect#an-id-tokens-payload (hd)
_PUBLIC_MAIL: Final = frozenset(
    {
        *("gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com", "yahoo.com", "aol.com"),
        *("icloud.com", "me.com", "mac.com", "proton.me", "protonmail.com", "gmx.de", "gmx.net", "web.de"),
        *("naver.com", "daum.net", "hanmail.net", "kakao.com", "nate.com", "qq.com", "163.com", "mail.ru"),
    }
)


class AccessLevel(StrEnum):
    """What the list says of a person or a domain."""

    DESIGNER = "designer"
    OPS = "ops"
    ADMIN = "admin"
    BLOCKED = "blocked"

    @property
    def role(self) -> PersonRole | None:
        """The role that goes with it; None for nobody who may come in."""
        return None if self is AccessLevel.BLOCKED else PersonRole(self.value)


def check_email(typed: str) -> str:
    """An address in lower case. Raises InputError for what is none."""
    email = typed.strip().lower()
    if len(email) > ENTRY_CHARS_MAX or not _EMAIL.fullmatch(email):
        raise InputError("“{}” is not an e-mail address: write it as name@studio.example.", typed.strip()[:80])
    return email


def check_domain(typed: str) -> str:
    """A domain in lower case, without the @ in front. Raises InputError for what is none."""
    domain = typed.strip().lower().removeprefix("@")
    if len(domain) > 253 or not _DOMAIN.fullmatch(domain):
        raise InputError("“{}” is not a domain: write it as studio.example.", typed.strip()[:80])
    return domain


def _normalize_with(check: Callable[[str], str]) -> Callable[[object], object]:
    """What people write into the file by hand, as the dashboard writes it: a capital must not undo a block."""

    def normalize(entries: object) -> object:
        if not isinstance(entries, dict):
            return entries  # pydantic says what is wrong with it
        try:
            names = [check(entry) for entry in entries]
        except InputError as err:
            raise ValueError(err.message) from err
        if len(set(names)) < len(names):
            raise ValueError("two entries name the same person or domain")
        return dict(zip(names, entries.values(), strict=True))

    return normalize


def _check_domain_level(level: AccessLevel) -> AccessLevel:
    if level not in (AccessLevel.DESIGNER, AccessLevel.OPS):
        raise ValueError("a domain can be designer or ops; admins are named one by one")
    return level


class AccessChange(BaseModel):
    """One line of the trail. `before` and `after` are None where there was or is no entry."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: datetime
    by: str
    entry: str
    before: AccessLevel | None
    after: AccessLevel | None


class AccessList(BaseModel):
    """Addresses and domains with their level; an address's own entry wins over its domain's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = 1
    people: Annotated[dict[str, AccessLevel], BeforeValidator(_normalize_with(check_email))] = {}
    domains: Annotated[
        dict[str, Annotated[AccessLevel, AfterValidator(_check_domain_level)]],
        BeforeValidator(_normalize_with(check_domain)),
    ] = {}
    changes: tuple[AccessChange, ...] = ()

    @classmethod
    def from_settings(cls, settings: Settings) -> AccessList:
        """What the settings say, which holds until the first change in the dashboard. Raises ConfigError."""
        people: dict[str, AccessLevel] = {}
        for name, emails, level in (
            ("ALLOWED_EMAILS", settings.allowed_emails, AccessLevel.DESIGNER),
            ("OPS_EMAILS", settings.ops_emails, AccessLevel.OPS),
            ("ADMIN_EMAILS", settings.admin_emails, AccessLevel.ADMIN),
        ):
            people.update(dict.fromkeys(_check_setting(name, emails, check_email), level))
        if settings.profile is Profile.EMBEDDED:
            people[DEMO_EMAIL] = AccessLevel.ADMIN
        domains = _check_setting("ALLOWED_DOMAINS", settings.allowed_domains, check_domain)
        return cls(people=people, domains=dict.fromkeys(domains, AccessLevel.DESIGNER))

    @property
    def admins(self) -> tuple[str, ...]:
        """Who may change the list, in order."""
        return tuple(sorted(email for email, level in self.people.items() if level is AccessLevel.ADMIN))

    @property
    def idle_domains(self) -> tuple[str, ...]:
        """Entries that let nobody in: domains where everybody may have an address."""
        return tuple(domain for domain in self.domains if is_public_mail(domain))

    def role_of(self, email: str, *, hosted_domain: str, contact: str = "") -> PersonRole:
        """The role of a verified address. Raises AccessDenied, which says to ask `contact`, and names no admin.

        A domain's entry counts only for accounts that Google says the domain itself hosts: anybody can
        open a private Google account under an address they once had there.
        """
        level = self.people.get(email)
        if level is None and hosted_domain and email.endswith(f"@{hosted_domain}"):
            level = self.domains.get(hosted_domain)
        role = level.role if level else None
        if role is None:
            raise AccessDenied("{} is not on the studio's list. Ask {} to add you.", email, self._or_whom(contact))
        return role

    def names(self, email: str) -> bool:
        """Whether an address stands on the list, or its domain does, and is not blocked; who was removed does not."""
        level = self.people.get(email)
        return level.role is not None if level else email.rpartition("@")[2] in self.domains

    def require_admin(self, viewer: Viewer, *, contact: str = "") -> None:
        """Raise AccessDenied unless the list itself names this person as an admin.

        A viewer's role may be a minute old: who was removed a moment ago must not be able to undo it.
        """
        viewer.require(Capability.ADMINISTER)
        if self.people.get(viewer.email) is not AccessLevel.ADMIN:
            raise AccessDenied(
                "{} is not an admin of the studio any more. Ask {} to add you.", viewer.email, self._or_whom(contact)
            )

    def with_entry(self, entry: str, level: AccessLevel | None, *, by: str, at: datetime) -> AccessList:
        """The list with an address or a domain (without @) changed, or removed where `level` is None.

        Raises InputError for an entry that is neither, for a domain that would let nobody in, and for a change that
        would leave no admin.
        """
        is_person = "@" in entry.strip().removeprefix("@")
        name = check_email(entry) if is_person else check_domain(entry)
        entries = dict(self.people if is_person else self.domains)
        before = entries.pop(name, None)
        if before is level:
            return self
        if level is not None:
            if not is_person and level not in (AccessLevel.DESIGNER, AccessLevel.OPS):
                raise InputError("A whole domain can be designers or ops: name admins and blocked people one by one.")
            if not is_person and is_public_mail(name):
                raise InputError(
                    "Everybody may have an address at {}, so Google vouches for nobody there as yours, and the entry "
                    "would let nobody in: add the addresses one by one.",
                    name,
                )
            entries[name] = level
        changed = self.model_copy(
            update={
                "people" if is_person else "domains": dict(sorted(entries.items())),
                "changes": (*self.changes, AccessChange(at=at, by=by, entry=name, before=before, after=level)),
            }
        )
        if self.admins and not changed.admins:
            raise InputError("{} is the last admin: make somebody else an admin first.", name)
        return changed

    def _or_whom(self, contact: str) -> str:
        return contact or ("an admin of the studio" if self.admins else "whoever runs this server")


def is_public_mail(domain: str) -> bool:
    """Whether everybody may have an address there, so that the domain is no studio's."""
    return domain in _PUBLIC_MAIL


def _check_setting(name: str, values: tuple[str, ...], check: Callable[[str], str]) -> list[str]:
    """The entries of a setting. Raises ConfigError: a typing error must not quietly keep somebody out."""
    try:
        return [check(value) for value in values]
    except InputError as err:
        raise ConfigError("{setting} cannot be used: {}", err, setting=name) from err
