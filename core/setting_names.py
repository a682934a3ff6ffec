"""Setting names: what looks as if it were meant for the dashboard, and is read by nobody."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final

from core.settings import PROJECT_ROOT, SECRETS_FILE, Settings, read_secrets

_OURS: Final = frozenset(name.upper() for name in Settings.model_fields)
# https://boto3.amazonaws.com/v1/documentation/api/latest/guide/configuration.html#using-environment-variables
_AWS: Final = frozenset({"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"})
_AWS_TOO: Final = frozenset({"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SECURITY_TOKEN", "AWS_DEFAULT_PROFILE"})
_MEANT: Final = _OURS | _AWS | {"AWS_DEFAULT_REGION"}  # what a slip may have been meant to be
_KNOWN: Final = _MEANT | _AWS_TOO
# Whatever else begins so is meant for us, but for what containers tell of neighbours that are called so.
_FAMILIES: Final = ("S3_", "GOOGLE_CLIENT_", "SIGN_IN_FAILURES_", "DAILY_BUDGET_")
# Other programs' names: of containers' neighbours, and of OpenAI's SDK and what else talks to OpenAI.
_OTHERS: Final = re.compile(
    r"\w+_(PORT|SERVICE)(_\w+)?"
    r"|OPENAI_(ADMIN_KEY|API_BASE|API_TYPE|API_VERSION|ORG_ID|ORGANIZATION|PROJECT_ID|PROJECT|WEBHOOK_SECRET|LOG)"
)
_ALIKE: Final = 0.8  # of SequenceMatcher: one name for another by a slip
_OF_A_FAMILY: Final = 0.7  # the same for what is meant for us anyway
_LINE: Final = re.compile(r"\s*([A-Za-z_]\w*)\s*=(.*)")


@dataclass(frozen=True, slots=True)
class UnknownName:
    """A name nobody reads, as it is written, where it stands, and the setting that is probably meant."""

    name: str
    place: str
    nearest: str | None


def unknown_names(environ: Iterable[str]) -> tuple[UnknownName, ...]:
    """All such names that a process is given, by its environment and by secrets.toml. Raises ConfigError."""
    place = SECRETS_FILE.relative_to(PROJECT_ROOT).as_posix()
    return (*unknown_variables(environ), *unknown_keys(read_secrets(SECRETS_FILE), place=place))


def unknown_variables(names: Iterable[str], *, place: str = "the environment") -> tuple[UnknownName, ...]:
    """Those of a process's variables that look like settings and are none."""
    found = []
    for name in sorted(set(names) - _KNOWN):
        if _OTHERS.fullmatch(name.upper()):
            continue
        is_family = name.upper().startswith(_FAMILIES)
        nearest = _nearest(_OF_A_FAMILY if is_family else _ALIKE, name)
        if is_family or nearest:
            found.append(UnknownName(name, place, nearest))
    return tuple(found)


def unknown_keys(secrets: Mapping[str, Any], *, place: str) -> tuple[UnknownName, ...]:
    """Every key of secrets.toml that is no setting: settings are root-level keys, so all that stands in a table."""
    found = []
    for path in _paths(secrets):
        if len(path) == 1 and (path[0] in _KNOWN or path[0].startswith("AWS_")):
            continue
        family = _OF_A_FAMILY if "_".join(path).upper().startswith(_FAMILIES) else _ALIKE
        found.append(UnknownName(".".join(path), place, _nearest(family, path[-1], "_".join(path))))
    return tuple(found)


def variables_of(text: str) -> dict[str, str]:
    """What an EnvironmentFile of systemd says (`man systemd.exec`), as far as names go: `NAME=value`, one a line."""
    found = (_LINE.match(line) for line in text.splitlines())
    return {line[1]: line[2].strip().strip("\"'") for line in found if line}


def _paths(table: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for name, value in table.items():
        if isinstance(value, dict) and value:
            yield from ((name, *rest) for rest in _paths(value))
        else:
            yield (name,)


def _nearest(least: float, *written: str) -> str | None:
    """The known name that is most like one of these, if it is so at least."""
    alike = {
        known: max(SequenceMatcher(None, name.upper(), known).ratio() for name in written) for known in sorted(_MEANT)
    }
    best = max(alike, key=alike.__getitem__)
    return best if alike[best] >= least else None
