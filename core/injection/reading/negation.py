"""Decides whether a phrase of a prompt is denied: "no people", "not cinematic", "사람 없이", "흑백이 아닌"."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from core.injection.reading.age_match import AgeMatch
from core.injection.reading.words.lexicon import Match, Stretches
from core.injection.reading.words.text import PromptText
from core.injection.reading.words.words import NegationWords, Negator

_REACH = 4
_KOREAN_REACH = 7  # "남자 한 명도 여자 한 명도 없는"
_GLUED = re.compile(r"없|아닌|아니|말고|빼고|제외|대신|금지|배제|[미불비]포함|[미비]노출|미등장|보다는")
# English: "guests not yet arrived", "the crowd has left", "people out of frame"; as in a form, "talent: none".
_GONE = re.compile(
    r"(?: (?:is|are|was|were))? (?:not yet|yet to|long gone|all gone|out of (?:frame|shot|sight)|off camera"
    r"|not (?:visible|shown|present|included|in (?:the )?(?:frame|shot|picture)))(?![^ ,.])"
    r"| (?:has|have|having|had) (?:all |already |just |long )?(?:left|gone)(?![^ ,.])"
    r"|(?: (?:is|are|be))? (?:excluded|omitted|left out|removed|forbidden|prohibited)(?![^ ,.])"
    r"| no(?=[,.]|$)|,(?:none|no|nobody|x|없음|없이)(?=[,.]|$)"
)
# Korean: who has left is not there, "사람들이 빠져나간 경기장".
_LEFT = re.compile(
    r" (?:(?:다|모두|전부|이미|막|집에|자리를|잠시) ){0,2}"
    r"(?:빠져나간|빠져나가고|떠나간|사라진|퇴근한|퇴장한|돌아간|비운"
    r"|(?:빠진|떠난|나간|가고|떠나고) (?:뒤|후|난))(?:의)?(?![^ ,.])"
)
_NOT_AGED = re.compile(r"(?<![^ ,.])(?:not|never|isnt)(?: in)? $")
_NOT_AGED_CHARS = 12
# English: "no text, people, or logos"; what follows an article is no item of such a list.
_WORDS = r"(?!an? |the )\w{1,24}(?: \w{1,24}){0,2}"
_OR_LIST = re.compile(rf"(?: any)? {_WORDS}(?:,{_WORDS}){{0,6}}(?:,| ,|, | )(?:or|nor) {_WORDS}(?=[,.]|$)")
# Of one word each.
_ITEMS_AFTER = re.compile(r"(?:,[가-힣]{1,12}){1,5}(?![^ ,.])")
_LISTED = re.compile(r"[가-힣]*(?:이나|나|이랑|랑|하고|과|와|도|및|또는|혹은|그리고)")


class Negation:
    """The denials of one prompt."""

    def __init__(self, words: NegationWords, text: PromptText, unwanted: Stretches) -> None:
        """`unwanted` are the parts of the text that list what is not to be seen, without a word of denial."""
        self._words = words
        self._text = text
        self._unwanted = unwanted
        self._negators = [match for match in words.negators.scan(text) if Negator.NEUTRAL not in match.meanings]

    def is_unwanted(self, match: Match[Any] | AgeMatch) -> bool:
        """Whether this stands in a list of what is not to be seen: "--no people", "Negative prompt: …"."""
        return self._unwanted.overlap(match.start, match.end)

    def denies_age(self, match: AgeMatch) -> bool:
        """Whether this age is not the one that is meant: "20대 말고 30대", "not in her 20s but in her 30s"."""
        if self.is_unwanted(match) or _NOT_AGED.search(
            self._text.text, max(0, match.start - _NOT_AGED_CHARS), match.start
        ):
            return True
        tail = self._text.word_end(match.end)
        return self._is_denied_after(Match(match.start, match.end, tail, frozenset()))

    def find_denied(self, matches: Iterable[Match[Any]]) -> set[int]:
        """The starts of the matches that are denied."""
        ordered = sorted(matches, key=lambda match: match.start)
        before = self._find_denied_before(ordered)
        after = {match.start for match in ordered if self._is_denied_after(match)}
        neighbours = [(one, two) for one, two in pairwise(ordered) if one.tail + 1 == two.start]
        for one, two in neighbours:  # "no male models"
            if one.start in before and self._text.text[one.tail] == " ":
                before.add(two.start)
        for one, two in reversed(neighbours):  # "남성 모델 없이"
            if two.start in after and one.tail == one.end and self._text.text[one.tail] == " ":
                after.add(one.start)
        for one, two in reversed(list(pairwise(ordered))):  # "남자, 여자 제외", "사람, 글자, 로고 제외"
            if two.start in after and self._is_listed_before(one, two):
                after.add(one.start)
        return before | after | {match.start for match in ordered if self.is_unwanted(match)}

    def _find_denied_before(self, ordered: list[Match[Any]]) -> set[int]:
        """English: each negator denies the first match in its reach, and those listed with it."""
        starts = {match.start: match for match in ordered}
        denied: set[int] = set()
        for negator in self._negators:
            is_strict = Negator.NOT in negator.meanings
            if listed := None if is_strict else _OR_LIST.match(self._text.text, negator.tail):
                denied.update(match.start for match in _within(ordered, negator.tail, listed.end()))
            at, reach = negator.tail, _REACH + 2 * is_strict
            while reach and (word := self._text.next_word(at)):
                start, end = word
                if match := starts.get(start):
                    denied.add(start)
                    if (next_at := self._after_list_word(match.tail)) is None:
                        break
                    at = next_at
                elif self._ends_reach(start, end, is_strict=is_strict):
                    break
                else:
                    at, reach = end, reach - 1
        return denied

    def _ends_reach(self, start: int, end: int, *, is_strict: bool) -> bool:
        if is_strict:
            return self._text.text[start:end] not in self._words.small_words
        return self._words.ends.at(self._text, start) is not None

    def _after_list_word(self, at: int) -> int | None:
        """Past an "or" that carries the denial on, or None."""
        word = self._text.next_word(at)
        if word and self._text.text[word[0] : word[1]] in self._words.or_:
            return word[1]
        return None

    def _is_listed_before(self, one: Match[Any], two: Match[Any]) -> bool:
        """Whether what denies the second of two items denies the first as well: "남자, 여자 제외"."""
        text, anyone = self._text.text, self._words.anyone
        is_item = one.end == one.tail and text[one.start - 1 : one.start] in ("", ",", ".")
        are_beside = text[one.tail : two.start] == ","
        return is_item and are_beside and {text[one.start : one.end], text[two.start : two.end]} <= anyone

    def _list_end(self, match: Match[Any]) -> int:
        """Where the list ends that a word for anybody goes on to, "사람, 글자, 로고 제외"; else where the word ends."""
        text = self._text.text
        is_item = match.end == match.tail and text[match.start - 1 : match.start] in ("", ",", ".")
        if is_item and text[match.start : match.end] in self._words.anybody:
            items = _ITEMS_AFTER.match(text, match.tail)
            return items.end() if items else match.tail
        return match.tail

    def _is_denied_after(self, match: Match[Any]) -> bool:
        """The denial follows, in Korean with nothing but fitting small words between."""
        text = self._text.text
        if _GLUED.search(text, match.end, match.tail) or _GONE.match(text, match.tail) or _LEFT.match(text, match.tail):
            return True
        at, skips = self._list_end(match), bool(_LISTED.fullmatch(text, match.end, match.tail))
        if at > match.tail and _GLUED.search(text, match.tail, at):
            return True
        for _ in range(_KOREAN_REACH):
            word = self._text.next_word(at)
            if word is None:
                return False
            start, at = word
            if self._words.after.at(self._text, start):
                return True
            is_small = self._text.text[start:at] in self._words.before_after
            if not (is_small or skips):
                return False
            skips = bool(_LISTED.fullmatch(self._text.text, start, at)) or (is_small and skips)
        return False


def _within(ordered: list[Match[Any]], start: int, end: int) -> list[Match[Any]]:
    """Those of the matches that stand between these places."""
    first = bisect_left(ordered, start, key=lambda match: match.start)
    return ordered[first : bisect_left(ordered, end, key=lambda match: match.start)]
