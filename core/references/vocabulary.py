"""Owns the vocabulary of tones and angles, and reads it out of folder names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Final

from core.errors import InjectionError, InputError
from core.references.words.terms import Role, TagKind, Term, Words, words_of
from core.references.words.vocabulary_file import read_vocabulary_file

__all__ = ["GroupProblem", "Role", "TagKind", "Tags", "Term", "Vocabulary", "load_vocabulary"]


_NEAR: Final = 0.75  # of difflib's ratio: one letter wrong, missing or swapped in a word of four
_TOO_SHORT_TO_GUESS: Final = 3  # letters


class GroupProblem(StrEnum):
    """Why a group, or a picture in it, cannot be injected from."""

    AMBIGUOUS = "ambiguous"
    UNTAGGED = "untagged"
    LOOSE = "loose"
    OUTSIDE = "outside"  # of a picture: it lies in no reference folder
    ARCHIVED = "archived"  # of a picture: S3 hands its bytes out only after somebody has restored them
    UNREADABLE = "unreadable"  # of a picture: somebody has looked at it, and it could not be decoded


@dataclass(frozen=True, slots=True)
class Tags:
    """What a group's name says. Of a kind that clashes the tag is None and `clashes` holds the ids."""

    tone: str | None
    angle: str | None
    problem: GroupProblem | None
    clashes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Lookup:
    """Which word sequences mean which term; None marks a phrase that only looks like one."""

    terms: Mapping[Words, Term | None]
    longest: int

    @classmethod
    def over(cls, terms: Mapping[Words, Term | None]) -> _Lookup:
        return cls(terms, max(map(len, terms), default=0))


class Vocabulary:
    """The tones and angles a studio knows, and the grammar of its folder names."""

    def __init__(
        self,
        terms: Iterable[Term],
        role_words: Mapping[Words, Role],
        *,
        lookalikes: Iterable[str] = (),
        prompt_lookalikes: Iterable[str] = (),
    ) -> None:
        all_terms = tuple(terms)
        everywhere = tuple(lookalikes)
        self.tones = tuple(term for term in all_terms if term.kind is TagKind.TONE)
        self.angles = tuple(term for term in all_terms if term.kind is TagKind.ANGLE)
        self.prompt_lookalikes = (*everywhere, *prompt_lookalikes)
        self._names = {term.id: term.name for term in all_terms}
        ids = "|".join(map(re.escape, sorted(self._names, key=len, reverse=True)))
        self._ids_and_quotes = re.compile(rf"“[^”]*”|`[^`]*`|(?<![\w-])(?:{ids or '(?!)'})(?![\w-])")
        self._role_words = dict(role_words)
        no_terms: dict[Words, Term | None] = {words_of(phrase): None for phrase in everywhere}
        self._any_kind = _Lookup.over(no_terms | dict(_folder_entries(all_terms)))
        self._by_kind = {
            TagKind.TONE: _Lookup.over(dict(_folder_entries(self.tones))),
            TagKind.ANGLE: _Lookup.over(dict(_folder_entries(self.angles))),
        }
        self._typed = {(term.kind, words_of(text)): term.id for term in all_terms for text in _spellings(term)}
        self._by_letters = {"".join(words_of(text)): term for term in all_terms for text in _spellings(term)}

    def tone(self, tone_id: str) -> Term:
        """The tone with this id. Raises InjectionError."""
        return _find(self.tones, tone_id, "tone")

    def angle(self, angle_id: str) -> Term:
        """The angle with this id. Raises InjectionError."""
        return _find(self.angles, angle_id, "angle")

    def name(self, term_id: str) -> str:
        """What a tone or an angle is called on screen; of an id that the vocabulary has lost that is the id."""
        return self._names.get(term_id, term_id)

    def in_names(self, sentence: str) -> str:
        """A sentence of ours with the name in place of each id of a tone or an angle.

        What stands in quotes, “…” or `…`, is left as it is: names of files, folders and groups.
        """
        return self._ids_and_quotes.sub(lambda found: self._names.get(found[0], found[0]), sentence)

    def tag(self, kind: TagKind, text: str) -> str:
        """The id a person means by an id, name or alias. Raises InputError."""
        if found := self._typed.get((kind, words_of(text))):
            return found
        terms = self.tones if kind is TagKind.TONE else self.angles
        ids = ", ".join(term.id for term in terms)
        raise InputError("“{}” is no {} we know; choose one of {}.", text, kind, ids)

    def term(self, text: str) -> Term | None:
        """The tone or angle that this text is a name, an alias or the id of, with whatever blanks; None for others."""
        return self._by_letters.get("".join(words_of(text)))

    def role(self, text: str) -> Role | None:
        """The role that this text is a word for, or None."""
        return self._role_words.get(words_of(text))

    def role_of(self, folder_name: str) -> Role | None:
        """The role of a folder named like `01. Model`, or None for any other folder."""
        numbered = re.fullmatch(r"\s*[0-9]{1,3}\.(.+)", unicodedata.normalize("NFC", folder_name), re.DOTALL)
        return self._role_words.get(words_of(numbered[1])) if numbered else None

    def tags_of(self, group_name: str) -> Tags:
        """The tone and angle a group's name carries; the empty name means pictures outside any group."""
        if not group_name:
            return Tags(None, None, GroupProblem.LOOSE)
        found = [term for _, term in self._terms_in(words_of(group_name))]
        tones = _ids(term for term in found if term.kind is TagKind.TONE)
        angles = _ids(term for term in found if term.kind is TagKind.ANGLE)
        clashes = (tones if len(tones) > 1 else ()) + (angles if len(angles) > 1 else ())
        problem = GroupProblem.AMBIGUOUS if clashes else None if found else GroupProblem.UNTAGGED
        return Tags(_only(tones), _only(angles), problem, clashes)

    def words_in(self, group_name: str) -> tuple[tuple[str, Term], ...]:
        """The words of a group's name that mean something, in its order and as they are read, and what each means."""
        whole = words_of(group_name)
        found = ((" ".join(words), term) for words, term in self._terms_in(whole))
        return tuple(sorted(found, key=lambda each: " ".join(whole).find(each[0])))

    def words_that_would_do(self, kind: TagKind, group_name: str) -> tuple[str, ...]:
        """A word for each tone, or angle, to name a group with: in Hangul where its name is."""
        terms = self.tones if kind is TagKind.TONE else self.angles
        return tuple(_word_for(term, is_korean=_has_hangul(group_name)) for term in terms)

    def nearest_word(self, group_name: str) -> tuple[str, str] | None:
        """A word of a name that may be a known one misspelt, and that one; None where none is near."""
        known = [" ".join(words) for words, term in self._any_kind.terms.items() if term is not None]
        for word in words_of(group_name):
            if len(word) > _TOO_SHORT_TO_GUESS and (near := get_close_matches(word, known, 1, _NEAR)):
                return word, near[0]
        return None

    def _terms_in(self, words: Words) -> Iterator[tuple[Words, Term]]:
        """All terms of a name, and the words that say so.

        What follows `tone=` is looked up as a tone, the rest as anything.
        """
        free = list(words)
        for at, word in enumerate(words):
            if word == "=" and at > 0:
                role = self._role_words.get((words[at - 1],))
                kind = None if role in (None, Role.MODEL) else TagKind(role)
                size, term = self._value_at(kind, words, at + 1)
                free[at - 1 : at + 1 + size] = [""] * (size + 2)
                if term:
                    yield words[at + 1 : at + 1 + size], term
        yield from self._free_terms(free)

    def _value_at(self, kind: TagKind | None, words: Words, start: int) -> tuple[int, Term | None]:
        """How many words the value after `=` takes, and what it means in this kind."""
        room = next((at for at in range(start, len(words)) if words[at] == "="), len(words) + 1) - 1 - start
        if room <= 0:
            return 0, None
        lookup = self._by_kind[kind] if kind else _Lookup({}, 0)
        for size in range(min(lookup.longest, room), 0, -1):
            if term := lookup.terms.get(words[start : start + size]):
                return size, term
        return 1, None

    def _free_terms(self, words: list[str]) -> Iterator[tuple[Words, Term]]:
        """The longest phrases first; each takes its words away from shorter ones."""
        for size in range(min(self._any_kind.longest, len(words)), 0, -1):
            for start in range(len(words) - size + 1):
                phrase = tuple(words[start : start + size])
                if phrase in self._any_kind.terms:
                    words[start : start + size] = [""] * size
                    if term := self._any_kind.terms[phrase]:
                        yield phrase, term


