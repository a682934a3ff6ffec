"""Reads and checks `labels/attributes.toml`; every complaint names the line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import ConfigError
from core.references.words.terms import Role, TagKind, Term, Words, words_of
from core.unicode import NotUtf8, read_text

SETTING = "labels/attributes.toml"

_Text = Annotated[str, Field(pattern=r"\S")]
_Id = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _TermTable(_Table):
    name: _Text
    aliases: list[str]
    folder_only: list[str] = []
    prompt_only: list[str] = []
    directive: _Text


class _RoleTable(_Table):
    aliases: list[str]


class _RolesTable(_Table):
    model: _RoleTable
    tone: _RoleTable
    angle: _RoleTable


class _LookalikesTable(_Table):
    everywhere: list[str] = []
    in_prompts: list[str] = []


class _VocabularyTable(_Table):
    roles: _RolesTable
    lookalikes: _LookalikesTable = _LookalikesTable()
    tones: Annotated[dict[_Id, _TermTable], Field(min_length=1)]
    angles: Annotated[dict[_Id, _TermTable], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class VocabularyEntries:
    """What the file says, checked: terms in file order, role words, phrases that only look like terms."""

    terms: tuple[Term, ...]
    role_words: dict[Words, Role]
    lookalikes_everywhere: tuple[str, ...]
    lookalikes_in_prompts: tuple[str, ...]


def read_vocabulary_file(path: Path) -> VocabularyEntries:
    """Parse and check the file. Raises ConfigError naming file, line and reason."""
    source = _Source(path.name, _text_of(path))
    table = _table_of(source)
    terms = tuple(_terms_of(table))
    _check_aliases(source, terms, table.lookalikes)
    return VocabularyEntries(
        terms=terms,
        role_words=_role_words(source, table.roles),
        lookalikes_everywhere=tuple(table.lookalikes.everywhere),
        lookalikes_in_prompts=tuple(table.lookalikes.in_prompts),
    )


@dataclass(frozen=True, slots=True)
class _ListedValue:
    """A value in the list under a key of a section."""

    section: tuple[str, ...]
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class _Source:
    """The file's text, kept to find the line a complaint is about."""

    name: str
    text: str

    def refuse(self, line: int, reason: str) -> NoReturn:
        raise ConfigError("{}, line {}: {}.", self.name, line, reason, setting=SETTING)

    def line_of_section(self, *path: str) -> int:
        """The header `[tones.noir]`, or of the closest table around it, or the first line."""
        for depth in range(len(path), 0, -1):
            parts = r"\s*\.\s*".join(rf"[\"']?{re.escape(part)}[\"']?" for part in path[:depth])
            if found := re.search(rf"^\s*\[\s*{parts}\s*\]", self.text, re.MULTILINE):
                return self._line_at(found.end())
        return 1

    def line_of_key(self, section: tuple[str, ...], key: str) -> int:
        """The line `key = …` inside a section; the section's own line if it has no such key."""
        return self._search(section, rf"^\s*[\"']?{re.escape(key)}[\"']?\s*[=.]")

    def line_of(self, place: _ListedValue) -> int:
        """The line on which a list spells this value. Looked for when there is a complaint: there are hundreds."""
        start = self.line_of_key(place.section, place.key)
        lines = self.text.splitlines()
        for number in range(start, len(lines) + 1):
            if f'"{place.value}"' in lines[number - 1] or f"'{place.value}'" in lines[number - 1]:
                return number
        return start

    def _search(self, section: tuple[str, ...], pattern: str) -> int:
        start = self.line_of_section(*section)
        lines = self.text.splitlines()
        for number in range(start + 1, len(lines) + 1):
            if re.match(pattern, lines[number - 1]):
                return number
            if re.match(r"^\s*\[[^\[\]]+\]\s*(#.*)?$", lines[number - 1]):
                break
        return start

    def _line_at(self, offset: int) -> int:
        return self.text.count("\n", 0, offset) + 1


def _text_of(path: Path) -> str:
    try:
        return read_text(path)
    except OSError as err:
        raise ConfigError("{} cannot be read: {}.", path.name, err.strerror, setting=SETTING) from err
    except NotUtf8 as err:
        raise ConfigError("{}, line {}: this is not UTF-8 text.", path.name, err.line, setting=SETTING) from err


