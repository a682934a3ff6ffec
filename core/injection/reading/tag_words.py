"""Reads the tone and the angle a prompt asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from core.injection.reading.negation import Negation
from core.injection.reading.words.lexicon import STYLE_ENDINGS, Lexicon, Match
from core.injection.reading.words.text import PromptText, canonical
from core.injection.reading.words.words import ReadingWords
from core.references.vocabulary import TagKind, Term, Vocabulary

_GLUED_NOUN = re.compile(r"(?:한|적인)?(?:톤|풍|느낌|색감|무드|감성|컬러|룩|계열|질감)[가-힣]*")
_ASKED_AS = re.compile(r"(?:으)?로(?= ?(?:해|부탁|찍|촬영|표현|연출|만들|그려|잡|[,.]|$))")
_INSIDE_SYLLABLES = 3


@dataclass(frozen=True, slots=True)
class _TagMeaning:
    """What a phrase would ask for."""

    kind: TagKind
    id: str
    is_tag: bool  # a folder tag, which alone asks for nothing in a prompt
    is_open: bool  # gives way to a more exact phrase
    is_colour: bool  # may be the colour of the thing it stands before


TagMatch = Match[_TagMeaning | None]


@dataclass(frozen=True, slots=True)
class TagFinding:
    """The one id asked for, or None if none or several are; and every phrase that asks."""

    id: str | None
    asked: tuple[TagMatch, ...]


class TagReader:
    """Finds the vocabulary's phrases where they are meant as tone or angle."""

    def __init__(self, vocabulary: Vocabulary, words: ReadingWords) -> None:
        self._words, self._coloured = words.picture, words.not_people.coloured
        entries = [entry for term in (*vocabulary.tones, *vocabulary.angles) for entry in self._entries(term)]
        inside = [
            phrase
            for phrase, meaning in entries
            if not meaning.is_tag and re.fullmatch(rf"[가-힣]{{{_INSIDE_SYLLABLES},}}", phrase)
        ]
        lookalikes = [(phrase, None) for phrase in vocabulary.prompt_lookalikes]
        self._phrases: Lexicon[_TagMeaning | None] = Lexicon(
            [*entries, *lookalikes], endings=STYLE_ENDINGS, inside=inside
        )

    def read(self, text: PromptText, negation: Negation) -> dict[TagKind, TagFinding]:
        """What is asked for, by kind."""
        matches = [match for match in self._phrases.scan(text) if None not in match.meanings]
        denied = negation.find_denied(matches)
        asked = [match for match in matches if match.start not in denied and self._is_meant(text, match)]
        return {kind: _decide([match for match in asked if _meaning_of(match).kind is kind]) for kind in TagKind}

    def _entries(self, term: Term) -> Iterator[tuple[str, _TagMeaning]]:
        tags = {canonical(alias) for alias in term.folder_only}
        phrases = dict.fromkeys((*term.aliases, *term.prompt_only, term.id))
        for phrase in (*phrases, *term.folder_only):
            is_tag = phrase not in term.prompt_only and canonical(phrase) in tags
            meaning = _TagMeaning(
                kind=term.kind,
                id=term.id,
                is_tag=is_tag,
                is_open=canonical(phrase) in self._words.open_phrases,
                is_colour=canonical(phrase) in self._words.colour_words,
            )
            yield phrase, meaning
            yield from ((form, meaning) for form in self._other_forms(phrase))

    def _other_forms(self, phrase: str) -> list[str]:
        """The same asked for with its verb in another form."""
        for ending, forms in self._words.verb_forms.items():
            if phrase.endswith(ending) and len(phrase) > len(ending):
                return [phrase.removesuffix(ending) + form for form in forms]
        return []

    def _is_meant(self, text: PromptText, match: TagMatch) -> bool:
        meaning = _meaning_of(match)
        word = text.next_word(match.tail)
        if meaning.is_colour and word and match.tail == match.end and self._coloured.at(text, word[0]):
            return False
        if not meaning.is_tag:
            return True
        phrase = text.text[match.start : match.end]
        if text.is_alone(match.start, match.tail) and not phrase.isdigit():
            return True
        if meaning.kind is TagKind.TONE and self._ends_a_description(text, match):
            return True
        nouns = self._words.tone_nouns if meaning.kind is TagKind.TONE else self._words.angle_nouns
        if word and nouns.at(text, word[0]):
            return True
        return bool(_GLUED_NOUN.fullmatch(text.text, match.end, match.tail) or _ASKED_AS.match(text.text, match.end))

    def _ends_a_description(self, text: PromptText, match: TagMatch) -> bool:
        """The last word of a clause, after a colour or what it describes: "파란 네온,", "배경은 파스텔,"."""
        if text.text[match.tail : match.tail + 1] not in ("", ",", "."):
            return False
        return bool(self._words.description.search(text.text, max(0, match.start - 12), match.start))


def _meaning_of(match: TagMatch) -> _TagMeaning:
    """The meaning of a match: an alias before a tag, an open phrase before the form of another."""
    meanings = [meaning for meaning in match.meanings if meaning]
    return min(meanings, key=lambda meaning: (meaning.is_tag, meaning.id, not meaning.is_open))


def _decide(asked: list[TagMatch]) -> TagFinding:
    ids = {_meaning_of(match).id for match in asked}
    if len(ids) > 1:
        ids = {_meaning_of(match).id for match in asked if not _meaning_of(match).is_open}
    return TagFinding(ids.pop() if len(ids) == 1 else None, tuple(asked))
