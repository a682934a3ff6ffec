"""What is configured: names, secret files, the profile, the sign-in, and the files in labels/."""

from __future__ import annotations

import stat
from codecs import BOM_UTF8
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from core.cli.checks.report import Report
from core.cli.labels import label_commit
from core.errors import ConfigError, InputError
from core.labels.published.label_file import load_published
from core.references.vocabulary import load_vocabulary
from core.setting_names import UnknownName, unknown_names, unknown_variables, variables_of
from core.settings import (
    PREFIX_SETTINGS,
    PROJECT_ROOT,
    SECRETS_FILE,
    SETTINGS,
    Profile,
    Settings,
    given_values,
    reads_as,
)
from core.storage.local.data_dir import ADDRESS_FILE
from core.studio import LABELS_FILE, VOCABULARY_FILE
from core.unicode import NotUtf8, text_of

_UNITS_FILE: Final = PROJECT_ROOT / "studio.env"  # which deploy/studio.service reads
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def names(report: Report, environ: Mapping[str, str]) -> None:
    """Name what looks like a setting and is none: what was meant by it is not set, and nothing else would say so."""
    found: list[UnknownName] = []
    with suppress(ConfigError):  # said of the settings as a whole
        found += unknown_names(environ)
    units = _units(report)
    found += unknown_variables(units, place=_shown(_UNITS_FILE))
    for unknown in found:
        _name(report, unknown)
    if unread := sorted(name for name in units if name not in environ):
        says = f"{_shown(_UNITS_FILE)} sets {', '.join(unread)}, which systemd reads and this check does not"
        report.warn("settings", says, f"Run it with them: set -a; . ./{_shown(_UNITS_FILE)}; set +a")


def read_otherwise(report: Report) -> None:
    """Say which values are read otherwise than they are written; of prefixes as what, of others not their values."""
    given = given_values()
    for name in SETTINGS:
        written = given.get(name)
        meant = reads_as(name, written)
        if not isinstance(written, str) or meant == written:
            continue
        if name in PREFIX_SETTINGS:
            report.ok("settings", f"{name}={written} is read as {meant}")
        else:
            report.ok("settings", f"{name} is read without the blanks, quotes or other signs around its value")


def _name(report: Report, unknown: UnknownName) -> None:
    is_nested = "." in unknown.name
    says = f"{unknown.name} in {unknown.place} is no setting, and nobody reads it"
    if is_nested:
        says += ": settings are keys at the root of the file, in no table"
    if unknown.nearest:
        report.fail("settings", says, f"Is {unknown.nearest} meant? Write it so, or remove this one.")
    else:
        report.warn("settings", says, "Remove it, or look for the name that is meant in README.md, Settings.")


def secret_files(report: Report) -> None:
    """Complain of files with secrets in them that others of this machine may read."""
    for file in (SECRETS_FILE, _UNITS_FILE):
        try:
            is_open = bool(file.stat().st_mode & _OTHERS)
        except OSError:
            continue
        if is_open:
            says = f"{_shown(file)} holds secrets, and others of this machine may read it"
            report.warn("secrets", says, f"chmod 600 {_shown(file)}")
        else:
            report.ok("secrets", f"{_shown(file)} is for this user alone")


def profile(report: Report, settings: Settings, expected: Profile | None) -> None:
    """Which profile it is, and whether it is the one that the operator means."""
    if expected in (None, settings.profile):
        report.ok("profile", settings.profile.value)
    elif expected is Profile.PRODUCTION:
        report.fail("profile", "S3_BUCKET is not set, so the demo would serve", "Set S3_BUCKET to the studio's bucket.")
    else:
        says = f"S3_BUCKET is set, so production would serve, from `{settings.s3_bucket}`"
        report.fail("profile", says, "Unset S3_BUCKET to run the embedded demo.")


def sign_in(report: Report, settings: Settings) -> None:
    """How people come in."""
    report.run("sign-in", lambda: _sign_in(settings), "Set what it names, as docs/operate.md says.")


def _sign_in(settings: Settings) -> str:
    settings.require_serving()
    if settings.profile is Profile.EMBEDDED:
        if not settings.asks_for_token:
            return "none: everyone on this machine is demo@localhost"
        where = settings.data_dir / ADDRESS_FILE
        return f"a token of each start, in the address that is printed then and kept in {where}"
    from core.identity.sign_in_answer import CALLBACK_PATH

    return f"Google, for {settings.origin}; its client's redirect URI is {settings.origin}{CALLBACK_PATH}"


def vocabulary(report: Report) -> None:
    """The tones and angles there are words for."""
    report.run("vocabulary", _vocabulary, "Restore labels/attributes.toml: git checkout -- labels/attributes.toml")


def _vocabulary() -> str:
    found = load_vocabulary(VOCABULARY_FILE)
    return f"{len(found.tones)} tones, {len(found.angles)} angles in labels/{VOCABULARY_FILE.name}"


def labels(report: Report) -> None:
    """The published labels, and whether the repository has them."""
    published = load_published(LABELS_FILE)
    report.ok("labels", f"{len(published)} published, version {published.version}")
    for broken in published.broken:
        says = f"labels/{LABELS_FILE.name}, line {broken.line}: {broken.reason}"
        report.warn("labels", says, "Mend or remove that line; all others serve.")
    try:
        waits = label_commit.waits_for(LABELS_FILE)
    except InputError:
        return  # no checkout, or no git: nobody commits here
    if waits:
        says = f"labels/{LABELS_FILE.name} is published and not {waits}: an upgrade would stumble over it"
        report.warn("labels", says, "python -m core labels publish --commit --push, where labels are published.")


def _units(report: Report) -> dict[str, str]:
    """What studio.env says; of systemd's reading a mark at its beginning hides the first setting, and UTF-16 all."""
    if not _is_readable(_UNITS_FILE):
        return {}
    data = _UNITS_FILE.read_bytes()
    try:
        if data.startswith(BOM_UTF8):
            says = f"{_shown(_UNITS_FILE)} begins with a byte order mark, and systemd misses its first setting"
            report.fail("settings", says, "Save it as UTF-8 without a byte order mark.")
        return variables_of(text_of(data))
    except NotUtf8 as err:
        report.fail("settings", f"{_shown(_UNITS_FILE)} cannot be read: {err}", "Save it as UTF-8.")
        return {}


def _is_readable(file: Path) -> bool:
    try:
        file.open("rb").close()
    except OSError:
        return False
    return True


def _shown(file: Path) -> str:
    return file.relative_to(PROJECT_ROOT).as_posix()