def load_vocabulary(path: Path) -> Vocabulary:
    """Read `labels/attributes.toml`. Raises ConfigError naming file, line and reason."""
    entries = read_vocabulary_file(path)
    return Vocabulary(
        entries.terms,
        entries.role_words,
        lookalikes=entries.lookalikes_everywhere,
        prompt_lookalikes=entries.lookalikes_in_prompts,
    )


def _spellings(term: Term) -> tuple[str, ...]:
    return (term.name, *term.prompt_only, *term.folder_only, *term.aliases, term.id)


def _folder_entries(terms: Iterable[Term]) -> Iterator[tuple[Words, Term]]:
    for term in terms:
        for text in (term.id, *term.aliases, *term.folder_only):
            yield words_of(text), term


def _has_hangul(text: str) -> bool:
    return any("HANGUL" in unicodedata.name(character, "") for character in text)


def _word_for(term: Term, *, is_korean: bool) -> str:
    """The term's own name, or in Hangul its first alias that is."""
    aliases = (*term.aliases, *term.folder_only)
    return next(filter(_has_hangul, aliases), term.name.lower()) if is_korean else term.name.lower()


def _find(terms: tuple[Term, ...], term_id: str, noun: str) -> Term:
    for term in terms:
        if term.id == term_id:
            return term
    names = ", ".join(term.name for term in terms)
    raise InjectionError("There is no {} “{}”; choose one of {}.", noun, term_id, names)


def _ids(terms: Iterable[Term]) -> tuple[str, ...]:
    return tuple(sorted({term.id for term in terms}))


def _only(ids: tuple[str, ...]) -> str | None:
    return ids[0] if len(ids) == 1 else None
