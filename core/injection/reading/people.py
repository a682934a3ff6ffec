"""Reads whether a prompt means a person, and of which gender."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from core.injection.reading.negation import Negation
from core.injection.reading.words.lexicon import Match, Stretches
from core.injection.reading.words.text import PromptText, is_hangul
from core.injection.reading.words.words import ReadingWords, Sign

SignMatch = Match[Sign]

_NAMED = frozenset({Sign.FEMININE, Sign.MASCULINE, Sign.NEUTRAL})
_PRONOUNS = frozenset({Sign.SHE, Sign.HE})
_STRONG = _NAMED | _PRONOUNS | {Sign.BODY}
_WEAK = frozenset({Sign.PICTURE, Sign.DOING, Sign.POSTURE})
_OF_A_BODY = frozenset({Sign.BODY, Sign.PICTURE, Sign.DOING}) | _NAMED
_GENDERS = {Sign.FEMININE: "feminine", Sign.SHE: "feminine", Sign.MASCULINE: "masculine", Sign.HE: "masculine"}
_LOOKS = {Sign.SHE_LOOKS: "feminine", Sign.HE_LOOKS: "masculine"}

_ENGLISH_OF = re.compile(r" (?:of|depicting|shaped like) (?:\w+ ){0,3}")
_OPENING = re.compile(r"(?:^|[,.])(?:(?:[a-z]+ly|quietly|while|someone|just|still|of|are|is) )*$")
_OPENING_CHARS = 40
_KOREAN_MATERIAL = re.compile(r"[가-힣]+(?<![은는한고며의를을이가에])")
_FOR_MANY = re.compile(r"(?:^|.*[ ,.])for (?:the |modern |young |busy )?")
_FOR_ANYONE = re.compile(r"(?:^|.*[ ,.])(?:(?:gifts?|presents?|card|bouquet) for (?:\w+ )?|for (?:my|your) )")
_MATERIAL_CHARS = 28
_MANNER = re.compile(
    r"(?:영화감독|영화 감독|감독|작가|사진작가|사진가|화가|조각가|건축가)(?:의? ?| [가-힣]{2,6}의? )"
    r"(?:스타일|화풍|풍|느낌|작품|영화|그림|무드|감성|색감)"
)
_APOSTROPHES = "'’‘ʼ`´′"


@dataclass(frozen=True, slots=True)
class PeopleFinding:
    """Who is in the picture: the words that say so, and in `dismissed` those that turned out not to."""

    person: bool
    gender: str | None
    meant: tuple[SignMatch, ...]
    gendered: tuple[SignMatch, ...]
    dismissed: tuple[SignMatch, ...]
    named: tuple[SignMatch, ...]
    is_ruled_out: bool


class PeopleReader:
    """Weighs nouns, bodies, pronouns and deeds against goods, animals, figures and denials."""

    def __init__(self, words: ReadingWords) -> None:
        self._words = words

    def read(self, text: PromptText, negation: Negation, others: Stretches) -> PeopleFinding:
        """Find out who is meant; `others` are names of those who are not in the picture."""
        return _Scene(text, self._words, negation, others).finding()


class _Scene:
    """The people words of one prompt."""

    def __init__(self, text: PromptText, words: ReadingWords, negation: Negation, others: Stretches) -> None:
        self._text, self._words, self._others = text, words, others
        matches = words.signs.scan(text)
        self._by_start = {match.start: match for match in matches}
        matches = [match for match in matches if self._is_whole(match)]
        self._matches = [match for match in matches if Sign.LOOKALIKE not in match.meanings]
        self._by_start = {match.start: match for match in matches}
        self._is_unwanted = negation.is_unwanted
        self._denied = negation.find_denied(
            match for match in self._matches if match.meanings & (_STRONG | _WEAK | {Sign.EFFIGY, Sign.ANIMAL})
        )
        self._figures = [
            match
            for match in self._matches
            if match.meanings & {Sign.ANIMAL, Sign.EFFIGY} and match.start not in self._denied
        ]

        self._effigies = Stretches.of(match for match in self._figures if Sign.EFFIGY in match.meanings)
        self._doers = Stretches.of(
            match
            for match in self._matches
            if Sign.OBJECT in match.meanings and self._is_subject(match) and not self._is_unwanted(match)
        )

    def finding(self) -> PeopleFinding:
        """Strong words decide; weak ones are heard only if nobody is ruled out."""
        strong = list(self._find_strong())
        is_empty = any(Sign.NOBODY in match.meanings and not self._is_unwanted(match) for match in self._matches)
        is_ruled_out = is_empty or any(self._rules_out(match) for match in self._matches)
        weak = [] if is_ruled_out else list(self._find_weak(has_strong=bool(strong)))
        if is_empty:  # "hands up", and nobody there
            strong = [match for match in strong if match.meanings & (_NAMED | _PRONOUNS)]
        meant = strong + weak
        strong_starts = {match.start for match in strong}
        gendered = tuple(self._find_gendered(strong, has_person=bool(meant)))
        genders = {gender for match in gendered for gender in _genders_of(match)}
        return PeopleFinding(
            person=bool(meant),
            gender=genders.pop() if len(genders) == 1 else None,
            meant=tuple(meant),
            gendered=gendered,
            dismissed=tuple(
                match
                for match in self._matches
                if match.meanings & _NAMED and match.start not in strong_starts and not self._is_unwanted(match)
            ),
            named=tuple(match for match in strong if match.meanings & _NAMED),
            is_ruled_out=is_ruled_out,
        )

    def _rules_out(self, match: SignMatch) -> bool:
        """Whether this denies that anybody is there: of a list of what is unwanted only a word for anybody does."""
        if match.start not in self._denied or not match.meanings & _NAMED:
            return False
        if not self._is_unwanted(match):
            return True
        is_item = self._text.is_alone(match.start, match.tail)
        return is_item and self._text.text[match.start : match.end] in self._words.negation.anybody

    def _find_strong(self) -> Iterator[SignMatch]:
        """Nouns that name somebody; bodies and pronouns unless an animal or a figure owns them."""
        named = [
            match
            for match in self._matches
            if match.meanings & _NAMED and Sign.BODY not in match.meanings and self._is_somebody(match)
        ]
        yield from named
        for match in self._matches:
            if match.meanings & _PRONOUNS and named:  # "the artist in her studio", "a farmer and his dog"
                is_meant = match.start not in self._denied and not self._is_audience(match)
            else:
                is_owned = match.meanings & (_PRONOUNS | {Sign.BODY}) and (named or not self._figures)
                is_meant = bool(is_owned) and self._is_somebody(match)
            if is_meant:
                yield match

    def _is_whole(self, match: SignMatch) -> bool:
        """Not a syllable that only begins another word: it stands alone or before somebody's name."""
        if self._text.text[match.start : match.end] not in self._words.people.sexes:
            return True
        follower = self._by_start.get(match.end)
        is_prefix = follower is not None and bool(follower.meanings & _NAMED)
        return is_prefix or self._text.is_alone(match.start, match.end)

    def _is_somebody(self, match: SignMatch) -> bool:
        return not (
            match.start in self._denied
            or self._others.overlap(match.start, match.end)
            or self._is_artist(match)
            or self._is_figure(match)
            or self._is_goods(match)
            or self._is_audience(match)
            or self._is_owner_of_nobody(match)
        )

    def _is_artist(self, match: SignMatch) -> bool:
        """Whose manner is asked for: "박찬욱 감독 스타일의 복도"."""
        return self._is_bare(match) and bool(_MANNER.match(self._text.text, match.start))

    def _is_owner_of_nobody(self, match: SignMatch) -> bool:
        """ "Her" in "her grandmother's recipe book": the book's owner is nobody, and so is theirs."""
        if not match.meanings & _PRONOUNS:
            return False
        follower = self._follower(match.tail)
        return follower is not None and bool(follower.meanings & _NAMED) and not self._is_somebody(follower)

    def _is_figure(self, match: SignMatch) -> bool:
        """A likeness: "statue of a woman", "female mannequin", "여성 마네킹"."""
        if Sign.EFFIGY in match.meanings:
            return True
        if self._words.not_people.materials.search(self._text.text, max(0, match.start - _MATERIAL_CHARS), match.start):
            return True
        follower = self._follower(match.tail)
        if follower and follower.meanings & {Sign.EFFIGY, Sign.ANIMAL} and self._is_bare(match):
            return True
        figure = self._effigies.last_before(match.start)
        return figure is not None and bool(_ENGLISH_OF.fullmatch(self._text.text, figure[1], match.start))

    def _is_goods(self, match: SignMatch) -> bool:
        """The users of a thing: "men's perfume", "baby shoes", "hand cream", "여성 가죽 가방"."""
        text = self._text
        word = text.next_word(match.tail)
        if word is None:
            return False
        start, end = word
        if text.text[start:end] == "'s":
            return not self._has_body_after(end)
        glued = text.prompt[text.ends[match.end - 1] : text.ends[match.end - 1] + 1]
        if glued and glued in _APOSTROPHES:  # "boys' school blazer"
            return not self._has_body_after(match.tail)
        if glued == "-" and start not in self._by_start:  # "man-sized", "women-only", "model-making"
            return True
        if not self._is_bare(match):
            return False
        follower = self._by_start.get(start)
        if follower is None and match.meanings & set(_GENDERS) and _KOREAN_MATERIAL.fullmatch(text.text, start, end):
            follower = self._follower(end)
        return follower is not None and Sign.GOODS in follower.meanings

    def _is_audience(self, match: SignMatch) -> bool:
        """Those a thing is made for: "perfume for men", "여성을 위한 향수"."""
        word = self._text.next_word(match.tail)
        if word and self._text.text[word[0] : word[1]] in self._words.audience.after:
            return True
        if word and self._text.text[match.end : match.tail] in self._words.audience.recipients:
            return self._text.text.startswith(tuple(self._words.audience.sent), *word)
        before = self._text.text[max(0, match.start - 24) : match.start]
        if _FOR_ANYONE.fullmatch(before):
            return True
        return bool(_FOR_MANY.fullmatch(before)) and self._is_plural_or_pronoun(match)

    def _is_plural_or_pronoun(self, match: SignMatch) -> bool:
        word = self._text.text[match.start : match.end]
        return word in self._words.audience.several or word.endswith("s")

    def _is_bare(self, match: SignMatch) -> bool:
        return self._text.text[match.end : match.tail] in ("", "의", "용")

    def _has_body_after(self, at: int) -> bool:
        """Whether one of the next three words is part of a person or shows one."""
        for _ in range(3):
            word = self._text.next_word(at)
            if word is None:
                return False
            follower = self._by_start.get(word[0])
            if follower and Sign.GOODS in follower.meanings:
                return False
            if (follower and follower.meanings & _OF_A_BODY) or self._text.text[
                word[0] : word[1]
            ] in self._words.people.seen:
                return True
            at = word[1]
        return False

    def _follower(self, at: int) -> SignMatch | None:
        word = self._text.next_word(at)
        return self._by_start.get(word[0]) if word else None

    def _find_weak(self, *, has_strong: bool) -> Iterator[SignMatch]:
        """Deeds and kinds of picture, unless something else in the sentence does or shows it."""
        for match in self._matches:
            if not match.meanings & _WEAK or match.start in self._denied:
                continue
            if has_strong or (not self._figures and self._is_done_by_somebody(match)):
                yield match

    def _is_done_by_somebody(self, match: SignMatch) -> bool:
        if Sign.POSTURE not in match.meanings:
            return True
        doer = self._doers.last_before(match.start)
        if doer and doer[0] >= self._text.sentence_start(match.start):
            return False
        if is_hangul(self._text.text[match.start]):
            return True
        return bool(_OPENING.search(self._text.text, max(0, match.start - _OPENING_CHARS), match.start))

    def _is_subject(self, match: SignMatch) -> bool:
        """English objects count wherever they stand before; Korean ones only as the subject."""
        if not is_hangul(self._text.text[match.start]):
            return True
        return self._text.text[match.end : match.tail] in ("이", "가", "은", "는", "들이")

    def _find_gendered(self, strong: list[SignMatch], *, has_person: bool) -> Iterator[SignMatch]:
        plain = [match for match in strong if match.meanings & set(_GENDERS)]
        if plain or not has_person:
            yield from plain
            return
        for match in self._matches:
            if match.meanings & set(_LOOKS) and match.start not in self._denied:
                yield match


def _genders_of(match: SignMatch) -> set[str]:
    return {(_GENDERS | _LOOKS)[sign] for sign in match.meanings if sign in _GENDERS or sign in _LOOKS}