def _table_of(source: _Source) -> _VocabularyTable:
    try:
        data = tomllib.loads(source.text)
    except tomllib.TOMLDecodeError as err:
        at = re.search(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$", str(err))
        line = int(at[1]) if at and at[1] else len(source.text.splitlines()) or 1
        reason = str(err)[: at.start()] if at else str(err)
        raise ConfigError("{}, line {}: {}.", source.name, line, reason, setting=SETTING) from err
    try:
        return _VocabularyTable.model_validate(data)
    except ValidationError as err:
        _refuse_shape(source, err)


def _refuse_shape(source: _Source, err: ValidationError) -> NoReturn:
    """Turn pydantic's first complaint into a line number and a sentence."""
    first = err.errors()[0]
    path = tuple(part for part in first["loc"] if isinstance(part, str) and part != "[key]")
    section, key = path[:-1], path[-1]
    where = f"[{'.'.join(section)}]" if section else "the file"
    match first["type"]:
        case "missing":
            source.refuse(source.line_of_section(*path), f"{where} has no {key}")
        case "extra_forbidden":
            line = source.line_of_key(section, key)
            if line == source.line_of_section(*section):
                line = source.line_of_section(*path)
            source.refuse(line, f"{where} has an unknown key {key}")
        case "string_pattern_mismatch" if first["loc"][-1] == "[key]":
            source.refuse(source.line_of_section(*path), f"the id {key!r} may only hold a-z, 0-9 and single hyphens")
        case "string_pattern_mismatch":
            source.refuse(source.line_of_key(section, key), f"the {key} of {where} is empty")
        case "too_short":
            source.refuse(source.line_of_section(*path), f"there are no {key}")
        case _:
            source.refuse(source.line_of_key(section, key), f"the {key} of {where} is wrong: {first['msg']}")


def _terms_of(table: _VocabularyTable) -> Iterator[Term]:
    for kind, entries in ((TagKind.TONE, table.tones), (TagKind.ANGLE, table.angles)):
        for term_id, entry in entries.items():
            yield Term(
                id=term_id,
                kind=kind,
                name=entry.name,
                aliases=tuple(entry.aliases),
                folder_only=tuple(entry.folder_only),
                prompt_only=tuple(entry.prompt_only),
                directive=entry.directive,
            )


def _check_aliases(source: _Source, terms: Iterable[Term], lookalikes: _LookalikesTable) -> None:
    """Refuse ids, aliases and lookalikes that are empty or claimed twice."""
    owners: dict[Words, str] = {}
    for term in terms:
        section = (f"{term.kind}s", term.id)
        words = words_of(term.id)
        if words in owners:
            line = source.line_of_section(*section)
            source.refuse(line, f"the id {term.id!r} is already taken by {owners[words]}")
        owners[words] = term.id
    for term in terms:
        section = (f"{term.kind}s", term.id)
        if not term.aliases:
            source.refuse(source.line_of_key(section, "aliases"), f"the aliases of {term.id} are empty")
        for key, aliases in _spellings(term):
            for alias in aliases:
                place = _ListedValue(section, key, alias)
                owner = owners.setdefault(_checked_words(source, place), term.id)
                if owner != term.id:
                    source.refuse(
                        source.line_of(place), f"the alias {alias!r} of {term.id} is already taken by {owner}"
                    )
    for key, phrases in (("everywhere", lookalikes.everywhere), ("in_prompts", lookalikes.in_prompts)):
        for phrase in phrases:
            place = _ListedValue(("lookalikes",), key, phrase)
            if owner := owners.get(_checked_words(source, place), ""):
                source.refuse(source.line_of(place), f"the lookalike {phrase!r} is an alias of {owner}")


def _spellings(term: Term) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return (
        ("aliases", term.aliases),
        ("folder_only", term.folder_only),
        ("prompt_only", term.prompt_only),
    )


def _role_words(source: _Source, roles: _RolesTable) -> dict[Words, Role]:
    owners: dict[Words, Role] = {(role.value,): role for role in Role}
    for role, entry in ((Role.MODEL, roles.model), (Role.TONE, roles.tone), (Role.ANGLE, roles.angle)):
        for alias in entry.aliases:
            place = _ListedValue(("roles", role.value), "aliases", alias)
            owner = owners.setdefault(_checked_words(source, place), role)
            if owner is not role:
                source.refuse(source.line_of(place), f"the alias {alias!r} of {role} is already taken by {owner}")
    return owners


def _checked_words(source: _Source, place: _ListedValue) -> Words:
    alias = place.value
    words = words_of(alias)
    if not words or "=" in words or not any(any(map(str.isalnum, word)) for word in words):
        source.refuse(
            source.line_of(place), f"the alias {alias!r} holds no word" if alias.strip() else "an alias is empty"
        )
    return words
